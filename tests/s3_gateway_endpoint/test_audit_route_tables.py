import re
import shlex
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from botocore.stub import Stubber
from moto.ec2.models import ec2_backends
from proofs.trace import Answer, Call, Trace, refusal, watching

REGION = "ap-northeast-1"
TOTAL = "route tables without S3 gateway endpoint:"


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
    """`gaps()`: what the example finds now."""
    module = example("audit_route_tables")
    return lambda: module.find_gaps(ec2, module.find_endpoints(ec2))


def blocks(output: str) -> dict[str, tuple[dict[str, int], str]]:
    """What is printed of each VPC: its tables, with the number of subnets, and the command."""
    line = re.compile(
        r"(vpc-[0-9a-f]+)  (rtb-[0-9a-f]+)  subnets: ([0-9]+)  no S3 gateway endpoint"
    )
    told: dict[str, tuple[dict[str, int], str]] = {}
    for lines, command in re.findall(r"((?:vpc-.*\n)+)  (.*)\n", output):
        found = [line.fullmatch(each) for each in lines.splitlines()]
        parts = [each.groups() for each in found if each]
        assert len(parts) == len(found)
        (vpc_id,) = {part[0] for part in parts}
        assert vpc_id not in told
        told[vpc_id] = ({part[1]: int(part[2]) for part in parts}, command)
    return told


def add_subnet(ec2: Any, vpc_id: str, block: str) -> str:
    subnet_id: str = ec2.create_subnet(VpcId=vpc_id, CidrBlock=block)["Subnet"]["SubnetId"]
    return subnet_id


def test_a_region_without_vpc_has_no_gap(run: Callable[..., Any], ec2: Any) -> None:
    result = run("audit_route_tables")
    assert (result.status, result.errors) == (0, "")
    assert result.output == f"{TOTAL} 0\n"


def test_a_vpc_without_subnets_is_not_reported(ec2: Any, gaps: Callable[[], Any]) -> None:
    vpc_id = ec2.create_vpc(CidrBlock="10.2.0.0/16")["Vpc"]["VpcId"]
    ec2.create_route_table(VpcId=vpc_id)
    assert gaps() == {}


def test_a_subnet_without_association_uses_the_main_table(
    ec2: Any, network: Any, gaps: Callable[[], Any], attach_endpoint: Callable[..., str]
) -> None:
    endpoint = attach_endpoint(ec2, network.vpc_id, *network.tables)
    assert gaps() == {}
    add_subnet(ec2, network.vpc_id, "10.1.3.0/24")
    add_subnet(ec2, network.vpc_id, "10.1.4.0/24")
    assert gaps() == {network.vpc_id: {network.main_table: 2}}
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, AddRouteTableIds=[network.main_table])
    assert gaps() == {}


def test_a_table_that_no_subnet_uses_is_not_reported(
    ec2: Any, network: Any, gaps: Callable[[], Any], attach_endpoint: Callable[..., str]
) -> None:
    attach_endpoint(ec2, network.vpc_id, *network.tables)
    ec2.create_route_table(VpcId=network.vpc_id)
    assert gaps() == {}


