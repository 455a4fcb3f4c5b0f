"""Firehose: its limits, what it collects, and where the objects come to lie."""

import gzip
import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import boto3
import pytest
from awslab.clock import CLOCK, naive_now, now
from awslab.services.firehose.delivery import formatted
from botocore.config import Config
from botocore.exceptions import ClientError
from moto.firehose.models import firehose_backends

ACCOUNT, REGION = "111122223333", "ap-northeast-1"
BUCKET = "amzn-s3-demo-bucket"
TO_S3 = {"RoleARN": f"arn:aws:iam::{ACCOUNT}:role/firehose", "BucketARN": f"arn:aws:s3:::{BUCKET}"}
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"

Arguments = dict[str, Any]


@pytest.fixture
def firehose(client: Callable[..., Any]) -> Any:
    """A client, and the bucket."""
    make_bucket(BUCKET)
    return client("firehose")


@pytest.fixture
def frozen(firehose: Any) -> Iterator[Any]:
    """The same; time moves by CLOCK.advance only."""
    CLOCK.run(0)
    yield firehose
    CLOCK.run(None)


def make_bucket(name: str) -> None:
    where = {"LocationConstraint": REGION}
    boto3.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration=where)


def make(firehose: Any, name: str = "clicks", **more: Any) -> str:
    answer = firehose.create_delivery_stream(
        DeliveryStreamName=name, ExtendedS3DestinationConfiguration=TO_S3 | more
    )
    return str(answer["DeliveryStreamARN"])


def put(firehose: Any, *records: bytes, name: str = "clicks") -> None:
    answer = firehose.put_record_batch(
        DeliveryStreamName=name, Records=[{"Data": record} for record in records]
    )
    assert answer["FailedPutCount"] == 0 and len(answer["RequestResponses"]) == len(records)


def objects() -> dict[str, bytes]:
    s3 = boto3.client("s3")
    listed = s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
    return {
        entry["Key"]: s3.get_object(Bucket=BUCKET, Key=entry["Key"])["Body"].read()
        for entry in listed
    }


