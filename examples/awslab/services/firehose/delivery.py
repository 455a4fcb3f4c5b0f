"""How records come to S3: collected until they are enough or old enough, then made one object.

Amazon Data Firehose Developer Guide, "Buffering hints", "S3 object name format" and "Custom
prefixes". What cannot be delivered is kept and tried again for a day, as AWS does.
"""

import gzip
import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from moto.firehose.models import FirehoseBackend, firehose_backends
from moto.s3.exceptions import S3ClientError

from awslab import objects
from awslab.clock import CLOCK, naive_now
from awslab.extension import Function, changes
from awslab.telemetry import put_log_lines

MEGABYTE = 1024 * 1024
DEFAULT_HINTS = {"SizeInMBs": 5, "IntervalInSeconds": 300}
GIVE_UP = timedelta(hours=24)
PARTS = {  # of a `!{timestamp:…}` of a prefix: Java's letters, Python's signs
    "yyyy": "%Y",
    "MM": "%m",
    "dd": "%d",
    "HH": "%H",
    "mm": "%M",
    "ss": "%S",
    "yy": "%y",
    "MMM": "%b",
    "DDD": "%j",
}
NO_BUCKET = (
    "S3.NoSuchBucket",
    "The specified bucket does not exist. Create the bucket or use a different bucket that does "
    "exist.",
)
LOCK = threading.RLock()


@dataclass
class Buffer:
    """Records of a stream that are not delivered yet; since: when the first of them came."""

    records: list[bytes] = field(default_factory=list)
    size: int = 0
    since: datetime = field(default_factory=naive_now)

    def add(self, records: list[bytes]) -> None:
        if not self.records:
            self.since = naive_now()
        self.records += records
        self.size += sum(len(record) for record in records)

    def clear(self) -> None:
        self.records, self.size = [], 0


def buffer_of(stream: Any) -> Buffer:
    """The buffer of a stream; it ends with it."""
    found: Buffer = vars(stream).setdefault("lab_buffer", Buffer())
    return found


@changes(
    FirehoseBackend,
    "firehose",
    "delivery to S3",
    reason=(
        "makes an object of each request at once; crashes when the bucket is missing; "
        "puts a slash behind every prefix; knows no expressions in prefixes; compresses nothing"
    ),
    differs=(
        "while the clock is instant, records are delivered at once, "
        "whatever the buffering hints say"
    ),
)
def put_s3_records(
    original: Function,
    self: Any,
    delivery_stream_name: str,
    version_id: str,
    s3_destination: Mapping[str, Any],
    records: list[dict[str, bytes]],
) -> list[dict[str, str]]:
    stream = self.delivery_streams[delivery_stream_name]
    with LOCK:
        buffer_of(stream).add([record["Data"] for record in records])
        deliver_if_due(self, stream)
    return accepted(records)


def accepted(records: list[dict[str, bytes]]) -> list[dict[str, str]]:
    return [{"RecordId": str(uuid4())} for _ in records]


@changes(
    FirehoseBackend,
    "firehose",
    "delivery to HTTP endpoints",
    reason="crashes when the endpoint is not reached",
    differs="what cannot be delivered is lost",
)
def put_http_records(
    original: Function, self: Any, http_destination: Any, records: list[Any]
) -> list[dict[str, str]]:
    try:
        answers: list[dict[str, str]] = original(http_destination, records)
        return answers
    except (RuntimeError, KeyError):
        return accepted(records)


@changes(
    FirehoseBackend,
    "firehose",
    "delivery to other destinations",
    reason="answers nothing for records to Iceberg tables",
    differs="the records are lost",
)
def put_record_batch(
    original: Function, self: Any, delivery_stream_name: str, records: list[dict[str, bytes]]
) -> dict[str, Any]:
    answer: dict[str, Any] = original(self, delivery_stream_name, records)
    return answer | {"RequestResponses": answer["RequestResponses"] or accepted(records)}


