"""What scales, when, and by how much; and the activities that tell of it.

Application Auto Scaling User Guide, "How target tracking scaling works" and "How step scaling
works".
"""

import contextlib
import json
import math
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from moto.applicationautoscaling.models import applicationautoscaling_backends
from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.core.responses import ActionResult

from awslab.calls import LISTENERS, Call
from awslab.clock import CLOCK, naive_now
from awslab.extension import Function, adds, changes
from awslab.services.application_autoscaling import variants
from awslab.services.application_autoscaling.policies import Policy, bounds_of, metric_of
from awslab.services.application_autoscaling.targets import (
    LOCK,
    Activity,
    Target,
    activities,
    all_targets,
    paged,
    targets_of,
)
from awslab.services.cloudwatch.alarm import Alarm
from awslab.services.cloudwatch.evaluation import (
    beginning,
    breaches,
    bring_up_to_date,
    give,
    latest,
    reason,
)
from awslab.services.cloudwatch.series import find as find_series
from awslab.telemetry import put_metric

MOST = 1e9  # more than anybody scales to
MINUTE, MOMENT = timedelta(minutes=1), timedelta(milliseconds=1)


@dataclass
class Proposal:
    """A capacity that a policy wants, and the alarm that made it want it."""

    capacity: int
    policy: Policy
    alarm: Alarm

    @property
    def cause(self) -> str:
        state = self.alarm.state.value
        return (
            f"monitor alarm {self.alarm.name} in state {state} triggered policy {self.policy.name}"
        )


# --- when ----------------------------------------------------------------------------------------


@CLOCK.every_tick
def scale_all() -> None:
    for target in all_targets():
        report_idleness(target)
        attend(target)


def attend_all(backend: Any) -> None:
    """Somebody looks: in the instant gait this is when things happen."""
    if CLOCK.instant:
        for target in list(targets_of(backend).values()):
            variants.measure(target.account_id, target.region_name, target.resource_id)
            if target.dimension == variants.COPIES:
                report_idleness(target)
            attend(target)


def look_at_endpoints(call: Call) -> None:
    """DescribeEndpoint, too, is a look; what it starts is seen by the next one."""
    looks = ("DescribeEndpoint", "DescribeInferenceComponent")
    if call.service == "sagemaker" and call.operation in looks:
        backend = (applicationautoscaling_backends.get(call.account) or {}).get(call.region)
        if backend:
            attend_all(backend)


LISTENERS.append(look_at_endpoints)


def report_idleness(target: Target) -> None:
    """What has no traffic reports zeros, so that it can be scaled in; without copies there is
    nothing that a number per copy could be told of."""
    if target.dimension not in (variants.INSTANCES, variants.COPIES):
        return
    try:
        found = variants.find(target.account_id, target.region_name, target.resource_id)[1]
    except variants.Missing:
        return
    if target.dimension == variants.COPIES and not found.copies:
        return
    for policy in list(target.policies.values()):
        if "PredefinedMetricSpecification" in policy.config:
            metric = metric_of(policy.config, target.resource_id)
            series, at = find_series(policy.cloudwatch, metric), naive_now()
            recent = series.between(at - MINUTE + MOMENT, at)
            called = metric["MetricName"] in ("InvocationsPerInstance", "InvocationsPerCopy")
            if called and not recent:
                names = {pair["Name"]: pair["Value"] for pair in metric["Dimensions"]}
                account, region = target.account_id, target.region_name
                put_metric(account, region, metric["Namespace"], metric["MetricName"], 0.0, names)


def attend(target: Target) -> None:
    """Do for a target what is due."""
    if target.dimension not in variants.CALLED:
        return
    with LOCK:
        try:
            capacity = variants.capacity(
                target.account_id, target.region_name, target.resource_id, target.dimension
            )
        except variants.Missing:
            abandon(target)
            return
        run_schedules(target)
        if capacity is None:
            return
        finish(target, capacity)
        if enforce_limits(target, capacity):
            return
        proposal = proposed(target, capacity)
        if proposal:
            scale(target, capacity, proposal.capacity, proposal.cause, proposal.policy.name)


# --- limits and schedules ------------------------------------------------------------------------


def run_schedules(target: Target) -> None:
    for action in list(target.scheduled.values()):
        if not action.due() or target.suspended["ScheduledScalingSuspended"]:
            continue
        least = action.limits.get("MinCapacity", target.min_capacity)
        most = action.limits.get("MaxCapacity", target.max_capacity)
        said = f"min capacity to {least} and max capacity to {most}"
        cause = f"scheduled action name {action.name} was triggered"
        if least > most:
            why = "Maximum capacity cannot be less than minimum capacity"
            message = f"Failed to set {said}. Reason: {why}"
            target.activities.append(
                Activity(target.key, f"Setting {said}", cause, "Failed", message)
            )
            continue
        target.min_capacity, target.max_capacity = least, most
        target.limits_are_new = True
        message = f"Successfully set {said}"
        target.activities.append(
            Activity(target.key, f"Setting {said}", cause, "Successful", message)
        )


