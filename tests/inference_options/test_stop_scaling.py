from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
from proofs.trace import Answer, Call, Trace, refusal, watching

Run = Callable[..., Any]


def what_scales() -> tuple[list[str], list[str]]:
    """Registered resources, and alarms."""
    scaling = boto3.client("application-autoscaling")
    targets = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    alarms = boto3.client("cloudwatch").describe_alarms()["MetricAlarms"]
    return [each["ResourceId"] for each in targets], [each["AlarmName"] for each in alarms]


def test_an_endpoint(queue: Path, go: Run) -> None:
    go("scale_async_to_zero", "--endpoint", "queue")
    assert len(what_scales()[1]) == 3
    result = go("stop_scaling", "--endpoint", "queue")
    assert (result.status, result.errors) == (0, "")
    assert result.output == "endpoint/queue/variant/AllTraffic  scales no more\n"
    assert what_scales() == ([], [])
    again = go("stop_scaling", "--endpoint", "queue")
    assert (again.status, again.output) == (
        0,
        "endpoint/queue/variant/AllTraffic  was not registered\n",
    )


def test_a_component(shared: Path, go: Run) -> None:
    go("scale_component_to_zero", "--component", "shop-v1")
    assert what_scales()[0] == ["inference-component/shop-v1"]
    result = go("stop_scaling", "--component", "shop-v1")
    assert result.output == "inference-component/shop-v1  scales no more\n"
    assert what_scales() == ([], [])


def test_one_of_both(go: Run) -> None:
    assert "one of the arguments --endpoint --component" in go("stop_scaling").errors
    result = go("stop_scaling", "--endpoint", "a", "--component", "b")
    assert result.status == 2 and "not allowed with argument" in result.errors


def test_what_is_refused(queue: Path, go: Run) -> None:
    go("scale_async_to_zero", "--endpoint", "queue")

    def refuse(trace: Trace, call: Call) -> Answer | None:
        if call.operation != "DeregisterScalableTarget":
            return None
        return refusal("ThrottlingException", "Rate exceeded.", 400)

    with watching(Trace(refuse)):
        result = go("stop_scaling", "--endpoint", "queue")
    assert (result.status, result.output) == (1, "")
    assert "endpoint/queue/variant/AllTraffic may still scale" in result.errors
