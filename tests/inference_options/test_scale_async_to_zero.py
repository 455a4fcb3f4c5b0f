from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
from guardrails.shop import interrupted_after
from proofs.trace import watching

Run = Callable[..., Any]
RESOURCE = "endpoint/queue/variant/AllTraffic"


def test_it_goes_to_zero(queue: Path, go: Run) -> None:
    result = go("scale_async_to_zero", "--endpoint", "queue")
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        "queue  0 to 2 instances, woken by the alarm queue-wake\nqueue has no instance now\n"
    )
    found = boto3.client("sagemaker").describe_endpoint(EndpointName="queue")
    assert found["EndpointStatus"] == "InService"
    assert found["ProductionVariants"][0]["CurrentInstanceCount"] == 0
    scaling = boto3.client("application-autoscaling")
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert (target["ResourceId"], target["MinCapacity"], target["MaxCapacity"]) == (RESOURCE, 0, 2)
    policies = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    kinds = {policy["PolicyName"]: policy["PolicyType"] for policy in policies}
    assert kinds == {"backlog": "TargetTrackingScaling", "wake": "StepScaling"}
    (alarm,) = boto3.client("cloudwatch").describe_alarms(AlarmNames=["queue-wake"])["MetricAlarms"]
    assert alarm["MetricName"] == "HasBacklogWithoutCapacity"
    assert alarm["Dimensions"] == [{"Name": "EndpointName", "Value": "queue"}]
    assert alarm["AlarmActions"] == [p["PolicyARN"] for p in policies if p["PolicyName"] == "wake"]


def test_again(queue: Path, go: Run) -> None:
    first = go("scale_async_to_zero", "--endpoint", "queue")
    assert go("scale_async_to_zero", "--endpoint", "queue") == first


def test_a_real_time_endpoint_keeps_its_instance(file: Path, go: Run) -> None:
    boto3.client("sagemaker").create_endpoint(EndpointName="plain", EndpointConfigName="shop-v1")
    boto3.client("sagemaker").get_waiter("endpoint_in_service").wait(EndpointName="plain")
    result = go("scale_async_to_zero", "--endpoint", "plain")
    assert result.status == 0
    assert result.output.endswith("plain has an instance still, after 40 minutes\n")


def test_no_such_endpoint(lab: None, go: Run) -> None:
    result = go("scale_async_to_zero", "--endpoint", "queue")
    assert (result.status, result.output) == (1, "")
    assert f"SageMaker variant doesn't exist: {RESOURCE}." in result.errors
    assert boto3.client("cloudwatch").describe_alarms()["MetricAlarms"] == []


def test_interrupted(queue: Path, go: Run) -> None:
    with watching(interrupted_after("PutMetricAlarm")):
        result = go("scale_async_to_zero", "--endpoint", "queue")
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith(
        f"Interrupted. {RESOURCE} may scale, and the alarm queue-wake be there: run this again, or "
    )
