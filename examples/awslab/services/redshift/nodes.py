"""Node types: what a cluster can be built of, how many, and into how many it can be resized."""

from collections.abc import Iterator
from dataclasses import dataclass

MOST_NODES = 100  # of a new cluster, whatever its type (CreateCluster, NumberOfNodes)


@dataclass(frozen=True)
class NodeType:
    """slices: per node. least, most: nodes of a cluster; 1 is a single-node cluster.
    growth, shrink: an elastic resize multiplies, or divides, the number of nodes by at most this.
    """

    slices: int
    least: int
    most: int
    growth: int
    shrink: int


NODE_TYPES = {
    "dc2.large": NodeType(2, 1, 32, 2, 2),
    "dc2.8xlarge": NodeType(16, 2, 128, 2, 2),
    "ra3.large": NodeType(2, 1, 16, 2, 4),
    "ra3.xlplus": NodeType(2, 1, 32, 2, 4),
    "ra3.4xlarge": NodeType(4, 2, 64, 4, 4),
    "ra3.16xlarge": NodeType(16, 2, 128, 4, 4),
    "rg.large": NodeType(2, 1, 16, 2, 4),
    "rg.xlarge": NodeType(2, 1, 32, 2, 4),
    "rg.4xlarge": NodeType(4, 2, 64, 4, 4),
    "rg.12xlarge": NodeType(16, 2, 128, 4, 4),
}


def managed_storage(node_type: str) -> bool:
    """RA3 and RG keep their data in Redshift managed storage, DC2 on the nodes."""
    return not node_type.startswith("dc2.")


def elastic_counts(node_type: str, nodes: int) -> list[int]:
    """To how many nodes a cluster of this type can be resized while it stays; never to or from
    a single one."""
    if nodes == 1:
        return []
    limits = NODE_TYPES[node_type]
    least = max(limits.least, 2, -(-nodes // limits.shrink))
    most = min(limits.most, nodes * limits.growth)
    return [count for count in range(least, most + 1) if count != nodes]


def elastic_options(node_type: str, nodes: int) -> Iterator[tuple[str, int]]:
    """Node type and number of nodes of every cluster that an elastic resize can make of this."""
    if nodes == 1:
        return
    for other in NODE_TYPES:
        counts = elastic_counts(other, nodes)
        if other != node_type and managed_storage(other):
            counts = sorted({*counts, nodes} & set(allowed_counts(other)))
        elif other != node_type:
            counts = []
        for count in counts:
            yield other, count


def allowed_counts(node_type: str) -> range:
    """The numbers of nodes of a multi-node cluster of this type."""
    limits = NODE_TYPES[node_type]
    return range(max(limits.least, 2), limits.most + 1)
