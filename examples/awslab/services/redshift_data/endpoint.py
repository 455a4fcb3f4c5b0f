"""What a statement is sent to: a cluster, or a workgroup of Redshift Serverless."""

from dataclasses import dataclass

from awslab.services.redshift_data.warehouse import Warehouse


@dataclass(frozen=True)
class Endpoint:
    """kind: `cluster` or `workgroup`. slices: 0 where there are none to see. roles: those that
    COPY and UNLOAD may use."""

    kind: str
    name: str
    account: str
    region: str
    warehouse: Warehouse
    nodes: int
    slices: int
    roles: tuple[str, ...]
    default_role: str | None

    def slices_of(self, node: int) -> range:
        """The slices of a node, numbered through the cluster."""
        each = self.slices // self.nodes
        return range(node * each, (node + 1) * each)
