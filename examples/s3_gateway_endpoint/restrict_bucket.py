"""Allow a bucket's objects only through one gateway endpoint, without locking anybody out."""

import argparse
import json
import sys
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

SID = "ObjectsOnlyThroughTheEndpoint"


def deny_other_paths(bucket: str, endpoint_id: str, admin_arn: str) -> dict[str, Any]:
    """A statement that denies objects, and only objects, to requests that come another way."""
    # [start: statement]
    return {
        "Sid": SID,
        "Effect": "Deny",
        "Principal": "*",
        # No s3:*: whoever manages the bucket can still read, replace and delete the policy.
        "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket"],
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        "Condition": {
            "StringNotEquals": {"aws:SourceVpce": endpoint_id},
            "ArnNotEquals": {"aws:PrincipalArn": admin_arn},
            # IfExists: the keys are absent from anonymous requests, which are to be denied.
            "BoolIfExists": {"aws:PrincipalIsAWSService": "false", "aws:ViaAWSService": "false"},
        },
    }
    # [end: statement]


def read_policy(s3: BaseClient, bucket: str) -> dict[str, Any]:
    """The bucket policy without our statement (`s3:GetBucketPolicy`)."""
    try:
        policy = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucketPolicy":
            raise
        policy = {"Version": "2012-10-17", "Statement": []}
    found = policy["Statement"]
    statements = found if isinstance(found, list) else [found]  # both are valid
    return policy | {"Statement": [s for s in statements if s.get("Sid") != SID]}


def write_policy(s3: BaseClient, bucket: str, policy: dict[str, Any]) -> None:
    """Replace the whole bucket policy (`s3:PutBucketPolicy`, `s3:DeleteBucketPolicy`)."""
    if policy["Statement"]:
        s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    else:
        s3.delete_bucket_policy(Bucket=bucket)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bucket", required=True)
    chosen = parser.add_mutually_exclusive_group(required=True)
    chosen.add_argument("--endpoint-id")
    chosen.add_argument("--lift", action="store_true", help="remove the restriction")
    parser.add_argument("--admin-arn", help="the role or user that keeps access from anywhere")
    arguments = parser.parse_args()
    if not arguments.lift and not (arguments.endpoint_id and arguments.admin_arn):
        parser.error("--endpoint-id needs --admin-arn: somebody must keep access from outside")
    try:
        s3 = boto3.client("s3")
        policy = read_policy(s3, arguments.bucket)
        kept = len(policy["Statement"])
        if not arguments.lift:
            policy["Statement"].append(
                deny_other_paths(arguments.bucket, arguments.endpoint_id, arguments.admin_arn)
            )
        write_policy(s3, arguments.bucket, policy)
    except (BotoCoreError, ClientError) as error:
        sys.exit(
            f"{str(error).rstrip('.')}. The policy is unchanged. "
            "Check the bucket, AWS_DEFAULT_REGION, credentials and network."
        )
    state = "from anywhere" if arguments.lift else f"only through {arguments.endpoint_id}"
    print(f"{arguments.bucket}: objects {state}; {kept} other statements kept")


if __name__ == "__main__":
    main()
