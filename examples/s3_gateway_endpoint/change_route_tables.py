"""Attach route tables to an existing gateway endpoint, or detach them."""

import argparse
import sys

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError


def change_route_tables(
    ec2: BaseClient, endpoint_id: str, attach: list[str], detach: list[str]
) -> list[str]:
    """Change the association and return all tables that the endpoint has now.

    AWS adds or removes the routes itself (`ec2:ModifyVpcEndpoint`, `ec2:DescribeVpcEndpoints`).
    Raises ClientError, for example with code RouteAlreadyExists or InvalidVpcEndpointId.NotFound.
    """
    # [start: modify]
    ec2.modify_vpc_endpoint(
        VpcEndpointId=endpoint_id, AddRouteTableIds=attach, RemoveRouteTableIds=detach
    )
    # [end: modify]
    found = ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint_id])
    return found["VpcEndpoints"][0]["RouteTableIds"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint-id", required=True)
    parser.add_argument("--attach", action="append", default=[], metavar="ROUTE_TABLE_ID")
    parser.add_argument("--detach", action="append", default=[], metavar="ROUTE_TABLE_ID")
    arguments = parser.parse_args()
    if not arguments.attach and not arguments.detach:
        parser.error("name at least one route table with --attach or --detach")
    try:
        tables = change_route_tables(
            boto3.client("ec2"), arguments.endpoint_id, arguments.attach, arguments.detach
        )
    except (BotoCoreError, ClientError) as error:
        tables = ", ".join(arguments.attach + arguments.detach)
        sys.exit(
            f"{str(error).rstrip('.')}. {arguments.endpoint_id} and {tables} may have changed: "
            "check the ids, AWS_DEFAULT_REGION, credentials and network, then run it again."
        )
    print(arguments.endpoint_id, *tables)


if __name__ == "__main__":
    main()
