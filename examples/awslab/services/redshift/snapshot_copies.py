"""Copies of snapshots in another Region: the settings of it."""

from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend
from moto.redshift.responses import RedshiftResponse

from awslab.extension import Function, changes
from awslab.services.redshift.cluster import find_cluster
from awslab.services.redshift.paging import invalid, refuse
from awslab.services.redshift.rules import check_manual_retention


@changes(
    RedshiftResponse,
    "redshift",
    "EnableSnapshotCopy",
    reason="crashes when the cluster does not exist; accepts any Region",
    differs="no snapshot is ever copied",
)
def enable_snapshot_copy(original: Function, self: Any) -> ActionResult:
    params, backend = self.params, self.redshift_backend
    cluster = find_cluster(backend, params["ClusterIdentifier"])
    region, grant = params["DestinationRegion"], params.get("SnapshotCopyGrantName")
    if cluster.snapshot_copy:
        refuse(
            "SnapshotCopyAlreadyEnabledFault",
            f"Snapshot Copy is already enabled on Cluster {cluster.name}.",
        )
    if region == backend.region_name or region not in RegionsAndZonesBackend.zones:
        refuse("UnknownSnapshotCopyRegionFault", f"Invalid region {region}")
    if cluster.settings["KmsKeyId"] and grant is None:
        invalid("SnapshotCopyGrantName is required for Snapshot Copy on KMS encrypted clusters.")
    days = params.get("RetentionPeriod")
    cluster.snapshot_copy = {
        "DestinationRegion": region,
        "RetentionPeriod": 7 if days is None else checked_copy_days(days),
        "ManualSnapshotRetentionPeriod": params.get("ManualSnapshotRetentionPeriod") or -1,
        "SnapshotCopyGrantName": grant,
    }
    check_manual_retention(params.get("ManualSnapshotRetentionPeriod"))
    return ActionResult({"Cluster": cluster.described()})


def checked_copy_days(days: int) -> int:
    if not 1 <= days <= 35:
        refuse("InvalidRetentionPeriodFault", "The retention period must be between 1 and 35 days.")
    return days


@changes(
    RedshiftResponse,
    "redshift",
    "DisableSnapshotCopy",
    reason="crashes when the cluster does not exist",
    differs="",
)
def disable_snapshot_copy(original: Function, self: Any) -> ActionResult:
    cluster = find_cluster(self.redshift_backend, self.params["ClusterIdentifier"])
    if cluster.snapshot_copy is None:
        refuse(
            "SnapshotCopyAlreadyDisabledFault",
            f"Snapshot Copy is already disabled on Cluster {cluster.name}.",
        )
    cluster.snapshot_copy = None
    return ActionResult({"Cluster": cluster.described()})


@changes(
    RedshiftResponse,
    "redshift",
    "ModifySnapshotCopyRetentionPeriod",
    reason="crashes when the cluster does not exist; answers the member `Clusters`",
    differs="",
)
def modify_snapshot_copy_retention_period(original: Function, self: Any) -> ActionResult:
    params = self.params
    cluster = find_cluster(self.redshift_backend, params["ClusterIdentifier"])
    if cluster.snapshot_copy is None:
        refuse(
            "SnapshotCopyDisabledFault",
            f"Cannot modify retention period because snapshot copy is disabled on Cluster "
            f"{cluster.name}.",
        )
    days = params["RetentionPeriod"]
    if params.get("Manual"):
        check_manual_retention(days)
        cluster.snapshot_copy["ManualSnapshotRetentionPeriod"] = days
    else:
        cluster.snapshot_copy["RetentionPeriod"] = checked_copy_days(days)
    return ActionResult({"Cluster": cluster.described()})