def enforce_limits(target: Target, capacity: int) -> bool:
    """Bring the capacity between limits that have just been set; whether that was needed."""
    if not target.limits_are_new:
        return False
    target.limits_are_new = False
    wanted = limited(target, capacity)
    if wanted == capacity:
        return False
    which = "minimum" if wanted > capacity else "maximum"
    scale(target, capacity, wanted, f"{which} capacity was set to {wanted}")
    return True


def limited(target: Target, capacity: float) -> int:
    return int(max(target.min_capacity, min(target.max_capacity, capacity)))


# --- how much ------------------------------------------------------------------------------------


def proposed(target: Target, capacity: int) -> Proposal | None:
    """What the policies want together: the most, and less only when none of them minds."""
    last, policies = target.last_activity, list(target.policies.values())
    for policy in policies[:1]:
        bring_up_to_date(policy.cloudwatch)
    wishes = [wish for policy in policies for wish in wishes_of(target, policy, capacity, last)]
    out = [wish for wish in wishes if wish.capacity > capacity]
    if out and not target.suspended["DynamicScalingOutSuspended"]:
        return max(out, key=lambda wish: wish.capacity)
    less = [wish for wish in wishes if wish.capacity < capacity]
    if out or not less or target.suspended["DynamicScalingInSuspended"]:
        return None
    willing = {wish.policy.name for wish in less}
    for policy in policies:
        tracks = policy.kind == "TargetTrackingScaling" and not policy.config.get("DisableScaleIn")
        if tracks and policy.name not in willing:
            return None
    return max(less, key=lambda wish: wish.capacity)


def wishes_of(
    target: Target, policy: Policy, capacity: int, last: Activity | None
) -> list[Proposal]:
    """What one policy wants because of the alarms that it watches."""
    wanted_by = steps if policy.kind == "StepScaling" else tracking
    wishes = []
    for alarm in policy.watching():
        value = reading(policy, alarm, last)
        if value is None:
            continue
        wanted = wanted_by(policy, alarm, value, capacity)
        direction = wanted > capacity
        if direction and waits(policy, last, out=True):
            # Only more than what is on its way already.
            assert last and last.before is not None
            wanted = wanted_by(policy, alarm, value, last.before)
        elif not direction and waits(policy, last, out=False):
            continue
        if not direction and policy.config.get("DisableScaleIn"):
            continue
        wishes.append(Proposal(limited(target, wanted), policy, alarm))
    return wishes


def reading(policy: Policy, alarm: Alarm, last: Activity | None) -> float | None:
    """The value of an alarm that has the policy act; None when it has it do nothing."""
    backend = policy.cloudwatch
    since = None
    if last and CLOCK.instant:
        # A step that is repeated while the first is on its way is what a cooldown prevents.
        since = (policy.kind == "StepScaling" and last.ended_at) or last.started_at
    if alarm.name in policy.alarms and CLOCK.instant:
        return judged_at_once(backend, alarm, since or beginning(alarm, 1))
    acts = any(arn.startswith(policy.arn) for arn in alarm.actions(alarm.state.value))
    if not acts or not alarm.actions_enabled:
        return None
    value = latest(backend, alarm)
    if since and latest(backend, alarm, since) is None and alarm.state.at <= since:
        return None  # nothing new since the last activity
    if value is None:
        told = json.loads(alarm.state.data or "{}")
        points = told.get("recentDatapoints") if isinstance(told, dict) else None
        value = points[-1] if points else alarm.request.get("Threshold")
    return value if isinstance(value, int | float) else None


def judged_at_once(backend: Any, alarm: Alarm, since: Any) -> float | None:
    """In the instant gait an alarm of target tracking does not wait for its 3 or 15 minutes: what
    was measured since the last activity counts for all of them."""
    value = latest(backend, alarm, since)
    if value is None:
        return None
    state = "ALARM" if breaches(value, alarm.request) else "OK"
    if state != alarm.state.value:
        why = reason(alarm.request, state, [(naive_now(), value)])
        give(backend, alarm, state, why, json.dumps({"recentDatapoints": [value]}))
    return value if state == "ALARM" else None


def waits(policy: Policy, last: Activity | None, out: bool) -> bool:
    """Whether the cooldown of the last activity in this direction is not over."""
    if CLOCK.instant or last is None or last.policy != policy.name:
        return False
    if last.before is None or last.after is None or (last.after > last.before) != out:
        return False
    over = (last.ended_at or last.started_at) + timedelta(seconds=policy.cooldown(out))
    return naive_now() < over


def tracking(policy: Policy, alarm: Alarm, value: float, capacity: int) -> float:
    """So many that the metric of each would be at the target."""
    wanted = max(capacity, 1) * value / policy.config["TargetValue"]
    wanted = math.ceil(max(-MOST, min(wanted, MOST)) - 1e-9)  # 1e-9: of floats, not of AWS
    high = alarm.request["ComparisonOperator"].startswith("Greater")
    return max(wanted, capacity) if high else min(wanted, capacity)


