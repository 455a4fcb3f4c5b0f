"""What bare moto does with scalable targets, policies and schedules: the lab mends it."""

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from contracts.gaps import gap

TARGET = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": "endpoint/shop/variant/AllTraffic",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}
INVOCATIONS = {
    "TargetValue": 70.0,
    "PredefinedMetricSpecification": {
        "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
    },
}
STEPS = {
    "AdjustmentType": "ChangeInCapacity",
    "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}],
}
SAGEMAKER = {"ServiceNamespace": "sagemaker"}


@pytest.fixture
def scaling(bare_moto: None) -> Any:
    return boto3.client("application-autoscaling")


def register(scaling: Any, least: int = 1, most: int = 4, **more: Any) -> None:
    scaling.register_scalable_target(**TARGET, MinCapacity=least, MaxCapacity=most, **more)


def track(scaling: Any, name: str = "invocations") -> dict[str, Any]:
    answer = scaling.put_scaling_policy(
        **TARGET,
        PolicyName=name,
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=INVOCATIONS,
    )
    assert isinstance(answer, dict)
    return answer


def plan(scaling: Any, schedule: str = "rate(1 minute)", name: str = "often") -> None:
    scaling.put_scheduled_action(
        **TARGET,
        ScheduledActionName=name,
        Schedule=schedule,
        ScalableTargetAction={"MinCapacity": 3},
    )


