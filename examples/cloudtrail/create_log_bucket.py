"""Create a private bucket that one trail, and nobody else, may deliver log files to."""

import argparse
import json
import re
import sys
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

# What AWS accepts; neither name may look like an IP address
NAMES = {
    "bucket": (
        r"(?!\d+(\.\d+){3}$)(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
        "3 to 63 lowercase letters, digits, hyphens and single dots between them",
    ),
    "trail": (
        r"(?!\d+(\.\d+){3}$)(?=.{3,128}$)[A-Za-z0-9]+([._-][A-Za-z0-9]+)*",
        "3 to 128 letters, digits and single dots, hyphens or underscores between them",
    ),
}


def check_name(kind: str, name: str) -> None:
    """Raises RuntimeError: CreateBucket or, later, CreateTrail would refuse the name."""
    pattern, rule = NAMES[kind]
    if not re.fullmatch(pattern, name):
        raise RuntimeError(f"{name!r} is no name of a {kind}: it takes {rule}")


def bucket_policy(bucket: str, account: str, trail_arn: str) -> dict[str, Any]:
    """What CloudTrail asks of a bucket: to read its ACL and to put objects for one trail."""
    # [start: policy]
    cloudtrail = {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}}
    this_trail = {"aws:SourceArn": trail_arn}
    acl = {"s3:x-amz-acl": "bucket-owner-full-control"}
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "AclCheck",
                **cloudtrail,
                "Action": "s3:GetBucketAcl",
                "Resource": f"arn:aws:s3:::{bucket}",
                "Condition": {"StringEquals": this_trail},
            },
            {
                "Sid": "Write",
                **cloudtrail,
                "Action": "s3:PutObject",
                "Resource": f"arn:aws:s3:::{bucket}/AWSLogs/{account}/*",
                "Condition": {"StringEquals": {**this_trail, **acl}},
            },
        ],
    }
    # [end: policy]


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


def block_public_access(s3: BaseClient, bucket: str) -> None:
    """Turn all four settings on (`s3:PutPublicAccessBlock`)."""
    names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    settings = dict.fromkeys(names, True)
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=settings)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bucket", required=True, help="a globally unique bucket name")
    parser.add_argument("--trail-name", required=True, help="the trail need not exist yet")
    arguments = parser.parse_args()
    bucket, left = arguments.bucket, "No bucket was created."
    try:
        check_name("bucket", bucket)
        check_name("trail", arguments.trail_name)
        s3 = boto3.client("s3")
        account = boto3.client("sts").get_caller_identity()["Account"]
        trail = f"arn:aws:cloudtrail:{s3.meta.region_name}:{account}:trail/{arguments.trail_name}"
        create_bucket(s3, bucket)
        left = f"{bucket} was created and is not ready: delete it with remove_log_bucket.py."
        block_public_access(s3, bucket)
        s3.put_bucket_policy(
            Bucket=bucket, Policy=json.dumps(bucket_policy(bucket, account, trail))
        )
    except (BotoCoreError, ClientError, RuntimeError) as error:
        advice = "Check the names, AWS_DEFAULT_REGION, credentials and network."
        sys.exit(f"{str(error).rstrip('.')}. {left} {advice}")
    print(f"{bucket}: no public access")
    print(f"may deliver: {trail}")


if __name__ == "__main__":
    main()
