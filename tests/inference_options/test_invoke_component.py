from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from guardrails.shop import interrupted_after
from proofs.trace import watching

Run = Callable[..., Any]


def ask(go: Run, file: Path | str, *components: str, wait: bool = False) -> Any:
    given = ("--endpoint", "shared", "--file", str(file), "--components", *components)
    return go("invoke_component", *given, *(["--wait"] if wait else []))


def test_each_model_answers_for_itself(shared: Path, go: Run) -> None:
    go("create_component", "--endpoint", "shared", "--component", "shop-v2")
    result = ask(go, shared, "shop-v1", "shop-v2")
    assert (result.status, result.errors) == (0, "")
    (first, one), (second, two) = (line.split() for line in result.output.splitlines())
    assert (first, second) == ("shop-v1", "shop-v2") and one != two
    runtime = boto3.client("sagemaker-runtime")
    row = shared.read_text().partition("\n")[0].partition(",")[2]
    answer = runtime.invoke_endpoint(
        EndpointName="shared", InferenceComponentName="shop-v2", ContentType="text/csv", Body=row
    )
    assert f"{float(answer['Body'].read()):.4f}" == two


def test_without_copies(shared: Path, go: Run) -> None:
    go("scale_component", "--component", "shop-v1", "--copies", "0")
    result = ask(go, shared, "shop-v1")
    assert (result.status, result.output) == (1, "")
    assert "Inference Component has no capacity to process this request." in result.errors
    assert "Of shop-v1 those without copies may come to have some." in result.errors


def test_it_waits_for_copies(shared: Path, go: Run) -> None:
    go("scale_component_to_zero", "--component", "shop-v1")
    result = ask(go, shared, "shop-v1", wait=True)
    assert (result.status, result.errors) == (0, "")
    told, answer = result.output.splitlines()
    assert told == "shop-v1 has 0 copies: trying again" and answer.startswith("shop-v1  0.")
    found = boto3.client("sagemaker").describe_inference_component(InferenceComponentName="shop-v1")
    assert found["RuntimeConfig"]["CurrentCopyCount"] == 1


def test_nobody_wakes_it(shared: Path, go: Run) -> None:
    go("scale_component", "--component", "shop-v1", "--copies", "0")
    result = ask(go, shared, "shop-v1", wait=True)
    assert result.status == 1 and "has no capacity" in result.errors


@pytest.mark.parametrize("wait", [False, True])
def test_another_error_is_not_waited_for(shared: Path, go: Run, wait: bool) -> None:
    result = ask(go, shared, "none", wait=wait)
    assert (result.status, result.output) == (1, "")
    assert "Inference component none of endpoint shared not found" in result.errors


def test_nothing_to_ask(go: Run, tmp_path: Path) -> None:
    (tmp_path / "empty.csv").touch()
    result = ask(go, tmp_path / "empty.csv", "shop-v1")
    assert result.errors.endswith("has no first row with features: there is nothing to ask.\n")
    assert "No such file or directory" in ask(go, "missing.csv", "shop-v1").errors


def test_interrupted(shared: Path, go: Run) -> None:
    go("scale_component", "--component", "shop-v1", "--copies", "0")
    with watching(interrupted_after("InvokeEndpoint")):
        result = ask(go, shared, "shop-v1", wait=True)
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith("Interrupted. Check the names, AWS_DEFAULT_REGION and rights.")
