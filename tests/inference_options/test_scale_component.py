from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
from guardrails.shop import interrupted_after
from proofs.trace import watching

Run = Callable[..., Any]


def counts() -> tuple[int, int, int]:
    """Copies that are wanted and are there, and instances."""
    sagemaker = boto3.client("sagemaker")
    found = sagemaker.describe_inference_component(InferenceComponentName="shop-v1")
    endpoint = sagemaker.describe_endpoint(EndpointName="shared")
    config = found["RuntimeConfig"]
    machines = endpoint["ProductionVariants"][0]["CurrentInstanceCount"]
    return config["DesiredCopyCount"], config["CurrentCopyCount"], machines


def scale(go: Run, copies: int) -> Any:
    return go("scale_component", "--component", "shop-v1", "--copies", str(copies))


def test_up_and_down(shared: Path, go: Run) -> None:
    result = scale(go, 3)  # a copy takes one core of two
    assert (result.status, result.errors) == (0, "")
    assert result.output == "shop-v1  copies 3, instances of shared 2\n"
    assert counts() == (3, 3, 2)
    assert scale(go, 0).output == "shop-v1  copies 0, instances of shared 0\n"
    assert counts() == (0, 0, 0)
    assert scale(go, 1).output == "shop-v1  copies 1, instances of shared 1\n"


def test_more_than_fit(shared: Path, go: Run) -> None:
    result = scale(go, 5)
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith("There is not enough hardware resources on the instances")
    assert counts() == (1, 1, 1)


def test_what_is_refused(lab: None, go: Run) -> None:
    assert 'Could not find inference component "' in scale(go, 1).errors
    result = scale(go, -1)
    assert result.status == 2 and "--copies: 0 or more" in result.errors


def test_while_it_is_being_changed(shared: Path, go: Run) -> None:
    sagemaker = boto3.client("sagemaker")
    sagemaker.update_inference_component_runtime_config(
        InferenceComponentName="shop-v1", DesiredRuntimeConfig={"CopyCount": 2}
    )
    result = scale(go, 1)
    assert result.status == 1 and "while it is in state UPDATE_RC_IN_PROGRESS" in result.errors


def test_interrupted(shared: Path, go: Run) -> None:
    with watching(interrupted_after("UpdateInferenceComponentRuntimeConfig")):
        result = scale(go, 2)
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith("Interrupted. shop-v1 may have other copies than before")
