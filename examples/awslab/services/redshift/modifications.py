"""What can be changed about a cluster that runs."""

from collections.abc import Mapping
from typing import Any

from moto.core.responses import ActionResult
from moto.redshift.responses import RedshiftResponse

from awslab.clock import Stage
from awslab.extension import Function, adds, changes
from awslab.services.redshift import rules
from awslab.services.redshift.cluster import (
    CREATING,
    LOCK,
    MODIFYING,
    REBOOTING,
    Cluster,
    find_idle_cluster,
    zones_of,
)
from awslab.services.redshift.events import record
from awslab.services.redshift.paging import contradictory, invalid, refuse
from awslab.services.redshift.parameters import find_group
from awslab.services.redshift.resize import begin_classic
from awslab.services.redshift.snapshot_schedules import plan_snapshot

# Members of ModifyCluster that take effect as they are.
DIRECT = (
    "AutomatedSnapshotRetentionPeriod",
    "ManualSnapshotRetentionPeriod",
    "PreferredMaintenanceWindow",
    "AllowVersionUpgrade",
    "PubliclyAccessible",
    "EnhancedVpcRouting",
    "MaintenanceTrackName",
    "KmsKeyId",
    "Port",
    "Encrypted",
    "IpAddressType",
)
# Those whose change makes the cluster pass through `modifying`.
DISRUPTIVE = ("PubliclyAccessible", "EnhancedVpcRouting", "Port", "Encrypted", "IpAddressType")
OTHERS = (
    "MasterUserPassword",
    "ManageMasterPassword",
    "VpcSecurityGroupIds",
    "ClusterParameterGroupName",
    "NewClusterIdentifier",
    "AvailabilityZoneRelocation",
    "AvailabilityZone",
    "MultiAZ",
    "ExtraComputeForAutomaticOptimization",
    "ClusterVersion",
)


@changes(
    RedshiftResponse,
    "redshift",
    "ModifyCluster",
    reason=(
        "changes everything at once; accepts a request without changes and any value; a new "
        "identifier deletes the automated snapshots"
    ),
    differs="a version upgrade changes nothing; decryption is not refused",
)
def modify_cluster(original: Function, self: Any) -> ActionResult:
    backend, params = self.redshift_backend, self.params
    with LOCK:
        cluster = find_idle_cluster(backend, params["ClusterIdentifier"], "modify")
        given = [name for name in (*DIRECT, *OTHERS) if params.get(name) is not None]
        resizing = params.get("NodeType") or params.get("ClusterType")
        if not given and not resizing:
            contradictory("No modifications were requested")
        if "MultiAZ" in given and (len(given) > 1 or resizing):
            contradictory(
                "When a ModifyCluster AutoFailover operation is requested, no other modifications "
                "are allowed in the same request."
            )
        check_changes(cluster, params)
        if resizing:
            begin_classic(cluster, params)
        apply_changes(cluster, params, given, busy=bool(resizing))
        return ActionResult({"Cluster": cluster.described()})


def check_changes(cluster: Cluster, params: Mapping[str, Any]) -> None:
    node_type = cluster.node_type
    rules.check_credentials(params, needed=False)
    rules.check_retention(node_type, params)
    rules.check_ip_address_type(params.get("IpAddressType"))
    if params.get("PreferredMaintenanceWindow"):
        rules.check_window(params["PreferredMaintenanceWindow"])
    if params.get("Port") is not None:
        rules.check_port(node_type, params["Port"])
    if params.get("MultiAZ"):
        rules.check_multi_az(node_type, cluster.nodes, cluster.settings["Encrypted"])
    if params.get("ClusterParameterGroupName"):
        find_group(cluster.backend, params["ClusterParameterGroupName"])
    if params.get("VpcSecurityGroupIds"):
        rules.security_groups(cluster.backend, params["VpcSecurityGroupIds"], None)
    if params.get("ManageMasterPassword") is False and cluster.secret_arn:
        if params.get("MasterUserPassword") is None:
            contradictory("MasterUserPassword is required when ManageMasterPassword is false.")
    elif cluster.secret_arn and params.get("MasterUserPassword") is not None:
        contradictory("You can't use MasterUserPassword if ManageMasterPassword is true.")
    rules.check_version(params.get("ClusterVersion"))
    zone = params.get("AvailabilityZone")
    if zone is not None and zone not in zones_of(cluster.backend):
        invalid(f"Invalid availability zone: {zone}")
    name = params.get("NewClusterIdentifier")
    if name is not None:
        rules.check_identifier(name, "NewClusterIdentifier")
        if name in cluster.backend.clusters:
            refuse("ClusterAlreadyExists", "Cluster already exists")


