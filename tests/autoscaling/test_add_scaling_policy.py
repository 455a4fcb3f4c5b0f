from collections.abc import Callable
from typing import Any

import pytest

Run = Callable[..., Any]
RESOURCE = "endpoint/shop/variant/AllTraffic"


def add(scaling: Run, *options: str, endpoint: str = "shop") -> Any:
    return scaling("add_scaling_policy", "--endpoint", endpoint, *options)


def test_what_it_makes(scaling: Run, endpoint: Any, client: Callable[..., Any]) -> None:
    cooldowns = ("--out-cooldown", "120", "--in-cooldown", "600")
    result = add(scaling, "--target", "1200", "--min", "2", "--max", "4", *cooldowns)
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        f"{RESOURCE}  2 to 4 instances\npolicy invocations: 1200 a minute and instance\n"
    )
    (target,) = endpoint.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert (target["ResourceId"], target["ScalableDimension"]) == (
        RESOURCE,
        "sagemaker:variant:DesiredInstanceCount",
    )
    assert (target["MinCapacity"], target["MaxCapacity"]) == (2, 4)
    (policy,) = endpoint.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    assert policy["PolicyName"] == "invocations"
    assert policy["TargetTrackingScalingPolicyConfiguration"] == {
        "TargetValue": 1200.0,
        "PredefinedMetricSpecification": {
            "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
        },
        "ScaleOutCooldown": 120,
        "ScaleInCooldown": 600,
    }
    alarms = client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert sorted(alarm["Threshold"] for alarm in alarms) == [1080.0, 1200.0]


def test_the_limits_hold_at_once(scaling: Run, endpoint: Any, client: Callable[..., Any]) -> None:
    add(scaling, "--target", "60", "--min", "3", "--max", "4")
    sagemaker = client("sagemaker")
    sagemaker.describe_endpoint(EndpointName="shop")
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="shop")
    (variant,) = sagemaker.describe_endpoint(EndpointName="shop")["ProductionVariants"]
    assert variant["CurrentInstanceCount"] == 3


def test_it_changes_what_is_there(scaling: Run, endpoint: Any) -> None:
    add(scaling, "--target", "60", "--max", "4")
    assert add(scaling, "--target", "90", "--max", "6").status == 0
    (target,) = endpoint.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    (policy,) = endpoint.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    assert target["MaxCapacity"] == 6
    assert policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 90.0


@pytest.mark.parametrize(
    ("name", "options"),
    [("shop", ["--variant", "v1"]), ("none", []), ("shop", ["--variant", "a/b"])],
)
def test_a_variant_that_is_not_there(
    scaling: Run, endpoint: Any, name: str, options: list[str]
) -> None:
    result = add(scaling, "--target", "60", "--max", "4", *options, endpoint=name)
    assert (result.status, result.output) == (1, "")
    assert "(ValidationException)" in result.errors
    assert f"If endpoint/{name}/variant/" in result.errors
    found = endpoint.describe_scalable_targets(ServiceNamespace="sagemaker")
    assert found["ScalableTargets"] == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--target", "0", "--max", "4"], "--min: 1 or more; --max: not below it"),
        (["--target", "60", "--max", "0"], "--min: 1 or more; --max: not below it"),
        (["--target", "60", "--min", "0", "--max", "4"], "--min: 1 or more; --max: not below"),
        (["--target", "60", "--max", "4", "--in-cooldown", "-1"], "--in-cooldown: not below 0"),
    ],
)
def test_bad_options(scaling: Run, lab: None, options: list[str], said: str) -> None:
    result = add(scaling, *options)
    assert (result.status, result.output) == (2, "")
    assert said in result.errors
