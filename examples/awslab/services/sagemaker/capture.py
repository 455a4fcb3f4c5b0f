"""Data capture: requests and answers of an endpoint, written to S3 as Model Monitor reads them."""

import base64
import contextlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from awslab import objects
from awslab.clock import now
from awslab.services.sagemaker.hosting import Answer

MODES = {"Input": ("Input",), "Output": ("Output",), "InputAndOutput": ("Input", "Output")}


@dataclass(frozen=True)
class Invocation:
    """What a client asks an endpoint. Members that the client left out are empty."""

    body: bytes
    content_type: str = ""
    accept: str = ""
    attributes: str = ""
    inference_id: str = ""


def capture(
    config: Mapping[str, Any] | None,
    endpoint_name: str,
    variant_name: str,
    asked: Invocation,
    answer: Answer,
    dice: Random,
) -> None:
    """Write one record into a file of its own, if the sample wants it.

    config: the DataCaptureConfig of the endpoint's configuration; None captures nothing. A bucket
        that does not exist loses the record, and nobody is told, as in AWS.
    """
    if not config or not config.get("EnableCapture", True):
        return
    if dice.random() * 100 >= config["InitialSamplingPercentage"]:
        return
    at = now()
    folder = f"{endpoint_name}/{variant_name}/{at:%Y/%m/%d/%H}"
    name = f"{at:%M-%S}-{at.microsecond // 1000:03}-{uuid.uuid4()}.jsonl"
    record = json.dumps(record_of(config, asked, answer, f"{at:%Y-%m-%dT%H:%M:%SZ}"))
    with contextlib.suppress(objects.NotFound):
        uri = f"{config['DestinationS3Uri'].rstrip('/')}/{folder}/{name}"
        objects.write(uri, record.encode() + b"\n")


def record_of(
    config: Mapping[str, Any], asked: Invocation, answer: Answer, time: str
) -> dict[str, Any]:
    """One line of a captured file, version 0 of its schema."""
    modes = {mode for option in config["CaptureOptions"] for mode in MODES[option["CaptureMode"]]}
    kinds = config.get("CaptureContentTypeHeader") or {}
    data = {}
    if "Input" in modes:
        data["endpointInput"] = side(asked.body, asked.content_type, "INPUT", kinds)
    if "Output" in modes:
        data["endpointOutput"] = side(answer.body, answer.content_type, "OUTPUT", kinds)
    metadata: dict[str, Any] = {"eventId": str(uuid.uuid4())}
    if asked.attributes:
        metadata["customAttributes"] = [asked.attributes]
    if asked.inference_id:
        metadata["inferenceId"] = asked.inference_id
    metadata["inferenceTime"] = time
    return {"captureData": data, "eventMetadata": metadata, "eventVersion": "0"}


def side(body: bytes, content_type: str, mode: str, kinds: Mapping[str, Any]) -> dict[str, str]:
    """The request or the answer. A content type that is not named, and bytes that are no text,
    are written in Base64."""
    encoding = encoding_of(content_type, kinds)
    try:
        data = body.decode() if encoding != "BASE64" else base64.b64encode(body).decode()
    except UnicodeDecodeError:
        encoding, data = "BASE64", base64.b64encode(body).decode()
    return {
        "observedContentType": content_type or "application/octet-stream",
        "mode": mode,
        "data": data,
        "encoding": encoding,
    }


def encoding_of(content_type: str, kinds: Mapping[str, Any]) -> str:
    media = content_type.partition(";")[0].strip().lower()
    for encoding, member in (("CSV", "CsvContentTypes"), ("JSON", "JsonContentTypes")):
        if media in [kind.lower() for kind in kinds.get(member) or []]:
            return encoding
    return "BASE64"