def apply_changes(
    cluster: Cluster, params: Mapping[str, Any], given: list[str], busy: bool
) -> None:
    """Take the new values; some of them make the cluster pass through a state of its own.

    busy: a resize has begun and sets the state.
    """
    cluster.settings |= {name: params[name] for name in DIRECT if name in given}
    if params.get("VpcSecurityGroupIds"):
        cluster.security_groups = list(params["VpcSecurityGroupIds"])
    if params.get("ClusterParameterGroupName"):
        cluster.parameter_group = params["ClusterParameterGroupName"]
    if params.get("ManageMasterPassword"):
        cluster.manage_password(params.get("MasterPasswordSecretKmsKeyId"))
    elif params.get("ManageMasterPassword") is False:
        cluster.forget_password()
    if params.get("AvailabilityZoneRelocation") is not None:
        cluster.relocation = params["AvailabilityZoneRelocation"]
    if params.get("ExtraComputeForAutomaticOptimization") is not None:
        cluster.extra_compute = params["ExtraComputeForAutomaticOptimization"]
    plan_snapshot(cluster)
    if busy:
        return
    new_name, zone = params.get("NewClusterIdentifier"), params.get("AvailabilityZone")
    if new_name:
        cluster.pending = {"ClusterIdentifier": new_name}
        cluster.go_through(
            Stage("renaming", MODIFYING), Stage("available", begin=lambda: rename(cluster))
        )
    elif params.get("MultiAZ") is not None:
        cluster.go_through(
            Stage("modifying", CREATING),
            Stage("available", begin=lambda: set_zones(cluster, params["MultiAZ"])),
        )
    elif zone:
        cluster.go_through(
            Stage("modifying", CREATING),
            Stage("available", begin=lambda: cluster.settings.update(AvailabilityZone=zone)),
        )
    elif params.get("MasterUserPassword") is not None:
        cluster.pending = {"MasterUserPassword": "****"}
        cluster.go_through(
            Stage("modifying", MODIFYING), Stage("available", begin=cluster.pending.clear)
        )
    elif any(name in DISRUPTIVE for name in given):
        cluster.go_through(Stage("modifying", MODIFYING), Stage("available"))


def rename(cluster: Cluster) -> None:
    backend, old = cluster.backend, cluster.name
    with LOCK:
        new = cluster.pending.pop("ClusterIdentifier", None)
        if new is None or new in backend.clusters or backend.clusters.get(old) is not cluster:
            return
        backend.clusters[new] = backend.clusters.pop(old)
        cluster.name = new
    for snapshot in list(backend.snapshots.values()):
        if snapshot.cluster_name == old and snapshot.snapshot_type == "automated":
            snapshot.cluster_name = new
    said = f"Your Amazon Redshift cluster {old} was renamed to {new} at [time]."
    record(backend, "cluster", new, "2013", "Management", said)


def set_zones(cluster: Cluster, two: bool) -> None:
    cluster.multi_az = two


@adds(
    RedshiftResponse,
    "redshift",
    "ModifyClusterIamRoles",
    differs="a role is associated at once; roles are not looked up",
)
def modify_cluster_iam_roles(self: Any) -> ActionResult:
    params = self.params
    with LOCK:
        cluster = find_idle_cluster(self.redshift_backend, params["ClusterIdentifier"], "modify")
        added, removed = params.get("AddIamRoles") or [], params.get("RemoveIamRoles") or []
        kept = [role for role in cluster.roles if role not in removed]
        roles = list(dict.fromkeys([*kept, *added]))
        default = params.get("DefaultIamRoleArn")
        rules.check_roles([*roles, *removed], None)
        rules.check_roles(roles, default)
        cluster.roles = roles
        if default is not None or cluster.settings["DefaultIamRoleArn"] not in roles:
            cluster.settings["DefaultIamRoleArn"] = default or None
        return ActionResult({"Cluster": cluster.described()})


@adds(
    RedshiftResponse,
    "redshift",
    "RebootCluster",
    differs="statements that run go on",
)
def reboot_cluster(self: Any) -> ActionResult:
    with LOCK:
        cluster = find_idle_cluster(
            self.redshift_backend, self.params["ClusterIdentifier"], "reboot"
        )
        cluster.go_through(
            Stage("rebooting", REBOOTING), Stage("available", begin=lambda: restarted(cluster))
        )
        return ActionResult({"Cluster": cluster.described()})


def restarted(cluster: Cluster) -> None:
    cluster.take_parameters()
    said = f"Your Amazon Redshift cluster {cluster.name} was rebooted at [time]."
    record(cluster.backend, "cluster", cluster.name, "3000", "Monitoring", said)


@adds(
    RedshiftResponse,
    "redshift",
    "FailoverPrimaryCompute",
    differs="statements that run go on",
)
def failover_primary_compute(self: Any) -> ActionResult:
    with LOCK:
        cluster = find_idle_cluster(
            self.redshift_backend, self.params["ClusterIdentifier"], "fail over"
        )
        if not cluster.multi_az:
            refuse(
                "UnsupportedOperation",
                f"Cluster {cluster.name} is not a Multi-AZ cluster: there is no compute to fail "
                "over to.",
            )
        other = cluster.second_zone()
        cluster.go_through(
            Stage("modifying", MODIFYING),
            Stage("available", begin=lambda: cluster.settings.update(AvailabilityZone=other)),
        )
        return ActionResult({"Cluster": cluster.described()})