def refusal(call: Callable[..., Any], **arguments: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


# --- streams -------------------------------------------------------------------------------------


def test_a_stream_shows_what_firehose_assumes(firehose: Any) -> None:
    arn = make(firehose)
    assert arn == f"arn:aws:firehose:{REGION}:{ACCOUNT}:deliverystream/clicks"
    stream = firehose.describe_delivery_stream(DeliveryStreamName="clicks")
    found = stream["DeliveryStreamDescription"]
    assert (found["DeliveryStreamStatus"], found["DeliveryStreamType"]) == ("ACTIVE", "DirectPut")
    assert found["Destinations"][0]["ExtendedS3DestinationDescription"] == TO_S3 | {
        "BufferingHints": {"SizeInMBs": 5, "IntervalInSeconds": 300},
        "CompressionFormat": "UNCOMPRESSED",
        "EncryptionConfiguration": {"NoEncryptionConfig": "NoEncryption"},
        "CloudWatchLoggingOptions": {"Enabled": False},
        "S3BackupMode": "Disabled",
    }


def test_hints_are_kept_and_conversion_has_larger_ones(firehose: Any) -> None:
    make(firehose, BufferingHints={"SizeInMBs": 1, "IntervalInSeconds": 0})
    make(firehose, "columns", DataFormatConversionConfiguration={"Enabled": True})

    def hints(name: str) -> Any:
        found = firehose.describe_delivery_stream(DeliveryStreamName=name)
        (destination,) = found["DeliveryStreamDescription"]["Destinations"]
        return destination["ExtendedS3DestinationDescription"]["BufferingHints"]

    assert hints("clicks") == {"SizeInMBs": 1, "IntervalInSeconds": 0}
    assert hints("columns") == {"SizeInMBs": 128, "IntervalInSeconds": 300}


SMALL: Arguments = {"BufferingHints": {"SizeInMBs": 63, "IntervalInSeconds": 60}}


@pytest.mark.parametrize(
    ("changed", "code", "said"),
    [
        (
            {"BufferingHints": {"SizeInMBs": 129, "IntervalInSeconds": 9999}},
            "ValidationException",
            "2 validation errors detected: Value '129' at 'extendedS3DestinationConfiguration."
            "bufferingHints.sizeInMBs' failed to satisfy constraint: Member must have value less "
            "than or equal to 128; Value '9999' at 'extendedS3DestinationConfiguration."
            "bufferingHints.intervalInSeconds' failed to satisfy constraint: Member must have "
            "value less than or equal to 900",
        ),
        (
            {"BufferingHints": {"SizeInMBs": 5}},
            "InvalidArgumentException",
            "BufferingHints.SizeInMBs and BufferingHints.IntervalInSeconds must be specified "
            "together",
        ),
        (
            SMALL | {"DataFormatConversionConfiguration": {}},
            "InvalidArgumentException",
            "BufferingHints.SizeInMBs must be at least 64 when data format conversion is enabled.",
        ),
        (
            {"DataFormatConversionConfiguration": {}, "CompressionFormat": "GZIP"},
            "InvalidArgumentException",
            "The S3 destination's compression format must be set to UNCOMPRESSED when data format "
            "conversion is enabled. To enable compression within the converted output format, set "
            "the appropriate serialization option in the output format configuration.",
        ),
        (
            SMALL | {"DynamicPartitioningConfiguration": {"Enabled": True}},
            "InvalidArgumentException",
            "BufferingHints.SizeInMBs must be at least 64 when Dynamic Partitioning is enabled.",
        ),
        (
            {
                "S3BackupMode": "Enabled",
                "S3BackupConfiguration": TO_S3
                | {"BufferingHints": {"SizeInMBs": 5, "IntervalInSeconds": 0}},
            },
            "InvalidArgumentException",
            "BufferingHints.IntervalInSeconds must be at least 60 for S3 backup",
        ),
        (
            {"Prefix": "!{timestamp:yyyy}/"},
            "InvalidArgumentException",
            "ErrorOutputPrefix cannot be null or empty when Prefix contains expressions",
        ),
        (
            {"CustomTimeZone": "Mars/Olympus"},
            "InvalidArgumentException",
            "CustomTimeZone Mars/Olympus is not a valid time zone",
        ),
    ],
)
def test_destinations_that_are_refused(
    firehose: Any, changed: Arguments, code: str, said: str
) -> None:
    with pytest.raises(ClientError) as refused:
        make(firehose, **changed)
    error = refused.value.response["Error"]
    assert (error["Code"], error["Message"]) == (code, said)
    assert firehose.list_delivery_streams()["DeliveryStreamNames"] == []


def test_what_is_off_is_not_checked(firehose: Any) -> None:
    off = {"Enabled": False}
    make(
        firehose,
        **SMALL,
        DataFormatConversionConfiguration=off,
        DynamicPartitioningConfiguration=off,
        CompressionFormat="GZIP",
    )


def test_names(firehose: Any) -> None:
    make(firehose)
    create = firehose.create_delivery_stream
    again = {"DeliveryStreamName": "clicks", "ExtendedS3DestinationConfiguration": TO_S3}
    assert refusal(create, **again) == (
        "ResourceInUseException",
        f"Firehose clicks under accountId {ACCOUNT} already exists",
    )
    code, said = refusal(create, **again | {"DeliveryStreamName": "my stream"})
    assert code == "ValidationException" and "[a-zA-Z0-9_.-]+" in said
    missing = ("ResourceNotFoundException", f"Firehose none under account {ACCOUNT} not found.")
    record = {"Data": b"x"}
    assert refusal(firehose.put_record, DeliveryStreamName="none", Record=record) == missing
    assert refusal(firehose.describe_delivery_stream, DeliveryStreamName="none") == missing
    elsewhere = boto3.client("firehose", region_name="eu-west-1")
    assert elsewhere.list_delivery_streams()["DeliveryStreamNames"] == []


def test_streams_are_listed_ten_at_a_time(firehose: Any) -> None:
    for number in range(52):
        make(firehose, f"s{number:02}")
    first = firehose.list_delivery_streams()
    assert first["DeliveryStreamNames"] == [f"s{number:02}" for number in range(10)]
    assert first["HasMoreDeliveryStreams"]
    last = firehose.list_delivery_streams(Limit=50, ExclusiveStartDeliveryStreamName="s49x")
    assert last["DeliveryStreamNames"] == ["s50", "s51"] and not last["HasMoreDeliveryStreams"]
    other = firehose.list_delivery_streams(
        DeliveryStreamType="KinesisStreamAsSource", ExclusiveStartDeliveryStreamName="s01"
    )
    assert other["DeliveryStreamNames"] == []


def test_encryption_without_a_key(firehose: Any) -> None:
    make(firehose)
    firehose.stop_delivery_stream_encryption(DeliveryStreamName="clicks")
    firehose.start_delivery_stream_encryption(DeliveryStreamName="clicks")
    found = firehose.describe_delivery_stream(DeliveryStreamName="clicks")
    encryption = found["DeliveryStreamDescription"]["DeliveryStreamEncryptionConfiguration"]
    assert encryption == {"KeyType": "AWS_OWNED_CMK", "Status": "ENABLED"}


def test_splunk_is_not_in_the_lab(firehose: Any) -> None:
    splunk = {
        "HECEndpoint": "https://splunk.example.com",
        "HECEndpointType": "Raw",
        "S3Configuration": TO_S3,
    }
    code, _ = refusal(
        firehose.create_delivery_stream,
        DeliveryStreamName="clicks",
        SplunkDestinationConfiguration=splunk,
    )
    assert code == "NotImplemented"


# --- records -------------------------------------------------------------------------------------


def test_the_limits_of_a_batch(firehose: Any) -> None:
    make(firehose)
    call = firehose.put_record_batch
    code, said = refusal(call, DeliveryStreamName="clicks", Records=[{"Data": b"x"}] * 501)
    assert code == "ValidationException" and said.endswith(
        "at 'records' failed to satisfy constraint: Member must have length less than or equal to "
        "500"
    )
    large = [{"Data": b"x" * 1_024_000}] * 4
    rest = 4 * 1024 * 1024 - 4 * 1_024_000
    too_large = [*large, {"Data": b"x" * (rest + 1)}]
    assert refusal(call, DeliveryStreamName="clicks", Records=too_large) == (
        "InvalidArgumentException",
        "Records size exceeds 4 MB limit",
    )
    assert objects() == {}
    call(DeliveryStreamName="clicks", Records=[*large, {"Data": b"x" * rest}])
    (content,) = objects().values()
    assert len(content) == 4 * 1024 * 1024


def test_the_limit_of_a_record(client: Callable[..., Any], firehose: Any) -> None:
    make(firehose)
    loose = client("firehose", parameter_validation=False)
    code, said = refusal(
        loose.put_record, DeliveryStreamName="clicks", Record={"Data": b"x" * 1_024_001}
    )
    assert (code, said) == (
        "ValidationException",
        "1 validation error detected: Value 'java.nio.HeapByteBuffer[pos=0 lim=1024001 "
        "cap=1024001]' at 'record.data' failed to satisfy constraint: Member must have length less "
        "than or equal to 1024000",
    )
    firehose.put_record(DeliveryStreamName="clicks", Record={"Data": b""})


def test_a_stream_that_reads_from_kinesis_takes_no_records(firehose: Any) -> None:
    source = {
        "KinesisStreamARN": f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/clicks",
        "RoleARN": TO_S3["RoleARN"],
    }
    firehose.create_delivery_stream(
        DeliveryStreamName="clicks",
        DeliveryStreamType="KinesisStreamAsSource",
        KinesisStreamSourceConfiguration=source,
        S3DestinationConfiguration=TO_S3,
    )
    record = {"Data": b"x"}
    for call, asked in (
        (firehose.put_record, {"Record": record}),
        (firehose.put_record_batch, {"Records": [record]}),
    ):
        assert refusal(call, DeliveryStreamName="clicks", **asked) == (
            "InvalidArgumentException",
            "This operation is not permitted on KinesisStreamAsSource delivery stream type.",
        )


def test_records_lie_behind_one_another_at_once(firehose: Any) -> None:
    make(firehose, Prefix="shop/")
    put(firehose, b"one\n", b"two\n")
    answer = firehose.put_record(DeliveryStreamName="clicks", Record={"Data": b"three\n"})
    assert answer["RecordId"] and not answer["Encrypted"]
    found = objects()
    assert sorted(found.values()) == [b"one\ntwo\n", b"three\n"]
    for key in found:
        assert re.fullmatch(
            r"shop/\d{4}/\d\d/\d\d/\d\d/clicks-1-\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d-" + UUID, key
        )


def test_records_wait_for_the_interval(frozen: Any) -> None:
    make(frozen, BufferingHints={"SizeInMBs": 1, "IntervalInSeconds": 120})
    first = naive_now()
    put(frozen, b"1")
    CLOCK.advance(60)
    put(frozen, b"2")
    CLOCK.advance(59)
    assert objects() == {}
    CLOCK.advance(1)
    ((key, content),) = objects().items()
    assert content == b"12"
    assert key.startswith(f"{first:%Y/%m/%d/%H}/clicks-1-{first:%Y-%m-%d-%H-%M-%S}-")
    CLOCK.advance(3600)
    assert len(objects()) == 1


def test_records_wait_for_the_size(frozen: Any) -> None:
    make(frozen, BufferingHints={"SizeInMBs": 1, "IntervalInSeconds": 900})
    put(frozen, b"x" * 1_000_000)
    assert objects() == {}
    put(frozen, b"y" * 48_576)
    (content,) = objects().values()
    assert len(content) == 1024 * 1024


def test_an_interval_of_zero_waits_for_nothing(frozen: Any) -> None:
    make(frozen, BufferingHints={"SizeInMBs": 1, "IntervalInSeconds": 0})
    put(frozen, b"1")
    assert list(objects().values()) == [b"1"]


def test_a_missing_bucket_does_not_fail_a_record(firehose: Any, client: Callable[..., Any]) -> None:
    group = {"LogGroupName": "/aws/kinesisfirehose/clicks", "LogStreamName": "S3Delivery"}
    arn = make(
        firehose,
        BucketARN="arn:aws:s3:::amzn-s3-demo-bucket1",
        CloudWatchLoggingOptions={"Enabled": True} | group,
    )
    put(firehose, b"1")
    names = {"logGroupName": group["LogGroupName"], "logStreamName": group["LogStreamName"]}
    (event,) = client("logs").get_log_events(**names)["events"]
    assert json.loads(event["message"]) == {
        "deliveryStreamARN": arn,
        "destination": "arn:aws:s3:::amzn-s3-demo-bucket1",
        "deliveryStreamVersionId": 1,
        "message": "The specified bucket does not exist. Create the bucket or use a different "
        "bucket that does exist.",
        "errorCode": "S3.NoSuchBucket",
    }
    make_bucket("amzn-s3-demo-bucket1")
    firehose.describe_delivery_stream(DeliveryStreamName="clicks")
    (found,) = client("s3").list_objects_v2(Bucket="amzn-s3-demo-bucket1")["Contents"]
    assert found["Size"] == 1


def test_a_missing_bucket_is_tried_for_a_day(frozen: Any) -> None:
    name = "amzn-s3-demo-bucket1"
    make(frozen, BucketARN=f"arn:aws:s3:::{name}")
    make(frozen, "late", BucketARN=f"arn:aws:s3:::{name}")
    put(frozen, b"lost", name="late")
    CLOCK.advance(12 * 3600)
    put(frozen, b"kept")
    CLOCK.advance(12 * 3600 + 60)
    make_bucket(name)
    CLOCK.advance(60)
    s3 = boto3.client("s3")
    (found,) = s3.list_objects_v2(Bucket=name)["Contents"]
    assert s3.get_object(Bucket=name, Key=found["Key"])["Body"].read() == b"kept"


def test_records_end_with_their_stream(frozen: Any) -> None:
    make(frozen)
    put(frozen, b"old")
    frozen.delete_delivery_stream(DeliveryStreamName="clicks")
    make(frozen)
    put(frozen, b"new")
    CLOCK.advance(600)
    assert list(objects().values()) == [b"new"]


def test_a_destination_can_be_changed(firehose: Any) -> None:
    make(firehose, Prefix="old/")
    update = {
        "DeliveryStreamName": "clicks",
        "CurrentDeliveryStreamVersionId": "1",
        "DestinationId": "destinationId-000000000001",
    }
    hints = {"BufferingHints": {"SizeInMBs": 1}}
    code, _ = refusal(firehose.update_destination, **update, ExtendedS3DestinationUpdate=hints)
    assert code == "InvalidArgumentException"
    firehose.update_destination(**update, ExtendedS3DestinationUpdate={"Prefix": "new-"})
    put(firehose, b"1")
    (key,) = objects()
    assert re.match(r"new-\d{4}/\d\d/\d\d/\d\d/clicks-2-", key)


def test_keys_by_expressions_zone_and_extension(frozen: Any) -> None:
    make(
        frozen,
        Prefix="day=!{timestamp:yyyy-MM-dd}/hour=!{timestamp:HH}/!{firehose:random-string}/",
        ErrorOutputPrefix="errors/!{firehose:error-output-type}/",
        CustomTimeZone="Asia/Tokyo",
        FileExtension=".jsonl",
        BufferingHints={"SizeInMBs": 1, "IntervalInSeconds": 0},
    )
    put(frozen, b"1")
    local = now().astimezone(ZoneInfo("Asia/Tokyo"))
    (key,) = objects()
    assert re.fullmatch(
        rf"day={local:%Y-%m-%d}/hour={local:%H}/[0-9a-f]{{11}}/clicks-1-"
        rf"{local:%Y-%m-%d-%H-%M-%S}-{UUID}\.jsonl",
        key,
    )


def test_compressed_records(firehose: Any) -> None:
    make(firehose, CompressionFormat="GZIP")
    put(firehose, b"1", b"2")
    ((key, content),) = objects().items()
    assert key.endswith(".gz") and gzip.decompress(content) == b"12"


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("yyyy/MM/dd/HH/", "2026/11/01/09/"),
        ("'year='yyyy", "year=2026"),
        ("mm-ss yy", "05-07 26"),
        ("", ""),
        ("qq", "qq"),
    ],
)
def test_patterns_of_java(pattern: str, text: str) -> None:
    assert formatted(pattern, datetime(2026, 11, 1, 9, 5, 7)) == text


