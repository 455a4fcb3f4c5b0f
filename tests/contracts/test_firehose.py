"""What bare moto does with streams, their limits and their records: the lab mends it."""

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from contracts.gaps import gap

REGION, BUCKET = "ap-northeast-1", "amzn-s3-demo-bucket"
TO_S3 = {
    "RoleARN": "arn:aws:iam::123456789012:role/firehose",
    "BucketARN": f"arn:aws:s3:::{BUCKET}",
}


@pytest.fixture
def firehose(bare_moto: None) -> Any:
    """A client, and the bucket."""
    where = {"LocationConstraint": REGION}
    boto3.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
    return boto3.client("firehose")


def make(firehose: Any, name: str = "clicks", **more: Any) -> None:
    firehose.create_delivery_stream(
        DeliveryStreamName=name, ExtendedS3DestinationConfiguration=TO_S3 | more
    )


def put(firehose: Any, data: bytes = b"x", times: int = 1) -> Any:
    records = [{"Data": data}] * times
    return firehose.put_record_batch(DeliveryStreamName="clicks", Records=records)


def keys() -> list[str]:
    listed = boto3.client("s3").list_objects_v2(Bucket=BUCKET).get("Contents", [])
    return [entry["Key"] for entry in listed]


@gap("firehose:CreateDeliveryStream", "refuses the 51st stream of a Region")
def test_fifty_streams_are_enough(firehose: Any) -> None:
    for number in range(50):
        make(firehose, f"s{number}")
    with pytest.raises(ClientError) as refused:
        make(firehose)
    assert refused.value.response["Error"]["Code"] == "LimitExceededException"


@gap("firehose:CreateDeliveryStream", "shows no defaults")
@gap("firehose:CreateDeliveryStream", "takes a prefix that says `!{`")
def test_no_defaults_and_any_prefix(firehose: Any) -> None:
    make(firehose, Prefix="!{timestamp:yyyy}/")
    found = firehose.describe_delivery_stream(DeliveryStreamName="clicks")
    (destination,) = found["DeliveryStreamDescription"]["Destinations"]
    assert "BufferingHints" not in destination["ExtendedS3DestinationDescription"]


@gap("firehose:CreateDeliveryStream", "takes a size without an interval")
@gap("firehose:UpdateDestination", "takes a size without an interval")
def test_a_size_alone_is_taken(firehose: Any) -> None:
    hints = {"SizeInMBs": 5}
    make(firehose, BufferingHints=hints)
    firehose.update_destination(
        DeliveryStreamName="clicks",
        CurrentDeliveryStreamVersionId="1",
        DestinationId="destinationId-000000000001",
        ExtendedS3DestinationUpdate={"BufferingHints": hints},
    )


@gap("firehose:PutRecord", "takes records for a stream that reads from Kinesis")
@gap("firehose:PutRecordBatch", "takes records for a stream that reads from Kinesis")
def test_a_stream_from_kinesis_takes_records(firehose: Any) -> None:
    source = {
        "KinesisStreamARN": "arn:aws:kinesis:ap-northeast-1:123456789012:stream/clicks",
        "RoleARN": TO_S3["RoleARN"],
    }
    firehose.create_delivery_stream(
        DeliveryStreamName="clicks",
        DeliveryStreamType="KinesisStreamAsSource",
        KinesisStreamSourceConfiguration=source,
        S3DestinationConfiguration=TO_S3,
    )
    firehose.put_record(DeliveryStreamName="clicks", Record={"Data": b"x"})
    put(firehose)
    assert len(keys()) == 2


@gap("firehose:PutRecordBatch", "takes more than 4 MiB")
def test_five_mebibytes_are_taken(firehose: Any) -> None:
    make(firehose)
    assert put(firehose, b"x" * 1_000_000, 5)["FailedPutCount"] == 0


