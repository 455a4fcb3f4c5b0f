from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from proofs.trace import Answer, Call, Trace, refusal, watching

Load = Callable[[str], ModuleType]
Run = Callable[..., Any]
NAMED = ("--endpoint", "shop")


@pytest.fixture
def scaled(scaling: Run, endpoint: Any) -> Any:
    """With two policies and a schedule."""
    scaling("add_scaling_policy", *NAMED, "--target", "60", "--min", "2", "--max", "4")
    scaling("add_cpu_policy", *NAMED, "--percent", "60", "--processors", "2")
    scaling("schedule_scaling", *NAMED, "--day", "2", "6", "--night", "1", "2")
    return endpoint


def test_all_of_it_goes_and_the_instances_stay(
    scaling: Run, scaled: Any, client: Callable[..., Any]
) -> None:
    sagemaker = client("sagemaker")
    sagemaker.describe_endpoint(EndpointName="shop")
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="shop")
    result = scaling("remove_scaling", *NAMED)
    assert (result.status, result.output, result.errors) == (
        0,
        "shop/AllTraffic  scales no more\n",
        "",
    )
    asked = {"ServiceNamespace": "sagemaker"}
    assert scaled.describe_scalable_targets(**asked)["ScalableTargets"] == []
    assert scaled.describe_scaling_policies(**asked)["ScalingPolicies"] == []
    assert scaled.describe_scheduled_actions(**asked)["ScheduledActions"] == []
    assert client("cloudwatch").describe_alarms()["MetricAlarms"] == []
    (variant,) = sagemaker.describe_endpoint(EndpointName="shop")["ProductionVariants"]
    assert variant["CurrentInstanceCount"] == 2


def test_what_is_not_registered(scaling: Run, lab: None) -> None:
    result = scaling("remove_scaling", "--endpoint", "none", "--variant", "v1")
    assert (result.status, result.output) == (0, "none/v1  was not registered\n")


def test_only_the_variant_that_is_named(scaling: Run, scaled: Any) -> None:
    scaling("remove_scaling", *NAMED, "--variant", "v1")
    found = scaled.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert [one["ResourceId"] for one in found] == ["endpoint/shop/variant/AllTraffic"]


def test_no_permission(scaling: Run, scaled: Any) -> None:
    def refuse(trace: Trace, call: Call) -> Answer | None:
        return refusal("AccessDeniedException", "No.", 400)

    with watching(Trace(refuse)):
        result = scaling("remove_scaling", *NAMED)
    assert (result.status, result.output) == (1, "")
    assert "(AccessDeniedException)" in result.errors
    assert "endpoint/shop/variant/AllTraffic may still scale" in result.errors


def test_something_that_stays_is_no_success(
    example: Load, monkeypatch: pytest.MonkeyPatch, lab: None
) -> None:
    module = example("remove_scaling")
    monkeypatch.setattr(module, "what_is_left", lambda *_: ["night"])
    monkeypatch.setattr(module.sys, "argv", ["remove_scaling.py", *NAMED])
    with pytest.raises(SystemExit) as stopped:
        module.main()
    assert stopped.value.code == "Still there: night. Run this again."
