"""What can be ordered, and the networks that clusters are ordered into."""

from typing import Any

from moto.core.responses import ActionResult
from moto.redshift.models import RedshiftBackend, SubnetGroup
from moto.redshift.responses import RedshiftResponse

from awslab.extension import Function, adds, changes
from awslab.services.redshift.cluster import LOCK, zones_of
from awslab.services.redshift.nodes import NODE_TYPES
from awslab.services.redshift.paging import page, refuse
from awslab.services.redshift.rules import VERSION


@adds(
    RedshiftResponse,
    "redshift",
    "DescribeOrderableClusterOptions",
    differs="every node type in every Region and zone",
)
def describe_orderable_cluster_options(self: Any) -> ActionResult:
    params = self.params
    zones = [{"Name": zone} for zone in zones_of(self.redshift_backend)]
    found = [
        {
            "ClusterVersion": VERSION,
            "ClusterType": kind,
            "NodeType": name,
            "AvailabilityZones": zones,
        }
        for name, limits in NODE_TYPES.items()
        for kind in (["single-node"] if limits.least == 1 else []) + ["multi-node"]
        if params.get("NodeType") in (None, name)
        and params.get("ClusterVersion") in (None, VERSION)
    ]
    shown, marker = page(found, params)
    return ActionResult({"OrderableClusterOptions": shown, "Marker": marker})


@changes(
    RedshiftBackend,
    "redshift",
    "CreateClusterSubnetGroup",
    reason="replaces a group of the same name",
    differs="no quota",
)
def create_cluster_subnet_group(original: Function, self: Any, **given: Any) -> SubnetGroup:
    given["cluster_subnet_group_name"] = given["cluster_subnet_group_name"].lower()
    name = given["cluster_subnet_group_name"]
    with LOCK:
        if name in self.subnet_groups:
            refuse(
                "ClusterSubnetGroupAlreadyExists",
                f"Cluster subnet group '{name}' already exists.",
            )
        group: SubnetGroup = original(self, **given)
        return group


@changes(
    RedshiftBackend,
    "redshift",
    "DeleteClusterSubnetGroup",
    reason="deletes a group in use",
    differs="",
)
def delete_cluster_subnet_group(
    original: Function, self: Any, subnet_identifier: str
) -> SubnetGroup:
    with LOCK:
        for cluster in list(self.clusters.values()):
            if cluster.settings["ClusterSubnetGroupName"] == subnet_identifier:
                refuse(
                    "InvalidClusterSubnetGroupStateFault",
                    f"Cluster subnet group '{subnet_identifier}' is currently in use by the "
                    f"cluster {cluster.name}.",
                )
        group: SubnetGroup = original(self, subnet_identifier)
        return group
