"""Scaling policies: target tracking, which makes its own alarms, and step scaling."""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any
from uuid import uuid4

from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.cloudwatch.models import cloudwatch_backends
from moto.core.common_models import BaseModel
from moto.core.responses import ActionResult, EmptyResult
from moto.utilities.utils import get_partition

from awslab.clock import naive_now
from awslab.extension import Function, changes
from awslab.services.application_autoscaling import variants
from awslab.services.application_autoscaling.targets import (
    LOCK,
    ObjectNotFound,
    Target,
    ValidationException,
    find_target,
    key_of,
    names_of,
    paged,
    targets_of,
)
from awslab.services.cloudwatch.alarms import save
from awslab.services.cloudwatch.arithmetic import is_statistic

COOLDOWN = 300  # seconds, for SageMaker variants that say nothing else
HIGH, LOW = 3, 15  # minutes of data that the two alarms of target tracking judge
SLACK = 0.9  # of the target value: below it there is capacity to spare

TARGET_TRACKING = "TargetTrackingScalingPolicyConfiguration"
STEPS = "StepScalingPolicyConfiguration"
CONFIGURATIONS = {"TargetTrackingScaling": TARGET_TRACKING, "StepScaling": STEPS}

# Predefined metrics of variants and components: dimension, name in AWS/SageMaker, statistic.
PREDEFINED = {
    "SageMakerVariantInvocationsPerInstance": (variants.INSTANCES, "InvocationsPerInstance", "Sum"),
    "SageMakerVariantConcurrentRequestsPerModelHighResolution": (
        variants.INSTANCES,
        "ConcurrentRequestsPerModel",
        "Average",
    ),
    "SageMakerVariantProvisionedConcurrencyUtilization": (
        variants.CONCURRENCY,
        "ServerlessProvisionedConcurrencyUtilization",
        "Maximum",
    ),
    "SageMakerInferenceComponentInvocationsPerCopy": (variants.COPIES, "InvocationsPerCopy", "Sum"),
    "SageMakerInferenceComponentConcurrentRequestsPerCopyHighResolution": (
        variants.COPIES,
        "ConcurrentRequestsPerCopy",
        "Average",
    ),
}


class Policy(BaseModel):
    """A scaling policy of a target, and the alarms that were made for it."""

    def __init__(self, target: Target, name: str, kind: str, config: Mapping[str, Any]) -> None:
        self.target_key = target.key
        self.account_id, self.region_name = target.account_id, target.region_name
        self.name, self.kind, self.config = name, kind, dict(config)
        self.creation_time = naive_now()
        namespace, resource_id, _ = target.key
        self.arn = (
            f"arn:{get_partition(self.region_name)}:autoscaling:{self.region_name}:"
            f"{self.account_id}:scalingPolicy:{uuid4()}:resource/{namespace}/{resource_id}:"
            f"policyName/{name}"
        )
        self.alarms: list[str] = []  # names: of AlarmHigh and AlarmLow

    @property
    def cloudwatch(self) -> Any:
        return cloudwatch_backends[self.account_id][self.region_name]

    def make_alarms(self) -> None:
        """The two alarms of target tracking, for what the lab can scale."""
        _, resource_id, dimension = self.target_key
        if self.kind != "TargetTrackingScaling" or dimension not in variants.CALLED:
            return
        target = self.config["TargetValue"]
        sides = (
            ("AlarmHigh", "GreaterThanThreshold", target, HIGH),
            ("AlarmLow", "LessThanThreshold", target * SLACK, LOW),
        )
        for side, operator, threshold, periods in sides:
            name = f"TargetTracking-{resource_id}-{side}-{uuid4()}"
            said = f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {self.arn}."
            request = {
                **metric_of(self.config, resource_id),
                "AlarmName": name[:255],
                "AlarmDescription": said[:1024],
                "AlarmActions": [f"{self.arn}:createdBy/{uuid4()}"],
                "ComparisonOperator": operator,
                "Threshold": threshold,
                "EvaluationPeriods": periods,
            }
            save(self.cloudwatch, request)
            self.alarms.append(request["AlarmName"])

    def remove_alarms(self) -> None:
        self.cloudwatch.delete_alarms(self.alarms)
        self.alarms = []

    def cooldown(self, out: bool) -> int:
        """Seconds in which an activity is waited for before the next in the same direction."""
        if self.kind == "StepScaling":
            return int(self.config.get("Cooldown", COOLDOWN))
        return int(self.config.get("ScaleOutCooldown" if out else "ScaleInCooldown", COOLDOWN))

    def watching(self) -> list[Any]:
        """The alarms that this policy acts on."""
        found = list(self.cloudwatch.alarms.values())
        if self.alarms:
            return [alarm for alarm in found if alarm.name in self.alarms]
        states = ("OK", "ALARM", "INSUFFICIENT_DATA")
        return [
            alarm for alarm in found if any(self.arn in alarm.actions(state) for state in states)
        ]

    def described(self) -> dict[str, Any]:
        return {
            **names_of(self.target_key),
            "PolicyARN": self.arn,
            "PolicyName": self.name,
            "PolicyType": self.kind,
            CONFIGURATIONS[self.kind]: self.config,
            "Alarms": self.shown_alarms(),
            "CreationTime": self.creation_time,
        }

    def shown_alarms(self) -> list[dict[str, str]]:
        return [{"AlarmName": alarm.name, "AlarmARN": alarm.alarm_arn} for alarm in self.watching()]