@gap("firehose:ListDeliveryStreams", "lists 50 streams where AWS lists 10")
def test_eleven_streams_are_listed(firehose: Any) -> None:
    for number in range(11):
        make(firehose, f"s{number}")
    assert len(firehose.list_delivery_streams()["DeliveryStreamNames"]) == 11


@gap("firehose:ListDeliveryStreams", "crashes at a first name of another type")
def test_a_first_name_of_another_type_is_a_crash(firehose: Any) -> None:
    make(firehose)
    with pytest.raises(ValueError, match="is not in list"):
        firehose.list_delivery_streams(
            DeliveryStreamType="KinesisStreamAsSource", ExclusiveStartDeliveryStreamName="clicks"
        )


@gap("firehose:StartDeliveryStreamEncryption", "crashes without a configuration")
def test_encryption_without_a_key_is_a_crash(firehose: Any) -> None:
    make(firehose)
    with pytest.raises(TypeError):
        firehose.start_delivery_stream_encryption(DeliveryStreamName="clicks")


@gap("firehose:StopDeliveryStreamEncryption", "crashes when a stream was never encrypted")
def test_the_end_of_no_encryption_is_a_crash(firehose: Any) -> None:
    make(firehose)
    with pytest.raises(TypeError):
        firehose.stop_delivery_stream_encryption(DeliveryStreamName="clicks")


DELIVERY = "firehose:delivery to S3"


@gap(DELIVERY, "makes an object of each request at once")
@gap(DELIVERY, "puts a slash behind every prefix")
@gap(DELIVERY, "knows no expressions in prefixes")
@gap(DELIVERY, "compresses nothing")
def test_each_request_is_an_object_as_it_came(firehose: Any) -> None:
    make(
        firehose,
        Prefix="!{timestamp:yyyy}",
        BufferingHints={"SizeInMBs": 128, "IntervalInSeconds": 900},
        CompressionFormat="GZIP",
    )
    for _ in range(2):
        put(firehose)
    found = keys()
    assert len(found) == 2 and all(key.startswith("!{timestamp:yyyy}/") for key in found)
    content = boto3.client("s3").get_object(Bucket=BUCKET, Key=found[0])["Body"].read()
    assert content == b"x"


@gap(DELIVERY, "crashes when the bucket is missing")
@gap("firehose:DescribeDeliveryStream", "never tries again to deliver")
def test_a_missing_bucket_is_a_crash(firehose: Any) -> None:
    make(firehose, BucketARN="arn:aws:s3:::amzn-s3-demo-bucket1")
    with pytest.raises(RuntimeError):
        put(firehose)
    s3 = boto3.client("s3")
    where = {"LocationConstraint": REGION}
    s3.create_bucket(Bucket="amzn-s3-demo-bucket1", CreateBucketConfiguration=where)
    firehose.describe_delivery_stream(DeliveryStreamName="clicks")
    assert s3.list_objects_v2(Bucket="amzn-s3-demo-bucket1")["KeyCount"] == 0


@gap("firehose:delivery to HTTP endpoints", "crashes when the endpoint is not reached")
def test_an_endpoint_that_is_not_there_is_a_crash(firehose: Any) -> None:
    http = {
        "EndpointConfiguration": {"Url": "https://127.0.0.1:9/"},
        "S3Configuration": TO_S3,
    }
    firehose.create_delivery_stream(
        DeliveryStreamName="clicks", HttpEndpointDestinationConfiguration=http
    )
    with pytest.raises(RuntimeError):
        put(firehose)


@gap("firehose:delivery to other destinations", "answers nothing for records to Iceberg tables")
def test_records_to_iceberg_get_no_answer(firehose: Any) -> None:
    catalog = {"CatalogARN": "arn:aws:glue:ap-northeast-1:123456789012:catalog"}
    firehose.create_delivery_stream(
        DeliveryStreamName="clicks",
        IcebergDestinationConfiguration={
            "RoleARN": TO_S3["RoleARN"],
            "CatalogConfiguration": catalog,
            "S3Configuration": TO_S3,
        },
    )
    assert put(firehose)["RequestResponses"] == []