def steps(policy: Policy, alarm: Alarm, value: float, capacity: int) -> float:
    """The capacity after the step that fits how far the metric is beyond the threshold."""
    beyond = value - (alarm.request.get("Threshold") or 0.0)
    for step in policy.config["StepAdjustments"]:
        lower, upper = bounds_of(step)
        inside = lower <= beyond < upper if beyond >= 0 else lower < beyond <= upper
        if inside:
            return adjusted(policy, step["ScalingAdjustment"], capacity)
    return capacity


def adjusted(policy: Policy, adjustment: int, capacity: int) -> float:
    kind = policy.config["AdjustmentType"]
    if kind == "ExactCapacity":
        return adjustment
    if kind == "ChangeInCapacity":
        return capacity + adjustment
    change = capacity * adjustment / 100
    # AWS rounds towards zero, but never to zero.
    whole = math.trunc(change) or (0 if change == 0 else int(math.copysign(1, change)))
    least = policy.config.get("MinAdjustmentMagnitude") or 0
    if abs(whole) < least and adjustment:
        whole = int(math.copysign(least, adjustment))
    return capacity + whole


# --- activities ----------------------------------------------------------------------------------


def scale(target: Target, before: int, wanted: int, cause: str, policy: str = "") -> None:
    """Change the capacity, and tell of it."""
    if wanted == before:
        return
    called = f"{variants.CALLED[target.dimension]} to {wanted}"
    try:
        variants.set_capacity(
            target.account_id, target.region_name, target.resource_id, target.dimension, wanted
        )
        status, ended = "InProgress", None
        message = f"Successfully set {called}. Waiting for change to be fulfilled by sagemaker."
    except (variants.Refused, variants.Missing) as error:
        status, ended = "Failed", naive_now()
        message = (
            f"Failed to set {called}. Reason: {error} (Service: AmazonSageMaker; Status Code: 400; "
            "Error Code: ValidationException)."
        )
    activity = Activity(
        target.key, f"Setting {called}.", cause, status, message, before, wanted, policy
    )
    activity.ended_at = ended
    target.activities.append(activity)


def finish(target: Target, capacity: int) -> None:
    """The endpoint is in service again: what was in progress is done."""
    for activity in open_activities(target):
        called = variants.CALLED[target.dimension]
        if capacity == activity.after:
            activity.status = "Successful"
            done = f"Successfully set {called} to {capacity}."
            activity.message = f"{done} Change successfully fulfilled by sagemaker."
        else:
            activity.status = "Overridden"
            activity.message = f"The {called} was set to {capacity} meanwhile."
        activity.ended_at = naive_now()


def abandon(target: Target) -> None:
    """The endpoint is gone: what was in progress has failed."""
    for activity in open_activities(target):
        activity.status, activity.ended_at = "Failed", naive_now()
        activity.message = variants.missing(target.resource_id)


def look_at_changes(backend: Any) -> None:
    """In the instant gait a look at the activities is one at what they change."""
    for target in list(targets_of(backend).values()):
        if open_activities(target):
            with contextlib.suppress(variants.Missing):
                variants.look(target.account_id, target.region_name, target.resource_id)


def open_activities(target: Target) -> list[Activity]:
    mine = [activity for activity in target.activities if activity.target == target.key]
    return [activity for activity in mine if activity.status == "InProgress"]


@adds(
    ApplicationAutoScalingResponse,
    "application-autoscaling",
    "DescribeScalingActivities",
    differs="what was not scaled is not listed; the last 10,000 activities are kept",
)
def describe_scaling_activities(self: Any) -> ActionResult:
    backend, params = self.applicationautoscaling_backend, self.params
    if CLOCK.instant:
        look_at_changes(backend)
    attend_all(backend)
    found = [
        activity
        for activity in reversed(activities(backend))
        if activity.target[0] == params["ServiceNamespace"]
        and params.get("ResourceId") in (None, activity.target[1])
        and params.get("ScalableDimension") in (None, activity.target[2])
    ]
    page, token = paged(found, params)
    return ActionResult(
        {"ScalingActivities": [one.described() for one in page], "NextToken": token}
    )


@changes(
    ApplicationAutoScalingResponse,
    "application-autoscaling",
    "DescribeScalableTargets",
    reason="gives a second page for ever; shows no suspended state that was not set",
    differs="",
)
def describe_scalable_targets(original: Function, self: Any) -> ActionResult:
    backend, params = self.applicationautoscaling_backend, self.params
    attend_all(backend)
    ids = params.get("ResourceIds")
    targets = [
        target
        for target in list(targets_of(backend).values())
        if target.namespace == params["ServiceNamespace"]
        and (not ids or target.resource_id in ids)
        and params.get("ScalableDimension") in (None, target.dimension)
    ]
    page, token = paged(targets, params)
    return ActionResult(
        {"ScalableTargets": [target.described() for target in page], "NextToken": token}
    )
