"""Other nodes for a cluster: quickly (elastic) or thoroughly (classic)."""

from collections.abc import Callable, Mapping
from typing import Any

from moto.core.responses import ActionResult
from moto.redshift.models import RedshiftBackend
from moto.redshift.responses import RedshiftResponse

from awslab.clock import Stage, now
from awslab.extension import adds
from awslab.services.redshift import rules
from awslab.services.redshift.cluster import LOCK, Cluster, Request, find_cluster, find_idle_cluster
from awslab.services.redshift.events import record
from awslab.services.redshift.nodes import elastic_counts, elastic_options
from awslab.services.redshift.paging import contradictory, invalid, page, refuse
from awslab.services.redshift.snapshots import find_snapshot

# Seconds of the lab's clock.
ELASTIC = 600.0
CLASSIC = 3600.0


def target(cluster: Cluster, params: Mapping[str, Any]) -> tuple[str, int]:
    """Node type and number of nodes that a request asks for.

    Raises:
        ServiceException: they are impossible, or those that the cluster has.
    """
    node_type = params.get("NodeType") or cluster.node_type
    rules.check_node_type(node_type)
    kind, count = params.get("ClusterType"), params.get("NumberOfNodes")
    if kind is None and count is None:
        count = cluster.nodes
    if kind == "single-node" and count == 1:
        count = None
    nodes = rules.number_of_nodes(node_type, kind, count)
    if (node_type, nodes) == (cluster.node_type, cluster.nodes):
        contradictory("No modifications were requested")
    return node_type, nodes


def begin_classic(cluster: Cluster, params: Mapping[str, Any]) -> None:
    """Replace the nodes by new ones: any type, any number.

    Raises:
        ServiceException: as `target`; or the cluster must not become what is asked for.
    """
    node_type, nodes = target(cluster, params)
    if cluster.multi_az and nodes < 2:
        contradictory("Multi-AZ is not supported for single-node clusters.")
    rules.check_port(node_type, cluster.settings["Port"])
    begin(cluster, node_type, nodes, "ClassicResize", CLASSIC)


def begin_elastic(cluster: Cluster, params: Mapping[str, Any]) -> None:
    """Add or remove nodes, within the limits of their type.

    Raises:
        ServiceException: as `target`; or an elastic resize cannot do it.
    """
    node_type, nodes = target(cluster, params)
    if 1 in (cluster.nodes, nodes):
        refuse(
            "UnsupportedOperation",
            "Elastic resize is not supported from or to a single-node cluster. Use a classic "
            "resize.",
        )
    if (node_type, nodes) not in set(elastic_options(cluster.node_type, cluster.nodes)):
        counts = elastic_counts(cluster.node_type, cluster.nodes)
        refuse(
            "UnsupportedOperation",
            f"Elastic resize from {cluster.nodes} nodes of type {cluster.node_type} to {nodes} "
            f"nodes of type {node_type} is not supported. With the same node type the number of "
            f"nodes can be one of {counts}.",
        )
    begin(cluster, node_type, nodes, "ElasticResize", ELASTIC)


def begin(cluster: Cluster, node_type: str, nodes: int, kind: str, seconds: float) -> None:
    cluster.resize = {
        "TargetNodeType": node_type,
        "TargetNumberOfNodes": nodes,
        "TargetClusterType": "multi-node" if nodes > 1 else "single-node",
        "TargetEncryptionType": "KMS" if cluster.settings["Encrypted"] else "None",
        "ResizeType": kind,
        "Status": "IN_PROGRESS",
        "begun": now(),
        "seconds": seconds,
    }
    cluster.pending = {"NodeType": node_type, "NumberOfNodes": nodes}
    started = "Cluster {} resize started at [time].{}"
    read_only = " Cluster is in read-only mode." if kind == "ClassicResize" else ""
    message = started.format(cluster.name, read_only)
    record(cluster.backend, "cluster", cluster.name, "2006", "Management", message)
    cluster.go_through(
        Stage("resizing", seconds), Stage("available", begin=lambda: finish(cluster))
    )


def finish(cluster: Cluster) -> None:
    resize = cluster.resize
    assert resize
    cluster.settings |= {
        "NodeType": resize["TargetNodeType"],
        "NumberOfNodes": resize["TargetNumberOfNodes"],
    }
    cluster.pending = {}
    resize |= {"Status": "SUCCEEDED", "took": (now() - resize["begun"]).total_seconds()}
    message = (
        f"The resize for your Amazon Redshift cluster {cluster.name} is complete and your cluster "
        f"is available for reads and writes. The resize was initiated at "
        f"{resize['begun']:%Y-%m-%d %H:%M:%S} UTC and took {resize['took'] / 3600:.2f} hours to "
        "complete."
    )
    record(cluster.backend, "cluster", cluster.name, "3002", "Monitoring", message)


def resize(backend: RedshiftBackend, params: Mapping[str, Any]) -> Cluster:
    """Begin what a ResizeCluster request asks for.

    Raises:
        ServiceException: as the service's model says.
    """
    with LOCK:
        cluster = find_idle_cluster(backend, params["ClusterIdentifier"], "resize")
        if not params.get("Classic"):
            begin_elastic(cluster, params)
        elif params.get("NodeType") is None:
            contradictory("No modifications were requested")
        else:
            begin_classic(cluster, params)
        return cluster


@adds(
    RedshiftResponse,
    "redshift",
    "ResizeCluster",
    differs=(
        "takes 10 minutes of the lab's clock, or an hour if classic; statements run meanwhile, "
        "writing ones too; an elastic change of the node type may keep the number of nodes or "
        "choose any that the new type allows for it; node types without published limits have "
        "those of the RA3 type of the same rank"
    ),
)
def resize_cluster(self: Any) -> ActionResult:
    cluster = resize(self.redshift_backend, self.params)
    return ActionResult({"Cluster": cluster.described()})