def code_of(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    return str(refused.value.response["Error"]["Code"])


REGISTER = "application-autoscaling:RegisterScalableTarget"


@gap(REGISTER, "takes variants that do not exist")
@gap(REGISTER, "takes a maximum below the minimum")
def test_any_target_is_taken(scaling: Any) -> None:
    register(scaling, 5, 1)
    assert len(scaling.describe_scalable_targets(**SAGEMAKER)["ScalableTargets"]) == 1


@gap(REGISTER, "knows no tags")
def test_tags_of_a_target_are_lost(scaling: Any) -> None:
    register(scaling, Tags={"team": "ml"})
    arn = "arn:aws:application-autoscaling:ap-northeast-1:123456789012:scalable-target/a"
    with pytest.raises(NotImplementedError):
        scaling.list_tags_for_resource(ResourceARN=arn)


@gap(REGISTER, "never scales")
@gap("application-autoscaling:PutScalingPolicy", "never scales")
@gap("application-autoscaling:PutScheduledAction", "never runs")
def test_an_endpoint_keeps_its_count(scaling: Any) -> None:
    sagemaker = boto3.client("sagemaker")
    role = "arn:aws:iam::123456789012:role/any"
    sagemaker.create_model(
        ModelName="shop", PrimaryContainer={"Image": "image"}, ExecutionRoleArn=role
    )
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": "shop",
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    sagemaker.create_endpoint_config(EndpointConfigName="shop", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="shop", EndpointConfigName="shop")
    register(scaling, 3, 4)
    track(scaling)
    plan(scaling)
    boto3.client("cloudwatch").put_metric_data(
        Namespace="AWS/SageMaker",
        MetricData=[
            {
                "MetricName": "InvocationsPerInstance",
                "Value": 500,
                "Dimensions": [
                    {"Name": "EndpointName", "Value": "shop"},
                    {"Name": "VariantName", "Value": "AllTraffic"},
                ],
            }
        ],
    )
    (found,) = sagemaker.describe_endpoint(EndpointName="shop")["ProductionVariants"]
    assert found["DesiredInstanceCount"] == 1


DEREGISTER = "application-autoscaling:DeregisterScalableTarget"


@gap(DEREGISTER, "keeps the policies of the target")
@gap(DEREGISTER, "keeps its scheduled actions")
def test_what_belonged_to_a_target_is_kept(scaling: Any) -> None:
    register(scaling)
    track(scaling)
    plan(scaling)
    scaling.deregister_scalable_target(**TARGET)
    assert len(scaling.describe_scaling_policies(**SAGEMAKER)["ScalingPolicies"]) == 1
    assert len(scaling.describe_scheduled_actions(**SAGEMAKER)["ScheduledActions"]) == 1


@gap(DEREGISTER, "answers `ValidationException` for a missing one")
def test_a_missing_target_has_another_code(scaling: Any) -> None:
    assert code_of(scaling.deregister_scalable_target, **TARGET) == "ValidationException"


@gap("application-autoscaling:PutScalingPolicy", "needs no scalable target")
@gap("application-autoscaling:PutScalingPolicy", "makes no alarms for SageMaker")
def test_a_policy_without_target_and_without_alarms(scaling: Any) -> None:
    assert track(scaling)["Alarms"] == []
    assert boto3.client("cloudwatch").describe_alarms()["MetricAlarms"] == []


POLICIES = "application-autoscaling:DescribeScalingPolicies"


@gap(POLICIES, "ignores `PolicyNames`")
def test_policies_of_other_names_are_described(scaling: Any) -> None:
    track(scaling)
    found = scaling.describe_scaling_policies(**SAGEMAKER, PolicyNames=["other"])
    assert len(found["ScalingPolicies"]) == 1


@gap(POLICIES, "names no alarms of step scaling")
def test_the_alarm_of_a_step_policy_is_not_named(scaling: Any) -> None:
    arn = scaling.put_scaling_policy(
        **TARGET,
        PolicyName="steps",
        PolicyType="StepScaling",
        StepScalingPolicyConfiguration=STEPS,
    )["PolicyARN"]
    boto3.client("cloudwatch").put_metric_alarm(
        AlarmName="busy",
        Namespace="Shop",
        MetricName="Load",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        AlarmActions=[arn],
    )
    (policy,) = scaling.describe_scaling_policies(**SAGEMAKER)["ScalingPolicies"]
    assert policy["Alarms"] == []


@gap(
    "application-autoscaling:DeleteScalingPolicy",
    "answers `ValidationException` for a missing policy",
)
def test_a_missing_policy_has_another_code(scaling: Any) -> None:
    found = code_of(scaling.delete_scaling_policy, **TARGET, PolicyName="none")
    assert found == "ValidationException"


@gap("application-autoscaling:PutScheduledAction", "needs no scalable target")
@gap("application-autoscaling:PutScheduledAction", "takes any schedule")
def test_any_schedule_is_taken_for_no_target(scaling: Any) -> None:
    plan(scaling, "some day")
    assert len(scaling.describe_scheduled_actions(**SAGEMAKER)["ScheduledActions"]) == 1


@gap("application-autoscaling:DescribeScheduledActions", "has no pages")
def test_all_actions_come_in_one_page(scaling: Any) -> None:
    for name in ("a", "b", "c"):
        plan(scaling, name=name)
    found = scaling.describe_scheduled_actions(**SAGEMAKER, MaxResults=1)
    assert len(found["ScheduledActions"]) == 3


@gap("application-autoscaling:DeleteScheduledAction", "deletes what does not exist")
def test_a_missing_action_is_deleted(scaling: Any) -> None:
    scaling.delete_scheduled_action(**TARGET, ScheduledActionName="none")


@gap("application-autoscaling:DescribeScalableTargets", "gives a second page for ever")
def test_the_second_page_comes_again(scaling: Any) -> None:
    table = {"ServiceNamespace": "dynamodb"}
    for number in range(4):
        scaling.register_scalable_target(
            **table,
            ScalableDimension="dynamodb:table:ReadCapacityUnits",
            ResourceId=f"table/t{number}",
            MinCapacity=1,
            MaxCapacity=2,
        )
    first = scaling.describe_scalable_targets(**table, MaxResults=1)
    second = scaling.describe_scalable_targets(**table, MaxResults=1, NextToken=first["NextToken"])
    assert second["NextToken"] == first["NextToken"]


@gap(
    "application-autoscaling:DescribeScalableTargets",
    "shows no suspended state that was not set",
)
def test_a_suspended_state_is_not_shown(scaling: Any) -> None:
    register(scaling)
    (found,) = scaling.describe_scalable_targets(**SAGEMAKER)["ScalableTargets"]
    assert not found.get("SuspendedState")