def metric_of(config: Mapping[str, Any], resource_id: str) -> dict[str, Any]:
    """The metric that is tracked, as PutMetricAlarm takes it."""
    predefined = config.get("PredefinedMetricSpecification")
    if predefined:
        _, name, statistic = PREDEFINED[predefined["PredefinedMetricType"]]
        return {
            "Namespace": "AWS/SageMaker",
            "MetricName": name,
            "Statistic": statistic,
            "Period": 60,
            "Dimensions": variants.dimensions(resource_id),
        }
    custom = config["CustomizedMetricSpecification"]
    if custom.get("Metrics"):
        return {"Metrics": [by_the_minute(query) for query in custom["Metrics"]]}
    names = ("Namespace", "MetricName", "Statistic", "Unit", "Dimensions")
    return {"Period": 60, **{name: custom[name] for name in names if custom.get(name)}}


def by_the_minute(query: Mapping[str, Any]) -> dict[str, Any]:
    if not query.get("MetricStat"):
        return dict(query)
    return {**query, "MetricStat": {**query["MetricStat"], "Period": 60}}


# --- what is refused -----------------------------------------------------------------------------


def check_policy(target: Target, name: str, kind: str | None, config: Any) -> None:
    """Refuse what the model allows and Application Auto Scaling does not.

    Raises:
        ValidationException: with a message like that of Application Auto Scaling.
    """
    if kind not in CONFIGURATIONS:
        raise ValidationException(
            "PredictiveScaling is not supported for this scalable target"
            if kind
            else "PolicyType must be specified"
        )
    if not config:
        raise ValidationException(f"{CONFIGURATIONS[kind]} must be specified for {kind} policies")
    if kind == "StepScaling":
        check_steps(config)
    else:
        check_tracking(target, name, config)


def check_tracking(target: Target, name: str, config: Mapping[str, Any]) -> None:
    predefined = config.get("PredefinedMetricSpecification")
    custom = config.get("CustomizedMetricSpecification")
    if bool(predefined) == bool(custom):
        raise ValidationException(
            "Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification must "
            "be specified"
        )
    if not (math.isfinite(config["TargetValue"]) and config["TargetValue"] > 0):
        raise ValidationException("TargetValue must be greater than 0")
    for which in ("ScaleOutCooldown", "ScaleInCooldown"):
        if config.get(which, 0) < 0:
            raise ValidationException(f"{which} cannot be less than 0")
    if target.dimension in variants.CALLED:
        metric = predefined and predefined["PredefinedMetricType"]
        if metric and PREDEFINED.get(metric, ("",))[0] != target.dimension:
            raise ValidationException(
                f"The metric type {metric} is not supported for {target.dimension}"
            )
        if custom:
            check_custom(custom)
    for other in target.policies.values():
        if other.kind == "TargetTrackingScaling" and other.name != name:
            specification = other.config.get("PredefinedMetricSpecification")
            if (specification, other.config.get("CustomizedMetricSpecification")) == (
                predefined,
                custom,
            ):
                raise ValidationException(
                    "Only one TargetTrackingScaling policy for a given metric specification is "
                    "allowed."
                )


def check_custom(custom: Mapping[str, Any]) -> None:
    queries = custom.get("Metrics")
    if queries:
        if sum(query.get("ReturnData", True) for query in queries) != 1:
            raise ValidationException("Exactly one element of the metrics list should return data.")
        for query in queries:
            metric = (query.get("MetricStat") or {}).get("Metric") or {}
            named = metric.get("Namespace") and metric.get("MetricName")
            stat = (query.get("MetricStat") or {}).get("Stat") or ""
            if bool(named) == bool(query.get("Expression")) or (named and not is_statistic(stat)):
                raise ValidationException(f"The metric data query {query['Id']} is invalid.")
        return
    for name in ("Namespace", "MetricName", "Statistic"):
        if not custom.get(name):
            raise ValidationException(f"CustomizedMetricSpecification.{name} must be specified")


