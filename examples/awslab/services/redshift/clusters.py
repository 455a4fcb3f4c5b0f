"""Clusters from their creation to their end, and what can be changed in between."""

from collections.abc import Mapping
from typing import Any

from moto.core.responses import ActionResult
from moto.core.utils import get_service_model
from moto.redshift.models import Cluster as MotoCluster
from moto.redshift.models import RedshiftBackend, redshift_backends
from moto.redshift.responses import RedshiftResponse

from awslab.clock import Stage
from awslab.extension import Function, changes
from awslab.services.redshift import rules
from awslab.services.redshift.cluster import (
    CREATING,
    DELETING,
    LOCK,
    MODIFYING,
    Cluster,
    Request,
    find_cluster,
    zones_of,
)
from awslab.services.redshift.events import record
from awslab.services.redshift.paging import contradictory, invalid, page, refuse, tagged
from awslab.services.redshift.parameters import NEWEST, find_group
from awslab.services.redshift.snapshot_schedules import find_schedule, plan_snapshot
from awslab.services.redshift.snapshots import take_automated, take_final

REVISION, TRACK = "69954", "current"
WINDOW = "sun:03:00-sun:03:30"

# Members of CreateCluster that DescribeClusters answers as they are, and their defaults.
PLAIN: Request = {
    "DBName": "dev",
    "AutomatedSnapshotRetentionPeriod": 1,
    "ManualSnapshotRetentionPeriod": -1,
    "PreferredMaintenanceWindow": WINDOW,
    "ClusterVersion": rules.VERSION,
    "AllowVersionUpgrade": True,
    "PubliclyAccessible": False,
    "KmsKeyId": None,
    "EnhancedVpcRouting": False,
    "MaintenanceTrackName": TRACK,
    "DefaultIamRoleArn": None,
    "IpAddressType": "ipv4",
    "Port": 5439,
}


def check_new(backend: RedshiftBackend, params: Mapping[str, Any]) -> int:
    """What a new cluster must fulfil, created or restored; returns its number of nodes."""
    node_type = params["NodeType"]
    rules.check_names(params)
    rules.check_node_type(node_type)
    nodes = rules.number_of_nodes(node_type, params.get("ClusterType"), params.get("NumberOfNodes"))
    rules.check_port(node_type, params.get("Port") or PLAIN["Port"])
    rules.check_retention(node_type, params)
    rules.check_window(params.get("PreferredMaintenanceWindow") or WINDOW)
    rules.check_roles(params.get("IamRoles") or [], params.get("DefaultIamRoleArn"))
    rules.check_ip_address_type(params.get("IpAddressType"))
    if params.get("Encrypted") is False:
        contradictory("Unencrypted clusters are not supported. Encrypted must be true.")
    if params.get("MultiAZ"):
        rules.check_multi_az(node_type, nodes, True)
    rules.check_version(params.get("ClusterVersion"))
    find_group(backend, params.get("ClusterParameterGroupName") or NEWEST)
    return nodes


def make_cluster(
    backend: RedshiftBackend, params: Mapping[str, Any], stages: list[Stage]
) -> Cluster:
    """Check a request and keep the cluster that it asks for.

    Raises:
        ServiceException: as the service's model says of CreateCluster.
    """
    nodes = check_new(backend, params)
    vpc, zones = rules.network(backend, params.get("ClusterSubnetGroupName"))
    groups = rules.security_groups(backend, params.get("VpcSecurityGroupIds"), vpc)
    if params.get("SnapshotScheduleIdentifier"):
        find_schedule(backend, params["SnapshotScheduleIdentifier"])
    zone = params.get("AvailabilityZone")
    if zone is not None and zone not in zones_of(backend):
        invalid(f"Invalid availability zone: {zone}")
    settings = {name: default_of(params, name) for name in PLAIN} | {
        "NodeType": params["NodeType"],
        "NumberOfNodes": nodes,
        "MasterUsername": params["MasterUsername"],
        "ClusterSubnetGroupName": params.get("ClusterSubnetGroupName") or "default",
        "VpcId": vpc,
        "AvailabilityZone": zone or (zones or zones_of(backend))[0],
        "Encrypted": True,
        "ClusterRevisionNumber": REVISION,
    }
    with LOCK:
        name = params["ClusterIdentifier"]
        if name in backend.clusters:
            refuse("ClusterAlreadyExists", "Cluster already exists")
        cluster = Cluster(backend, name, settings, params.get("Tags") or [], stages)
        backend.clusters[name] = cluster
    cluster.security_groups = groups
    cluster.roles = list(dict.fromkeys(params.get("IamRoles") or []))
    cluster.parameter_group = params.get("ClusterParameterGroupName") or NEWEST
    cluster.take_parameters()
    cluster.multi_az = bool(params.get("MultiAZ"))
    cluster.relocation = bool(params.get("AvailabilityZoneRelocation"))
    cluster.extra_compute = bool(params.get("ExtraComputeForAutomaticOptimization"))
    cluster.schedule = params.get("SnapshotScheduleIdentifier")
    if params.get("ManageMasterPassword"):
        cluster.manage_password(params.get("MasterPasswordSecretKmsKeyId"))
    return cluster


def default_of(params: Mapping[str, Any], name: str) -> Any:
    value = params.get(name)
    return PLAIN[name] if value is None else value


def created(backend: RedshiftBackend, name: str) -> None:
    """What happens when a cluster becomes available for the first time."""
    cluster = backend.clusters.get(name)
    if cluster is None:
        return
    said = f"Your Amazon Redshift cluster: {name} has been created and is ready for use."
    record(backend, "cluster", name, "2000", "Management", said)
    plan_snapshot(cluster)
    if cluster.settings["AutomatedSnapshotRetentionPeriod"]:
        take_automated(cluster)


