"""Allow a bucket's objects only through one gateway endpoint, without locking the admin out."""

import argparse
import json
import re
import sys
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

SIDS = ("ObjectsOnlyThroughTheEndpoint", "ListingsOnlyThroughTheEndpoint")


def deny_other_paths(bucket: str, endpoint_id: str, admin_arn: str) -> list[dict[str, Any]]:
    """Statements that deny objects and listings to requests that come another way."""
    # [start: statements]
    other_paths = {
        "StringNotEquals": {"aws:SourceVpce": endpoint_id},
        "ArnNotEquals": {"aws:PrincipalArn": admin_arn},
        # IfExists: requests without these keys are to be denied too.
        "BoolIfExists": {"aws:PrincipalIsAWSService": "false", "aws:ViaAWSService": "false"},
    }
    deny = {"Effect": "Deny", "Principal": "*", "Condition": other_paths}
    # On objects s3:* is safe: the bucket policy belongs to the bucket, and stays manageable.
    objects = {"Action": "s3:*", "Resource": f"arn:aws:s3:::{bucket}/*"}
    listings = {
        "Action": ["s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"],
        "Resource": f"arn:aws:s3:::{bucket}",
    }
    return [{"Sid": SIDS[0], **deny, **objects}, {"Sid": SIDS[1], **deny, **listings}]
    # [end: statements]


def read_policy(s3: BaseClient, bucket: str) -> dict[str, Any]:
    """The bucket policy without our statements (`s3:GetBucketPolicy`)."""
    try:
        policy = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucketPolicy":
            raise
        policy = {"Version": "2012-10-17", "Statement": []}
    found = policy["Statement"]
    statements = found if isinstance(found, list) else [found]  # both are valid
    return policy | {"Statement": [s for s in statements if s.get("Sid") not in SIDS]}


def write_policy(s3: BaseClient, bucket: str, policy: dict[str, Any]) -> None:
    """Replace the whole bucket policy (`s3:PutBucketPolicy`, `s3:DeleteBucketPolicy`)."""
    if policy["Statement"]:
        s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    else:
        s3.delete_bucket_policy(Bucket=bucket)


def check_endpoint(ec2: BaseClient, endpoint_id: str) -> None:
    """Refuse an id that would lock out everybody but the admin (`ec2:DescribeVpcEndpoints`).

    Raises RuntimeError: it is no S3 endpoint, or not in use. ClientError: it does not exist.
    """
    (found,) = ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint_id])["VpcEndpoints"]
    if not found["ServiceName"].endswith(".s3") or found["State"].lower() != "available":
        raise RuntimeError(f"{endpoint_id} is not an S3 endpoint in use")


def role_or_user(text: str) -> str:
    """Refuse the ARN of a session, which aws:PrincipalArn never holds."""
    if not re.fullmatch(r"arn:aws[a-z-]*:iam::\d{12}:(role|user)/[^\s*?]+", text):
        raise argparse.ArgumentTypeError(f"{text} is not the ARN of an IAM role or user")
    return text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bucket", required=True)
    chosen = parser.add_mutually_exclusive_group(required=True)
    chosen.add_argument("--endpoint-id", help="replaces an earlier restriction")
    chosen.add_argument("--lift", action="store_true", help="remove the restriction")
    parser.add_argument("--admin-arn", type=role_or_user, help="keeps access from anywhere")
    arguments = parser.parse_args()
    if not arguments.lift and not (arguments.endpoint_id and arguments.admin_arn):
        parser.error("--endpoint-id needs --admin-arn: somebody must keep access from outside")
    try:
        s3 = boto3.client("s3")
        policy = read_policy(s3, arguments.bucket)
        kept = len(policy["Statement"])
        if not arguments.lift:
            check_endpoint(boto3.client("ec2"), arguments.endpoint_id)
            policy["Statement"] += deny_other_paths(
                arguments.bucket, arguments.endpoint_id, arguments.admin_arn
            )
        write_policy(s3, arguments.bucket, policy)
    except (BotoCoreError, ClientError, RuntimeError) as error:
        sys.exit(
            f"{str(error).rstrip('.')}. The policy of {arguments.bucket} may have changed. "
            "Check the names, AWS_DEFAULT_REGION, credentials and network."
        )
    state = "restriction lifted" if arguments.lift else f"only through {arguments.endpoint_id}"
    print(f"{arguments.bucket}: {state}; other statements kept: {kept}")


if __name__ == "__main__":
    main()
