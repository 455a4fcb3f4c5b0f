"""When AWS takes snapshots by itself: every eight hours, or by a schedule of the account."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from heapq import merge
from itertools import islice
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.moto_api._internal import mock_random
from moto.redshift.models import RedshiftBackend, redshift_backends
from moto.redshift.responses import RedshiftResponse

from awslab.clock import CLOCK, now
from awslab.extension import adds
from awslab.services.redshift.cluster import (
    LOCK,
    Cluster,
    Request,
    find_cluster,
    kept,
)
from awslab.services.redshift.cron import BadSchedule, of_snapshots
from awslab.services.redshift.paging import contradictory, invalid, page, refuse, tagged
from awslab.services.redshift.snapshots import expire, take_automated

USUAL = timedelta(hours=8)
SHOWN = 3  # next moments that a description names
MOST_SHOWN = 100
IDENTIFIER = re.compile(r"[A-Za-z0-9-]{1,255}")


def find_schedule(backend: RedshiftBackend, name: str) -> Request:
    """Raises ServiceException: `SnapshotScheduleNotFound`."""
    schedule: Request | None = kept(backend, "snapshot_schedules").get(name)
    if schedule is None:
        refuse("SnapshotScheduleNotFound", f"Snapshot schedule {name} not found.")
    return schedule


def next_moments(definitions: list[str], moment: datetime, count: int) -> list[datetime]:
    every = [of_snapshots(definition).after(moment) for definition in definitions]
    return list(islice(merge(*every), count))


def checked(definitions: list[str] | None) -> list[str]:
    """Raises ServiceException: `InvalidSchedule`."""
    try:
        for definition in definitions or []:
            of_snapshots(definition)
    except BadSchedule as error:
        refuse("InvalidSchedule", str(error))
    if not definitions:
        refuse("InvalidSchedule", "At least one schedule definition is required.")
    return list(definitions)


def plan_snapshot(cluster: Cluster) -> None:
    """Set when the next automated snapshot of the cluster is due, from now."""
    if not cluster.settings["AutomatedSnapshotRetentionPeriod"]:
        cluster.next_snapshot = None
    elif cluster.schedule:
        schedule = find_schedule(cluster.backend, cluster.schedule)
        due = next_moments(schedule["ScheduleDefinitions"], now(), 1)
        cluster.next_snapshot = due[0] if due else None
    else:
        cluster.next_snapshot = now() + USUAL


@CLOCK.every_tick
def take_due_snapshots() -> None:
    for _, regions in list(redshift_backends.items()):
        for backend in list(regions.values()):
            with LOCK:
                for cluster in list(backend.clusters.values()):
                    cluster.course.keep_up()
                    due = cluster.next_snapshot
                    if due and due <= now() and cluster.status == "available":
                        take_automated(cluster)
                        plan_snapshot(cluster)
                expire(backend)


def described(backend: RedshiftBackend, schedule: Request) -> Request:
    using = [c for c in list(backend.clusters.values()) if c.schedule == schedule["name"]]
    moments = next_moments(schedule["ScheduleDefinitions"], now(), SHOWN)
    return {
        "ScheduleIdentifier": schedule["name"],
        "ScheduleDefinitions": schedule["ScheduleDefinitions"],
        "ScheduleDescription": schedule["ScheduleDescription"],
        "Tags": schedule["Tags"],
        "NextInvocations": moments,
        "AssociatedClusterCount": len(using),
        "AssociatedClusters": [
            {"ClusterIdentifier": c.name, "ScheduleAssociationState": "ACTIVE"} for c in using[:100]
        ],
    }


@adds(
    RedshiftResponse,
    "redshift",
    "CreateSnapshotSchedule",
    differs="no quota; a rate counts from midnight UTC of 1 January 1970",
)
def create_snapshot_schedule(self: Any) -> ActionResult:
    params, backend = self.params, self.redshift_backend
    definitions = checked(params.get("ScheduleDefinitions"))
    name = params.get("ScheduleIdentifier") or f"schedule-{mock_random.get_random_hex(12)}"
    if not IDENTIFIER.fullmatch(name):
        invalid(f"Invalid schedule identifier: {name}. Only alphanumeric characters are allowed.")
    count = params.get("NextInvocations")
    count = SHOWN if count is None else count
    if not 0 <= count <= MOST_SHOWN:
        invalid(f"NextInvocations must be between 0 and {MOST_SHOWN}.")
    schedule = {
        "name": name,
        "ScheduleDefinitions": definitions,
        "ScheduleDescription": params.get("ScheduleDescription"),
        "Tags": params.get("Tags") or [],
    }
    with LOCK:
        if name in kept(backend, "snapshot_schedules"):
            refuse("SnapshotScheduleAlreadyExists", f"Snapshot schedule {name} already exists.")
        if not params.get("DryRun"):
            kept(backend, "snapshot_schedules")[name] = schedule
    moments = next_moments(definitions, now(), count)
    return ActionResult(described(backend, schedule) | {"NextInvocations": moments})


@adds(RedshiftResponse, "redshift", "DescribeSnapshotSchedules", differs="")
def describe_snapshot_schedules(self: Any) -> ActionResult:
    params, backend = self.params, self.redshift_backend
    names = {params.get("ScheduleIdentifier")} - {None}
    if params.get("ClusterIdentifier"):
        names.add(find_cluster(backend, params["ClusterIdentifier"]).schedule)
    found = [
        schedule
        for name, schedule in list(kept(backend, "snapshot_schedules").items())
        if names <= {name} and tagged(schedule["Tags"], params)
    ]
    shown, marker = page(found, params)
    return ActionResult(
        {"SnapshotSchedules": [described(backend, s) for s in shown], "Marker": marker}
    )


@adds(RedshiftResponse, "redshift", "ModifySnapshotSchedule", differs="takes effect at once")
def modify_snapshot_schedule(self: Any) -> ActionResult:
    params, backend = self.params, self.redshift_backend
    definitions = checked(params["ScheduleDefinitions"])
    with LOCK:
        schedule = find_schedule(backend, params["ScheduleIdentifier"])
        schedule["ScheduleDefinitions"] = definitions
        for cluster in list(backend.clusters.values()):
            if cluster.schedule == schedule["name"]:
                plan_snapshot(cluster)
    return ActionResult(described(backend, schedule))


@adds(RedshiftResponse, "redshift", "DeleteSnapshotSchedule", differs="")
def delete_snapshot_schedule(self: Any) -> ActionResult:
    backend, name = self.redshift_backend, self.params["ScheduleIdentifier"]
    with LOCK:
        find_schedule(backend, name)
        if any(cluster.schedule == name for cluster in list(backend.clusters.values())):
            refuse(
                "InvalidClusterSnapshotScheduleState",
                f"Snapshot schedule {name} is associated with at least one cluster.",
            )
        kept(backend, "snapshot_schedules").pop(name, None)
    return EmptyResult()


@adds(
    RedshiftResponse,
    "redshift",
    "ModifyClusterSnapshotSchedule",
    differs="takes effect at once",
)
def modify_cluster_snapshot_schedule(self: Any) -> ActionResult:
    params, backend = self.params, self.redshift_backend
    with LOCK:
        cluster = find_cluster(backend, params["ClusterIdentifier"])
        associate(cluster, params)
        plan_snapshot(cluster)
    return EmptyResult()


def associate(cluster: Cluster, params: Mapping[str, Any]) -> None:
    name = params.get("ScheduleIdentifier")
    if params.get("DisassociateSchedule"):
        if name is not None:
            contradictory(
                "ScheduleIdentifier cannot be specified when DisassociateSchedule is true."
            )
        cluster.schedule = None
        return
    if name is None:
        contradictory("Either ScheduleIdentifier or DisassociateSchedule must be specified.")
    find_schedule(cluster.backend, name)
    cluster.schedule = name
