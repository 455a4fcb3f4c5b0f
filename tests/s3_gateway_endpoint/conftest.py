"""What the examples work on, made by plain calls."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3
import pytest

BUCKET = "amzn-s3-demo-bucket-111122223333"


@dataclass(frozen=True)
class Network:
    """A VPC with two subnets in two zones, each with a route table; and its main route table."""

    vpc_id: str
    subnets: list[str]
    tables: list[str]
    main_table: str


@pytest.fixture
def ec2(client: Callable[..., Any]) -> Any:
    return client("ec2")


@pytest.fixture
def s3(client: Callable[..., Any]) -> Any:
    return client("s3")


@pytest.fixture
def make_network() -> Callable[[Any], Network]:
    """`make_network(ec2)`: a network in the Region of the client."""

    def make(ec2: Any) -> Network:
        vpc_id = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
        subnets, tables = [], []
        zones = ec2.describe_availability_zones()["AvailabilityZones"]
        for zone, block in zip(zones, ("10.1.1.0/24", "10.1.2.0/24"), strict=False):
            where = {"CidrBlock": block, "AvailabilityZone": zone["ZoneName"]}
            subnet = ec2.create_subnet(VpcId=vpc_id, **where)["Subnet"]["SubnetId"]
            table = ec2.create_route_table(VpcId=vpc_id)["RouteTable"]["RouteTableId"]
            ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
            subnets.append(subnet)
            tables.append(table)
        inside = [
            {"Name": "vpc-id", "Values": [vpc_id]},
            {"Name": "association.main", "Values": ["true"]},
        ]
        main = ec2.describe_route_tables(Filters=inside)["RouteTables"][0]["RouteTableId"]
        return Network(vpc_id, subnets, tables, main)

    return make


@pytest.fixture
def network(ec2: Any, make_network: Callable[[Any], Network]) -> Network:
    return make_network(ec2)


@pytest.fixture
def attach_endpoint() -> Callable[..., str]:
    """`attach_endpoint(ec2, vpc_id, table_id, …)`: the id of a new S3 gateway endpoint."""

    def attach(ec2: Any, vpc_id: str, *tables: str, service: str = "s3") -> str:
        answer = ec2.create_vpc_endpoint(
            VpcEndpointType="Gateway",
            VpcId=vpc_id,
            ServiceName=f"com.amazonaws.{ec2.meta.region_name}.{service}",
            RouteTableIds=list(tables),
        )
        endpoint_id: str = answer["VpcEndpoint"]["VpcEndpointId"]
        return endpoint_id

    return attach


@pytest.fixture
def endpoint(ec2: Any, network: Network, attach_endpoint: Callable[..., str]) -> str:
    """The id of an S3 gateway endpoint for the first route table of `network`."""
    return attach_endpoint(ec2, network.vpc_id, network.tables[0])


@pytest.fixture
def bucket(s3: Any) -> str:
    """The name of an empty bucket in the lab's Region."""
    where = {"LocationConstraint": s3.meta.region_name}
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
    return BUCKET


@pytest.fixture
def assume(client: Callable[..., Any]) -> Callable[..., Any]:
    """`assume(role_arn, "s3")`: a client with the credentials of the role, of any account."""

    def make(role_arn: str, service: str) -> Any:
        answer = client("sts").assume_role(RoleArn=role_arn, RoleSessionName="session")
        given = answer["Credentials"]
        return boto3.client(
            service,
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given["SessionToken"],
        )

    return make


@pytest.fixture
def routes_to(ec2: Any) -> Callable[[str], dict[str, str]]:
    """`routes_to(endpoint_id)`: route table to prefix list, for each route to the endpoint."""

    def find(endpoint_id: str) -> dict[str, str]:
        return {
            table["RouteTableId"]: route["DestinationPrefixListId"]
            for table in ec2.describe_route_tables()["RouteTables"]
            for route in table["Routes"]
            if route.get("GatewayId") == endpoint_id
        }

    return find


@pytest.fixture
def prefix_list(ec2: Any) -> str:
    """The id of the managed prefix list of S3."""
    name = f"com.amazonaws.{ec2.meta.region_name}.s3"
    chosen = [{"Name": "prefix-list-name", "Values": [name]}]
    found = ec2.describe_managed_prefix_lists(Filters=chosen)["PrefixLists"]
    prefix_list_id: str = found[0]["PrefixListId"]
    return prefix_list_id
