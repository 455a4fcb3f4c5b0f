"""Create a VPC with two private subnets and an empty bucket to practise on."""

import argparse
import sys
from collections.abc import Callable

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

Undo = list[tuple[str, Callable[[], object]]]


def create_network(ec2: BaseClient, undo: Undo) -> str:
    """Create VPC, subnets and route tables, and return the VPC id.

    Every created thing goes onto `undo` at once (`ec2:CreateVpc`, `ec2:CreateSubnet`, …).
    """
    vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    undo.append((vpc_id, lambda: ec2.delete_vpc(VpcId=vpc_id)))
    ec2.modify_vpc_attribute(VpcId=vpc_id, EnableDnsHostnames={"Value": True})
    print(f"{vpc_id}  10.0.0.0/16")
    zones = ec2.describe_availability_zones()["AvailabilityZones"]
    for zone, block in zip(zones, ("10.0.1.0/24", "10.0.2.0/24"), strict=False):
        where = {"VpcId": vpc_id, "CidrBlock": block, "AvailabilityZone": zone["ZoneName"]}
        subnet_id = ec2.create_subnet(**where)["Subnet"]["SubnetId"]
        undo.append((subnet_id, lambda i=subnet_id: ec2.delete_subnet(SubnetId=i)))
        table_id = ec2.create_route_table(VpcId=vpc_id)["RouteTable"]["RouteTableId"]
        undo.append((table_id, lambda i=table_id: ec2.delete_route_table(RouteTableId=i)))
        link = ec2.associate_route_table(RouteTableId=table_id, SubnetId=subnet_id)
        link_id = link["AssociationId"]
        undo.append((link_id, lambda i=link_id: ec2.disassociate_route_table(AssociationId=i)))
        print(f"{table_id}  {subnet_id}  {block}")
    return vpc_id


def create_bucket(s3: BaseClient, bucket: str) -> None:
    """Create a bucket in the client's Region (`s3:CreateBucket`); it blocks public access."""
    region = s3.meta.region_name
    if region == "us-east-1":  # the one Region that must not be named
        s3.create_bucket(Bucket=bucket)
    else:
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})


def undo_all(undo: Undo) -> list[str]:
    """Delete in reverse order and return what could not be deleted."""
    left = []
    for name, delete in reversed(undo):
        try:
            delete()
        except (BotoCoreError, ClientError):
            left.append(name)
    return left


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bucket", required=True, help="a name that nobody in the world uses yet")
    arguments = parser.parse_args()
    undo: Undo = []
    try:
        create_network(boto3.client("ec2"), undo)
        create_bucket(boto3.client("s3"), arguments.bucket)
        print(arguments.bucket)
    except (BotoCoreError, ClientError) as error:
        left = undo_all(undo)
        done = f"Delete by hand: {', '.join(left)}." if left else "Nothing was left behind."
        sys.exit(
            f"{str(error).rstrip('.')}. {done} "
            "Check the bucket name, AWS_DEFAULT_REGION, credentials and network."
        )


if __name__ == "__main__":
    main()
