import uuid
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from proofs.trace import Answer, Call, Trace, refusal, watching

CHECK = "Check the ids, AWS_DEFAULT_REGION, credentials and network.\n"
HINT = f"No endpoint was confirmed. {CHECK}"


def test_the_endpoint_gets_a_route_in_every_chosen_table(
    example: Callable[[str], Any],
    ec2: Any,
    network: Any,
    routes_to: Callable[[str], dict[str, str]],
    prefix_list: str,
) -> None:
    made = example("create_endpoint").create_gateway_endpoint(ec2, network.vpc_id, network.tables)
    (found,) = ec2.describe_vpc_endpoints()["VpcEndpoints"]
    assert found["VpcEndpointId"] == made
    assert found["VpcEndpointType"] == "Gateway"
    assert found["VpcId"] == network.vpc_id
    assert found["ServiceName"] == "com.amazonaws.ap-northeast-1.s3"
    assert found["RouteTableIds"] == network.tables
    assert routes_to(made) == dict.fromkeys(network.tables, prefix_list)


def test_it_prints_the_endpoint_and_its_routes(
    run: Callable[..., Any], ec2: Any, network: Any, prefix_list: str
) -> None:
    table = network.tables[1]
    result = run("create_endpoint", "--vpc-id", network.vpc_id, "--route-table-id", table)
    (found,) = ec2.describe_vpc_endpoints()["VpcEndpoints"]
    endpoint = found["VpcEndpointId"]
    assert result.output == f"{endpoint}\n{table}  {prefix_list} -> {endpoint}  active\n"
    assert (result.status, result.errors) == (0, "")


def test_each_creation_has_its_own_token(
    example: Callable[[str], Any], ec2: Any, network: Any
) -> None:
    tokens: list[str] = []
    ec2.meta.events.register(
        "provide-client-params.ec2.CreateVpcEndpoint",
        lambda params, **_: tokens.append(params["ClientToken"]),
    )
    create = example("create_endpoint").create_gateway_endpoint
    for table in network.tables:
        create(ec2, network.vpc_id, [table])
    assert [str(uuid.UUID(token)) for token in tokens] == tokens
    assert len(set(tokens)) == 2


def answering(answer: Answer) -> Trace:
    """The routes cannot be seen: DescribeRouteTables answers this instead."""

    def refuse(trace: Trace, call: Call) -> Answer | None:
        return answer if call.operation == "DescribeRouteTables" else None

    return Trace(refuse)


def test_routes_that_are_not_visible_yet_are_told(
    run: Callable[..., Any], ec2: Any, network: Any
) -> None:
    local = {"DestinationCidrBlock": "10.1.0.0/16", "GatewayId": "local", "State": "active"}
    tables = [{"RouteTableId": network.tables[0], "Routes": [local]}]
    seen = (SimpleNamespace(status_code=200, headers={}), {"RouteTables": tables})
    chosen = ("--vpc-id", network.vpc_id, "--route-table-id", network.tables[0])
    with watching(answering(seen)):
        result = run("create_endpoint", *chosen)
    (found,) = ec2.describe_vpc_endpoints()["VpcEndpoints"]
    assert (result.status, result.errors) == (0, "")
    assert result.output == f"{found['VpcEndpointId']}\nits routes are not visible yet\n"


def test_an_endpoint_whose_routes_cannot_be_read_is_named(
    run: Callable[..., Any], ec2: Any, network: Any
) -> None:
    tables = [part for table in network.tables for part in ("--route-table-id", table)]
    with watching(answering(refusal("UnauthorizedOperation", "You are not authorized.", 403))):
        result = run("create_endpoint", "--vpc-id", network.vpc_id, *tables)
    (found,) = ec2.describe_vpc_endpoints()["VpcEndpoints"]
    assert (result.status, result.output) == (1, f"{found['VpcEndpointId']}\n")
    assert result.errors == (
        "An error occurred (UnauthorizedOperation) when calling the DescribeRouteTables "
        f"operation: You are not authorized. {found['VpcEndpointId']} was created, with routes in "
        f"{network.tables[0]}, {network.tables[1]}: see remove_endpoint.py. {CHECK}"
    )


def test_the_service_is_that_of_the_clients_region(
    example: Callable[[str], Any],
    client: Callable[..., Any],
    make_network: Callable[[Any], Any],
) -> None:
    ec2 = client("ec2", "eu-west-1")
    network = make_network(ec2)
    example("create_endpoint").create_gateway_endpoint(ec2, network.vpc_id, [network.main_table])
    (found,) = ec2.describe_vpc_endpoints()["VpcEndpoints"]
    assert found["ServiceName"] == "com.amazonaws.eu-west-1.s3"
    assert found["RouteTableIds"] == [network.main_table]


