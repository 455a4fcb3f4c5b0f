from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from guardrails.shop import ROLE, interrupted_after
from proofs.trace import watching

Run = Callable[..., Any]
GIVEN = ("--endpoint", "shared", "--component", "shop-v2")


def test_beside_another(shared: Path, go: Run) -> None:
    result = go("create_component", *GIVEN, "--copies", "2", "--memory", "2048")
    assert (result.status, result.errors) == (0, "")
    assert result.output == "shop-v2  2 x 0.5 cores and 2048 MB on shared\n"
    sagemaker = boto3.client("sagemaker")
    found = sagemaker.describe_inference_component(InferenceComponentName="shop-v2")
    assert found["InferenceComponentStatus"] == "InService"
    assert found["Specification"] == {
        "ModelName": "shop-v2",
        "ComputeResourceRequirements": {
            "NumberOfCpuCoresRequired": 0.5,
            "MinMemoryRequiredInMb": 2048,
        },
    }
    endpoint = sagemaker.describe_endpoint(EndpointName="shared")
    assert endpoint["ProductionVariants"][0]["CurrentInstanceCount"] == 1


def test_more_than_an_instance_has(shared: Path, go: Run) -> None:
    result = go("create_component", *GIVEN, "--memory", "9000")
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith(
        "There is not enough hardware resources on the instances for this endpoint to create a "
        "copy of the inference component. The component shop-v2 may be there, and hold"
    )
    found = boto3.client("sagemaker").describe_inference_component(InferenceComponentName="shop-v2")
    assert found["InferenceComponentStatus"] == "Failed"


@pytest.mark.parametrize(
    ("endpoint", "component", "said"),
    [
        ("none", "shop-v2", 'Could not find endpoint "'),
        ("shared", "shop-v3", 'Could not find model "'),
        ("shared", "shop-v1", "Cannot create already existing inference component"),
    ],
)
def test_what_is_refused(shared: Path, go: Run, endpoint: str, component: str, said: str) -> None:
    result = go("create_component", "--endpoint", endpoint, "--component", component)
    assert (result.status, result.output) == (1, "")
    assert said in result.errors and f"The component {component} may be there" in result.errors


def test_an_endpoint_with_a_model(file: Path, go: Run) -> None:
    boto3.client("sagemaker").create_endpoint(EndpointName="plain", EndpointConfigName="shop-v1")
    boto3.client("sagemaker").get_waiter("endpoint_in_service").wait(EndpointName="plain")
    result = go("create_component", "--endpoint", "plain", "--component", "shop-v2")
    assert "inference components need a variant without ModelName" in result.errors


@pytest.mark.parametrize("option", [("--cores", "0.1"), ("--memory", "64"), ("--copies", "-1")])
def test_options(go: Run, option: tuple[str, str]) -> None:
    result = go("create_component", *GIVEN, *option)
    assert result.status == 2 and "--cores: 0.25 or more" in result.errors


def test_interrupted(file: Path, go: Run) -> None:
    go("create_component_endpoint", "--endpoint", "shared", "--role-arn", ROLE)
    with watching(interrupted_after("CreateInferenceComponent")):
        result = go("create_component", *GIVEN)
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith("Interrupted. The component shop-v2 may be there, and hold")
