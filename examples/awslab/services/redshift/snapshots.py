"""Snapshots: what a cluster stored at one moment."""

from collections.abc import Mapping
from copy import copy
from datetime import datetime, timedelta
from typing import Any

from moto.core.common_models import BaseModel
from moto.core.responses import ActionResult
from moto.redshift.models import RedshiftBackend, TaggableResourceMixin
from moto.redshift.responses import RedshiftResponse

from awslab.clock import Course, Stage, now
from awslab.extension import Function, adds, changes
from awslab.services.redshift import rules
from awslab.services.redshift.cluster import LOCK, Cluster, Request, find_idle_cluster
from awslab.services.redshift.events import aware, record
from awslab.services.redshift.nodes import NODE_TYPES
from awslab.services.redshift.paging import contradictory, invalid, page, refuse, tagged

# Seconds of the lab's clock.
TAKING = 60.0

KEEPS = (  # settings of the cluster that a snapshot keeps, under the same names
    "Port",
    "AvailabilityZone",
    "MasterUsername",
    "ClusterVersion",
    "NodeType",
    "NumberOfNodes",
    "DBName",
    "VpcId",
    "Encrypted",
    "KmsKeyId",
    "EnhancedVpcRouting",
    "MaintenanceTrackName",
)


class Snapshot(TaggableResourceMixin, BaseModel):
    """A cluster's settings and data.

    days: how long it is kept; -1 is for ever.
    """

    resource_type = "snapshot"

    def __init__(
        self,
        cluster: Cluster,
        name: str,
        kind: str,
        days: int,
        tags: list[dict[str, str]] | None = None,
        course: Course | None = None,
    ) -> None:
        super().__init__(cluster.account_id, cluster.region, list(tags or []))
        self.name = name
        self.snapshot_type = kind
        self.days = days
        self.cluster_name = cluster.name
        self.create_time: datetime = now()
        self.settings = {key: cluster.settings[key] for key in KEEPS}
        self.settings["ClusterCreateTime"] = cluster.create_time
        self.secret_arn, self.secret_key = cluster.secret_arn, cluster.secret_key
        self.image = cluster.warehouse.image()
        self.course = course or Course([Stage("available")])

    @property
    def resource_id(self) -> str:
        return f"{self.cluster_name}/{self.name}"

    @property
    def node_type(self) -> str:
        return str(self.settings["NodeType"])

    @property
    def number_of_nodes(self) -> int:
        return int(self.settings["NumberOfNodes"])

    def expired(self) -> bool:
        return self.days != -1 and now() > self.create_time + timedelta(days=self.days)

    def described(self, status: str | None = None) -> Request:
        """The members of `Snapshot` in the service's model."""
        answer = self.settings | {
            "SnapshotIdentifier": self.name,
            "ClusterIdentifier": self.cluster_name,
            "SnapshotCreateTime": self.create_time,
            "Status": status or self.course.stage,
            "SnapshotType": self.snapshot_type,
            "SnapshotArn": self.arn,
            "OwnerAccount": self.account_id,
            "EncryptedWithHSM": False,
            "EngineFullVersion": "1.0.69954",
            "RestorableNodeTypes": list(NODE_TYPES),
            "MasterPasswordSecretArn": self.secret_arn,
            "MasterPasswordSecretKmsKeyId": self.secret_key,
            "Tags": self.tags,
        }
        if self.snapshot_type == "manual":
            answer |= {
                "ManualSnapshotRetentionPeriod": self.days,
                "SnapshotRetentionStartTime": self.create_time,
            }
            if self.days != -1:
                end = self.create_time + timedelta(days=self.days)
                answer["ManualSnapshotRemainingDays"] = max(0, (end - now()).days)
        return answer


def find_snapshot(backend: RedshiftBackend, params: Mapping[str, Any]) -> Snapshot:
    """The snapshot that a request names by identifier or ARN, in the state the clock says.

    Raises:
        ServiceException: `ClusterSnapshotNotFound`.
    """
    name, arn = params.get("SnapshotIdentifier"), params.get("SnapshotArn")
    if name is None and arn is not None:
        name = arn.rpartition("/")[2]
    snapshot: Snapshot | None = backend.snapshots.get(name)
    if snapshot is None or (arn is not None and snapshot.arn != arn):
        refuse("ClusterSnapshotNotFound", f"Snapshot {name or arn} not found.")
    snapshot.course.keep_up()
    return snapshot


