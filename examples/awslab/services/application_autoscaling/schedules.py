"""Scheduled actions: new limits at a time, or again and again."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.core.common_models import BaseModel
from moto.core.responses import ActionResult, EmptyResult
from moto.utilities.utils import get_partition

from awslab.clock import naive_now
from awslab.extension import Function, changes
from awslab.services.application_autoscaling.expressions import BadSchedule, occurs, zone_of
from awslab.services.application_autoscaling.policies import targets_for
from awslab.services.application_autoscaling.targets import (
    LOCK,
    ObjectNotFound,
    Target,
    ValidationException,
    check_limits,
    find_target,
    key_of,
    names_of,
    paged,
    targets_of,
)
from awslab.services.cloudwatch.series import naive

OPTIONS = ("Schedule", "Timezone", "StartTime", "EndTime", "ScalableTargetAction")


class ScheduledAction(BaseModel):
    """New limits for a target, and when they come."""

    def __init__(self, target: Target, name: str) -> None:
        self.target_key = target.key
        self.name = name
        self.options: dict[str, Any] = {}
        self.creation_time = self.looked_at = naive_now()
        namespace, resource_id, _ = target.key
        region = target.region_name
        self.arn = (
            f"arn:{get_partition(region)}:autoscaling:{region}:{target.account_id}:"
            f"scheduledAction:{target.arn.rpartition('/')[2]}:resource/{namespace}/{resource_id}:"
            f"scheduledActionName/{name}"
        )

    @property
    def limits(self) -> dict[str, int]:
        return dict(self.options["ScalableTargetAction"])

    def due(self) -> bool:
        """Whether it has come since the last time that this was asked."""
        after, until = self.looked_at, naive_now()
        start, end = self.options.get("StartTime"), self.options.get("EndTime")
        self.looked_at = until
        begin = naive(start) if start else self.creation_time
        after = max(after, begin - timedelta(microseconds=1))  # it may come at once
        until = min(until, naive(end)) if end else until
        zone = zone_of(self.options.get("Timezone"))
        return after < until and occurs(self.options["Schedule"], zone, begin, after, until)

    def described(self) -> dict[str, Any]:
        return {
            **names_of(self.target_key),
            **self.options,
            "ScheduledActionName": self.name,
            "ScheduledActionARN": self.arn,
            "CreationTime": self.creation_time,
        }


def check(options: Mapping[str, Any]) -> None:
    """Refuse what the model allows and Application Auto Scaling does not.

    Raises:
        ValidationException: with a message like that of Application Auto Scaling.
    """
    action = options.get("ScalableTargetAction") or {}
    if not options.get("Schedule"):
        raise ValidationException("Schedule must be specified")
    if not action:
        raise ValidationException("ScalableTargetAction must specify a minimum or a maximum")
    if len(action) == 2:
        check_limits(action["MinCapacity"], action["MaxCapacity"])
    check_limits(0, action.get("MaxCapacity", 0))
    check_limits(action.get("MinCapacity", 0), action.get("MinCapacity", 0))
    start, end = options.get("StartTime"), options.get("EndTime")
    if start and end and naive(start) >= naive(end):
        raise ValidationException("StartTime must be before EndTime")
    try:
        epoch = datetime(1970, 1, 1)
        occurs(options["Schedule"], zone_of(options.get("Timezone")), epoch, epoch, epoch)
    except BadSchedule as error:
        raise ValidationException(str(error)) from error


@changes(
    ApplicationAutoScalingResponse,
    "application-autoscaling",
    "PutScheduledAction",
    reason="needs no scalable target; takes any schedule; never runs",
    differs="no `W` in cron expressions; `at` actions stay in the list",
)
def put_scheduled_action(original: Function, self: Any) -> EmptyResult:
    params = self.params
    with LOCK:
        target = find_target(self.applicationautoscaling_backend, params)
        old = target.scheduled.get(params["ScheduledActionName"])
        given = {name: params[name] for name in OPTIONS if params.get(name) is not None}
        options = (old.options if old else {}) | given
        check(options)
        action = old or ScheduledAction(target, params["ScheduledActionName"])
        action.options, action.looked_at = options, naive_now()
        target.scheduled[action.name] = action
    return EmptyResult()


@changes(
    ApplicationAutoScalingResponse,
    "application-autoscaling",
    "DescribeScheduledActions",
    reason="has no pages",
    differs="",
)
def describe_scheduled_actions(original: Function, self: Any) -> ActionResult:
    names = self.params.get("ScheduledActionNames")
    actions = [
        action
        for target in targets_for(self, self.params)
        for action in list(target.scheduled.values())
        if not names or action.name in names
    ]
    page, token = paged(actions, self.params)
    return ActionResult(
        {"ScheduledActions": [action.described() for action in page], "NextToken": token}
    )


@changes(
    ApplicationAutoScalingResponse,
    "application-autoscaling",
    "DeleteScheduledAction",
    reason="deletes what does not exist",
    differs="",
)
def delete_scheduled_action(original: Function, self: Any) -> EmptyResult:
    params = self.params
    with LOCK:
        namespace, resource_id, dimension = key_of(params)
        key = namespace, resource_id, dimension
        target = targets_of(self.applicationautoscaling_backend).get(key)
        if target is None or params["ScheduledActionName"] not in target.scheduled:
            raise ObjectNotFound(
                f"No scheduled action found for service namespace: {namespace}, resource ID: "
                f"{resource_id}, scalable dimension: {dimension}, scheduled action name: "
                f"{params['ScheduledActionName']}"
            )
        del target.scheduled[params["ScheduledActionName"]]
    return EmptyResult()
