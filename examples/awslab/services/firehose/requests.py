"""What Firehose refuses, and what it assumes where a request says nothing."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.firehose.models import DeliveryStream, FirehoseBackend
from moto.firehose.responses import FirehoseResponse

from awslab.calls import NotInTheLab
from awslab.extension import Function, changes, sets
from awslab.services.firehose.delivery import DEFAULT_HINTS, LOCK, MEGABYTE, deliver_if_due
from awslab.validation import validates

validates("firehose", "ValidationException")

BATCH = 4 * MEGABYTE  # bytes in one PutRecordBatch
LARGE = 64  # MiB that conversion and partitioning need at least
DEFAULT_LARGE = 128
SHORTEST_BACKUP = 60  # seconds: zero buffering is for destinations only
LISTED = 10  # streams, unless the request says another number

sets(
    DeliveryStream,
    "MAX_STREAMS_PER_REGION",
    5_000,
    service="firehose",
    operation="CreateDeliveryStream",
    reason="refuses the 51st stream of a Region",
)


class InvalidArgument(ServiceException):
    code = "InvalidArgumentException"


def check_destination(destination: Mapping[str, Any], backup: bool = False) -> None:
    """Refuse what the model of an S3 destination allows and Firehose does not.

    Raises:
        InvalidArgument: with the message of Firehose.
    """
    hints = destination.get("BufferingHints")
    if hints is not None and len(hints) < 2:
        raise InvalidArgument(
            "BufferingHints.SizeInMBs and BufferingHints.IntervalInSeconds must be specified "
            "together"
        )
    if backup and hints and hints["IntervalInSeconds"] < SHORTEST_BACKUP:
        raise InvalidArgument(
            f"BufferingHints.IntervalInSeconds must be at least {SHORTEST_BACKUP} for S3 backup"
        )
    size = (hints or {}).get("SizeInMBs", DEFAULT_LARGE)
    if enabled(destination, "DataFormatConversionConfiguration"):
        if destination.get("CompressionFormat") not in (None, "UNCOMPRESSED"):
            raise InvalidArgument(
                "The S3 destination's compression format must be set to UNCOMPRESSED when data "
                "format conversion is enabled. To enable compression within the converted output "
                "format, set the appropriate serialization option in the output format "
                "configuration."
            )
        if size < LARGE:
            raise InvalidArgument(
                f"BufferingHints.SizeInMBs must be at least {LARGE} when data format conversion "
                "is enabled."
            )
    if enabled(destination, "DynamicPartitioningConfiguration") and size < LARGE:
        raise InvalidArgument(
            f"BufferingHints.SizeInMBs must be at least {LARGE} when Dynamic Partitioning is "
            "enabled."
        )
    if "!{" in (destination.get("Prefix") or "") and not destination.get("ErrorOutputPrefix"):
        raise InvalidArgument(
            "ErrorOutputPrefix cannot be null or empty when Prefix contains expressions"
        )
    zone = destination.get("CustomTimeZone")
    if zone:
        zone_of(zone)


def enabled(destination: Mapping[str, Any], option: str) -> bool:
    """Whether an option is on; it is when its structure does not say otherwise."""
    given = destination.get(option)
    return given is not None and given.get("Enabled", True) is not False


def zone_of(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, LookupError) as error:
        raise InvalidArgument(f"CustomTimeZone {name} is not a valid time zone") from error


def check_destinations(params: Mapping[str, Any]) -> None:
    """Check every S3 destination of a request, those of backups too."""
    for name, destination in params.items():
        if name.startswith(("S3Destination", "ExtendedS3Destination")):
            check_destination(destination)
        if name.startswith("SplunkDestination"):
            raise NotInTheLab("The lab does not deliver to Splunk.")
        if isinstance(destination, dict):
            for part in ("S3BackupConfiguration", "S3BackupUpdate"):
                check_destination(destination.get(part) or {}, backup=True)


def with_defaults(destination: dict[str, Any]) -> None:
    """Write into an S3 destination what Firehose assumes."""
    hints = dict(DEFAULT_HINTS)
    if enabled(destination, "DataFormatConversionConfiguration"):
        hints["SizeInMBs"] = DEFAULT_LARGE
    destination.setdefault("BufferingHints", hints)
    destination.setdefault("CompressionFormat", "UNCOMPRESSED")
    destination.setdefault("EncryptionConfiguration", {"NoEncryptionConfig": "NoEncryption"})
    destination.setdefault("CloudWatchLoggingOptions", {"Enabled": False})


@changes(
    FirehoseResponse,
    "firehose",
    "CreateDeliveryStream",
    reason="shows no defaults; takes a size without an interval; takes a prefix that says `!{`",
    differs=(
        "a stream is ACTIVE at once; the role is not assumed; no Splunk; no conversion, "
        "partitioning or Lambda processing: records are stored as they came; of the compressions "
        "only GZIP"
    ),
)
def create_delivery_stream(original: Function, self: Any) -> Any:
    check_destinations(self.params)
    for name in ("S3DestinationConfiguration", "ExtendedS3DestinationConfiguration"):
        destination = self.params.get(name)
        if destination:
            with_defaults(destination)
            if name.startswith("Extended"):
                destination.setdefault("S3BackupMode", "Disabled")
    with LOCK:
        return original(self)


@changes(
    FirehoseResponse,
    "firehose",
    "UpdateDestination",
    reason="takes a size without an interval",
    differs="no Splunk",
)
def update_destination(original: Function, self: Any) -> Any:
    check_destinations(self.params)
    with LOCK:
        return original(self)


@changes(
    FirehoseResponse,
    "firehose",
    "PutRecord",
    reason="takes records for a stream that reads from Kinesis",
    differs="nothing is throttled",
)
def put_record(original: Function, self: Any) -> Any:
    check_source(self)
    return original(self)


@changes(
    FirehoseResponse,
    "firehose",
    "PutRecordBatch",
    reason="takes more than 4 MiB; takes records for a stream that reads from Kinesis",
    differs="nothing is throttled, so `FailedPutCount` is 0",
)
def put_record_batch(original: Function, self: Any) -> Any:
    check_source(self)
    if sum(len(record["Data"]) for record in self.params["Records"]) > BATCH:
        raise InvalidArgument("Records size exceeds 4 MB limit")
    return original(self)


def check_source(self: Any) -> None:
    stream = self.firehose_backend.delivery_streams.get(self.params["DeliveryStreamName"])
    if stream and stream.delivery_stream_type != "DirectPut":
        raise InvalidArgument(
            f"This operation is not permitted on {stream.delivery_stream_type} delivery stream "
            "type."
        )


@changes(
    FirehoseResponse,
    "firehose",
    "ListDeliveryStreams",
    reason="lists 50 streams where AWS lists 10; crashes at a first name of another type",
    differs="",
)
def list_delivery_streams(original: Function, self: Any) -> ActionResult:
    kind = self.params.get("DeliveryStreamType")
    after = self.params.get("ExclusiveStartDeliveryStreamName") or ""
    streams = self.firehose_backend.delivery_streams
    names = sorted(
        name
        for name, stream in list(streams.items())
        if kind in (None, stream.delivery_stream_type) and name > after
    )
    shown = names[: self.params.get("Limit") or LISTED]
    more = len(names) > len(shown)
    return ActionResult({"DeliveryStreamNames": shown, "HasMoreDeliveryStreams": more})


@changes(
    FirehoseResponse,
    "firehose",
    "StartDeliveryStreamEncryption",
    reason="crashes without a configuration",
    differs="nothing is encrypted",
)
def start_delivery_stream_encryption(original: Function, self: Any) -> Any:
    own = {"KeyType": "AWS_OWNED_CMK"}
    self.params.setdefault("DeliveryStreamEncryptionConfigurationInput", own)
    return original(self)


@changes(
    FirehoseBackend,
    "firehose",
    "StopDeliveryStreamEncryption",
    reason="crashes when a stream was never encrypted",
    differs="",
)
def stop_delivery_stream_encryption(original: Function, self: Any, stream_name: str) -> None:
    stream = self.delivery_streams.get(stream_name)
    if stream and not stream.delivery_stream_encryption_configuration:
        stream.delivery_stream_encryption_configuration = {}
    original(self, stream_name)


@changes(
    FirehoseResponse,
    "firehose",
    "DescribeDeliveryStream",
    reason="never tries again to deliver",
    differs="while the clock is instant, this is when a delivery is tried again",
)
def describe_delivery_stream(original: Function, self: Any) -> ActionResult:
    backend = self.firehose_backend
    stream = backend.delivery_streams.get(self.params["DeliveryStreamName"])
    if stream:
        deliver_if_due(backend, stream)
    described: ActionResult = original(self)
    return described
