import shlex
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from botocore.stub import Stubber

REGION = "ap-northeast-1"


def delete_vpcs(ec2: Any) -> None:
    """Delete what AWS itself put into the Region: the default VPC with its subnets."""
    for subnet in ec2.describe_subnets()["Subnets"]:
        ec2.delete_subnet(SubnetId=subnet["SubnetId"])
    for vpc in ec2.describe_vpcs()["Vpcs"]:
        ec2.delete_vpc(VpcId=vpc["VpcId"])


@pytest.fixture
def ec2(client: Callable[..., Any]) -> Any:
    """A client of a Region without VPC."""
    made = client("ec2")
    delete_vpcs(made)
    return made


@pytest.fixture
def gaps(example: Callable[[str], Any], ec2: Any) -> Callable[[], Any]:
    """`gaps()`: what the example finds now, sorted."""
    module = example("audit_route_tables")
    return lambda: sorted(module.find_gaps(ec2))


def add_subnet(ec2: Any, vpc_id: str, block: str) -> str:
    subnet_id: str = ec2.create_subnet(VpcId=vpc_id, CidrBlock=block)["Subnet"]["SubnetId"]
    return subnet_id


def test_a_region_without_vpc_has_no_gap(run: Callable[..., Any], ec2: Any) -> None:
    result = run("audit_route_tables")
    assert (result.status, result.errors) == (0, "")
    assert result.output == "route tables without S3 endpoint: 0\n"


def test_a_vpc_without_subnets_is_not_reported(ec2: Any, gaps: Callable[[], Any]) -> None:
    vpc_id = ec2.create_vpc(CidrBlock="10.2.0.0/16")["Vpc"]["VpcId"]
    ec2.create_route_table(VpcId=vpc_id)
    assert gaps() == []


def test_a_subnet_without_association_uses_the_main_table(
    ec2: Any, network: Any, gaps: Callable[[], Any], attach_endpoint: Callable[..., str]
) -> None:
    endpoint = attach_endpoint(ec2, network.vpc_id, *network.tables)
    assert gaps() == []
    add_subnet(ec2, network.vpc_id, "10.1.3.0/24")
    add_subnet(ec2, network.vpc_id, "10.1.4.0/24")
    assert gaps() == [(network.vpc_id, network.main_table, 2, endpoint)]
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, AddRouteTableIds=[network.main_table])
    assert gaps() == []


def test_a_table_that_no_subnet_uses_is_not_reported(
    ec2: Any, network: Any, gaps: Callable[[], Any], attach_endpoint: Callable[..., str]
) -> None:
    attach_endpoint(ec2, network.vpc_id, *network.tables)
    ec2.create_route_table(VpcId=network.vpc_id)
    assert gaps() == []


def test_the_table_of_an_internet_gateway_is_not_the_main_table(
    ec2: Any, network: Any, endpoint: str, gaps: Callable[[], Any]
) -> None:
    table = ec2.create_route_table(VpcId=network.vpc_id)["RouteTable"]["RouteTableId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=network.vpc_id)
    ec2.associate_route_table(RouteTableId=table, GatewayId=gateway)
    add_subnet(ec2, network.vpc_id, "10.1.3.0/24")
    assert gaps() == sorted(
        [
            (network.vpc_id, network.tables[1], 1, endpoint),
            (network.vpc_id, network.main_table, 1, endpoint),
        ]
    )


def test_each_vpc_is_reported_with_its_own_endpoint(
    ec2: Any,
    network: Any,
    endpoint: str,
    make_network: Callable[[Any], Any],
    gaps: Callable[[], Any],
) -> None:
    other = make_network(ec2)
    assert gaps() == sorted(
        [
            (network.vpc_id, network.tables[1], 1, endpoint),
            (other.vpc_id, other.tables[0], 1, None),
            (other.vpc_id, other.tables[1], 1, None),
        ]
    )


def test_an_endpoint_for_dynamodb_does_not_count(
    ec2: Any, network: Any, gaps: Callable[[], Any], attach_endpoint: Callable[..., str]
) -> None:
    attach_endpoint(ec2, network.vpc_id, *network.tables, service="dynamodb")
    assert gaps() == sorted((network.vpc_id, table, 1, None) for table in network.tables)


def test_an_interface_endpoint_does_not_count(
    ec2: Any, network: Any, gaps: Callable[[], Any]
) -> None:
    ec2.create_vpc_endpoint(
        VpcEndpointType="Interface",
        VpcId=network.vpc_id,
        ServiceName=f"com.amazonaws.{REGION}.s3",
        SubnetIds=network.subnets,
    )
    assert gaps() == sorted((network.vpc_id, table, 1, None) for table in network.tables)


def test_every_page_is_read_and_shared_subnets_with_a_hidden_table_are_skipped(
    example: Callable[[str], Any], ec2: Any
) -> None:
    chosen = [
        {"Name": "service-name", "Values": [f"com.amazonaws.{REGION}.s3"]},
        {"Name": "vpc-endpoint-type", "Values": ["Gateway"]},
    ]

    def endpoint(number: int) -> dict[str, Any]:
        own = {"VpcEndpointId": f"vpce-{number}", "VpcId": f"vpc-{number}"}
        return {"VpcEndpoints": [own | {"RouteTableIds": [f"rtb-{number}"]}]}

    def subnet(number: int) -> dict[str, Any]:
        return {"Subnets": [{"SubnetId": f"subnet-{number}", "VpcId": f"vpc-{number}"}]}

    def table(number: int) -> dict[str, Any]:
        own = {"RouteTableId": f"rtb-{number}", "VpcId": f"vpc-{number}"}
        return {"RouteTables": [own | {"Associations": [{"Main": True}]}]}

    with Stubber(ec2) as stub:
        for operation, filters, pages in (
            ("describe_vpc_endpoints", chosen, [endpoint(1), endpoint(2)]),
            ("describe_subnets", [], [subnet(1), subnet(3), subnet(4), subnet(2)]),
            ("describe_route_tables", [], [table(1), table(3), table(2)]),
        ):
            for number, page in enumerate(pages):
                more = {"NextToken": str(number + 1)} if page is not pages[-1] else {}
                token = {"NextToken": str(number)} if number else {}
                stub.add_response(operation, page | more, {"Filters": filters} | token)
        found = example("audit_route_tables").find_gaps(ec2)
        stub.assert_no_pending_responses()
    assert found == [("vpc-3", "rtb-3", 1, None)]


def test_each_gap_is_printed_with_the_command_that_closes_it(
    run: Callable[..., Any],
    ec2: Any,
    network: Any,
    endpoint: str,
    make_network: Callable[[Any], Any],
) -> None:
    other = make_network(ec2)
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, AddRouteTableIds=[network.main_table])
    result = run("audit_route_tables")
    lines = result.output.splitlines()
    attach = f"  python change_route_tables.py --endpoint-id {endpoint} --attach"
    create = f"  python create_endpoint.py --vpc-id {other.vpc_id} --route-table-id"
    assert (result.status, result.errors) == (1, "")
    assert dict(zip(lines[0:6:2], lines[1:6:2], strict=True)) == {
        f"{REGION}  {vpc_id}  {table}  subnets: 1  no route to S3": f"{command} {table}"
        for vpc_id, table, command in (
            (network.vpc_id, network.tables[1], attach),
            (other.vpc_id, other.tables[0], create),
            (other.vpc_id, other.tables[1], create),
        )
    }
    assert lines[6:] == ["route tables without S3 endpoint: 3"]