def test_routes_of_other_endpoints_are_not_shown(
    example: Callable[[str], Any],
    ec2: Any,
    network: Any,
    endpoint: str,
    attach_endpoint: Callable[..., str],
    prefix_list: str,
) -> None:
    other = attach_endpoint(ec2, network.vpc_id, network.tables[0], service="dynamodb")
    find_routes = example("create_endpoint").find_routes
    expected = f"{network.tables[0]}  {prefix_list} -> {endpoint}  active"
    assert find_routes(ec2, network.vpc_id, endpoint) == [expected]
    assert len(find_routes(ec2, network.vpc_id, other)) == 1
    assert find_routes(ec2, network.vpc_id, "vpce-0123456789abcdef0") == []


def test_routes_are_found_on_every_page(example: Callable[[str], Any], ec2: Any) -> None:
    inside = [{"Name": "vpc-id", "Values": ["vpc-1"]}]
    local = {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active"}
    route = {"DestinationPrefixListId": "pl-1", "GatewayId": "vpce-1", "State": "active"}
    pages: list[dict[str, Any]] = [
        {"RouteTables": [{"RouteTableId": "rtb-1", "Routes": [local, route]}], "NextToken": "2"},
        {"RouteTables": [{"RouteTableId": "rtb-2", "Routes": [route]}]},
    ]
    with Stubber(ec2) as stub:
        stub.add_response("describe_route_tables", pages[0], {"Filters": inside})
        stub.add_response("describe_route_tables", pages[1], {"Filters": inside, "NextToken": "2"})
        found = example("create_endpoint").find_routes(ec2, "vpc-1", "vpce-1")
    assert found == ["rtb-1  pl-1 -> vpce-1  active", "rtb-2  pl-1 -> vpce-1  active"]


def test_a_second_endpoint_on_one_table_is_refused(
    run: Callable[..., Any], ec2: Any, network: Any, endpoint: str, prefix_list: str
) -> None:
    tables = [
        part for table in reversed(network.tables) for part in ("--route-table-id", table)
    ]  # the free one first
    result = run("create_endpoint", "--vpc-id", network.vpc_id, *tables)
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        "An error occurred (RouteAlreadyExists) when calling the CreateVpcEndpoint operation: "
        f"The route identified by {prefix_list} already exists. {HINT}"
    )
    (found,) = ec2.describe_vpc_endpoints()["VpcEndpoints"]
    assert found["VpcEndpointId"] == endpoint
    assert found["RouteTableIds"] == [network.tables[0]]


def test_the_same_table_twice_is_refused(
    example: Callable[[str], Any], ec2: Any, network: Any
) -> None:
    with pytest.raises(ClientError) as caught:
        example("create_endpoint").create_gateway_endpoint(
            ec2, network.vpc_id, [network.main_table, network.main_table]
        )
    assert caught.value.response["Error"]["Code"] == "RouteAlreadyExists"
    assert ec2.describe_vpc_endpoints()["VpcEndpoints"] == []


def test_a_table_of_another_vpc_is_refused(
    example: Callable[[str], Any], ec2: Any, network: Any, make_network: Callable[[Any], Any]
) -> None:
    other = make_network(ec2)
    with pytest.raises(ClientError) as caught:
        example("create_endpoint").create_gateway_endpoint(
            ec2, network.vpc_id, [network.tables[0], other.tables[0]]
        )
    assert caught.value.response["Error"]["Code"] == "InvalidParameter"
    assert ec2.describe_vpc_endpoints()["VpcEndpoints"] == []


def test_an_unknown_table_is_refused(example: Callable[[str], Any], ec2: Any, network: Any) -> None:
    wrong = "rtb-0123456789abcdef0"
    with pytest.raises(ClientError) as caught:
        example("create_endpoint").create_gateway_endpoint(
            ec2, network.vpc_id, [network.tables[0], wrong]
        )
    assert caught.value.response["Error"]["Code"] == "InvalidRouteTableID.NotFound"
    assert ec2.describe_vpc_endpoints()["VpcEndpoints"] == []


def test_the_vpc_of_another_region_does_not_exist(
    run: Callable[..., Any], ec2: Any, network: Any
) -> None:
    result = run(
        "create_endpoint",
        "--vpc-id",
        network.vpc_id,
        "--route-table-id",
        network.tables[0],
        AWS_DEFAULT_REGION="eu-west-1",
    )
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        "An error occurred (InvalidVpcID.NotFound) when calling the CreateVpcEndpoint operation: "
        f"VpcID {network.vpc_id} does not exist. {HINT}"
    )
    assert ec2.describe_vpc_endpoints()["VpcEndpoints"] == []
