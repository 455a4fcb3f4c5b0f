"""Delete a gateway endpoint and check that its routes are gone."""

import argparse
import sys
import time

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError


def delete_endpoint(ec2: BaseClient, endpoint_id: str) -> None:
    """Delete the endpoint; AWS removes its routes (`ec2:DeleteVpcEndpoints`).

    Raises RuntimeError: the call answers 200 and lists the refusal in its body.
    """
    # [start: delete]
    answer = ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint_id])
    for refused in answer.get("Unsuccessful", []):
        raise RuntimeError(f"{refused['Error']['Code']}: {refused['Error']['Message']}")
    # [end: delete]


def find_route_tables(ec2: BaseClient, endpoint_id: str) -> list[str]:
    """The route tables that still lead to the endpoint (`ec2:DescribeRouteTables`)."""
    return [
        table["RouteTableId"]
        for page in ec2.get_paginator("describe_route_tables").paginate()
        for table in page["RouteTables"]
        if any(route.get("GatewayId") == endpoint_id for route in table["Routes"])
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint-id", required=True)
    endpoint_id = parser.parse_args().endpoint_id
    try:
        ec2 = boto3.client("ec2")
        before = find_route_tables(ec2, endpoint_id)
        delete_endpoint(ec2, endpoint_id)
        for pause in (0, 5, 10, 20):  # AWS may need some seconds to remove the routes
            time.sleep(pause)
            after = find_route_tables(ec2, endpoint_id)
            if not after:
                break
    except (BotoCoreError, ClientError, RuntimeError) as error:
        sys.exit(
            f"{str(error).rstrip('.')}. {endpoint_id} may still exist. "
            "Check the id, AWS_DEFAULT_REGION, credentials and network."
        )
    print(f"deleted {endpoint_id}; routes before: {len(before)}, after: {len(after)}")
    if after:
        sys.exit(f"Routes are left in {', '.join(after)}: look at them with DescribeRouteTables.")


if __name__ == "__main__":
    main()
