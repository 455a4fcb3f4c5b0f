"""Scheduled actions: pausing, resuming and resizing a cluster by the lab's clock."""

from collections.abc import Mapping
from datetime import datetime
from itertools import islice, pairwise
from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, EmptyResult
from moto.redshift.models import RedshiftBackend, redshift_backends
from moto.redshift.responses import RedshiftResponse

from awslab.clock import CLOCK, now
from awslab.extension import adds
from awslab.services.redshift import rules
from awslab.services.redshift.cluster import LOCK, Request, find_cluster, kept
from awslab.services.redshift.cron import At, BadSchedule, Schedule, of_action
from awslab.services.redshift.events import aware, record
from awslab.services.redshift.paging import page, refuse
from awslab.services.redshift.pauses import pause, resume
from awslab.services.redshift.resize import resize

SHOWN = 10  # next moments that a description names
HOUR = 3600.0
MEMBERS = (
    "ScheduledActionName",
    "TargetAction",
    "Schedule",
    "IamRole",
    "ScheduledActionDescription",
    "StartTime",
    "EndTime",
)


def checked_schedule(text: str) -> Schedule:
    """Raises ServiceException: `InvalidSchedule`."""
    try:
        schedule = of_action(text)
    except BadSchedule as error:
        refuse("InvalidSchedule", str(error))
    if isinstance(schedule, At) and schedule.moment <= now():
        refuse("InvalidSchedule", f"The schedule {text} is in the past.")
    moments = list(islice(schedule.after(now()), SHOWN))
    if not moments:
        refuse("InvalidSchedule", f"The schedule {text} has no future invocation.")
    for first, second in pairwise(moments):
        if (second - first).total_seconds() < HOUR:
            refuse(
                "InvalidSchedule", "Schedule invocations must be separated by at least one hour."
            )
    return schedule


def checked_target(backend: RedshiftBackend, target: Mapping[str, Any]) -> None:
    """Raises ServiceException: `InvalidScheduledAction`, `ClusterNotFound`."""
    given = [name for name, value in target.items() if value is not None]
    if len(given) != 1:
        refuse(
            "InvalidScheduledAction",
            "TargetAction must have exactly one of ResizeCluster, PauseCluster and ResumeCluster.",
        )
    find_cluster(backend, target[given[0]]["ClusterIdentifier"])


def checked_times(action: Request) -> None:
    start, end = action.get("StartTime"), action.get("EndTime")
    if start and end and start >= end:
        refuse("InvalidSchedule", "StartTime must be before EndTime.")
    if end and end <= now():
        refuse("InvalidSchedule", "EndTime must be in the future.")
    if not rules.ROLE.fullmatch(action["IamRole"]):
        refuse("InvalidScheduledAction", f"Invalid IAM role ARN: {action['IamRole']}")


def find_action(backend: RedshiftBackend, name: str) -> Request:
    """Raises ServiceException: `ScheduledActionNotFound`."""
    action: Request | None = kept(backend, "scheduled_actions").get(name)
    if action is None:
        refuse("ScheduledActionNotFound", f"Scheduled action {name} not found.")
    return action


def next_moments(action: Request, moment: datetime, count: int) -> list[datetime]:
    """When the action runs after this moment: within its times, as long as it is active."""
    if action["State"] != "ACTIVE":
        return []
    start, end = action.get("StartTime"), action.get("EndTime")
    found: list[datetime] = []
    for due in of_action(action["Schedule"]).after(max(moment, start) if start else moment):
        if (end and due > end) or len(found) == count:
            break
        found.append(due)
    return found


def described(action: Request) -> Request:
    shown = {name: action.get(name) for name in (*MEMBERS, "State")}
    return shown | {"NextInvocations": next_moments(action, now(), SHOWN)}


# --- running -------------------------------------------------------------------------------------


@CLOCK.every_tick
def run_due_actions() -> None:
    for _, regions in list(redshift_backends.items()):
        for backend in list(regions.values()):
            with LOCK:
                for action in list(kept(backend, "scheduled_actions").values()):
                    run_if_due(backend, action)


