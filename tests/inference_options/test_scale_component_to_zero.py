from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
from guardrails.shop import interrupted_after
from proofs.trace import watching

Run = Callable[..., Any]
RESOURCE = "inference-component/shop-v1"


def test_it_goes_to_zero_and_its_instance_too(shared: Path, go: Run) -> None:
    result = go("scale_component_to_zero", "--component", "shop-v1")
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        "shop-v1  0 to 2 copies, woken by the alarm shop-v1-wake\nshop-v1 has no copy now\n"
    )
    sagemaker = boto3.client("sagemaker")
    found = sagemaker.describe_inference_component(InferenceComponentName="shop-v1")
    assert found["RuntimeConfig"] == {"DesiredCopyCount": 0, "CurrentCopyCount": 0}
    endpoint = sagemaker.describe_endpoint(EndpointName="shared")
    assert endpoint["EndpointStatus"] == "InService"
    assert endpoint["ProductionVariants"][0]["CurrentInstanceCount"] == 0
    scaling = boto3.client("application-autoscaling")
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert (target["ResourceId"], target["MinCapacity"]) == (RESOURCE, 0)
    policies = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    alarms = boto3.client("cloudwatch").describe_alarms(AlarmNames=["shop-v1-wake"])
    (alarm,) = alarms["MetricAlarms"]
    assert alarm["Dimensions"] == [{"Name": "InferenceComponentName", "Value": "shop-v1"}]
    assert alarm["AlarmActions"] == [p["PolicyARN"] for p in policies if p["PolicyName"] == "wake"]


def test_traffic_keeps_it(shared: Path, go: Run) -> None:
    given = ("--endpoint", "shared", "--components", "shop-v1", "--file", str(shared))
    for _ in range(4):
        assert go("invoke_component", *given).status == 0
    result = go("scale_component_to_zero", "--component", "shop-v1")
    assert result.output.endswith("shop-v1 has a copy still, after 40 minutes\n")


def test_no_such_component(lab: None, go: Run) -> None:
    result = go("scale_component_to_zero", "--component", "shop-v1")
    assert (result.status, result.output) == (1, "")
    assert f"SageMaker inference component doesn't exist: {RESOURCE}." in result.errors


def test_interrupted(shared: Path, go: Run) -> None:
    with watching(interrupted_after("PutMetricAlarm")):
        result = go("scale_component_to_zero", "--component", "shop-v1")
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith(
        f"Interrupted. {RESOURCE} may scale, and the alarm shop-v1-wake be there: run this again"
    )
