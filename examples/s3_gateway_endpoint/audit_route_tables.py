"""Find route tables without an S3 gateway endpoint and print what to do; exit 1 if any."""

import argparse
import sys
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError


def find_all(ec2: BaseClient, operation: str, key: str, **filters: str) -> list[dict[str, Any]]:
    """All pages of a Describe operation, such as `ec2:DescribeSubnets`."""
    chosen = [{"Name": name.replace("_", "-"), "Values": [v]} for name, v in filters.items()]
    pages = ec2.get_paginator(operation).paginate(Filters=chosen)
    return [item for page in pages for item in page[key]]


def find_endpoints(ec2: BaseClient) -> list[dict[str, Any]]:
    """The S3 gateway endpoints that are in use (`ec2:DescribeVpcEndpoints`)."""
    kind = {"vpc_endpoint_type": "Gateway", "vpc_endpoint_state": "available"}
    service = f"com.amazonaws.{ec2.meta.region_name}.s3"
    return find_all(ec2, "describe_vpc_endpoints", "VpcEndpoints", service_name=service, **kind)


def find_gaps(ec2: BaseClient, endpoints: list[dict[str, Any]]) -> dict[str, dict[str, int]]:
    """For each VPC its route tables without endpoint, and how many subnets use each."""
    tables = find_all(ec2, "describe_route_tables", "RouteTables")
    table_of = {  # a subnet without its own association uses the VPC's main table
        link.get("SubnetId", table["VpcId"]): table["RouteTableId"]
        for table in tables
        for link in table["Associations"]
        if "GatewayId" not in link  # not the table of an internet gateway
    }
    reached = {table_id for endpoint in endpoints for table_id in endpoint["RouteTableIds"]}
    gaps: dict[str, dict[str, int]] = {}
    for subnet in find_all(ec2, "describe_subnets", "Subnets"):
        vpc_id = subnet["VpcId"]
        # None: the table of a subnet that another account shares may be hidden
        table_id = table_of.get(subnet["SubnetId"], table_of.get(vpc_id))
        if table_id and table_id not in reached:
            counts = gaps.setdefault(vpc_id, {})
            counts[table_id] = counts.get(table_id, 0) + 1
    return gaps


def audit(region: str | None) -> int:
    """Print the gaps of one Region and what to do, and return their number."""
    ec2 = boto3.client("ec2", region_name=region)
    endpoints = find_endpoints(ec2)
    endpoint_of = {endpoint["VpcId"]: endpoint["VpcEndpointId"] for endpoint in endpoints}
    gaps = find_gaps(ec2, endpoints)
    for vpc_id, counts in gaps.items():
        for table_id, subnets in counts.items():
            print(f"{vpc_id}  {table_id}  subnets: {subnets}  no S3 gateway endpoint")
        cure = f"create_endpoint.py --vpc-id {vpc_id} --route-table-id "
        cure += " --route-table-id ".join(counts)
        if vpc_id in endpoint_of:
            cure = f"change_route_tables.py --endpoint-id {endpoint_of[vpc_id]} --attach "
            cure += " --attach ".join(counts)
        print(f"  AWS_DEFAULT_REGION={ec2.meta.region_name} python {cure}")
    return sum(map(len, gaps.values()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument("--region", action="append", help="default: AWS_DEFAULT_REGION")
    chosen.add_argument("--all-regions", action="store_true", help="every enabled Region")
    arguments = parser.parse_args()
    regions, found, failed = arguments.region or [None], 0, False
    try:
        if arguments.all_regions:
            answer = boto3.client("ec2").describe_regions()
            regions = [region["RegionName"] for region in answer["Regions"]]
    except (BotoCoreError, ClientError) as error:
        regions, failed = [], True
        hint = "Check AWS_DEFAULT_REGION, credentials and network."
        print(f"{str(error).rstrip('.')}. {hint}", file=sys.stderr)
    for region in regions:
        try:
            found += audit(region)
        except (BotoCoreError, ClientError) as error:
            failed = True
            where = region or "the Region (AWS_DEFAULT_REGION)"
            hint = f"Not audited: {where}. Check the Region, credentials and network."
            print(f"{str(error).rstrip('.')}. {hint}", file=sys.stderr)
    if not failed:
        print(f"route tables without S3 gateway endpoint: {found}")
    sys.exit(2 if failed else int(found > 0))


if __name__ == "__main__":
    main()
