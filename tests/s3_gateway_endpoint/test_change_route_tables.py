from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError


def test_attach_adds_a_route(
    example: Callable[[str], Any],
    ec2: Any,
    network: Any,
    endpoint: str,
    routes_to: Callable[[str], dict[str, str]],
    prefix_list: str,
) -> None:
    change = example("change_route_tables").change_route_tables
    assert change(ec2, endpoint, [network.tables[1]], []) == network.tables
    assert routes_to(endpoint) == dict.fromkeys(network.tables, prefix_list)
    (found,) = ec2.describe_vpc_endpoints()["VpcEndpoints"]
    assert found["RouteTableIds"] == network.tables


def test_detach_removes_the_route(
    run: Callable[..., Any],
    ec2: Any,
    network: Any,
    endpoint: str,
    routes_to: Callable[[str], dict[str, str]],
) -> None:
    result = run("change_route_tables", "--endpoint-id", endpoint, "--detach", network.tables[0])
    assert (result.status, result.output, result.errors) == (0, f"{endpoint}\n", "")
    assert routes_to(endpoint) == {}
    (found,) = ec2.describe_vpc_endpoints()["VpcEndpoints"]
    assert found["RouteTableIds"] == []


def test_attach_and_detach_in_one_call(
    run: Callable[..., Any],
    network: Any,
    endpoint: str,
    routes_to: Callable[[str], dict[str, str]],
    prefix_list: str,
) -> None:
    first, second = network.tables
    result = run(
        "change_route_tables",
        *("--endpoint-id", endpoint, "--detach", first),
        *("--attach", second, "--attach", network.main_table),
    )
    assert result.output == f"{endpoint} {second} {network.main_table}\n"
    assert routes_to(endpoint) == {second: prefix_list, network.main_table: prefix_list}


def test_a_table_with_a_route_to_another_endpoint_is_refused(
    example: Callable[[str], Any],
    ec2: Any,
    network: Any,
    endpoint: str,
    attach_endpoint: Callable[..., str],
    routes_to: Callable[[str], dict[str, str]],
) -> None:
    other = attach_endpoint(ec2, network.vpc_id, network.tables[1])
    with pytest.raises(ClientError) as caught:
        example("change_route_tables").change_route_tables(ec2, endpoint, [network.tables[1]], [])
    assert caught.value.response["Error"]["Code"] == "RouteAlreadyExists"
    assert list(routes_to(endpoint)) == [network.tables[0]]
    assert list(routes_to(other)) == [network.tables[1]]


def test_a_table_of_another_vpc_is_refused(
    example: Callable[[str], Any],
    ec2: Any,
    endpoint: str,
    make_network: Callable[[Any], Any],
    routes_to: Callable[[str], dict[str, str]],
) -> None:
    before = routes_to(endpoint)
    other = make_network(ec2)
    with pytest.raises(ClientError) as caught:
        example("change_route_tables").change_route_tables(ec2, endpoint, [other.main_table], [])
    assert caught.value.response["Error"]["Code"] == "InvalidParameter"
    assert routes_to(endpoint) == before


def test_the_endpoint_of_another_region_does_not_exist(
    run: Callable[..., Any],
    network: Any,
    endpoint: str,
    routes_to: Callable[[str], dict[str, str]],
) -> None:
    table = network.tables[0]
    result = run(
        "change_route_tables",
        *("--endpoint-id", endpoint, "--detach", table),
        AWS_DEFAULT_REGION="eu-west-1",
    )
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        "An error occurred (InvalidVpcEndpointId.NotFound) when calling the ModifyVpcEndpoint "
        f"operation: The VpcEndPoint ID '{endpoint}' does not exist. "
        f"{endpoint} and {table} may have changed: "
        "check the ids, AWS_DEFAULT_REGION, credentials and network, then run it again.\n"
    )
    assert list(routes_to(endpoint)) == [table]


def test_without_a_table_nothing_is_called(run: Callable[..., Any], endpoint: str) -> None:
    result = run("change_route_tables", "--endpoint-id", endpoint)
    assert (result.status, result.output) == (2, "")
    assert result.errors.endswith(
        "error: name at least one route table with --attach or --detach\n"
    )
