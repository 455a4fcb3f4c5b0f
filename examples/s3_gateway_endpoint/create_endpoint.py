"""Create an S3 gateway endpoint for chosen route tables and show the routes that AWS adds."""

import argparse
import sys
import uuid

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError


def create_gateway_endpoint(ec2: BaseClient, vpc_id: str, route_table_ids: list[str]) -> str:
    """Create the endpoint and return its id (`ec2:CreateVpcEndpoint`).

    Raises ClientError, for example with code InvalidVpcID.NotFound or RouteAlreadyExists.
    """
    # [start: create]
    answer = ec2.create_vpc_endpoint(
        VpcEndpointType="Gateway",
        VpcId=vpc_id,
        ServiceName=f"com.amazonaws.{ec2.meta.region_name}.s3",
        RouteTableIds=route_table_ids,
        ClientToken=str(uuid.uuid4()),  # a retry after a lost answer creates no second endpoint
    )
    # [end: create]
    return answer["VpcEndpoint"]["VpcEndpointId"]


def find_routes(ec2: BaseClient, vpc_id: str, endpoint_id: str) -> list[str]:
    """The routes that lead to the endpoint, one line each (`ec2:DescribeRouteTables`)."""
    inside = [{"Name": "vpc-id", "Values": [vpc_id]}]
    return [
        f"{table['RouteTableId']}  {route['DestinationPrefixListId']} -> {route['GatewayId']}"
        f"  {route['State']}"
        for page in ec2.get_paginator("describe_route_tables").paginate(Filters=inside)
        for table in page["RouteTables"]
        for route in table["Routes"]
        if route.get("GatewayId") == endpoint_id
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vpc-id", required=True)
    parser.add_argument("--route-table-id", required=True, action="append", help="may be repeated")
    arguments = parser.parse_args()
    left = "No endpoint was confirmed."
    try:
        ec2 = boto3.client("ec2")
        endpoint_id = create_gateway_endpoint(ec2, arguments.vpc_id, arguments.route_table_id)
        tables = ", ".join(arguments.route_table_id)
        left = f"{endpoint_id} was created, with routes in {tables}: see remove_endpoint.py."
        print(endpoint_id)
        routes = find_routes(ec2, arguments.vpc_id, endpoint_id)
        print("\n".join(routes) or "its routes are not visible yet")
    except (BotoCoreError, ClientError) as error:
        sys.exit(
            f"{str(error).rstrip('.')}. {left} "
            "Check the ids, AWS_DEFAULT_REGION, credentials and network."
        )


if __name__ == "__main__":
    main()