def test_other_destinations_take_records(firehose: Any) -> None:
    catalog = {"CatalogARN": f"arn:aws:glue:{REGION}:{ACCOUNT}:catalog"}
    iceberg = {
        "RoleARN": TO_S3["RoleARN"],
        "CatalogConfiguration": catalog,
        "S3Configuration": TO_S3,
    }
    firehose.create_delivery_stream(
        DeliveryStreamName="tables", IcebergDestinationConfiguration=iceberg
    )
    put(firehose, b"1", b"2", name="tables")
    http = {
        "EndpointConfiguration": {"Url": "https://127.0.0.1:9/"},  # where nobody listens
        "S3Configuration": TO_S3,
    }
    firehose.create_delivery_stream(
        DeliveryStreamName="posts", HttpEndpointDestinationConfiguration=http
    )
    put(firehose, b"1", name="posts")
    assert objects() == {}


def test_log_lines_are_collected_too(frozen: Any) -> None:
    arn = make(frozen, BufferingHints={"SizeInMBs": 1, "IntervalInSeconds": 60})
    backend = firehose_backends[ACCOUNT][REGION]
    event = {"id": "1", "timestamp": 0, "message": "hello"}
    backend.send_log_event(arn, "all", "/shop", "web", [event])
    assert objects() == {}
    CLOCK.advance(60)
    (content,) = objects().values()
    assert json.loads(gzip.decompress(content))["logEvents"] == [event]


def test_over_http(lab_server: str) -> None:
    session = boto3.Session("testing", "testing", region_name=REGION)
    s3 = session.client("s3", endpoint_url=lab_server)
    where = {"LocationConstraint": REGION}
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
    firehose = session.client(
        "firehose", endpoint_url=lab_server, config=Config(parameter_validation=False)
    )
    make(firehose)
    put(firehose, b"1", b"2")
    (found,) = s3.list_objects_v2(Bucket=BUCKET)["Contents"]
    assert s3.get_object(Bucket=BUCKET, Key=found["Key"])["Body"].read() == b"12"
    assert found["LastModified"] > now() - timedelta(minutes=5)
    records = [{"Data": b"x"}] * 501
    code, _ = refusal(firehose.put_record_batch, DeliveryStreamName="clicks", Records=records)
    assert code == "ValidationException"
