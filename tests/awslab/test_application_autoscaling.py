"""Scaling that scales: targets, policies, schedules, and what becomes of an endpoint's variant."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import boto3
import pytest
from awslab.clock import CLOCK, naive_now, now
from awslab.services.application_autoscaling.expressions import BadSchedule, occurs, zone_of
from awslab.services.sagemaker import hosting
from awslab.telemetry import put_metric
from botocore.exceptions import ClientError

ACCOUNT, REGION = "111122223333", "ap-northeast-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/SageMakerExecutionRole"
RESOURCE = "endpoint/shop/variant/AllTraffic"
TARGET = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": RESOURCE,
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}
INVOCATIONS = {
    "TargetValue": 70.0,
    "PredefinedMetricSpecification": {
        "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
    },
}
BY_TWO = {
    "AdjustmentType": "ChangeInCapacity",
    "StepAdjustments": [
        {"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 10, "ScalingAdjustment": 1},
        {"MetricIntervalLowerBound": 10, "ScalingAdjustment": 2},
    ],
}

Arguments = dict[str, Any]


class Server:
    """Instead of a real model server: it needs no time."""

    running: ClassVar[list["Server"]] = []
    failure = None

    def __init__(self, backend: Any, model_name: str) -> None: ...

    def ready(self, seconds: float) -> bool:
        return True

    def end(self) -> None: ...


@pytest.fixture
def scaling(client: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client, and the endpoint `shop` with one instance of `AllTraffic`, in service."""
    monkeypatch.setattr(hosting, "ModelServer", Server)
    make_endpoint("shop")
    yield client("application-autoscaling")
    CLOCK.run(None)


@pytest.fixture
def frozen(scaling: Any) -> Any:
    """The same; time moves by CLOCK.advance only."""
    CLOCK.run(0)
    return scaling


def make_endpoint(name: str, config: Arguments | None = None, **variant: Any) -> None:
    sagemaker = boto3.client("sagemaker")
    image = f"354813040037.dkr.ecr.{REGION}.amazonaws.com/sagemaker-xgboost:3.2-0"
    sagemaker.create_model(ModelName=name, PrimaryContainer={"Image": image}, ExecutionRoleArn=ROLE)
    plain = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    named = {"VariantName": "AllTraffic", "ModelName": name}
    variants = [named | (variant or plain)]
    sagemaker.create_endpoint_config(
        EndpointConfigName=name, ProductionVariants=variants, **(config or {})
    )
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name)


def variant_of(name: str = "shop") -> Arguments:
    answer = boto3.client("sagemaker").describe_endpoint(EndpointName=name)
    (found,) = answer["ProductionVariants"]
    assert isinstance(found, dict)
    return found


def invoke(times: int, name: str = "shop") -> None:
    """What SageMaker measures of so many invocations."""
    share = 1 / variant_of(name)["CurrentInstanceCount"]
    names = {"EndpointName": name, "VariantName": "AllTraffic"}
    for _ in range(times):
        put_metric(ACCOUNT, REGION, "AWS/SageMaker", "InvocationsPerInstance", share, names)


def register(scaling: Any, least: int = 1, most: int = 10, **more: Any) -> str:
    answer = scaling.register_scalable_target(
        **TARGET | {"MinCapacity": least, "MaxCapacity": most} | more
    )
    return str(answer["ScalableTargetARN"])


def track(scaling: Any, name: str = "invocations", **changed: Any) -> list[str]:
    """A policy of target tracking; the names of its alarms."""
    answer = scaling.put_scaling_policy(
        **TARGET,
        PolicyName=name,
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=INVOCATIONS | changed,
    )
    return [alarm["AlarmName"] for alarm in answer["Alarms"]]


def activities(scaling: Any) -> list[tuple[str, str, str]]:
    """Description, cause and status, the oldest first."""
    found = scaling.describe_scaling_activities(ServiceNamespace="sagemaker")["ScalingActivities"]
    return [(one["Description"], one["Cause"], one["StatusCode"]) for one in reversed(found)]


def counts(scaling: Any) -> list[str]:
    """What the activities set, the oldest first."""
    return [description.split()[-1].rstrip(".") for description, _, _ in activities(scaling)]


def minutes(number: int, invocations: int) -> None:
    for _ in range(number):
        invoke(invocations)
        CLOCK.advance(60)


def refusal(call: Callable[..., Any], **arguments: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


# --- targets -------------------------------------------------------------------------------------


def test_a_target_is_described(scaling: Any) -> None:
    arn = register(scaling, 1, 4, Tags={"team": "ml"})
    found = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")
    (target,) = found["ScalableTargets"]
    assert target.pop("CreationTime") <= now()
    assert target == TARGET | {
        "MinCapacity": 1,
        "MaxCapacity": 4,
        "RoleARN": f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/sagemaker.application-autoscaling"
        ".amazonaws.com/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint",
        "SuspendedState": {
            "DynamicScalingInSuspended": False,
            "DynamicScalingOutSuspended": False,
            "ScheduledScalingSuspended": False,
        },
        "ScalableTargetARN": arn,
    }
    assert scaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"team": "ml"}
    assert register(scaling, 2, 5) == arn
    other = scaling.register_scalable_target(**TARGET, MaxCapacity=6)["ScalableTargetARN"]
    (target,) = scaling.describe_scalable_targets(
        ServiceNamespace="sagemaker", ResourceIds=[RESOURCE]
    )["ScalableTargets"]
    assert (other, target["MinCapacity"], target["MaxCapacity"]) == (arn, 2, 6)
    answer = scaling.describe_scalable_targets(ServiceNamespace="ecs")
    assert answer["ScalableTargets"] == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"MinCapacity": 5}, "Maximum capacity cannot be less than minimum capacity"),
        ({"MinCapacity": -1}, "Minimum capacity cannot be less than 0"),
        ({"MinCapacity": None}, "Minimum capacity must be specified"),
        ({"MaxCapacity": None}, "Maximum capacity must be specified"),
        (
            {"ResourceId": "endpoint/none/variant/AllTraffic"},
            "SageMaker variant doesn't exist: endpoint/none/variant/AllTraffic",
        ),
        (
            {"ResourceId": "endpoint/shop/variant/none"},
            "SageMaker variant doesn't exist: endpoint/shop/variant/none",
        ),
        (
            {"ResourceId": "shop/AllTraffic"},
            "Unsupported service namespace, resource type or scalable dimension",
        ),
        (
            {"ServiceNamespace": "ecs"},
            "Unsupported service namespace, resource type or scalable dimension",
        ),
        ({"ServiceNamespace": "shop"}, "Member must satisfy enum value set: [ecs, "),
    ],
)
def test_targets_that_are_refused(scaling: Any, changed: Arguments, said: str) -> None:
    request = TARGET | {"MinCapacity": 1, "MaxCapacity": 4} | changed
    given = {name: value for name, value in request.items() if value is not None}
    code, message = refusal(scaling.register_scalable_target, **given)
    assert code == "ValidationException" and said in message
    found = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")
    assert found["ScalableTargets"] == []


