from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
from guardrails.shop import interrupted_after
from proofs.trace import Trace, watching

Run = Callable[..., Any]
GIVEN = ("--endpoint", "shared", "--components", "shop-v1")


def what_is_left() -> tuple[list[str], list[str], list[str]]:
    """Components, endpoints and their configurations, log groups."""
    sagemaker = boto3.client("sagemaker")
    components = sagemaker.list_inference_components()["InferenceComponents"]
    endpoints = sagemaker.list_endpoints()["Endpoints"]
    configs = sagemaker.list_endpoint_configs(NameContains="shared")["EndpointConfigs"]
    groups = boto3.client("logs").describe_log_groups()["logGroups"]
    names = [e["EndpointName"] for e in endpoints] + [c["EndpointConfigName"] for c in configs]
    left = [each["InferenceComponentName"] for each in components]
    return left, names, [each["logGroupName"] for each in groups]


def test_in_order(shared: Path, go: Run) -> None:
    given = ("--endpoint", "shared", "--components", "shop-v1", "--file", str(shared))
    assert go("invoke_component", *given).status == 0
    assert what_is_left()[0] == ["shop-v1"]
    with watching(Trace()) as trace:
        result = go("delete_components", *GIVEN)
    assert (result.status, result.errors) == (0, "")
    assert result.output == "deleted shop-v1, shared\n"
    assert what_is_left() == ([], [], [])
    operations = list(dict.fromkeys(call.operation for call in trace.calls))
    assert operations.index("DeleteInferenceComponent") < operations.index("DeleteEndpoint")
    again = go("delete_components", *GIVEN)
    assert (again.status, again.errors) == (
        1,
        "Nothing is called shop-v1, shared. Check the names and AWS_DEFAULT_REGION.\n",
    )


def test_what_is_being_changed(shared: Path, go: Run) -> None:
    boto3.client("sagemaker").update_inference_component_runtime_config(
        InferenceComponentName="shop-v1", DesiredRuntimeConfig={"CopyCount": 2}
    )
    result = go("delete_components", *GIVEN)
    assert (result.status, result.output) == (1, "")
    assert "while it is in state UPDATE_RC_IN_PROGRESS" in result.errors
    assert "Of shop-v1, shared something may still be there" in result.errors
    assert what_is_left()[1] == ["shared", "shared"]


def test_interrupted(shared: Path, go: Run) -> None:
    with watching(interrupted_after("DeleteInferenceComponent")):
        result = go("delete_components", *GIVEN)
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith("Interrupted. Of shop-v1, shared something may still be there")
