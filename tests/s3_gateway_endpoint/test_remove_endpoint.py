from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.stub import Stubber
from proofs.trace import Answer, Call, Trace, watching

UNPROVEN = "{} may still exist. "
HINT = "Check the id, AWS_DEFAULT_REGION, credentials and network.\n"


@pytest.fixture
def pauses(lab: None, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds for which a program wants to wait; on the lab nothing waits."""
    seconds: list[float] = []
    monkeypatch.setattr("time.sleep", seconds.append)
    return seconds


def answering(refused: list[dict[str, Any]]) -> Trace:
    """DeleteVpcEndpoints deletes nothing and answers 200 with this list."""

    def refuse(trace: Trace, call: Call) -> Answer | None:
        if call.operation != "DeleteVpcEndpoints":
            return None
        return SimpleNamespace(status_code=200, headers={}), {"Unsuccessful": refused}

    return Trace(refuse)


def test_the_endpoint_and_all_its_routes_are_gone(
    run: Callable[..., Any],
    ec2: Any,
    network: Any,
    attach_endpoint: Callable[..., str],
    routes_to: Callable[[str], dict[str, str]],
    pauses: list[float],
) -> None:
    endpoint = attach_endpoint(ec2, network.vpc_id, *network.tables, network.main_table)
    result = run("remove_endpoint", "--endpoint-id", endpoint)
    assert (result.status, result.errors) == (0, "")
    assert result.output == f"deleted {endpoint}; routes before: 3, after: 0\n"
    assert pauses == [0]
    assert ec2.describe_vpc_endpoints()["VpcEndpoints"] == []
    assert routes_to(endpoint) == {}


def test_other_endpoints_keep_their_routes(
    run: Callable[..., Any],
    ec2: Any,
    network: Any,
    endpoint: str,
    attach_endpoint: Callable[..., str],
    routes_to: Callable[[str], dict[str, str]],
) -> None:
    same_table = attach_endpoint(ec2, network.vpc_id, network.tables[0], service="dynamodb")
    same_vpc = attach_endpoint(ec2, network.vpc_id, network.tables[1])
    run("remove_endpoint", "--endpoint-id", endpoint)
    assert list(routes_to(same_table)) == [network.tables[0]]
    assert list(routes_to(same_vpc)) == [network.tables[1]]
    found = ec2.describe_vpc_endpoints()["VpcEndpoints"]
    assert {each["VpcEndpointId"] for each in found} == {same_table, same_vpc}


def test_an_unknown_id_is_an_error(run: Callable[..., Any], endpoint: str, ec2: Any) -> None:
    wrong = "vpce-0123456789abcdef0"
    result = run("remove_endpoint", "--endpoint-id", wrong)
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        "An error occurred (InvalidVpcEndpointId.NotFound) when calling the DeleteVpcEndpoints "
        f"operation: The VpcEndPoint ID '{wrong}' does not exist. {UNPROVEN.format(wrong)}{HINT}"
    )
    (found,) = ec2.describe_vpc_endpoints()["VpcEndpoints"]
    assert found["VpcEndpointId"] == endpoint


def test_the_endpoint_of_another_region_stays(
    run: Callable[..., Any], endpoint: str, ec2: Any
) -> None:
    result = run("remove_endpoint", "--endpoint-id", endpoint, AWS_DEFAULT_REGION="eu-west-1")
    assert result.status == 1
    assert "(InvalidVpcEndpointId.NotFound)" in result.errors
    (found,) = ec2.describe_vpc_endpoints()["VpcEndpoints"]
    assert found["State"] == "available"


def test_a_refusal_inside_a_200_answer_is_an_error(run: Callable[..., Any], endpoint: str) -> None:
    error = {"Code": "DependencyViolation", "Message": "The endpoint is in use"}
    with watching(answering([{"ResourceId": endpoint, "Error": error}])):
        result = run("remove_endpoint", "--endpoint-id", endpoint)
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        f"DependencyViolation: The endpoint is in use. {UNPROVEN.format(endpoint)}{HINT}"
    )


def test_the_refusal_is_raised_with_its_code(example: Callable[[str], Any], ec2: Any) -> None:
    error = {"Code": "DependencyViolation", "Message": "The endpoint is in use"}
    with Stubber(ec2) as stub:
        stub.add_response(
            "delete_vpc_endpoints",
            {"Unsuccessful": [{"ResourceId": "vpce-1", "Error": error}]},
            {"VpcEndpointIds": ["vpce-1"]},
        )
        with pytest.raises(RuntimeError, match=r"^DependencyViolation: The endpoint is in use$"):
            example("remove_endpoint").delete_endpoint(ec2, "vpce-1")


def test_routes_that_stay_are_an_error(
    run: Callable[..., Any], network: Any, endpoint: str, pauses: list[float]
) -> None:
    with watching(answering([])) as trace:
        result = run("remove_endpoint", "--endpoint-id", endpoint)
    looks = [call.operation for call in trace.calls].count("DescribeRouteTables")
    assert (looks, pauses) == (5, [0, 5, 10, 20])
    assert result.status == 1
    assert result.output == f"deleted {endpoint}; routes before: 1, after: 1\n"
    assert result.errors == (
        f"Routes are left in {network.tables[0]}: look at them with DescribeRouteTables.\n"
    )


@pytest.mark.parametrize("looks", [2, 3, 4])
def test_routes_that_go_later_are_waited_for(
    run: Callable[..., Any], endpoint: str, pauses: list[float], looks: int
) -> None:
    """They are gone at this look after the deletion."""

    def answer(trace: Trace, call: Call) -> Answer | None:
        so_far = [each.operation for each in trace.calls]
        if call.operation == "DeleteVpcEndpoints":
            return SimpleNamespace(status_code=200, headers={}), {"Unsuccessful": []}
        if so_far.count("DescribeRouteTables") == 1 + looks:
            return SimpleNamespace(status_code=200, headers={}), {"RouteTables": []}
        return None

    with watching(Trace(answer)):
        result = run("remove_endpoint", "--endpoint-id", endpoint)
    assert (result.status, result.errors) == (0, "")
    assert result.output == f"deleted {endpoint}; routes before: 1, after: 0\n"
    assert pauses == [0, 5, 10, 20][:looks]


def test_an_answer_without_list_of_refusals_is_a_success(
    example: Callable[[str], Any], ec2: Any
) -> None:
    with Stubber(ec2) as stub:
        stub.add_response("delete_vpc_endpoints", {}, {"VpcEndpointIds": ["vpce-1"]})
        example("remove_endpoint").delete_endpoint(ec2, "vpce-1")
        stub.assert_no_pending_responses()


def test_route_tables_are_found_on_every_page(example: Callable[[str], Any], ec2: Any) -> None:
    def page(number: int, gateway: str) -> dict[str, Any]:
        routes = [{"GatewayId": gateway, "State": "active"}]
        return {"RouteTables": [{"RouteTableId": f"rtb-{number}", "Routes": routes}]}

    with Stubber(ec2) as stub:
        stub.add_response("describe_route_tables", page(1, "vpce-1") | {"NextToken": "2"}, {})
        second = page(2, "vpce-2") | {"NextToken": "3"}
        stub.add_response("describe_route_tables", second, {"NextToken": "2"})
        stub.add_response("describe_route_tables", page(3, "vpce-1"), {"NextToken": "3"})
        found = example("remove_endpoint").find_route_tables(ec2, "vpce-1")
    assert found == ["rtb-1", "rtb-3"]
