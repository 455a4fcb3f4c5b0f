from collections.abc import Callable
from typing import Any

import boto3
import pytest
from blue_green.conftest import POINTER, VERSION_OF, configure, serve, start
from proofs.trace import Answer, Call, Trace, watching

Point = Callable[..., None]
GREEN = (["shop-green"], ["shop-v2", "shop-v3"], ["shop-v2", "shop-v3"])


@pytest.fixture
def both(point: Point) -> None:
    """shop-green is in use, and shop-blue was."""
    there = [e["EndpointName"] for e in boto3.client("sagemaker").list_endpoints()["Endpoints"]]
    if "shop-blue" not in there:
        configure("v1")
        serve({"shop-blue": "v1"})
    point("shop-blue", "shop-green")


def standing() -> tuple[list[str], list[str], list[str]]:
    """Endpoints, configurations and models."""
    sagemaker = boto3.client("sagemaker")
    return (
        sorted(e["EndpointName"] for e in sagemaker.list_endpoints()["Endpoints"]),
        sorted(
            c["EndpointConfigName"] for c in sagemaker.list_endpoint_configs()["EndpointConfigs"]
        ),
        sorted(m["ModelName"] for m in sagemaker.list_models()["Models"]),
    )


def log_groups() -> list[str]:
    groups = boto3.client("logs").describe_log_groups()["logGroups"]
    return [group["logGroupName"] for group in groups]


def remove(endpoint: str = "shop-blue") -> Any:
    return start("blue_green/remove_blue", "--endpoint", endpoint)


def test_it_removes_all_in_order(both: None, named: Callable[[], Any]) -> None:
    for endpoint in VERSION_OF:  # as the first line that a container writes does
        group = f"/aws/sagemaker/Endpoints/{endpoint}"
        boto3.client("logs").create_log_group(logGroupName=group)
    with watching(Trace()) as trace:
        result = remove()
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        "removed endpoint shop-blue, then configuration shop-v1, then model shop-v1\n"
    )
    operations = [call.operation for call in trace.calls]
    assert [name for name in operations if name.startswith("Delete")] == [
        "DeleteEndpoint",
        "DeleteEndpointConfig",
        "DeleteModel",
        "DeleteLogGroup",
    ]
    assert operations[operations.index("DeleteEndpoint") + 1] == "DescribeEndpoint"
    assert standing() == GREEN
    assert log_groups() == ["/aws/sagemaker/Endpoints/shop-green"]
    assert named() == "shop-green"
    boto3.client("sagemaker-runtime").invoke_endpoint(
        EndpointName="shop-green", ContentType="text/csv", Body="0,0,0,0,0,0,0,0"
    )


def test_the_one_in_use_stays(both: None) -> None:
    before = standing()
    result = remove("shop-green")
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        f"{POINTER} names shop-green: its callers would fail. "
        "Nothing was removed: check the names, AWS_DEFAULT_REGION and rights.\n"
    )
    assert standing() == before


def test_without_a_pointer_nobody_knows(both: None) -> None:
    before = standing()
    boto3.client("ssm").delete_parameter(Name=POINTER)
    result = remove()
    assert (result.status, result.output) == (1, "")
    assert f"Parameter {POINTER} not found. Nothing was removed" in result.errors
    assert standing() == before


def test_no_such_endpoint(both: None) -> None:
    result = remove("shop-bleu")
    assert (result.status, result.output) == (1, "")
    assert "Could not find endpoint" in result.errors
    assert "Nothing was removed" in result.errors


def test_ctrl_c_while_it_waits(both: None) -> None:
    def interrupt(trace: Trace, call: Call) -> Answer | None:
        if "DeleteEndpoint" in [earlier.operation for earlier in trace.calls[:-1]]:
            raise KeyboardInterrupt
        return None

    with watching(Trace(interrupt)):
        result = remove()
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith(
        "Interrupted. The endpoint shop-blue (billed) and its log, the configuration shop-v1 or "
        "the model shop-v1 may be left. "
    )
    command = ("--endpoint", "shop-blue", "--configs", "shop-v1")
    assert " ".join(command) in result.errors
    boto3.client("sagemaker").get_waiter("endpoint_deleted").wait(EndpointName="shop-blue")
    assert start("guardrails/delete_endpoint", *command).status == 0
    assert standing() == GREEN