@changes(
    RedshiftResponse,
    "redshift",
    "CreateCluster",
    reason=(
        "the cluster is available at once; accepts any node type, any port, any password, a "
        "multi-node cluster of one node and a missing subnet group; `Encrypted` is false by "
        "default; ignores `ManageMasterPassword`, `MultiAZ` and roles' defaults"
    ),
    differs=(
        "an account has no quota; DC2 can still be created; limits and slices of RG and "
        "`ra3.large` are those of the RA3 type of the same rank; KMS keys and roles are not "
        "looked up; addresses are of the documentation ranges; storage sizes are absent; HSM, "
        "elastic IP, Identity Center and `CatalogName` have no effect; texts about node types, "
        "ports and retention are the lab's own"
    ),
)
def create_cluster(original: Function, self: Any) -> ActionResult:
    params = self.params
    rules.check_credentials(params, needed=True)
    backend, name = self.redshift_backend, params["ClusterIdentifier"]
    stages = [
        Stage("creating", CREATING),
        Stage("available", begin=lambda: created(backend, name)),
    ]
    return ActionResult({"Cluster": make_cluster(backend, params, stages).described()})


@changes(
    MotoCluster,
    "cloudformation",
    "AWS::Redshift::Cluster",
    reason="makes a cluster that moto alone understands; passes `ClusterIdentifier` over",
    differs="the cluster is available at once; a change of its properties is not carried out",
)
def create_from_cloudformation_json(
    original: Function,
    resource_name: str,
    cloudformation_json: Mapping[str, Any],
    account_id: str,
    region_name: str,
    **more: Any,
) -> Cluster:
    backend = redshift_backends[account_id][region_name]
    request = from_template(resource_name, cloudformation_json["Properties"])
    rules.check_credentials(request, needed=True)
    cluster = make_cluster(backend, request, [Stage("available")])
    created(backend, cluster.name)
    return cluster


def from_template(name: str, properties: Mapping[str, Any]) -> Request:
    """The request that a resource of a CloudFormation template stands for. Templates may write
    numbers and booleans as texts, and name other resources."""
    shape = get_service_model("redshift").operation_model("CreateCluster").input_shape
    request: Request = {"ClusterIdentifier": name.lower()[-63:].lstrip("-0123456789")}
    for key, value in properties.items():
        if key not in shape.members:
            continue
        kind = shape.members[key].type_name
        if kind == "boolean" and isinstance(value, str):
            value = value.lower() == "true"
        elif kind == "integer":
            value = int(value)
        elif kind == "string":
            value = str(getattr(value, "physical_resource_id", value))
        request[key] = value
    for key in shape.required_members:
        if not request.get(key):
            invalid(f"The parameter {key} must be provided and must not be blank.")
    return request


@changes(
    RedshiftResponse,
    "redshift",
    "DescribeClusters",
    reason=(
        "answers no `ClusterNodes` and no `ClusterAvailabilityStatus`; the endpoint exists before "
        "the cluster is available; ignores `TagValues` and `MaxRecords`"
    ),
    differs="",
)
def describe_clusters(original: Function, self: Any) -> ActionResult:
    backend, params = self.redshift_backend, self.params
    wanted = params.get("ClusterIdentifier")
    for cluster in list(backend.clusters.values()):
        if wanted in (None, cluster.name, cluster.pending.get("ClusterIdentifier")):
            cluster.course.look()
    if wanted is not None:
        return ActionResult({"Clusters": [find_cluster(backend, wanted).described()]})
    found = [c for c in list(backend.clusters.values()) if tagged(c.tags, params)]
    shown, marker = page(found, params)
    return ActionResult({"Clusters": [c.described() for c in shown], "Marker": marker})


# --- the end -------------------------------------------------------------------------------------


@changes(
    RedshiftResponse,
    "redshift",
    "DeleteCluster",
    reason=("the cluster is gone at once; accepts a final snapshot that is to be skipped"),
    differs="",
)
def delete_cluster(original: Function, self: Any) -> ActionResult:
    params = self.params
    skip = bool(params.get("SkipFinalClusterSnapshot"))
    final = params.get("FinalClusterSnapshotIdentifier")
    with LOCK:
        cluster = find_cluster(self.redshift_backend, params["ClusterIdentifier"])
        if not skip and final is None:
            contradictory(
                "FinalClusterSnapshotIdentifier is required unless SkipFinalClusterSnapshot is "
                "specified."
            )
        if skip and final is not None:
            contradictory(
                "FinalClusterSnapshotIdentifier cannot be specified when SkipFinalClusterSnapshot "
                "is true."
            )
        if cluster.status not in ("available", "paused"):
            refuse(
                "InvalidClusterState",
                "There is an operation running on the Cluster. Please try to delete it at a later "
                "time.",
            )
        saving = []
        if final is not None:
            take_final(cluster, final, params.get("FinalClusterSnapshotRetentionPeriod"))
            saving = [Stage("final-snapshot", MODIFYING)]
        cluster.go_through(
            *saving,
            Stage("deleting", DELETING),
            Stage("deleted", begin=lambda: deleted(cluster, final is not None)),
        )
        return ActionResult({"Cluster": cluster.described()})


def deleted(cluster: Cluster, saved: bool) -> None:
    cluster.remove()
    said = (
        f"Your Amazon Redshift cluster {cluster.name} was deleted at [time]. A final snapshot "
        f"{'was' if saved else 'was not'} saved."
    )
    record(cluster.backend, "cluster", cluster.name, "2001", "Management", said)