def test_burstable_instances_do_not_scale(scaling: Any) -> None:
    make_endpoint("small", InstanceType="ml.t2.medium", InitialInstanceCount=1)
    request = TARGET | {"ResourceId": "endpoint/small/variant/AllTraffic"}
    assert refusal(scaling.register_scalable_target, **request, MinCapacity=1, MaxCapacity=2) == (
        "ValidationException",
        "You cannot register a variant with ml.t2.medium instance type as a scalable target. This "
        "is because the burstable performance of these instances can lead to unpredictable "
        "behavior with Auto Scaling.",
    )


def test_limits_are_enforced_when_they_are_set(scaling: Any) -> None:
    register(scaling, 3, 5)
    cause = "minimum capacity was set to 3"
    wanted = ("Setting desired instance count to 3.", cause, "InProgress")
    assert activities(scaling) == [wanted]
    assert [status for *_, status in activities(scaling) + activities(scaling)][-1] == "Successful"
    assert variant_of()["CurrentInstanceCount"] == 3
    scaling.register_scalable_target(**TARGET, MinCapacity=1, MaxCapacity=2)
    assert activities(scaling)[-1][:2] == (
        "Setting desired instance count to 2.",
        "maximum capacity was set to 2",
    )


def test_tags(scaling: Any) -> None:
    arn = register(scaling)
    scaling.tag_resource(ResourceARN=arn, Tags={"a": "1", "b": "2"})
    scaling.untag_resource(ResourceARN=arn, TagKeys=["a"])
    assert scaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"b": "2"}
    many = {f"k{number}": "" for number in range(50)}
    code, _ = refusal(scaling.tag_resource, ResourceARN=arn, Tags=many)
    assert code == "TooManyTagsException"
    missing = f"{arn[:-4]}0000"
    code, _ = refusal(scaling.list_tags_for_resource, ResourceARN=missing)
    assert code == "ResourceNotFoundException"
    code, said = refusal(
        scaling.register_scalable_target, **TARGET, MaxCapacity=20, Tags={"c": "3"}
    )
    assert code == "ValidationException" and "already exists" in said


def test_all_goes_with_the_target(scaling: Any, client: Callable[..., Any]) -> None:
    register(scaling)
    track(scaling)
    plan(scaling, "night", "rate(5 minutes)", {"MinCapacity": 2})
    cloudwatch = client("cloudwatch")
    assert len(cloudwatch.describe_alarms()["MetricAlarms"]) == 2
    scaling.deregister_scalable_target(**TARGET)
    assert cloudwatch.describe_alarms()["MetricAlarms"] == []
    register(scaling)
    asked = {"ServiceNamespace": "sagemaker"}
    assert scaling.describe_scaling_policies(**asked)["ScalingPolicies"] == []
    assert scaling.describe_scheduled_actions(**asked)["ScheduledActions"] == []


def test_what_does_not_exist(scaling: Any) -> None:
    where = (
        f"service namespace: sagemaker, resource ID: {RESOURCE}, scalable dimension: "
        "sagemaker:variant:DesiredInstanceCount"
    )
    missing = ("ObjectNotFoundException", f"No scalable target registered for {where}")
    steps = {"PolicyType": "StepScaling", "StepScalingPolicyConfiguration": BY_TWO}
    assert refusal(scaling.put_scaling_policy, **TARGET, PolicyName="p", **steps) == missing
    action = {"Schedule": "rate(1 day)", "ScalableTargetAction": {"MinCapacity": 1}}
    found = refusal(scaling.put_scheduled_action, **TARGET, ScheduledActionName="a", **action)
    assert found == missing
    found = refusal(scaling.deregister_scalable_target, **TARGET)
    assert found == ("ObjectNotFoundException", f"No scalable target found for {where}")
    for _ in range(2):  # without the target, and with it
        found = refusal(scaling.delete_scaling_policy, **TARGET, PolicyName="p")
        said = f"No scaling policy found for {where}, policy name: p"
        assert found == ("ObjectNotFoundException", said)
        found = refusal(scaling.delete_scheduled_action, **TARGET, ScheduledActionName="a")
        said = f"No scheduled action found for {where}, scheduled action name: a"
        assert found == ("ObjectNotFoundException", said)
        register(scaling)