def check_name(backend: RedshiftBackend, name: str) -> None:
    rules.check_identifier(name.lower(), "SnapshotIdentifier", most=255)
    if name in backend.snapshots:
        refuse(
            "ClusterSnapshotAlreadyExists",
            f"Cannot create the snapshot because a snapshot with the identifier {name} already "
            "exists",
        )


def take_automated(cluster: Cluster) -> None:
    """The snapshot that AWS takes by itself, named after its minute."""
    days = cluster.settings["AutomatedSnapshotRetentionPeriod"]
    name = f"rs:{cluster.name}-{now():%Y-%m-%d-%H-%M-%S}"
    cluster.backend.snapshots[name] = Snapshot(cluster, name, "automated", days)


def take_final(cluster: Cluster, name: str, days: int | None) -> None:
    """The manual snapshot that a cluster leaves behind.

    Raises:
        ServiceException: the name is malformed or taken.
    """
    rules.check_manual_retention(days)
    check_name(cluster.backend, name)
    if cluster.status != "available":
        refuse(
            "InvalidClusterState",
            f"Cannot create a snapshot because the cluster {cluster.name} is not in the available "
            "state.",
        )
    days = cluster.settings["ManualSnapshotRetentionPeriod"] if days is None else days
    snapshot = Snapshot(cluster, name, "manual", days, cluster.tags)
    cluster.backend.snapshots[name] = snapshot
    for event, category, what in (
        ("2012", "Management", "was started"),
        ("3005", "Monitoring", "completed successfully"),
    ):
        said = f"The final snapshot {name} for Amazon Redshift cluster {cluster.name} {what}"
        record(cluster.backend, "cluster-snapshot", name, event, category, f"{said} at [time].")


@changes(
    RedshiftResponse,
    "redshift",
    "CreateClusterSnapshot",
    reason=(
        "the snapshot is available at once, whatever the state of the cluster; ignores "
        "`ManualSnapshotRetentionPeriod`"
    ),
    differs="no quota; sizes and rates are absent; `BACKUP NO` tables are kept too, as on RA3",
)
def create_cluster_snapshot(original: Function, self: Any) -> ActionResult:
    backend, params = self.redshift_backend, self.params
    rules.check_manual_retention(params.get("ManualSnapshotRetentionPeriod"))
    name = params["SnapshotIdentifier"]
    with LOCK:
        cluster = find_idle_cluster(backend, params["ClusterIdentifier"], "snapshot")
        check_name(backend, name)
        days = params.get("ManualSnapshotRetentionPeriod")
        days = cluster.settings["ManualSnapshotRetentionPeriod"] if days is None else days
        snapshot = Snapshot(
            cluster,
            name,
            "manual",
            days,
            params.get("Tags"),
            Course(
                [
                    Stage("creating", TAKING),
                    Stage("available", begin=lambda: snapshot_taken(cluster, name)),
                ]
            ),
        )
        backend.snapshots[name] = snapshot
    said = f"A user snapshot {name} for Amazon Redshift Cluster {cluster.name} started at [time]."
    record(backend, "cluster-snapshot", name, "2009", "Management", said)
    return ActionResult({"Snapshot": snapshot.described()})


def snapshot_taken(cluster: Cluster, name: str) -> None:
    said = (
        f"The user snapshot {name} for your Amazon Redshift cluster {cluster.name} completed "
        "successfully at [time]."
    )
    record(cluster.backend, "cluster-snapshot", name, "3004", "Monitoring", said)


@changes(
    RedshiftResponse,
    "redshift",
    "DescribeClusterSnapshots",
    reason=("shows all snapshots when a cluster has none; ignores times, tags and `ClusterExists`"),
    differs="other accounts' snapshots cannot be shared",
)
def describe_cluster_snapshots(original: Function, self: Any) -> ActionResult:
    backend, params = self.redshift_backend, self.params
    if params.get("SnapshotType") not in (None, "automated", "manual"):
        invalid("SnapshotType must be automated or manual.")
    if params.get("ClusterExists") and not params.get("ClusterIdentifier"):
        contradictory("If ClusterExists is true, ClusterIdentifier is required.")
    with LOCK:
        if params.get("SnapshotIdentifier") or params.get("SnapshotArn"):
            find_snapshot(backend, params)
        found = [s for s in list(backend.snapshots.values()) if wanted(backend, s, params)]
        shown, marker = page(found, params)
        for snapshot in shown:
            snapshot.course.look()
    return ActionResult({"Snapshots": [s.described() for s in shown], "Marker": marker})


