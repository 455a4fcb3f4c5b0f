"""Let a gateway endpoint reach only chosen buckets, or everything again."""

import argparse
import json
import sys
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

ACTIONS = ["s3:GetObject", "s3:PutObject", "s3:ListBucket"]


def endpoint_policy(buckets: list[str]) -> dict[str, Any]:
    """A policy that lets requests through to these buckets and to no other."""
    # [start: policy]
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "OnlyTheseBuckets",
                "Effect": "Allow",
                "Principal": "*",
                "Action": ACTIONS,
                "Resource": [
                    arn
                    for bucket in buckets
                    for arn in (f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*")
                ],
            }
        ],
    }
    # [end: policy]


def restrict_endpoint(ec2: BaseClient, endpoint_id: str, buckets: list[str]) -> None:
    """Replace the endpoint's policy; no bucket means full access (`ec2:ModifyVpcEndpoint`)."""
    if buckets:
        document = json.dumps(endpoint_policy(buckets))
        ec2.modify_vpc_endpoint(VpcEndpointId=endpoint_id, PolicyDocument=document)
    else:
        ec2.modify_vpc_endpoint(VpcEndpointId=endpoint_id, ResetPolicy=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint-id", required=True)
    chosen = parser.add_mutually_exclusive_group(required=True)
    chosen.add_argument("--bucket", action="append", default=[], help="may be repeated")
    chosen.add_argument("--reset", action="store_true", help="let everything through again")
    arguments = parser.parse_args()
    try:
        restrict_endpoint(boto3.client("ec2"), arguments.endpoint_id, arguments.bucket)
    except (BotoCoreError, ClientError) as error:
        sys.exit(
            f"{str(error).rstrip('.')}. The policy of {arguments.endpoint_id} may have changed. "
            "Check the id, AWS_DEFAULT_REGION, credentials and network."
        )
    if arguments.reset:
        print(f"{arguments.endpoint_id} lets everything through")
    else:
        print(f"{arguments.endpoint_id} lets through: {', '.join(ACTIONS)}")
        print("to and from:", *arguments.bucket)


if __name__ == "__main__":
    main()