def test_another_account_and_region_see_nothing(scaling: Any, client: Callable[..., Any]) -> None:
    register(scaling)
    elsewhere = client("application-autoscaling", region="eu-west-1")
    found = elsewhere.describe_scalable_targets(ServiceNamespace="sagemaker")
    assert found["ScalableTargets"] == []
    code, said = refusal(elsewhere.register_scalable_target, **TARGET, MinCapacity=1, MaxCapacity=2)
    assert (code, said) == (
        "ValidationException",
        f"SageMaker variant doesn't exist: {RESOURCE}",
    )


def test_pages(scaling: Any) -> None:
    dynamodb = {
        "ServiceNamespace": "dynamodb",
        "ScalableDimension": "dynamodb:table:ReadCapacityUnits",
    }
    for number in range(5):
        scaling.register_scalable_target(
            **dynamodb, ResourceId=f"table/t{number}", MinCapacity=1, MaxCapacity=2
        )
    pages = scaling.get_paginator("describe_scalable_targets").paginate(
        ServiceNamespace="dynamodb", PaginationConfig={"PageSize": 2}
    )
    assert [len(page["ScalableTargets"]) for page in pages] == [2, 2, 1]
    call = scaling.describe_scalable_targets
    asked = {"ServiceNamespace": "dynamodb"}
    assert refusal(call, **asked, NextToken="mine")[0] == "InvalidNextTokenException"
    assert refusal(call, **asked, MaxResults=0)[0] == "ValidationException"


# --- policies ------------------------------------------------------------------------------------


def test_target_tracking_makes_its_alarms(scaling: Any, client: Callable[..., Any]) -> None:
    register(scaling)
    high, low = track(scaling)
    assert high.startswith(f"TargetTracking-{RESOURCE}-AlarmHigh-")
    assert low.startswith(f"TargetTracking-{RESOURCE}-AlarmLow-")
    alarms = client("cloudwatch").describe_alarms()["MetricAlarms"]
    found = {alarm["AlarmName"]: alarm for alarm in alarms}
    (policy,) = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    for name, operator, threshold, periods in (
        (high, "GreaterThanThreshold", 70.0, 3),
        (low, "LessThanThreshold", 63.0, 15),
    ):
        alarm = found[name]
        assert alarm["ComparisonOperator"] == operator
        assert (alarm["Threshold"], alarm["EvaluationPeriods"]) == (threshold, periods)
        metric = [alarm[part] for part in ("Namespace", "MetricName", "Statistic", "Period")]
        assert metric == ["AWS/SageMaker", "InvocationsPerInstance", "Sum", 60]
        dimensions = {pair["Name"]: pair["Value"] for pair in alarm["Dimensions"]}
        assert dimensions == {"EndpointName": "shop", "VariantName": "AllTraffic"}
        assert alarm["AlarmDescription"] == (
            f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {policy['PolicyARN']}."
        )
        assert alarm["AlarmActions"][0].startswith(policy["PolicyARN"])
    assert policy["PolicyARN"].endswith(f":resource/sagemaker/{RESOURCE}:policyName/invocations")
    assert [alarm["AlarmName"] for alarm in policy["Alarms"]] == [high, low]
    assert policy["TargetTrackingScalingPolicyConfiguration"] == INVOCATIONS


def test_a_policy_can_be_changed_and_deleted(scaling: Any, client: Callable[..., Any]) -> None:
    register(scaling)
    track(scaling)
    (before,) = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    names = track(scaling, TargetValue=100.0)
    (after,) = scaling.describe_scaling_policies(
        ServiceNamespace="sagemaker", PolicyNames=["invocations"]
    )["ScalingPolicies"]
    assert (after["PolicyARN"], after["CreationTime"]) == (
        before["PolicyARN"],
        before["CreationTime"],
    )
    cloudwatch = client("cloudwatch")
    found = cloudwatch.describe_alarms()["MetricAlarms"]
    assert {alarm["AlarmName"] for alarm in found} == set(names)
    assert {alarm["Threshold"] for alarm in found} == {100.0, 90.0}
    other = scaling.describe_scaling_policies(ServiceNamespace="sagemaker", PolicyNames=["other"])
    assert other["ScalingPolicies"] == []
    scaling.delete_scaling_policy(**TARGET, PolicyName="invocations")
    assert cloudwatch.describe_alarms()["MetricAlarms"] == []


@pytest.mark.parametrize(
    ("kind", "config", "said"),
    [
        ("TargetTrackingScaling", {"TargetValue": 70.0}, "Exactly one of Predefined"),
        ("TargetTrackingScaling", INVOCATIONS | {"TargetValue": 0.0}, "TargetValue must be"),
        (
            "TargetTrackingScaling",
            {
                "TargetValue": 5.0,
                "PredefinedMetricSpecification": {
                    "PredefinedMetricType": "ECSServiceAverageCPUUtilization"
                },
            },
            "The metric type ECSServiceAverageCPUUtilization is not supported for",
        ),
        (
            "TargetTrackingScaling",
            {"TargetValue": 5.0, "CustomizedMetricSpecification": {"MetricName": "Errors"}},
            "CustomizedMetricSpecification.Namespace must be specified",
        ),
        ("StepScaling", {"AdjustmentType": "ExactCapacity"}, "At least one StepAdjustment"),
        ("StepScaling", {"StepAdjustments": [{"ScalingAdjustment": 1}]}, "AdjustmentType must"),
        (
            "StepScaling",
            BY_TWO
            | {
                "StepAdjustments": [
                    {"MetricIntervalUpperBound": 5, "ScalingAdjustment": 1},
                    {"MetricIntervalLowerBound": 6, "ScalingAdjustment": 2},
                ]
            },
            "can't overlap or have gaps",
        ),
        ("PredictiveScaling", None, "PredictiveScaling is not supported"),
        (None, None, "PolicyType must be specified"),
    ],
)
def test_policies_that_are_refused(
    scaling: Any, kind: str | None, config: Arguments | None, said: str
) -> None:
    register(scaling)
    names = {
        "TargetTrackingScaling": "TargetTrackingScalingPolicyConfiguration",
        "StepScaling": "StepScalingPolicyConfiguration",
    }
    request: Arguments = TARGET | {"PolicyName": "p"} | ({"PolicyType": kind} if kind else {})
    if config:
        request[names[str(kind)]] = config
    code, message = refusal(scaling.put_scaling_policy, **request)
    assert code == "ValidationException" and said in message
    found = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")
    assert found["ScalingPolicies"] == []


