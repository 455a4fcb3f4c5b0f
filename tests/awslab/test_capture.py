"""Data capture: what of the traffic lies in S3 afterwards, and in which form."""

import json
import re
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from awslab.clock import CLOCK, now
from awslab.services.sagemaker.capture import Invocation, capture
from awslab.services.sagemaker.hosting import Answer

BUCKET = "amzn-s3-demo-bucket"
BOTH = [{"CaptureMode": "InputAndOutput"}]
ASKED = Invocation(b"1,2", "text/csv", "", "trace=1", "order-17")
ANSWERED = Answer(200, b"0.5", "text/csv; charset=utf-8", 1000.0)


class Captures:
    """A bucket, and what is captured into it."""

    def __init__(self, client: Callable[..., Any]) -> None:
        self.s3 = client("s3")
        where = {"LocationConstraint": "ap-northeast-1"}
        self.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
        self.dice = Random(1)

    def __call__(
        self, asked: Invocation = ASKED, answered: Answer = ANSWERED, **config: Any
    ) -> None:
        whole = {
            "InitialSamplingPercentage": 100,
            "DestinationS3Uri": f"s3://{BUCKET}/capture",
            "CaptureOptions": BOTH,
            "CaptureContentTypeHeader": {
                "CsvContentTypes": ["text/csv"],
                "JsonContentTypes": ["application/json"],
            },
        } | config
        capture(whole, "shop", "blue", asked, answered, self.dice)

    def keys(self) -> list[str]:
        found = self.s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        return [each["Key"] for each in found]

    def only(self) -> dict[str, Any]:
        """The one record there is."""
        [key] = self.keys()
        text = self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode()
        assert text.endswith("\n") and text.count("\n") == 1
        record: dict[str, Any] = json.loads(text)
        return record


@pytest.fixture
def captures(client: Callable[..., Any]) -> Captures:
    return Captures(client)


def test_a_record(captures: Captures) -> None:
    captures()
    record = captures.only()
    event_id = record["eventMetadata"].pop("eventId")
    time = record["eventMetadata"].pop("inferenceTime")
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", event_id)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", time)
    assert record == {
        "captureData": {
            "endpointInput": {
                "observedContentType": "text/csv",
                "mode": "INPUT",
                "data": "1,2",
                "encoding": "CSV",
            },
            "endpointOutput": {
                "observedContentType": "text/csv; charset=utf-8",
                "mode": "OUTPUT",
                "data": "0.5",
                "encoding": "CSV",
            },
        },
        "eventMetadata": {"inferenceId": "order-17", "customAttributes": ["trace=1"]},
        "eventVersion": "0",
    }


def test_the_place_of_a_file_is_its_hour(captures: Captures) -> None:
    CLOCK.run(0)
    try:
        CLOCK.advance(86_400)
        captures()
        at = now()
    finally:
        CLOCK.run(None)
    [key] = captures.keys()
    folder, _, name = key.rpartition("/")
    assert folder == f"capture/shop/blue/{at:%Y/%m/%d/%H}"
    assert name.startswith(f"{at:%M-%S}-{at.microsecond // 1000:03}-") and name.endswith(".jsonl")
    assert captures.only()["eventMetadata"]["inferenceTime"] == f"{at:%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.parametrize(
    ("modes", "sides"),
    [
        (["Input"], {"endpointInput"}),
        (["Output"], {"endpointOutput"}),
        (["Input", "Output"], {"endpointInput", "endpointOutput"}),
        (["InputAndOutput"], {"endpointInput", "endpointOutput"}),
    ],
)
def test_sides(captures: Captures, modes: list[str], sides: set[str]) -> None:
    captures(CaptureOptions=[{"CaptureMode": mode} for mode in modes])
    assert set(captures.only()["captureData"]) == sides


@pytest.mark.parametrize(
    ("body", "content_type", "headers", "data", "encoding"),
    [
        (b"1,2", "text/csv", {"CsvContentTypes": ["text/csv"]}, "1,2", "CSV"),
        (b"1,2", "TEXT/CSV", {"CsvContentTypes": ["text/CSV"]}, "1,2", "CSV"),
        (b"[1]", "application/json", {"JsonContentTypes": ["application/json"]}, "[1]", "JSON"),
        (b"1,2", "text/csv", {"JsonContentTypes": ["application/json"]}, "MSwy", "BASE64"),
        (b"1,2", "text/csv", None, "MSwy", "BASE64"),
        (b"\xff", "text/csv", {"CsvContentTypes": ["text/csv"]}, "/w==", "BASE64"),
        (b"\xff", "", {"CsvContentTypes": ["text/csv"]}, "/w==", "BASE64"),
    ],
)
def test_encodings(
    captures: Captures,
    body: bytes,
    content_type: str,
    headers: dict[str, list[str]] | None,
    data: str,
    encoding: str,
) -> None:
    captures(Invocation(body, content_type), CaptureContentTypeHeader=headers)
    side = captures.only()["captureData"]["endpointInput"]
    assert (side["data"], side["encoding"]) == (data, encoding)
    assert side["observedContentType"] == (content_type or "application/octet-stream")


def test_what_a_client_does_not_send_is_not_in_the_record(captures: Captures) -> None:
    captures(Invocation(b"1"))
    assert set(captures.only()["eventMetadata"]) == {"eventId", "inferenceTime"}


@pytest.mark.parametrize(
    ("percentage", "least", "most"), [(0, 0, 0), (30, 40, 80), (100, 200, 200)]
)
def test_samples(captures: Captures, percentage: int, least: int, most: int) -> None:
    for _ in range(200):
        captures(InitialSamplingPercentage=percentage)
    assert least <= len(captures.keys()) <= most


def test_what_is_not_captured(captures: Captures) -> None:
    captures(EnableCapture=False)
    capture(None, "shop", "blue", ASKED, ANSWERED, captures.dice)
    captures(DestinationS3Uri="s3://amzn-s3-demo-none/capture")
    assert captures.keys() == []


def test_a_destination_may_end_with_a_slash(captures: Captures) -> None:
    captures(DestinationS3Uri=f"s3://{BUCKET}/")
    assert captures.keys()[0].startswith("shop/blue/")
