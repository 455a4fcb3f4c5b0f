"""New clusters made of snapshots."""

from collections.abc import Mapping
from typing import Any

from moto.core.responses import ActionResult
from moto.redshift.models import RedshiftBackend
from moto.redshift.responses import RedshiftResponse

from awslab.clock import Stage
from awslab.extension import Function, changes
from awslab.services.redshift import rules
from awslab.services.redshift.cluster import LOCK, Request
from awslab.services.redshift.clusters import created, make_cluster
from awslab.services.redshift.events import record
from awslab.services.redshift.paging import contradictory, refuse
from awslab.services.redshift.snapshots import Snapshot, find_snapshot

RESTORING = 600.0  # seconds of the lab's clock


@changes(
    RedshiftResponse,
    "redshift",
    "RestoreFromClusterSnapshot",
    reason=(
        "the cluster is available at once and reports made-up rates; restores a snapshot that is "
        "being created; ignores `Encrypted`, `ManageMasterPassword` and `MultiAZ`"
    ),
    differs=(
        "snapshots of other accounts cannot be restored; any node type and number that "
        "CreateCluster allows"
    ),
)
def restore_from_cluster_snapshot(original: Function, self: Any) -> ActionResult:
    backend, params = self.redshift_backend, dict(self.params)
    if not (params.get("SnapshotIdentifier") or params.get("SnapshotArn")):
        contradictory("Either SnapshotIdentifier or SnapshotArn must be specified.")
    with LOCK:
        snapshot = find_snapshot(backend, params)
        if snapshot.course.stage != "available":
            refuse(
                "InvalidClusterSnapshotState",
                f"Cannot restore the snapshot {snapshot.name} because it is in the "
                f"{snapshot.course.stage} state.",
            )
        rules.check_credentials(params, needed=False)
        name = params["ClusterIdentifier"]
        stages = [
            Stage("creating", RESTORING),
            Stage("available", begin=lambda: restored(backend, name, snapshot.name)),
        ]
        cluster = make_cluster(backend, request_of(snapshot, params), stages)
        cluster.restored = {"Status": "restoring"}
        cluster.warehouse.restore(snapshot.image)
    said = (
        f"Your restore operation to create a new Amazon Redshift cluster {name} snapshot "
        f"{snapshot.name} was started at [time]. To monitor restore progress, please visit the AWS "
        "Management Console."
    )
    record(backend, "cluster", name, "2008", "Management", said)
    return ActionResult({"Cluster": cluster.described()})


def request_of(snapshot: Snapshot, params: Mapping[str, Any]) -> Request:
    """The request for a cluster like that of the snapshot, but for what `params` says."""
    kept = ("Port", "MasterUsername", "DBName", "KmsKeyId", "EnhancedVpcRouting")
    given = {name: value for name, value in params.items() if value is not None}
    request = {name: snapshot.settings[name] for name in kept} | given
    request.setdefault("NodeType", snapshot.node_type)
    if "NumberOfNodes" not in given:
        request["NumberOfNodes"] = snapshot.number_of_nodes
    if snapshot.secret_arn:
        request["ManageMasterPassword"] = True
    return request


def restored(backend: RedshiftBackend, name: str, snapshot: str) -> None:
    cluster = backend.clusters.get(name)
    if cluster is None:
        return
    created(backend, name)
    cluster.restored = {"Status": "completed"}
    said = (
        f"Amazon Redshift cluster {name} was successfully created from snapshot {snapshot} and is "
        "available for use."
    )
    record(backend, "cluster", name, "3003", "Monitoring", said)