def check_steps(config: Mapping[str, Any]) -> None:
    if not config.get("AdjustmentType"):
        raise ValidationException("AdjustmentType must be specified")
    steps: Sequence[Mapping[str, Any]] = config.get("StepAdjustments") or []
    if not steps:
        raise ValidationException("At least one StepAdjustment must be specified")
    if config.get("Cooldown", 0) < 0:
        raise ValidationException("Cooldown cannot be less than 0")
    bounds = sorted(bounds_of(step) for step in steps)
    for lower, upper in bounds:
        if lower >= upper:
            raise ValidationException(
                "Lower bound of a StepAdjustment must be less than its upper bound"
            )
    for (_, upper), (lower, _) in pairwise(bounds):
        if upper != lower:
            raise ValidationException("StepAdjustment intervals can't overlap or have gaps")


def bounds_of(step: Mapping[str, Any]) -> tuple[float, float]:
    """Where a step begins and ends, relative to the threshold of the alarm."""
    lower, upper = step.get("MetricIntervalLowerBound"), step.get("MetricIntervalUpperBound")
    return -math.inf if lower is None else lower, math.inf if upper is None else upper


# --- operations ----------------------------------------------------------------------------------


@changes(
    ApplicationAutoScalingResponse,
    "application-autoscaling",
    "PutScalingPolicy",
    reason="needs no scalable target; makes no alarms for SageMaker; never scales",
    differs=(
        "the metric's newest minute is multiplied out; AWS does not say which it takes; metrics "
        "of high resolution are judged by the minute; no predictive scaling"
    ),
)
def put_scaling_policy(original: Function, self: Any) -> ActionResult:
    backend, params = self.applicationautoscaling_backend, self.params
    with LOCK:
        target = find_target(backend, params)
        name = params["PolicyName"]
        old = target.policies.get(name)
        kind = params.get("PolicyType") or (old and old.kind)
        config = params.get(CONFIGURATIONS.get(kind or "", "")) or (
            old.config if old and old.kind == kind else None
        )
        check_policy(target, name, kind, config)
        assert kind and config
        policy = Policy(target, name, kind, config)
        if old:
            policy.arn, policy.creation_time = old.arn, old.creation_time
            old.remove_alarms()
        policy.make_alarms()
        target.policies[name] = policy
    return ActionResult({"PolicyARN": policy.arn, "Alarms": policy.shown_alarms()})


@changes(
    ApplicationAutoScalingResponse,
    "application-autoscaling",
    "DescribeScalingPolicies",
    reason="ignores `PolicyNames`; names no alarms of step scaling",
    differs="",
)
def describe_scaling_policies(original: Function, self: Any) -> ActionResult:
    params = self.params
    names = params.get("PolicyNames")
    policies = [
        policy
        for target in targets_for(self, params)
        for policy in list(target.policies.values())
        if not names or policy.name in names or policy.arn in names
    ]
    page, token = paged(policies, params)
    return ActionResult(
        {"ScalingPolicies": [policy.described() for policy in page], "NextToken": token}
    )


def targets_for(self: Any, params: Mapping[str, Any]) -> list[Target]:
    """The targets that a Describe asks for: by namespace, and perhaps by resource or dimension."""
    return [
        target
        for target in list(targets_of(self.applicationautoscaling_backend).values())
        if target.namespace == params["ServiceNamespace"]
        and params.get("ResourceId") in (None, target.resource_id)
        and params.get("ScalableDimension") in (None, target.dimension)
    ]


@changes(
    ApplicationAutoScalingResponse,
    "application-autoscaling",
    "DeleteScalingPolicy",
    reason="answers `ValidationException` for a missing policy",
    differs="",
)
def delete_scaling_policy(original: Function, self: Any) -> EmptyResult:
    backend, params = self.applicationautoscaling_backend, self.params
    with LOCK:
        namespace, resource_id, dimension = key_of(params)
        target = targets_of(backend).get((namespace, resource_id, dimension))
        policy = target.policies.pop(params["PolicyName"], None) if target else None
        if policy is None:
            raise ObjectNotFound(
                f"No scaling policy found for service namespace: {namespace}, resource ID: "
                f"{resource_id}, scalable dimension: {dimension}, policy name: "
                f"{params['PolicyName']}"
            )
        policy.remove_alarms()
    return EmptyResult()