def run_if_due(backend: RedshiftBackend, action: Request) -> None:
    moment = now()
    due = next_moments(action, action["seen"], 1)
    action["seen"] = moment
    if not due or due[0] > moment:
        return
    target = action["TargetAction"]
    try:
        if target.get("PauseCluster"):
            pause(backend, target["PauseCluster"]["ClusterIdentifier"])
        elif target.get("ResumeCluster"):
            resume(backend, target["ResumeCluster"]["ClusterIdentifier"])
        else:
            resize(backend, target["ResizeCluster"])
    except ServiceException as error:
        name = action["ScheduledActionName"]
        said = f"The scheduled action {name} failed at [time]: {error.message}"
        record(backend, "scheduled-action", name, "FAILED", "Management", said, "ERROR")


# --- operations ----------------------------------------------------------------------------------


@adds(
    RedshiftResponse,
    "redshift",
    "CreateScheduledAction",
    differs="the role is not assumed, nor looked up; no quota; runs when the lab's clock ticks",
)
def create_scheduled_action(self: Any) -> ActionResult:
    params, backend = self.params, self.redshift_backend
    action = {name: params.get(name) for name in MEMBERS}
    action |= {name: aware(action[name]) for name in ("StartTime", "EndTime")}
    checked_schedule(params["Schedule"])
    checked_times(action)
    checked_target(backend, params["TargetAction"])
    action |= {"State": "DISABLED" if params.get("Enable") is False else "ACTIVE", "seen": now()}
    with LOCK:
        name = params["ScheduledActionName"]
        if name in kept(backend, "scheduled_actions"):
            refuse("ScheduledActionAlreadyExists", f"Scheduled action {name} already exists.")
        kept(backend, "scheduled_actions")[name] = action
    return ActionResult(described(action))


@adds(RedshiftResponse, "redshift", "DescribeScheduledActions", differs="")
def describe_scheduled_actions(self: Any) -> ActionResult:
    params, backend = self.params, self.redshift_backend
    if params.get("ScheduledActionName") is not None:
        find_action(backend, params["ScheduledActionName"])
    found = [a for a in list(kept(backend, "scheduled_actions").values()) if wanted(a, params)]
    shown, marker = page(found, params)
    return ActionResult({"ScheduledActions": [described(a) for a in shown], "Marker": marker})


def wanted(action: Request, params: Mapping[str, Any]) -> bool:
    target = {name: value for name, value in action["TargetAction"].items() if value}
    values = {
        "cluster-identifier": next(iter(target.values()))["ClusterIdentifier"],
        "iam-role": action["IamRole"],
    }
    start, end = aware(params.get("StartTime")), aware(params.get("EndTime"))
    if start or end:
        moments = next_moments(action, max(start, now()) if start else now(), 1)
        if not moments or (end and moments[0] >= end):
            return False
    return (
        params.get("ScheduledActionName") in (None, action["ScheduledActionName"])
        and params.get("TargetActionType") in (None, *target)
        and params.get("Active") in (None, action["State"] == "ACTIVE")
        and all(values.get(f["Name"]) in f["Values"] for f in params.get("Filters") or [])
    )


@adds(RedshiftResponse, "redshift", "ModifyScheduledAction", differs="")
def modify_scheduled_action(self: Any) -> ActionResult:
    params, backend = self.params, self.redshift_backend
    with LOCK:
        action = find_action(backend, params["ScheduledActionName"])
        changed = action | {name: params[name] for name in MEMBERS if params.get(name) is not None}
        changed |= {name: aware(changed[name]) for name in ("StartTime", "EndTime")}
        if params.get("Schedule") is not None:
            checked_schedule(params["Schedule"])
        if params.get("TargetAction") is not None:
            checked_target(backend, params["TargetAction"])
        checked_times(changed)
        if params.get("Enable") is not None:
            changed["State"] = "ACTIVE" if params["Enable"] else "DISABLED"
        action |= changed | {"seen": now()}
    return ActionResult(described(action))


@adds(RedshiftResponse, "redshift", "DeleteScheduledAction", differs="")
def delete_scheduled_action(self: Any) -> ActionResult:
    with LOCK:
        find_action(self.redshift_backend, self.params["ScheduledActionName"])
        kept(self.redshift_backend, "scheduled_actions").pop(self.params["ScheduledActionName"])
    return EmptyResult()
