"""Create a VPC with two private subnets and a bucket with one object, to practice on."""

import argparse
import sys
from collections.abc import Callable

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

TAGS = [{"Key": "Purpose", "Value": "practice"}]  # remove_sandbox.py deletes nothing without it
Undo = list[tuple[str, Callable[[], object]]]


def create_network(ec2: BaseClient, undo: Undo) -> None:
    """Create VPC, subnets and route tables (`ec2:CreateVpc`, `ec2:CreateSubnet`, …).

    How to delete each thing goes onto `undo` as soon as it exists.
    """
    tagged = [{"ResourceType": "vpc", "Tags": TAGS}]
    vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=tagged)["Vpc"]["VpcId"]
    undo.append((vpc_id, lambda: ec2.delete_vpc(VpcId=vpc_id)))
    print(f"{vpc_id}  10.0.0.0/16")
    ec2.modify_vpc_attribute(VpcId=vpc_id, EnableDnsHostnames={"Value": True})
    usable = [{"Name": "zone-type", "Values": ["availability-zone"]}]  # no Local Zones
    zones = ec2.describe_availability_zones(Filters=usable)["AvailabilityZones"]
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


def create_bucket(s3: BaseClient, bucket: str, undo: Undo) -> None:
    """Create a bucket in the client's Region with one object (`s3:CreateBucket`, `s3:PutObject`).

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
    undo.append((bucket, lambda: s3.delete_bucket(Bucket=bucket)))
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": TAGS})
    s3.put_object(Bucket=bucket, Key="hello.txt", Body=b"hello")
    print(bucket)


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
    parser.add_argument("--bucket", required=True, help="a globally unique bucket name")
    bucket = parser.parse_args().bucket
    undo: Undo = []
    try:
        create_network(boto3.client("ec2"), undo)
        create_bucket(boto3.client("s3"), bucket, undo)
    except (BotoCoreError, ClientError, RuntimeError) as error:
        left = undo_all(undo)
        done = f"Delete by hand: {', '.join(left)}." if left else "Nothing was left behind."
        sys.exit(
            f"{str(error).rstrip('.')}. {done} "
            "Check the bucket name, AWS_DEFAULT_REGION, credentials and network."
        )


if __name__ == "__main__":
    main()
