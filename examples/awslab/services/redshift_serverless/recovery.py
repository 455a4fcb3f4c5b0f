"""Recovery points, taken every half hour and kept for a day; snapshots, kept as long as wanted."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from moto.core.common_models import BaseModel
from moto.core.responses import ActionResult

from awslab.clock import CLOCK, Course, Stage, now
from awslab.extension import adds
from awslab.services.redshift.events import aware
from awslab.services.redshift_data.warehouse import Image, Warehouse
from awslab.services.redshift_serverless.backend import (
    LOCK,
    NotFound,
    RedshiftServerlessBackend,
    RedshiftServerlessResponse,
    Request,
    conflict,
    new_id,
    page,
    redshiftserverless_backends,
    refuse,
)
from awslab.services.redshift_serverless.namespaces import Namespace, find_namespace
from awslab.services.redshift_serverless.workgroups import find_workgroup

EVERY = timedelta(minutes=30)
KEPT = timedelta(hours=24)
TAKING = 60.0  # seconds of the lab's clock
RESTORING = 300.0


class RecoveryPoint(BaseModel):
    def __init__(self, namespace: Namespace, workgroup: str) -> None:
        self.id = new_id()
        self.namespace = namespace.name
        self.namespace_arn = namespace.arn
        self.workgroup = workgroup
        self.create_time: datetime = now()
        self.image: Image | None = namespace.warehouse.image()

    def described(self) -> Request:
        return {
            "recoveryPointId": self.id,
            "recoveryPointCreateTime": self.create_time,
            "namespaceName": self.namespace,
            "namespaceArn": self.namespace_arn,
            "workgroupName": self.workgroup,
        }


class Snapshot(BaseModel):
    """days: how long it is kept; -1 is for ever."""

    def __init__(
        self,
        namespace: Namespace,
        name: str,
        days: int,
        tags: list[dict[str, str]],
        image: Image | None,
    ) -> None:
        self.name = name
        self.namespace = namespace.name
        self.namespace_arn = namespace.arn
        self.arn = namespace.backend.arn("snapshot", new_id())
        self.account = namespace.backend.account_id
        self.user = namespace.settings["adminUsername"]
        self.key = namespace.settings["kmsKeyId"]
        self.days = days
        self.tags = list(tags)
        self.create_time: datetime = now()
        self.image = image
        self.course = Course([Stage("CREATING", TAKING), Stage("AVAILABLE")])

    def described(self, status: str | None = None) -> Request:
        answer = {
            "snapshotName": self.name,
            "snapshotArn": self.arn,
            "namespaceName": self.namespace,
            "namespaceArn": self.namespace_arn,
            "ownerAccount": self.account,
            "adminUsername": self.user,
            "kmsKeyId": self.key,
            "status": status or self.course.stage,
            "snapshotCreateTime": self.create_time,
            "snapshotRetentionPeriod": self.days,
            "snapshotRetentionStartTime": self.create_time,
        }
        if self.days != -1:
            left = self.create_time + timedelta(days=self.days) - now()
            answer["snapshotRemainingDays"] = max(0, left.days)
        return answer


def take_snapshot(
    namespace: Namespace,
    name: str,
    days: int | None,
    tags: list[dict[str, str]],
    image: Image | None = None,
) -> Snapshot:
    """Keep a snapshot of a namespace, or of an image of it.

    Raises:
        ServiceException: the name is taken, or the days are none.
    """
    days = -1 if days is None else days
    if days != -1 and not 1 <= days <= 3653:
        refuse("The retention period must be either -1 or between 1 and 3653 days.")
    backend = namespace.backend
    with LOCK:
        if name in backend.snapshots:
            conflict(f"Snapshot {name} already exists.")
        found = image if image is not None else namespace.warehouse.image()
        snapshot = Snapshot(namespace, name, days, tags, found)
        backend.snapshots[name] = snapshot
    return snapshot


@CLOCK.every_tick
def take_recovery_points() -> None:
    for _, regions in list(redshiftserverless_backends.items()):
        for backend in list(regions.values()):
            with LOCK:
                for workgroup in list(backend.workgroups.values()):
                    workgroup.course.keep_up()
                    namespace = backend.namespaces.get(workgroup.namespace)
                    if namespace is not None and workgroup.course.stage == "AVAILABLE":
                        take_if_due(backend, namespace, workgroup.name)
                forget_old(backend)


def take_if_due(backend: RedshiftServerlessBackend, namespace: Namespace, workgroup: str) -> None:
    points = [p for p in backend.recovery_points.values() if p.namespace == namespace.name]
    last = max((point.create_time for point in points), default=namespace.create_time)
    if now() - last >= EVERY:
        point = RecoveryPoint(namespace, workgroup)
        backend.recovery_points[point.id] = point


def forget_old(backend: RedshiftServerlessBackend) -> None:
    for name, point in list(backend.recovery_points.items()):
        if now() - point.create_time > KEPT:
            backend.recovery_points.pop(name, None)
    for name, snapshot in list(backend.snapshots.items()):
        ends = snapshot.create_time + timedelta(days=max(snapshot.days, 0))
        if snapshot.days != -1 and now() > ends:
            backend.snapshots.pop(name, None)


def find_point(backend: RedshiftServerlessBackend, name: str) -> RecoveryPoint:
    """Raises ServiceException: `ResourceNotFoundException`."""
    point: RecoveryPoint | None = backend.recovery_points.get(name)
    if point is None:
        raise NotFound(f"Recovery point {name} is not found.", name)
    return point


def find_snapshot(backend: RedshiftServerlessBackend, params: Mapping[str, Any]) -> Snapshot:
    """Raises ServiceException: none or both are named, or there is none."""
    name, arn = params.get("snapshotName"), params.get("snapshotArn")
    if (name is None) == (arn is None):
        refuse("Exactly one of snapshotName and snapshotArn must be specified.")
    snapshots: list[Snapshot] = list(backend.snapshots.values())
    for snapshot in snapshots:
        if name == snapshot.name or arn == snapshot.arn:
            snapshot.course.keep_up()
            return snapshot
    raise NotFound(f"Snapshot {name or arn} is not found.", str(name or arn))


def restore(namespace: Namespace, image: Image | None) -> None:
    """Put what an image holds into a namespace, in place of what it stores."""
    namespace.warehouse.close()
    namespace.warehouse = Warehouse(namespace.settings["dbName"])
    namespace.warehouse.restore(image)
    namespace.course.divert([Stage("MODIFYING", RESTORING), Stage("AVAILABLE")])


# --- operations ----------------------------------------------------------------------------------


@adds(
    RedshiftServerlessResponse,
    "redshift-serverless",
    "ListRecoveryPoints",
    differs="points are taken when the lab's clock ticks; no sizes",
)
def list_recovery_points(self: Any) -> ActionResult:
    params, backend = self.params, self.backend
    start, end = aware(params.get("startTime")), aware(params.get("endTime"))
    found = [
        point.described()
        for point in reversed(list(backend.recovery_points.values()))
        if params.get("namespaceName") in (None, point.namespace)
        and params.get("namespaceArn") in (None, point.namespace_arn)
        and (start is None or point.create_time >= start)
        and (end is None or point.create_time <= end)
    ]
    shown, token = page(found, params)
    return ActionResult({"recoveryPoints": shown, "nextToken": token})


@adds(RedshiftServerlessResponse, "redshift-serverless", "GetRecoveryPoint", differs="")
def get_recovery_point(self: Any) -> ActionResult:
    point = find_point(self.backend, self.params["recoveryPointId"])
    return ActionResult({"recoveryPoint": point.described()})


@adds(
    RedshiftServerlessResponse, "redshift-serverless", "ConvertRecoveryPointToSnapshot", differs=""
)
def convert_recovery_point_to_snapshot(self: Any) -> ActionResult:
    params, backend = self.params, self.backend
    point = find_point(backend, params["recoveryPointId"])
    namespace = find_namespace(backend, point.namespace)
    days, tags = params.get("retentionPeriod"), params.get("tags") or []
    image = point.image or Image()
    snapshot = take_snapshot(namespace, params["snapshotName"], days, tags, image)
    return ActionResult({"snapshot": snapshot.described()})


@adds(RedshiftServerlessResponse, "redshift-serverless", "RestoreFromRecoveryPoint", differs="")
def restore_from_recovery_point(self: Any) -> ActionResult:
    params, backend = self.params, self.backend
    with LOCK:
        point = find_point(backend, params["recoveryPointId"])
        namespace = find_namespace(backend, params["namespaceName"])
        check_pair(find_workgroup(backend, params["workgroupName"]), namespace)
        restore(namespace, point.image)
        answer = {"recoveryPointId": point.id, "namespace": namespace.described()}
    return ActionResult(answer)


def check_pair(workgroup: Any, namespace: Namespace) -> None:
    if workgroup.namespace != namespace.name:
        refuse(f"Workgroup {workgroup.name} does not belong to namespace {namespace.name}.")
    if namespace.course.stage != "AVAILABLE":
        conflict("There is an operation running on the namespace. Try again later.")


@adds(RedshiftServerlessResponse, "redshift-serverless", "CreateSnapshot", differs="no sizes")
def create_snapshot(self: Any) -> ActionResult:
    params = self.params
    namespace = find_namespace(self.backend, params["namespaceName"])
    snapshot = take_snapshot(
        namespace, params["snapshotName"], params.get("retentionPeriod"), params.get("tags") or []
    )
    return ActionResult({"snapshot": snapshot.described()})


@adds(RedshiftServerlessResponse, "redshift-serverless", "GetSnapshot", differs="")
def get_snapshot(self: Any) -> ActionResult:
    snapshot = find_snapshot(self.backend, self.params)
    snapshot.course.look()
    return ActionResult({"snapshot": snapshot.described()})


@adds(RedshiftServerlessResponse, "redshift-serverless", "ListSnapshots", differs="")
def list_snapshots(self: Any) -> ActionResult:
    params, backend = self.params, self.backend
    start, end = aware(params.get("startTime")), aware(params.get("endTime"))
    found = [
        snapshot
        for snapshot in list(backend.snapshots.values())
        if params.get("namespaceName") in (None, snapshot.namespace)
        and params.get("namespaceArn") in (None, snapshot.namespace_arn)
        and params.get("ownerAccount") in (None, snapshot.account)
        and (start is None or snapshot.create_time >= start)
        and (end is None or snapshot.create_time <= end)
    ]
    shown, token = page(found, params)
    for snapshot in shown:
        snapshot.course.look()
    return ActionResult({"snapshots": [s.described() for s in shown], "nextToken": token})


@adds(RedshiftServerlessResponse, "redshift-serverless", "DeleteSnapshot", differs="")
def delete_snapshot(self: Any) -> ActionResult:
    with LOCK:
        snapshot = find_snapshot(self.backend, self.params)
        if snapshot.course.stage != "AVAILABLE":
            conflict(f"Snapshot {snapshot.name} is being created.")
        self.backend.snapshots.pop(snapshot.name, None)
    return ActionResult({"snapshot": snapshot.described("DELETED")})


@adds(
    RedshiftServerlessResponse,
    "redshift-serverless",
    "RestoreFromSnapshot",
    differs="snapshots of provisioned clusters cannot be restored",
)
def restore_from_snapshot(self: Any) -> ActionResult:
    params, backend = self.params, self.backend
    with LOCK:
        snapshot = find_snapshot(backend, params)
        namespace = find_namespace(backend, params["namespaceName"])
        check_pair(find_workgroup(backend, params["workgroupName"]), namespace)
        if snapshot.course.stage != "AVAILABLE":
            conflict(f"Snapshot {snapshot.name} is being created.")
        restore(namespace, snapshot.image)
        if params.get("manageAdminPassword"):
            namespace.manage_password(params.get("adminPasswordSecretKmsKeyId"))
        answer = {
            "snapshotName": snapshot.name,
            "ownerAccount": snapshot.account,
            "namespace": namespace.described(),
        }
    return ActionResult(answer)