def wanted(backend: RedshiftBackend, snapshot: Snapshot, params: Mapping[str, Any]) -> bool:
    start, end = aware(params.get("StartTime")), aware(params.get("EndTime"))
    exists = params.get("ClusterExists")
    return (
        params.get("SnapshotIdentifier") in (None, snapshot.name)
        and params.get("SnapshotArn") in (None, snapshot.arn)
        and params.get("ClusterIdentifier") in (None, snapshot.cluster_name)
        and params.get("SnapshotType") in (None, snapshot.snapshot_type)
        and params.get("OwnerAccount") in (None, snapshot.account_id)
        and (start is None or snapshot.create_time >= start)
        and (end is None or snapshot.create_time <= end)
        and exists in (None, snapshot.cluster_name in backend.clusters)
        and tagged(snapshot.tags, params)
    )


@changes(
    RedshiftResponse,
    "redshift",
    "DeleteClusterSnapshot",
    reason="deletes a snapshot that is being created",
    differs="",
)
def delete_cluster_snapshot(original: Function, self: Any) -> ActionResult:
    backend = self.redshift_backend
    with LOCK:
        snapshot = deletable(backend, self.params)
        backend.snapshots.pop(snapshot.name, None)
    said = (
        f"The user snapshot {snapshot.name} for Amazon Redshift cluster {snapshot.cluster_name} "
        "was deleted at [time]."
    )
    record(backend, "cluster-snapshot", snapshot.name, "2011", "Management", said)
    return ActionResult({"Snapshot": snapshot.described("deleted")})


def deletable(backend: RedshiftBackend, params: Mapping[str, Any]) -> Snapshot:
    """Raises ServiceException: `ClusterSnapshotNotFound`, `InvalidClusterSnapshotState`."""
    name = params["SnapshotIdentifier"]
    snapshot = find_snapshot(backend, params)
    if params.get("SnapshotClusterIdentifier") not in (None, snapshot.cluster_name):
        refuse("ClusterSnapshotNotFound", f"Snapshot {name} not found.")
    if snapshot.snapshot_type == "automated":
        refuse(
            "InvalidClusterSnapshotState",
            f"Cannot delete the snapshot {name} because only manual snapshots may be deleted",
        )
    if snapshot.course.stage != "available":
        refuse(
            "InvalidClusterSnapshotState",
            f"Cannot delete the snapshot {name} because it is in the {snapshot.course.stage} "
            "state.",
        )
    return snapshot


@adds(RedshiftResponse, "redshift", "ModifyClusterSnapshot", differs="")
def modify_cluster_snapshot(self: Any) -> ActionResult:
    params = self.params
    days = params.get("ManualSnapshotRetentionPeriod")
    rules.check_manual_retention(days)
    with LOCK:
        snapshot = deletable(self.redshift_backend, params)
        if days is not None:
            age = now() - snapshot.create_time
            if days != -1 and age > timedelta(days=days) and not params.get("Force"):
                refuse(
                    "InvalidRetentionPeriodFault",
                    f"The retention period of snapshot {snapshot.name} would already have passed.",
                )
            snapshot.days = days
    return ActionResult({"Snapshot": snapshot.described()})


@adds(RedshiftResponse, "redshift", "CopyClusterSnapshot", differs="the copy is made at once")
def copy_cluster_snapshot(self: Any) -> ActionResult:
    params, backend = self.params, self.redshift_backend
    days = params.get("ManualSnapshotRetentionPeriod")
    rules.check_manual_retention(days)
    with LOCK:
        source = find_snapshot(backend, {"SnapshotIdentifier": params["SourceSnapshotIdentifier"]})
        if params.get("SourceSnapshotClusterIdentifier") not in (None, source.cluster_name):
            refuse("ClusterSnapshotNotFound", f"Snapshot {source.name} not found.")
        if source.snapshot_type != "automated":
            refuse(
                "InvalidClusterSnapshotState",
                f"Cannot copy the snapshot {source.name} because only automated snapshots may be "
                "copied",
            )
        name = params["TargetSnapshotIdentifier"]
        check_name(backend, name)
        copied: Snapshot = copy(source)
        copied.name, copied.snapshot_type, copied.tags = name, "manual", []
        copied.days = -1 if days is None else days
        copied.course = Course([Stage("available")])
        backend.snapshots[name] = copied
    return ActionResult({"Snapshot": copied.described()})


def expire(backend: RedshiftBackend) -> None:
    """Forget the snapshots whose time has passed."""
    for name, snapshot in list(backend.snapshots.items()):
        if snapshot.expired():
            backend.snapshots.pop(name, None)
