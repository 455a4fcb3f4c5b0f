"""Remove the practice VPC and bucket, endpoints and objects included."""

import argparse
import sys
from collections.abc import Callable, Iterator

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

Deletion = tuple[str, Callable[[], object]]


def delete_endpoint(ec2: BaseClient, endpoint_id: str) -> None:
    """Raises RuntimeError: the call answers 200 and lists the refusal in its body."""
    for refused in ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint_id])["Unsuccessful"]:
        raise RuntimeError(f"{refused['Error']['Code']}: {refused['Error']['Message']}")


def find_deletions(ec2: BaseClient, vpc_id: str) -> Iterator[Deletion]:
    """What to delete, in the only order that AWS accepts: endpoints, subnets, tables, VPC."""
    inside = [{"Name": "vpc-id", "Values": [vpc_id]}]
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
    yield vpc_id, lambda: ec2.delete_vpc(VpcId=vpc_id)


def empty_and_delete(s3: BaseClient, bucket: str) -> None:
    """Delete all objects, then the bucket (`s3:DeleteObject`, `s3:DeleteBucket`)."""
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
        s3 = boto3.client("s3")
        network = list(find_deletions(boto3.client("ec2"), arguments.vpc_id))
    except (BotoCoreError, ClientError) as error:
        sys.exit(
            f"{str(error).rstrip('.')}. Nothing was deleted. "
            "Check the ids, AWS_DEFAULT_REGION, credentials and network."
        )
    bucket = (arguments.bucket, lambda: empty_and_delete(s3, arguments.bucket))
    failures = delete_all([bucket, *network])
    if failures:
        sys.exit(" ".join(failures) + " Run the command again when the cause is mended.")


if __name__ == "__main__":
    main()