def test_one_policy_for_a_metric(scaling: Any) -> None:
    register(scaling)
    track(scaling)
    with pytest.raises(ClientError) as refused:
        track(scaling, "again", TargetValue=50.0)
    assert refused.value.response["Error"]["Message"] == (
        "Only one TargetTrackingScaling policy for a given metric specification is allowed."
    )


# --- target tracking -----------------------------------------------------------------------------


def test_each_look_is_an_evaluation_in_the_instant_gait(
    scaling: Any, client: Callable[..., Any]
) -> None:
    register(scaling, 1, 4)
    high, low = track(scaling)
    assert activities(scaling) == []
    invoke(200)
    cause = f"monitor alarm {high} in state ALARM triggered policy invocations"
    wanted = ("Setting desired instance count to 3.", cause)
    assert activities(scaling) == [(*wanted, "InProgress")]
    assert activities(scaling) == [(*wanted, "InProgress")]
    assert activities(scaling) == [(*wanted, "Successful")]
    assert variant_of()["CurrentInstanceCount"] == 3
    invoke(6)
    cause = f"monitor alarm {low} in state ALARM triggered policy invocations"
    less = ("Setting desired instance count to 1.", cause, "InProgress")
    assert activities(scaling)[1:] == [less]
    alarms = client("cloudwatch").describe_alarms()["MetricAlarms"]
    found = {alarm["AlarmName"]: alarm["StateValue"] for alarm in alarms}
    assert found == {high: "OK", low: "ALARM"}


def test_describe_endpoint_is_a_look_too(scaling: Any) -> None:
    register(scaling, 1, 4)
    track(scaling)
    invoke(200)
    seen = [variant_of() for _ in range(4)]
    assert [variant["DesiredInstanceCount"] for variant in seen] == [1, 3, 3, 3]
    assert [variant["CurrentInstanceCount"] for variant in seen] == [1, 1, 3, 3]


def test_messages_of_an_activity(scaling: Any) -> None:
    register(scaling)
    track(scaling)
    invoke(140)

    def message() -> tuple[str, bool]:
        found = scaling.describe_scaling_activities(**TARGET, MaxResults=1)
        (one,) = found["ScalingActivities"]
        return one["StatusMessage"], "EndTime" in one

    said = "Successfully set desired instance count to 2. "
    assert message() == (f"{said}Waiting for change to be fulfilled by sagemaker.", False)
    message()
    assert message() == (f"{said}Change successfully fulfilled by sagemaker.", True)


def test_three_minutes_until_it_scales_out_and_fifteen_until_in(frozen: Any) -> None:
    register(frozen, 1, 4)
    track(frozen)
    minutes(2, 200)
    assert activities(frozen) == []
    minutes(1, 200)
    assert counts(frozen) == ["3"] and variant_of()["CurrentInstanceCount"] == 1
    CLOCK.advance(180)
    assert variant_of()["CurrentInstanceCount"] == 3
    started = naive_now()
    while len(counts(frozen)) == 1:
        CLOCK.advance(60)
    assert counts(frozen) == ["3", "1"]
    assert timedelta(minutes=11) <= naive_now() - started <= timedelta(minutes=16)


def test_a_minute_without_traffic_is_a_zero(frozen: Any, client: Callable[..., Any]) -> None:
    register(frozen, 1, 4)
    track(frozen)
    CLOCK.advance(300)
    answer = client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SageMaker",
        MetricName="InvocationsPerInstance",
        Dimensions=[
            {"Name": "EndpointName", "Value": "shop"},
            {"Name": "VariantName", "Value": "AllTraffic"},
        ],
        StartTime=naive_now() - timedelta(minutes=30),
        EndTime=naive_now(),
        Period=60,
        Statistics=["Sum"],
    )
    assert [point["Sum"] for point in answer["Datapoints"]] == [0.0] * 5


