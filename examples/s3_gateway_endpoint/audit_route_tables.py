"""Find route tables without a route to S3 and print what to do; exit 1 when one is missing."""

import argparse
import sys
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError


def find_all(ec2: BaseClient, operation: str, key: str, **filters: str) -> list[dict[str, Any]]:
    """All pages of a Describe operation (`ec2:DescribeSubnets` and its like)."""
    chosen = [{"Name": name.replace("_", "-"), "Values": [v]} for name, v in filters.items()]
    pages = ec2.get_paginator(operation).paginate(Filters=chosen)
    return [item for page in pages for item in page[key]]


def find_gaps(ec2: BaseClient) -> list[tuple[str, str, int, str | None]]:
    """(VPC, route table, subnets, endpoint) for each used table without an S3 endpoint.

    `endpoint` is the S3 gateway endpoint that the VPC already has, or None.
    """
    service = f"com.amazonaws.{ec2.meta.region_name}.s3"
    kind = {"service_name": service, "vpc_endpoint_type": "Gateway"}
    endpoints = find_all(ec2, "describe_vpc_endpoints", "VpcEndpoints", **kind)
    reached = {table_id for endpoint in endpoints for table_id in endpoint["RouteTableIds"]}
    endpoint_of = {endpoint["VpcId"]: endpoint["VpcEndpointId"] for endpoint in endpoints}
    subnets = find_all(ec2, "describe_subnets", "Subnets")
    tables = find_all(ec2, "describe_route_tables", "RouteTables")
    table_of = {  # a subnet without its own association uses the VPC's main table
        link.get("SubnetId", table["VpcId"]): table["RouteTableId"]
        for table in tables
        for link in table["Associations"]
        if "GatewayId" not in link  # not the table of an internet gateway
    }
    # None: the table of a subnet that another account shares may be hidden
    used = [(s["VpcId"], table_of.get(s["SubnetId"], table_of.get(s["VpcId"]))) for s in subnets]
    return [
        (vpc_id, table_id, used.count((vpc_id, table_id)), endpoint_of.get(vpc_id))
        for vpc_id, table_id in dict.fromkeys(used)
        if table_id and table_id not in reached
    ]


def audit(region: str | None) -> int:
    """Print the gaps of one Region and return their number."""
    ec2 = boto3.client("ec2", region_name=region)
    gaps = find_gaps(ec2)
    for vpc_id, table_id, subnets, endpoint_id in gaps:
        print(f"{ec2.meta.region_name}  {vpc_id}  {table_id}  subnets: {subnets}  no route to S3")
        cure = f"create_endpoint.py --vpc-id {vpc_id} --route-table-id {table_id}"
        if endpoint_id:
            cure = f"change_route_tables.py --endpoint-id {endpoint_id} --attach {table_id}"
        print(f"  python {cure}")
    return len(gaps)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--region", action="append", help="default: AWS_DEFAULT_REGION")
    parser.add_argument("--all-regions", action="store_true", help="every Region of the account")
    arguments = parser.parse_args()
    try:
        regions = arguments.region or [None]
        if arguments.all_regions:
            answer = boto3.client("ec2").describe_regions()
            regions = [region["RegionName"] for region in answer["Regions"]]
        gaps = sum(audit(region) for region in regions)
    except (BotoCoreError, ClientError) as error:
        hint = "Check the Region (--region or AWS_DEFAULT_REGION), credentials and network."
        print(f"{str(error).rstrip('.')}. {hint}", file=sys.stderr)
        sys.exit(2)
    print(f"route tables without S3 endpoint: {gaps}")
    sys.exit(1 if gaps else 0)


if __name__ == "__main__":
    main()
