"""Delete the practice VPC and bucket, endpoints and objects included, and nothing else."""

import argparse
import sys
from collections.abc import Callable, Iterator

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

TAG = {"Key": "Purpose", "Value": "practice"}  # as create_sandbox.py sets it
Deletion = tuple[str, Callable[[], object]]


def delete_endpoint(ec2: BaseClient, endpoint_id: str) -> None:
    """Delete an endpoint. Raises RuntimeError if AWS refuses: the call itself succeeds then."""
    answer = ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint_id])
    for refused in answer.get("Unsuccessful", []):
        raise RuntimeError(f"{refused['Error']['Code']}: {refused['Error']['Message']}")


def find_network(ec2: BaseClient, vpc_id: str) -> Iterator[Deletion]:
    """What to delete, in an order that AWS accepts; nothing, if the VPC is not there.

    Raises RuntimeError: the VPC does not bear the practice tag.
    """
    inside = [{"Name": "vpc-id", "Values": [vpc_id]}]
    vpcs = ec2.describe_vpcs(Filters=inside)["Vpcs"]
    if vpcs and TAG not in vpcs[0].get("Tags", []):
        raise RuntimeError(f"{vpc_id} is not tagged Purpose=practice")
    for page in ec2.get_paginator("describe_vpc_endpoints").paginate(Filters=inside):
        for endpoint in page["VpcEndpoints"]:
            endpoint_id = endpoint["VpcEndpointId"]
            yield endpoint_id, lambda i=endpoint_id: delete_endpoint(ec2, i)
    for page in ec2.get_paginator("describe_subnets").paginate(Filters=inside):
        for subnet in page["Subnets"]:
            yield subnet["SubnetId"], lambda i=subnet["SubnetId"]: ec2.delete_subnet(SubnetId=i)
    for page in ec2.get_paginator("describe_route_tables").paginate(Filters=inside):
        for table in page["RouteTables"]:
            # The main table goes with the VPC.
            if not any(link.get("Main") for link in table["Associations"]):
                table_id = table["RouteTableId"]
                yield table_id, lambda i=table_id: ec2.delete_route_table(RouteTableId=i)
    if vpcs:
        yield vpc_id, lambda: ec2.delete_vpc(VpcId=vpc_id)


def find_bucket(s3: BaseClient, bucket: str) -> Iterator[Deletion]:
    """The bucket, if it is there (`s3:GetBucketTagging`).

    Raises RuntimeError: the bucket does not bear the practice tag.
    """
    try:
        tags = s3.get_bucket_tagging(Bucket=bucket)["TagSet"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchBucket":
            return
        if error.response["Error"]["Code"] != "NoSuchTagSet":
            raise
        tags = []
    if TAG not in tags:
        raise RuntimeError(f"{bucket} is not tagged Purpose=practice")
    yield bucket, lambda: empty_and_delete(s3, bucket)


def empty_and_delete(s3: BaseClient, bucket: str) -> None:
    """Delete the objects of a bucket without versioning, then the bucket itself."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for found in page.get("Contents", []):
            s3.delete_object(Bucket=bucket, Key=found["Key"])
    s3.delete_bucket(Bucket=bucket)


def delete_all(deletions: list[Deletion]) -> list[str]:
    """Delete one after the other, a failed one does not stop the rest; returns the failures."""
    failures = []
    for name, delete in deletions:
        try:
            delete()
            print(f"deleted {name}")
        except (BotoCoreError, ClientError, RuntimeError) as error:
            failures.append(f"{name} was not deleted: {str(error).rstrip('.')}.")
    return failures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vpc-id", required=True)
    parser.add_argument("--bucket", required=True)
    arguments = parser.parse_args()
    try:
        found = list(find_bucket(boto3.client("s3"), arguments.bucket))
        found += find_network(boto3.client("ec2"), arguments.vpc_id)
    except (BotoCoreError, ClientError, RuntimeError) as error:
        sys.exit(
            f"{str(error).rstrip('.')}. Nothing was deleted. "
            "Check the ids, AWS_DEFAULT_REGION, credentials and network."
        )
    failures = delete_all(found)
    if failures:
        advice = "Lift a restriction of the bucket with restrict_bucket.py --lift, then run again."
        sys.exit(f"{' '.join(failures)} {advice}")
    for name in (arguments.vpc_id, arguments.bucket):
        if name not in dict(found):
            print(f"{name} was not found: already deleted, or in another Region or account")


if __name__ == "__main__":
    main()