@pytest.mark.parametrize(
    ("invocations", "count"),
    [(70, None), (71, "2"), (140, "2"), (141, "3"), (100_000 // 70, "10")],
)
def test_the_arithmetic(scaling: Any, invocations: int, count: str | None) -> None:
    register(scaling, 1, 10)
    track(scaling)
    invoke(invocations)
    assert counts(scaling) == ([count] if count else [])


def test_scale_in_can_be_disabled(scaling: Any) -> None:
    register(scaling, 1, 4)
    track(scaling, DisableScaleIn=True)
    invoke(200)
    for _ in range(3):
        counts(scaling)
    invoke(3)
    assert counts(scaling) == ["3"]


def test_a_scale_out_waits_for_the_cooldown(frozen: Any) -> None:
    register(frozen, 1, 10)
    track(frozen, ScaleOutCooldown=900)
    minutes(6, 140)  # 3 until the alarm, 3 to provision
    assert counts(frozen) == ["2"]
    minutes(14, 280)
    assert counts(frozen) == ["2"]
    minutes(1, 280)
    assert counts(frozen) == ["2", "4"]


def test_more_than_what_is_on_its_way_is_not_waited_for(frozen: Any) -> None:
    register(frozen, 1, 10)
    track(frozen, ScaleOutCooldown=3600)
    minutes(6, 140)
    assert counts(frozen) == ["2"]
    minutes(3, 800)  # 400 for each of two: from one instance that is six
    assert counts(frozen) == ["2", "6"]


def test_suspension(frozen: Any) -> None:
    register(frozen, 1, 4, SuspendedState={"DynamicScalingOutSuspended": True})
    track(frozen)
    minutes(5, 200)
    assert activities(frozen) == []
    frozen.register_scalable_target(**TARGET, SuspendedState={"DynamicScalingOutSuspended": False})
    minutes(1, 200)
    assert counts(frozen) == ["3"]
    frozen.register_scalable_target(**TARGET, SuspendedState={"DynamicScalingInSuspended": True})
    CLOCK.advance(3600)
    assert counts(frozen) == ["3"]


def test_a_customized_metric(scaling: Any, client: Callable[..., Any]) -> None:
    register(scaling, 1, 4)
    metric = {
        "Namespace": "Shop",
        "MetricName": "Queue",
        "Statistic": "Average",
        "Dimensions": [{"Name": "Shop", "Value": "tokyo"}],
    }
    scaling.put_scaling_policy(
        **TARGET,
        PolicyName="queue",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 10.0,
            "CustomizedMetricSpecification": metric,
        },
    )
    datum = {"MetricName": "Queue", "Value": 15, "Dimensions": metric["Dimensions"]}
    client("cloudwatch").put_metric_data(Namespace="Shop", MetricData=[datum])
    assert counts(scaling) == ["2"]


def test_two_policies_scale_out_together_and_in_together(
    scaling: Any, client: Callable[..., Any]
) -> None:
    register(scaling, 1, 8)
    track(scaling)
    queue = {"Namespace": "Shop", "MetricName": "Queue", "Statistic": "Average"}
    scaling.put_scaling_policy(
        **TARGET,
        PolicyName="queue",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 10.0,
            "CustomizedMetricSpecification": queue,
        },
    )

    def put(value: float) -> None:
        datum = {"MetricName": "Queue", "Value": value}
        client("cloudwatch").put_metric_data(Namespace="Shop", MetricData=[datum])

    invoke(140)
    put(50)
    assert counts(scaling) == ["5"]  # the larger of 2 and 5
    for _ in range(2):
        counts(scaling)
    invoke(5)
    put(10)
    assert counts(scaling) == ["5"]  # one of them is content
    put(-2)
    assert counts(scaling) == ["5", "2"]  # the average is 4 now; the other one wants 1


def test_a_metric_math_policy(scaling: Any, client: Callable[..., Any]) -> None:
    register(scaling, 1, 4)
    stat = {"Metric": {"Namespace": "Shop", "MetricName": "Queue"}, "Stat": "Sum"}
    queries = [
        {"Id": "m1", "MetricStat": stat, "ReturnData": False},
        {"Id": "e1", "Expression": "m1 / 10"},
    ]
    scaling.put_scaling_policy(
        **TARGET,
        PolicyName="queue",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 10.0,
            "CustomizedMetricSpecification": {"Metrics": queries},
        },
    )
    datum = {"MetricName": "Queue", "Value": 250}
    client("cloudwatch").put_metric_data(Namespace="Shop", MetricData=[datum])
    assert counts(scaling) == ["3"]


def test_scale_to_zero_and_back(scaling: Any, client: Callable[..., Any]) -> None:
    output = {"OutputConfig": {"S3OutputPath": "s3://amzn-s3-demo-bucket/async"}}
    make_endpoint("queue", {"AsyncInferenceConfig": output})
    request = TARGET | {"ResourceId": "endpoint/queue/variant/AllTraffic"}
    scaling.register_scalable_target(**request, MinCapacity=0, MaxCapacity=3)
    specification = {
        "Namespace": "AWS/SageMaker",
        "MetricName": "ApproximateBacklogSizePerInstance",
        "Statistic": "Average",
        "Dimensions": [{"Name": "EndpointName", "Value": "queue"}],
    }
    scaling.put_scaling_policy(
        **request,
        PolicyName="backlog",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 5.0,
            "CustomizedMetricSpecification": specification,
        },
    )
    names = {"EndpointName": "queue"}
    name = specification["MetricName"]
    for backlog, wanted in ((0, ["0"]), (4, ["0"]), (20, ["0", "3"])):  # 12 in the average
        put_metric(ACCOUNT, REGION, "AWS/SageMaker", str(name), backlog, names)
        for _ in range(3):
            found = counts(scaling)
        assert found == wanted


def test_real_time_variants_keep_one_instance(scaling: Any) -> None:
    register(scaling, 0, 2)
    track(scaling)
    invoke(0)
    put_metric(
        ACCOUNT,
        REGION,
        "AWS/SageMaker",
        "InvocationsPerInstance",
        0,
        {"EndpointName": "shop", "VariantName": "AllTraffic"},
    )
    found = scaling.describe_scaling_activities(ServiceNamespace="sagemaker")
    (one,) = found["ScalingActivities"]
    assert one["StatusCode"] == "Failed" and one["StatusMessage"] == (
        "Failed to set desired instance count to 0. Reason: Variant "
        '"AllTraffic" must have a DesiredInstanceCount of at least 1. (Service: AmazonSageMaker; '
        "Status Code: 400; Error Code: ValidationException)."
    )
    assert variant_of()["CurrentInstanceCount"] == 1