@CLOCK.every_tick
def deliver_all() -> None:
    for account in list(firehose_backends.values()):
        for backend in list(account.values()):
            for stream in list(backend.delivery_streams.values()):
                deliver_if_due(backend, stream)


def deliver_if_due(backend: Any, stream: Any) -> None:
    """Make an object of what a stream has collected, when it is enough or old enough."""
    with LOCK:
        buffer, destination = buffer_of(stream), s3_destination_of(stream)
        if not buffer.records or destination is None:
            return
        hints = destination.get("BufferingHints") or DEFAULT_HINTS
        age = naive_now() - buffer.since
        full = buffer.size >= hints["SizeInMBs"] * MEGABYTE
        old = age >= timedelta(seconds=hints["IntervalInSeconds"])
        due = CLOCK.instant or full or old
        if (due and deliver(backend, stream, destination)) or age >= GIVE_UP:
            buffer.clear()


def s3_destination_of(stream: Any) -> dict[str, Any] | None:
    found = stream.destinations[0]
    destination: dict[str, Any] | None = found.get("ExtendedS3") or found.get("S3")
    return destination


def deliver(backend: Any, stream: Any, destination: Mapping[str, Any]) -> bool:
    """Whether S3 took the object; if not, the error log of the stream says why."""
    content = b"".join(buffer_of(stream).records)
    if destination.get("CompressionFormat") == "GZIP":
        content = gzip.compress(content, mtime=0)
    bucket = str(destination.get("BucketARN", "")).rpartition(":")[2]
    try:
        objects.write(f"s3://{bucket}/{key_of(stream, destination)}", content)
    except objects.NotFound:
        log(backend, stream, destination, *NO_BUCKET)
        return False
    except S3ClientError as error:
        log(backend, stream, destination, "S3.InternalServerError", error.message)
        return False
    return True


def log(backend: Any, stream: Any, destination: Mapping[str, Any], code: str, message: str) -> None:
    options = destination.get("CloudWatchLoggingOptions") or {}
    group, log_stream = options.get("LogGroupName"), options.get("LogStreamName")
    if not (options.get("Enabled") and group and log_stream):
        return
    line = {
        "deliveryStreamARN": stream.delivery_stream_arn,
        "destination": destination.get("BucketARN"),
        "deliveryStreamVersionId": int(stream.version_id),
        "message": message,
        "errorCode": code,
    }
    put_log_lines(backend.account_id, backend.region_name, group, log_stream, [json.dumps(line)])


def key_of(stream: Any, destination: Mapping[str, Any]) -> str:
    """`prefix/yyyy/MM/dd/HH/<stream>-<version>-yyyy-MM-dd-HH-mm-ss-<uuid>`, by the time when the
    first of the records came."""
    at = buffer_of(stream).since
    zone = destination.get("CustomTimeZone")
    if zone:
        at = at.replace(tzinfo=UTC).astimezone(ZoneInfo(zone))
    prefix = destination.get("Prefix") or ""
    if "!{timestamp:" not in prefix:
        prefix += "!{timestamp:yyyy/MM/dd/HH/}"
    prefix = re.sub(r"!\{timestamp:([^}]*)\}", lambda found: formatted(found[1], at), prefix)
    prefix = re.sub(r"!\{firehose:random-string\}", lambda found: uuid4().hex[:11], prefix)
    compressed = ".gz" if destination.get("CompressionFormat") == "GZIP" else ""
    extension = destination.get("FileExtension") or compressed
    return (
        f"{prefix}{stream.delivery_stream_name}-{stream.version_id}-"
        f"{at:%Y-%m-%d-%H-%M-%S}-{uuid4()}{extension}"
    )


def formatted(pattern: str, at: datetime) -> str:
    """A time by a pattern of Java: `yyyy/MM/dd`, `'year='yyyy`."""

    def part(found: re.Match[str]) -> str:
        if found[0].startswith("'"):
            return found[0].strip("'")
        return at.strftime(PARTS[found[0]]) if found[0] in PARTS else found[0]

    return re.sub(r"'[^']*'|([a-zA-Z])\1*", part, pattern)
