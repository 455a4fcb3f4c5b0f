"""Create a tagged bucket and upload the data of one task into one prefix per channel."""

import argparse
import sys
from pathlib import Path

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

TAG = {"Key": "made-by", "Value": "create_bucket.py"}  # remove_bucket.py deletes no other bucket
CHANNELS = ("train", "validation")


def create_bucket(s3: BaseClient, bucket: str) -> None:
    """Create a bucket in the client's Region (`s3:HeadBucket`, `s3:CreateBucket`).

    Raises RuntimeError: in us-east-1, CreateBucket succeeds for a bucket that is already yours.
    """
    try:
        s3.head_bucket(Bucket=bucket)
        raise RuntimeError(f"The bucket {bucket} exists already")
    except ClientError as error:
        if error.response["Error"]["Code"] != "404":
            raise
    place = {"LocationConstraint": s3.meta.region_name}
    us_east_1 = s3.meta.region_name == "us-east-1"  # the one Region that must not be named
    s3.create_bucket(Bucket=bucket, **({} if us_east_1 else {"CreateBucketConfiguration": place}))


def upload(s3: BaseClient, bucket: str, tables: dict[str, bytes]) -> None:
    """Put each table below a prefix of its own (`s3:PutObject`).

    A channel reads every object below its prefix: `train/` must not hold the validation data.
    """
    # [start: upload]
    for channel, table in tables.items():
        key = f"{channel}/{channel}.csv"
        s3.put_object(Bucket=bucket, Key=key, Body=table, ContentType="text/csv")
        print(f"s3://{bucket}/{key}  {len(table)} bytes")
    # [end: upload]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bucket", required=True, help="a globally unique name")
    parser.add_argument("--folder", type=Path, required=True, help="with train and validation.csv")
    arguments = parser.parse_args()
    bucket, left = arguments.bucket, "No bucket was created."
    try:
        tables = {name: (arguments.folder / f"{name}.csv").read_bytes() for name in CHANNELS}
        if not boto3.Session().region_name:  # S3 would choose us-east-1 without a word
            raise RuntimeError("No Region is set: set AWS_DEFAULT_REGION")
        s3 = boto3.client("s3")
        create_bucket(s3, bucket)
        left = f"{bucket} was created, empty and without its tag: aws s3 rb s3://{bucket}"
        s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [TAG]})
        left = f"{bucket} was created and is not ready: delete it with remove_bucket.py."
        upload(s3, bucket, tables)
    except (OSError, BotoCoreError, ClientError, RuntimeError) as error:
        advice = "Check the options, AWS_DEFAULT_REGION, credentials and network."
        sys.exit(f"{str(error).rstrip('.')}. {left} {advice}")


if __name__ == "__main__":
    main()