def test_provisioned_concurrency(scaling: Any, client: Callable[..., Any]) -> None:
    serverless = {"MemorySizeInMB": 2048, "MaxConcurrency": 8, "ProvisionedConcurrency": 2}
    make_endpoint("light", ServerlessConfig=serverless)
    request = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": "endpoint/light/variant/AllTraffic",
        "ScalableDimension": "sagemaker:variant:DesiredProvisionedConcurrency",
    }
    scaling.register_scalable_target(**request, MinCapacity=1, MaxCapacity=6)
    kind = "SageMakerVariantProvisionedConcurrencyUtilization"
    scaling.put_scaling_policy(
        **request,
        PolicyName="use",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 0.5,
            "PredefinedMetricSpecification": {"PredefinedMetricType": kind},
        },
    )
    names = {"EndpointName": "light", "VariantName": "AllTraffic"}
    metric = "ServerlessProvisionedConcurrencyUtilization"
    put_metric(ACCOUNT, REGION, "AWS/SageMaker", metric, 1.0, names)
    for _ in range(3):
        found = activities(scaling)
    assert found[0][0] == "Setting desired provisioned concurrency to 4."
    assert found[0][2] == "Successful"
    shown = client("sagemaker").describe_endpoint(EndpointName="light")["ProductionVariants"][0]
    assert shown["CurrentServerlessConfig"]["ProvisionedConcurrency"] == 4


def test_an_endpoint_that_is_gone(scaling: Any, client: Callable[..., Any]) -> None:
    register(scaling)
    track(scaling)
    invoke(200)
    assert counts(scaling) == ["3"]
    sagemaker = client("sagemaker")
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="shop")
    sagemaker.delete_endpoint(EndpointName="shop")
    sagemaker.get_waiter("endpoint_deleted").wait(EndpointName="shop")
    assert activities(scaling)[-1][2] in ("Failed", "Successful")
    found = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")
    assert len(found["ScalableTargets"]) == 1


def test_an_empty_queue_goes_to_zero_and_a_request_wakes_it(
    scaling: Any, client: Callable[..., Any]
) -> None:
    output = {"OutputConfig": {"S3OutputPath": "s3://amzn-s3-demo-bucket/async"}}
    make_endpoint("queue", {"AsyncInferenceConfig": output})
    target = TARGET | {"ResourceId": "endpoint/queue/variant/AllTraffic"}
    scaling.register_scalable_target(**target, MinCapacity=0, MaxCapacity=2)
    metric = {
        "Namespace": "AWS/SageMaker",
        "Dimensions": [{"Name": "EndpointName", "Value": "queue"}],
    }
    backlog = {"MetricName": "ApproximateBacklogSizePerInstance", "Statistic": "Average"}
    scaling.put_scaling_policy(
        **target,
        PolicyName="backlog",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 5.0,
            "CustomizedMetricSpecification": metric | backlog,
        },
    )
    wake = scaling.put_scaling_policy(
        **target,
        PolicyName="wake",
        PolicyType="StepScaling",
        StepScalingPolicyConfiguration={
            "AdjustmentType": "ChangeInCapacity",
            "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}],
        },
    )
    client("cloudwatch").put_metric_alarm(
        **metric,
        AlarmName="wake",
        MetricName="HasBacklogWithoutCapacity",
        Statistic="Maximum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        AlarmActions=[wake["PolicyARN"]],
    )
    seen = [variant_of("queue")["CurrentInstanceCount"] for _ in range(4)]
    assert seen == [1, 1, 0, 0]
    runtime = client("sagemaker-runtime")
    runtime.invoke_endpoint_async(EndpointName="queue", Body=b"1", ContentType="text/csv")
    seen = [variant_of("queue")["CurrentInstanceCount"] for _ in range(3)]
    assert seen == [0, 0, 1]


# --- step scaling --------------------------------------------------------------------------------


def step(scaling: Any, **changed: Any) -> str:
    answer = scaling.put_scaling_policy(
        **TARGET,
        PolicyName="steps",
        PolicyType="StepScaling",
        StepScalingPolicyConfiguration=BY_TWO | changed,
    )
    assert answer["Alarms"] == []
    return str(answer["PolicyARN"])


def watch(cloudwatch: Any, policy: str, **changed: Any) -> None:
    request = {
        "AlarmName": "busy",
        "Namespace": "Shop",
        "MetricName": "Load",
        "Statistic": "Average",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 50,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "AlarmActions": [policy],
    }
    cloudwatch.put_metric_alarm(**request | changed)


def load(cloudwatch: Any, value: float) -> None:
    datum = {"MetricName": "Load", "Value": value}
    cloudwatch.put_metric_data(Namespace="Shop", MetricData=[datum])


