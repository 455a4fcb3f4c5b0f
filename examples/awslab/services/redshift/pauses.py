"""Clusters that rest: no compute to pay for, and everything that they store."""

from typing import Any

from moto.core.responses import ActionResult
from moto.redshift.models import RedshiftBackend
from moto.redshift.responses import RedshiftResponse

from awslab.clock import Stage
from awslab.extension import Function, changes
from awslab.services.redshift.cluster import (
    LOCK,
    PAUSING,
    RESUMING,
    Cluster,
    find_cluster,
    tell,
)
from awslab.services.redshift.events import record
from awslab.services.redshift.paging import refuse


def pause(backend: RedshiftBackend, name: str) -> Cluster:
    """Suspend the compute of a cluster; what it stores stays.

    Raises:
        ServiceException: `ClusterNotFound`, `InvalidClusterState`, `UnsupportedOperation`.
    """
    with LOCK:
        cluster = find_cluster(backend, name)
        if cluster.status != "available":
            refuse("InvalidClusterState", "You can only pause an ACTIVE Cluster")
        if cluster.multi_az:
            refuse("UnsupportedOperation", "A Multi-AZ cluster cannot be paused.")
        started = f"The cluster {name} pause operation started at [time]."
        said = f"Amazon Redshift cluster {name} was successfully paused at [time]."
        cluster.go_through(
            Stage("pausing", PAUSING, begin=tell(cluster, "3618", "Monitoring", started)),
            Stage("paused", begin=tell(cluster, "3619", "Monitoring", said)),
        )
        return cluster


def resume(backend: RedshiftBackend, name: str) -> Cluster:
    """Give a paused cluster its compute again.

    Raises:
        ServiceException: `ClusterNotFound`, `InvalidClusterState`.
    """
    with LOCK:
        cluster = find_cluster(backend, name)
        if cluster.status != "paused":
            refuse("InvalidClusterState", "You can only resume a PAUSED Cluster")
        cluster.go_through(
            Stage("resuming", RESUMING), Stage("available", begin=lambda: resumed(cluster))
        )
        return cluster


def resumed(cluster: Cluster) -> None:
    cluster.take_parameters()
    said = f"Amazon Redshift cluster {cluster.name} was successfully resumed at [time]."
    record(cluster.backend, "cluster", cluster.name, "3621", "Monitoring", said)


@changes(
    RedshiftResponse,
    "redshift",
    "PauseCluster",
    reason="the cluster is paused at once; pauses a paused cluster",
    differs="no recent snapshot is needed",
)
def pause_cluster(original: Function, self: Any) -> ActionResult:
    cluster = pause(self.redshift_backend, self.params["ClusterIdentifier"])
    return ActionResult({"Cluster": cluster.described()})


@changes(
    RedshiftResponse,
    "redshift",
    "ResumeCluster",
    reason="the cluster is available at once; resumes a cluster that is not paused",
    differs="",
)
def resume_cluster(original: Function, self: Any) -> ActionResult:
    cluster = resume(self.redshift_backend, self.params["ClusterIdentifier"])
    return ActionResult({"Cluster": cluster.described()})