def test_the_table_of_an_internet_gateway_is_not_the_main_table(
    ec2: Any, network: Any, endpoint: str, gaps: Callable[[], Any]
) -> None:
    table = ec2.create_route_table(VpcId=network.vpc_id)["RouteTable"]["RouteTableId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=network.vpc_id)
    ec2.associate_route_table(RouteTableId=table, GatewayId=gateway)
    add_subnet(ec2, network.vpc_id, "10.1.3.0/24")
    assert gaps() == {network.vpc_id: {network.tables[1]: 1, network.main_table: 1}}


def test_each_vpc_is_reported_with_its_own_tables(
    ec2: Any,
    network: Any,
    endpoint: str,
    make_network: Callable[[Any], Any],
    gaps: Callable[[], Any],
) -> None:
    other = make_network(ec2)
    assert gaps() == {
        network.vpc_id: {network.tables[1]: 1},
        other.vpc_id: {other.tables[0]: 1, other.tables[1]: 1},
    }


@pytest.mark.parametrize("state", ["pending", "deleting", "failed"])
def test_only_an_available_endpoint_counts(
    example: Callable[[str], Any],
    ec2: Any,
    network: Any,
    endpoint: str,
    gaps: Callable[[], Any],
    state: str,
) -> None:
    find_endpoints = example("audit_route_tables").find_endpoints
    assert [found["VpcEndpointId"] for found in find_endpoints(ec2)] == [endpoint]
    assert gaps() == {network.vpc_id: {network.tables[1]: 1}}
    ec2_backends["111122223333"][REGION].vpc_end_points[endpoint].state = state
    assert find_endpoints(ec2) == []
    assert gaps() == {network.vpc_id: dict.fromkeys(network.tables, 1)}


def test_an_endpoint_for_dynamodb_does_not_count(
    ec2: Any, network: Any, gaps: Callable[[], Any], attach_endpoint: Callable[..., str]
) -> None:
    attach_endpoint(ec2, network.vpc_id, *network.tables, service="dynamodb")
    assert gaps() == {network.vpc_id: dict.fromkeys(network.tables, 1)}


def test_an_interface_endpoint_does_not_count(
    ec2: Any, network: Any, gaps: Callable[[], Any]
) -> None:
    ec2.create_vpc_endpoint(
        VpcEndpointType="Interface",
        VpcId=network.vpc_id,
        ServiceName=f"com.amazonaws.{REGION}.s3",
        SubnetIds=network.subnets,
    )
    assert gaps() == {network.vpc_id: dict.fromkeys(network.tables, 1)}


def test_every_page_is_read_and_shared_subnets_with_a_hidden_table_are_skipped(
    example: Callable[[str], Any], ec2: Any
) -> None:
    chosen = [
        {"Name": "service-name", "Values": [f"com.amazonaws.{REGION}.s3"]},
        {"Name": "vpc-endpoint-type", "Values": ["Gateway"]},
        {"Name": "vpc-endpoint-state", "Values": ["available"]},
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
            ("describe_route_tables", [], [table(1), table(3), table(2)]),
            ("describe_subnets", [], [subnet(1), subnet(3), subnet(4), subnet(2)]),
        ):
            for number, page in enumerate(pages):
                more = {"NextToken": str(number + 1)} if page is not pages[-1] else {}
                token = {"NextToken": str(number)} if number else {}
                stub.add_response(operation, page | more, {"Filters": filters} | token)
        module = example("audit_route_tables")
        endpoints = module.find_endpoints(ec2)
        found = module.find_gaps(ec2, endpoints)
        stub.assert_no_pending_responses()
    assert [each["VpcEndpointId"] for each in endpoints] == ["vpce-1", "vpce-2"]
    assert found == {"vpc-3": {"rtb-3": 1}}


def test_each_vpc_is_printed_with_the_one_command_that_closes_its_gaps(
    run: Callable[..., Any],
    ec2: Any,
    network: Any,
    endpoint: str,
    make_network: Callable[[Any], Any],
) -> None:
    other = make_network(ec2)
    add_subnet(ec2, network.vpc_id, "10.1.3.0/24")
    add_subnet(ec2, network.vpc_id, "10.1.4.0/24")
    result = run("audit_route_tables")
    told = blocks(result.output)
    assert (result.status, result.errors) == (1, "")
    assert {vpc_id: tables for vpc_id, (tables, _) in told.items()} == {
        network.vpc_id: {network.tables[1]: 1, network.main_table: 2},
        other.vpc_id: dict.fromkeys(other.tables, 1),
    }
    attach = " --attach ".join(told[network.vpc_id][0])
    create = " --route-table-id ".join(told[other.vpc_id][0])
    assert told[network.vpc_id][1] == (
        f"AWS_DEFAULT_REGION={REGION} python change_route_tables.py "
        f"--endpoint-id {endpoint} --attach {attach}"
    )
    assert told[other.vpc_id][1] == (
        f"AWS_DEFAULT_REGION={REGION} python create_endpoint.py "
        f"--vpc-id {other.vpc_id} --route-table-id {create}"
    )
    lines = result.output.splitlines()
    assert (len(lines), lines[-1]) == (7, f"{TOTAL} 4")


def test_the_printed_commands_close_all_gaps(
    run: Callable[..., Any],
    ec2: Any,
    network: Any,
    make_network: Callable[[Any], Any],
    attach_endpoint: Callable[..., str],
    routes_to: Callable[[str], dict[str, str]],
) -> None:
    """One VPC has an endpoint without a route table, the other none; each has two tables."""
    other = make_network(ec2)
    empty = attach_endpoint(ec2, other.vpc_id)
    told = blocks(run("audit_route_tables").output)
    programs = {vpc_id: shlex.split(command)[:3] for vpc_id, (_, command) in told.items()}
    assert programs == {
        network.vpc_id: [f"AWS_DEFAULT_REGION={REGION}", "python", "create_endpoint.py"],
        other.vpc_id: [f"AWS_DEFAULT_REGION={REGION}", "python", "change_route_tables.py"],
    }
    for _, command in told.values():
        where, _, program, *arguments = shlex.split(command)
        name, _, value = where.partition("=")
        done = run(program.removesuffix(".py"), *arguments, **{name: value})
        assert (done.status, done.errors) == (0, "")
    result = run("audit_route_tables")
    assert (result.status, result.output) == (0, f"{TOTAL} 0\n")
    assert routes_to(empty).keys() == set(other.tables)
    found = {each["VpcId"]: each for each in ec2.describe_vpc_endpoints()["VpcEndpoints"]}
    assert found.keys() == {network.vpc_id, other.vpc_id}
    assert routes_to(found[network.vpc_id]["VpcEndpointId"]).keys() == set(network.tables)


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
    told = blocks(result.output)
    assert (result.status, result.errors) == (1, "")
    assert [(vpc_id, tables) for vpc_id, (tables, _) in told.items()] == [
        (other.vpc_id, dict.fromkeys(other.tables, 1)),
        (network.vpc_id, dict.fromkeys(network.tables, 1)),
    ]
    assert [command.split()[0] for _, command in told.values()] == [
        "AWS_DEFAULT_REGION=eu-west-1",
        f"AWS_DEFAULT_REGION={REGION}",
    ]
    assert result.output.endswith(f"\n{TOTAL} 4\n")


def reported(output: str) -> Counter[str]:
    """The number of tables reported in each Region, as the commands name it."""
    counts: Counter[str] = Counter()
    for tables, command in blocks(output).values():
        counts[command.split()[0].removeprefix("AWS_DEFAULT_REGION=")] += len(tables)
    return counts


def test_all_regions_are_those_of_the_account(
    run: Callable[..., Any], client: Callable[..., Any], ec2: Any, network: Any
) -> None:
    delete_vpcs(client("ec2", "sa-east-1"))
    enabled = [region["RegionName"] for region in ec2.describe_regions()["Regions"]]
    result = run("audit_route_tables", "--all-regions")
    assert (result.status, result.errors) == (1, "")
    # One gap per default VPC; this Region has the two of the network instead, São Paulo none.
    gaps_of = dict.fromkeys(enabled, 1) | {REGION: 2, "sa-east-1": 0}
    assert reported(result.output) == Counter(gaps_of) - Counter()
    assert result.output.endswith(f"\n{TOTAL} {len(enabled)}\n")


def test_a_region_that_refuses_is_named_and_the_others_are_audited(
    run: Callable[..., Any], ec2: Any
) -> None:
    enabled = [region["RegionName"] for region in ec2.describe_regions()["Regions"]]

    def refuse(trace: Trace, call: Call) -> Answer | None:
        if call.region != "eu-west-1" or call.operation != "DescribeSubnets":
            return None
        return refusal("UnauthorizedOperation", "You are not authorized.", 403)

    with watching(Trace(refuse)):
        result = run("audit_route_tables", "--all-regions")
    assert result.status == 2
    assert result.errors == (
        "An error occurred (UnauthorizedOperation) when calling the DescribeSubnets operation: "
        "You are not authorized. "
        "Not audited: eu-west-1. Check the Region, credentials and network.\n"
    )
    audited = [region for region in enabled if region not in ("eu-west-1", REGION)]
    assert reported(result.output) == Counter(audited)
    assert TOTAL not in result.output


def test_without_the_list_of_regions_nothing_is_audited(run: Callable[..., Any]) -> None:
    def refuse(trace: Trace, call: Call) -> Answer | None:
        return refusal("UnauthorizedOperation", "You are not authorized.", 403)

    with watching(Trace(refuse)) as trace:
        result = run("audit_route_tables", "--all-regions")
    assert [call.operation for call in trace.calls] == ["DescribeRegions"]
    assert (result.status, result.output) == (2, "")
    assert result.errors == (
        "An error occurred (UnauthorizedOperation) when calling the DescribeRegions operation: "
        "You are not authorized. Check AWS_DEFAULT_REGION, credentials and network.\n"
    )


def test_a_region_without_gap_is_told_by_the_exit_code(
    run: Callable[..., Any], ec2: Any, network: Any, attach_endpoint: Callable[..., str]
) -> None:
    attach_endpoint(ec2, network.vpc_id, *network.tables)
    assert run("audit_route_tables").status == 0


@pytest.mark.parametrize("region", ["not a region", "ap_northeast_1"])
def test_a_region_name_that_cannot_be_is_an_error(
    run: Callable[..., Any], network: Any, region: str
) -> None:
    result = run("audit_route_tables", "--region", region, "--region", REGION)
    assert result.status == 2
    assert list(blocks(result.output)) == [network.vpc_id]
    assert TOTAL not in result.output
    assert result.errors == (
        f"Provided region_name '{region}' doesn't match a supported format. "
        f"Not audited: {region}. Check the Region, credentials and network.\n"
    )


def test_a_failed_region_is_told_even_when_no_gap_is_found(
    run: Callable[..., Any], ec2: Any
) -> None:
    result = run("audit_route_tables", "--region", REGION, "--region", "not a region")
    assert (result.status, result.output) == (2, "")


def test_one_region_and_all_regions_exclude_each_other(run: Callable[..., Any]) -> None:
    with watching(Trace()) as trace:
        result = run("audit_route_tables", "--region", REGION, "--all-regions")
    assert (result.status, result.output, trace.calls) == (2, "", [])
    assert result.errors.endswith(
        "error: argument --all-regions: not allowed with argument --region\n"
    )