@pytest.mark.parametrize(
    ("value", "changed", "count"),
    [
        (50, {}, "2"),
        (59.9, {}, "2"),
        (60, {}, "3"),
        (49, {}, None),
        (60, {"AdjustmentType": "ExactCapacity"}, "2"),
        (60, {"AdjustmentType": "PercentChangeInCapacity"}, "2"),  # 2 per cent: at least one
        (
            60,
            {
                "AdjustmentType": "PercentChangeInCapacity",
                "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 150}],
            },
            "2",
        ),
        (60, {"AdjustmentType": "PercentChangeInCapacity", "MinAdjustmentMagnitude": 3}, "4"),
        (
            60,
            {"StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 99}]},
            "10",
        ),
    ],
)
def test_steps(
    scaling: Any,
    client: Callable[..., Any],
    value: float,
    changed: Arguments,
    count: str | None,
) -> None:
    register(scaling)
    cloudwatch = client("cloudwatch")
    watch(cloudwatch, step(scaling, **changed))
    load(cloudwatch, value)
    assert counts(scaling) == ([count] if count else [])
    (policy,) = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    assert [alarm["AlarmName"] for alarm in policy["Alarms"]] == ["busy"]


def test_the_same_data_are_not_acted_upon_twice(scaling: Any, client: Callable[..., Any]) -> None:
    register(scaling)
    cloudwatch = client("cloudwatch")
    watch(cloudwatch, step(scaling))
    load(cloudwatch, 55)
    for _ in range(4):
        found = counts(scaling)
    assert found == ["2"]
    load(cloudwatch, 55)
    assert counts(scaling) == ["2", "3"]


def test_steps_down_with_a_cooldown(frozen: Any, client: Callable[..., Any]) -> None:
    register(frozen, 4, 10)
    CLOCK.advance(300)
    frozen.register_scalable_target(**TARGET, MinCapacity=1)
    cloudwatch = client("cloudwatch")
    down = [{"MetricIntervalUpperBound": 0, "ScalingAdjustment": -1}]
    watch(
        cloudwatch,
        step(frozen, StepAdjustments=down, Cooldown=600),
        ComparisonOperator="LessThanThreshold",
    )
    for _ in range(11):
        load(cloudwatch, 10)
        CLOCK.advance(60)
    assert counts(frozen) == ["4", "3"]
    load(cloudwatch, 10)
    CLOCK.advance(60)
    assert counts(frozen) == ["4", "3", "2"]


def test_an_alarm_that_was_set_by_hand_triggers_a_step(
    scaling: Any, client: Callable[..., Any]
) -> None:
    register(scaling)
    cloudwatch = client("cloudwatch")
    watch(cloudwatch, step(scaling))
    told = json.dumps({"recentDatapoints": [70.0]})
    cloudwatch.set_alarm_state(
        AlarmName="busy", StateValue="ALARM", StateReason="a drill", StateReasonData=told
    )
    for _ in range(3):
        found = counts(scaling)
    assert found == ["3"]
    cloudwatch.disable_alarm_actions(AlarmNames=["busy"])
    cloudwatch.set_alarm_state(AlarmName="busy", StateValue="ALARM", StateReason="again")
    assert counts(scaling) == ["3"]


# --- schedules -----------------------------------------------------------------------------------


def plan(scaling: Any, name: str, schedule: str, action: Arguments, **more: Any) -> None:
    scaling.put_scheduled_action(
        **TARGET,
        ScheduledActionName=name,
        Schedule=schedule,
        ScalableTargetAction=action,
        **more,
    )


def test_a_scheduled_action_changes_the_limits_and_the_count(frozen: Any) -> None:
    register(frozen, 1, 4)
    at = naive_now() + timedelta(minutes=10)
    plan(frozen, "morning", f"at({at:%Y-%m-%dT%H:%M:%S})", {"MinCapacity": 3, "MaxCapacity": 6})
    CLOCK.advance(540)
    assert activities(frozen) == []
    CLOCK.advance(60)
    cause = "scheduled action name morning was triggered"
    assert activities(frozen) == [
        ("Setting min capacity to 3 and max capacity to 6", cause, "Successful"),
        ("Setting desired instance count to 3.", "minimum capacity was set to 3", "InProgress"),
    ]
    (target,) = frozen.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (3, 6)
    CLOCK.advance(3600)
    assert len(activities(frozen)) == 2 and variant_of()["CurrentInstanceCount"] == 3


def test_a_rate_and_its_end(frozen: Any) -> None:
    register(frozen, 1, 4)
    end = now() + timedelta(minutes=25)
    plan(frozen, "often", "rate(10 minutes)", {"MinCapacity": 1}, EndTime=end)
    CLOCK.advance(3600)
    assert len(activities(frozen)) == 2


def test_schedules_can_be_suspended(frozen: Any) -> None:
    register(frozen, 1, 4, SuspendedState={"ScheduledScalingSuspended": True})
    plan(frozen, "often", "rate(10 minutes)", {"MinCapacity": 2})
    CLOCK.advance(1800)
    assert activities(frozen) == []


def test_limits_of_a_schedule_that_cross(frozen: Any) -> None:
    register(frozen, 1, 4)
    plan(frozen, "wrong", "rate(10 minutes)", {"MinCapacity": 5})
    CLOCK.advance(660)
    (found,) = activities(frozen)
    assert found[2] == "Failed"


def test_scheduled_actions_are_described(scaling: Any) -> None:
    register(scaling)
    start = datetime(2026, 12, 1, tzinfo=UTC)
    zone = {"Timezone": "Asia/Tokyo", "StartTime": start}
    plan(scaling, "night", "cron(0 22 ? * MON-FRI *)", {"MaxCapacity": 2}, **zone)
    scaling.put_scheduled_action(
        **TARGET, ScheduledActionName="night", ScalableTargetAction={"MaxCapacity": 3}
    )
    (found,) = scaling.describe_scheduled_actions(
        ServiceNamespace="sagemaker", ScheduledActionNames=["night"]
    )["ScheduledActions"]
    assert found.pop("CreationTime") <= now()
    assert found.pop("ScheduledActionARN").endswith(
        f":resource/sagemaker/{RESOURCE}:scheduledActionName/night"
    )
    assert found == TARGET | zone | {
        "ScheduledActionName": "night",
        "Schedule": "cron(0 22 ? * MON-FRI *)",
        "ScalableTargetAction": {"MaxCapacity": 3},
    }
    for name in ("a", "b"):
        plan(scaling, name, "rate(1 day)", {"MinCapacity": 1})
    pages = scaling.get_paginator("describe_scheduled_actions").paginate(
        ServiceNamespace="sagemaker", PaginationConfig={"PageSize": 2}
    )
    assert [len(page["ScheduledActions"]) for page in pages] == [2, 1]
    scaling.delete_scheduled_action(**TARGET, ScheduledActionName="night")
    found = scaling.describe_scheduled_actions(ServiceNamespace="sagemaker")
    assert [one["ScheduledActionName"] for one in found["ScheduledActions"]] == ["a", "b"]


@pytest.mark.parametrize(
    "schedule",
    [
        "tomorrow",
        "at(2026-13-01T00:00:00)",
        "at(2026-12-01)",
        "rate(0 minutes)",
        "rate(5 moons)",
        "cron(0 9 * * *)",
        "cron(0 9 * * * *)",
        "cron(0 9 ? * ? *)",
        "cron(60 9 ? * * *)",
        "cron(0 9 ? JUN-JAN * *)",
        "cron(0 9 15W * ? *)",
        "cron(0/0 9 ? * * *)",
        "cron(0 9 ? * * *",
    ],
)
def test_schedules_that_are_refused(scaling: Any, schedule: str) -> None:
    register(scaling)
    request = {"Schedule": schedule, "ScalableTargetAction": {"MinCapacity": 1}}
    code, _ = refusal(scaling.put_scheduled_action, **TARGET, ScheduledActionName="a", **request)
    assert code == "ValidationException"


@pytest.mark.parametrize(
    "changed",
    [
        {"ScalableTargetAction": {}},
        {"ScalableTargetAction": {"MinCapacity": 3, "MaxCapacity": 1}},
        {"ScalableTargetAction": {"MaxCapacity": -1}},
        {"Timezone": "Mars/Olympus"},
        {"StartTime": datetime(2026, 12, 2), "EndTime": datetime(2026, 12, 1)},
    ],
)
def test_actions_that_are_refused(scaling: Any, changed: Arguments) -> None:
    register(scaling)
    request = {"Schedule": "rate(1 day)", "ScalableTargetAction": {"MinCapacity": 1}} | changed
    code, _ = refusal(scaling.put_scheduled_action, **TARGET, ScheduledActionName="a", **request)
    assert code == "ValidationException"


@pytest.mark.parametrize(
    ("schedule", "zone", "at", "comes"),
    [  # the minute before `at` to `at`, UTC; 1 December 2026 is a Tuesday
        ("at(2026-12-01T09:00:00)", None, "2026-12-01T09:00", True),
        ("at(2026-12-01T09:00:00)", "Asia/Tokyo", "2026-12-01T00:00", True),
        ("at(2026-12-01T09:00:00)", None, "2026-12-01T09:01", False),
        ("rate(5 minutes)", None, "2026-12-01T00:05", True),
        ("rate(5 minutes)", None, "2026-12-01T00:04", False),
        ("cron(0 9 ? * MON-FRI *)", None, "2026-12-01T09:00", True),
        ("cron(0 9 ? * MON-FRI *)", None, "2026-12-05T09:00", False),
        ("cron(0 9 ? * MON-FRI *)", "Asia/Tokyo", "2026-12-01T00:00", True),
        ("cron(0/15 * * * ? *)", None, "2026-12-01T13:45", True),
        ("cron(0/15 * * * ? *)", None, "2026-12-01T13:44", False),
        ("cron(0 0 L * ? *)", None, "2026-12-31T00:00", True),
        ("cron(0 0 L * ? *)", None, "2026-12-30T00:00", False),
        ("cron(0 0 ? * TUE#1 *)", None, "2026-12-01T00:00", True),
        ("cron(0 0 ? * TUE#2 *)", None, "2026-12-01T00:00", False),
        ("cron(0 0 ? * 5L *)", None, "2026-12-31T00:00", True),
        ("cron(0 0 1,15 JAN,DEC ? 2026)", None, "2026-12-15T00:00", True),
        ("cron(0 0 1,15 JAN,DEC ? 2025)", None, "2026-12-15T00:00", False),
        ("cron(30 1 ? * * *)", "America/New_York", "2026-11-01T05:30", True),
    ],
)
def test_when_schedules_come(schedule: str, zone: str | None, at: str, comes: bool) -> None:
    until = datetime.fromisoformat(at)
    begin = datetime(2026, 12, 1)
    found = occurs(schedule, zone_of(zone), begin, until - timedelta(minutes=1), until)
    assert found is comes


def test_a_year_of_mondays_is_found_quickly() -> None:
    begin = datetime(2026, 1, 1)
    schedule = "cron(0 9 ? * MON 2027)"
    assert occurs(schedule, zone_of(None), begin, begin, datetime(2027, 1, 4, 9))
    assert not occurs(schedule, zone_of(None), begin, begin, datetime(2027, 1, 4, 8, 59))
    with pytest.raises(BadSchedule):
        zone_of("../etc/passwd")


# --- over HTTP -----------------------------------------------------------------------------------


def test_over_http(lab_server: str) -> None:
    session = boto3.Session("testing", "testing", region_name=REGION)
    scaling = session.client("application-autoscaling", endpoint_url=lab_server)
    dynamodb = {
        "ServiceNamespace": "dynamodb",
        "ScalableDimension": "dynamodb:table:ReadCapacityUnits",
        "ResourceId": "table/carts",
    }
    scaling.register_scalable_target(**dynamodb, MinCapacity=1, MaxCapacity=2)
    found = scaling.describe_scalable_targets(ServiceNamespace="dynamodb")
    assert [target["MaxCapacity"] for target in found["ScalableTargets"]] == [2]
    code, said = refusal(scaling.register_scalable_target, **TARGET, MinCapacity=1, MaxCapacity=2)
    assert said == f"SageMaker variant doesn't exist: {RESOURCE}"
    answer = scaling.describe_scaling_activities(ServiceNamespace="sagemaker")
    assert (code, answer["ScalingActivities"]) == ("ValidationException", [])