def test_the_printed_commands_close_all_gaps(
    run: Callable[..., Any], network: Any, routes_to: Callable[[str], dict[str, str]], ec2: Any
) -> None:
    """The first makes the endpoint; the audit then asks to attach the other table to it."""
    for left, program in ((2, "create_endpoint.py"), (1, "change_route_tables.py")):
        *_, command, total = run("audit_route_tables").output.splitlines()
        assert total == f"route tables without S3 endpoint: {left}"
        assert shlex.split(command)[:2] == ["python", program]
        assert run(program.removesuffix(".py"), *shlex.split(command)[2:]).status == 0
    assert run("audit_route_tables").output == "route tables without S3 endpoint: 0\n"
    (found,) = ec2.describe_vpc_endpoints()["VpcEndpoints"]
    assert routes_to(found["VpcEndpointId"]).keys() == set(network.tables)


def test_chosen_regions_are_added_up(
    run: Callable[..., Any],
    client: Callable[..., Any],
    ec2: Any,
    network: Any,
    make_network: Callable[[Any], Any],
) -> None:
    abroad = client("ec2", "eu-west-1")
    delete_vpcs(abroad)
    other = make_network(abroad)
    result = run("audit_route_tables", "--region", "eu-west-1", "--region", REGION)
    assert result.status == 1
    assert [line.split("  ")[:3] for line in result.output.splitlines()[0:8:2]] == [
        ["eu-west-1", other.vpc_id, other.tables[0]],
        ["eu-west-1", other.vpc_id, other.tables[1]],
        [REGION, network.vpc_id, network.tables[0]],
        [REGION, network.vpc_id, network.tables[1]],
    ]
    assert result.output.endswith("\nroute tables without S3 endpoint: 4\n")


def test_all_regions_are_those_of_the_account(
    run: Callable[..., Any], client: Callable[..., Any], ec2: Any, network: Any
) -> None:
    delete_vpcs(client("ec2", "sa-east-1"))
    enabled = [region["RegionName"] for region in ec2.describe_regions()["Regions"]]
    result = run("audit_route_tables", "--all-regions")
    assert result.status == 1
    reported = [line.split("  ")[0] for line in result.output.splitlines() if "no route" in line]
    # One gap per default VPC; this Region has the two of the network instead, São Paulo none.
    gaps_of = dict.fromkeys(enabled, 1) | {REGION: 2, "sa-east-1": 0}
    assert Counter(reported) == Counter(gaps_of) - Counter()
    assert result.output.endswith(f"\nroute tables without S3 endpoint: {len(enabled)}\n")


def test_a_region_without_gap_is_told_by_the_exit_code(
    run: Callable[..., Any], ec2: Any, network: Any, attach_endpoint: Callable[..., str]
) -> None:
    attach_endpoint(ec2, network.vpc_id, *network.tables)
    assert run("audit_route_tables").status == 0


@pytest.mark.parametrize("region", ["not a region", "ap_northeast_1"])
def test_a_region_name_that_cannot_be_is_an_error(run: Callable[..., Any], region: str) -> None:
    result = run("audit_route_tables", "--region", region)
    assert (result.status, result.output) == (2, "")
    assert result.errors == (
        f"Provided region_name '{region}' doesn't match a supported format. "
        "Check the Region (--region or AWS_DEFAULT_REGION), credentials and network.\n"
    )