@adds(
    RedshiftResponse,
    "redshift",
    "DescribeResize",
    differs="no data rates: the lab moves no data",
)
def describe_resize(self: Any) -> ActionResult:
    with LOCK:
        cluster = find_cluster(self.redshift_backend, self.params["ClusterIdentifier"])
        if cluster.resize is None:
            refuse(
                "ResizeNotFound",
                f"A resize operation for cluster {cluster.name} was not found.",
            )
        return ActionResult(progress(cluster, cluster.resize))


def progress(cluster: Cluster, resize: Request) -> Request:
    """The members of DescribeResize."""
    shown = {name: value for name, value in resize.items() if name[0].isupper()}
    running = resize["Status"] == "IN_PROGRESS"
    elapsed = (now() - resize["begun"]).total_seconds() if running else resize.get("took", 0.0)
    part = min(1.0, elapsed / resize["seconds"]) if running else 1.0
    shown |= {
        "ElapsedTimeInSeconds": int(elapsed),
        "EstimatedTimeToCompletionInSeconds": int(resize["seconds"] * (1 - part)),
        "DataTransferProgressPercent": round(100 * part, 2),
    }
    if resize["Status"] == "CANCELLING":
        del shown["EstimatedTimeToCompletionInSeconds"]
    if resize["ResizeType"] == "ClassicResize":
        tables = cluster.warehouse.table_names()
        done = int(part * len(tables))
        shown |= {
            "ImportTablesCompleted": tables[:done],
            "ImportTablesInProgress": tables[done : done + 1],
            "ImportTablesNotStarted": tables[done + 1 :],
        }
    return shown


@adds(
    RedshiftResponse,
    "redshift",
    "CancelResize",
    differs="the cluster is available again at once",
)
def cancel_resize(self: Any) -> ActionResult:
    with LOCK:
        cluster = find_cluster(self.redshift_backend, self.params["ClusterIdentifier"])
        if cluster.resize is None:
            refuse(
                "ResizeNotFound",
                f"A resize operation for cluster {cluster.name} was not found.",
            )
        if cluster.resize["Status"] != "IN_PROGRESS":
            refuse("InvalidClusterState", "There is no resize operation in progress to cancel.")
        cluster.resize |= {
            "Status": "CANCELLING",
            "took": (now() - cluster.resize["begun"]).total_seconds(),
        }
        cluster.pending = {}
        resize = cluster.resize
        cluster.go_through(
            Stage("cancelling-resize"),
            Stage("available", begin=lambda: resize.update(Status="NONE")),
        )
        return ActionResult(progress(cluster, resize))


# --- what is possible ----------------------------------------------------------------------------

COMPARE: dict[str, Callable[[float, list[float]], bool]] = {
    "eq": lambda value, wanted: value == wanted[0],
    "lt": lambda value, wanted: value < wanted[0],
    "gt": lambda value, wanted: value > wanted[0],
    "le": lambda value, wanted: value <= wanted[0],
    "ge": lambda value, wanted: value >= wanted[0],
    "in": lambda value, wanted: value in wanted,
    "between": lambda value, wanted: wanted[0] <= value <= wanted[-1],
}


@adds(
    RedshiftResponse,
    "redshift",
    "DescribeNodeConfigurationOptions",
    differs=(
        "no disk utilization, and filters by it find nothing; no recommendations "
        "(`recommend-node-config`)"
    ),
)
def describe_node_configuration_options(self: Any) -> ActionResult:
    params, backend = self.params, self.redshift_backend
    options = [
        {"NodeType": node_type, "NumberOfNodes": nodes}
        for node_type, nodes in possible(backend, params)
    ]
    for condition in params.get("Filters") or []:
        options = [option for option in options if keeps(option, condition)]
    shown, marker = page(options, params, most=500)
    return ActionResult({"NodeConfigurationOptionList": shown, "Marker": marker})


def possible(backend: RedshiftBackend, params: Mapping[str, Any]) -> list[tuple[str, int]]:
    if params["ActionType"] == "recommend-node-config":
        refuse("UnsupportedOperation", "The lab recommends no node configurations.")
    if params["ActionType"] == "resize-cluster":
        if not params.get("ClusterIdentifier"):
            contradictory("ClusterIdentifier is required for the action type resize-cluster.")
        cluster = find_cluster(backend, params["ClusterIdentifier"])
        return list(elastic_options(cluster.node_type, cluster.nodes))
    if not (params.get("SnapshotIdentifier") or params.get("SnapshotArn")):
        contradictory("A snapshot is required for the action type restore-cluster.")
    snapshot = find_snapshot(backend, params)
    same = (snapshot.node_type, snapshot.number_of_nodes)
    return [same, *elastic_options(*same)]


def keeps(option: Request, condition: Mapping[str, Any]) -> bool:
    """Whether an option passes a filter.

    Raises:
        ServiceException: the filter makes no sense.
    """
    name, operator = condition.get("Name"), condition.get("Operator")
    values = condition.get("Values") or []
    if not name or not operator or not values:
        invalid("A filter needs Name, Operator and Values.")
    if name in ("NodeType", "Mode"):
        if operator != "in":
            invalid(f"If filter Name is {name} only the 'in' operator is supported.")
        return option.get(name) in values
    try:
        wanted = [float(value) for value in values]
    except ValueError:
        invalid(f"Filter values of {name} must be numbers.")
    found = option.get(name)
    return found is not None and COMPARE[operator](found, wanted)
