"""Change number or type of nodes by an elastic resize, if AWS offers it for this cluster."""

import argparse
import sys
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError


def find_cluster(redshift: BaseClient, cluster_id: str) -> dict[str, Any]:
    """The cluster (`redshift:DescribeClusters`). Raises ClientError: ClusterNotFound."""
    return redshift.describe_clusters(ClusterIdentifier=cluster_id)["Clusters"][0]


def find_offers(redshift: BaseClient, cluster_id: str) -> dict[str, list[int]]:
    """For each node type the numbers of nodes that an elastic resize can make of the cluster.

    Nothing for a single node (`redshift:DescribeNodeConfigurationOptions`).
    """
    # [start: offers]
    pages = redshift.get_paginator("describe_node_configuration_options").paginate(
        ActionType="resize-cluster", ClusterIdentifier=cluster_id
    )
    # [end: offers]
    offers: dict[str, list[int]] = {}
    for page in pages:
        for option in page["NodeConfigurationOptionList"]:
            offers.setdefault(option["NodeType"], []).append(option["NumberOfNodes"])
    return offers


def check_offer(offers: dict[str, list[int]], node_type: str, nodes: int) -> None:
    """Raise RuntimeError, which names what is offered, unless these nodes are."""
    if nodes in offers.get(node_type, []):
        return
    if not offers:
        raise RuntimeError("AWS offers no elastic resize: one node needs a classic resize")
    if node_type not in offers:
        raise RuntimeError(f"AWS offers {', '.join(sorted(offers))}, but not {node_type}")
    counts = ", ".join(map(str, sorted(offers[node_type])))
    raise RuntimeError(f"AWS offers {node_type} x {counts}, but not x {nodes}")


def resize(redshift: BaseClient, cluster_id: str, node_type: str, nodes: int) -> None:
    """Resize and wait up to an hour (`redshift:ResizeCluster`, `redshift:DescribeClusters`)."""
    # [start: resize]
    redshift.resize_cluster(
        ClusterIdentifier=cluster_id, NodeType=node_type, NumberOfNodes=nodes, Classic=False
    )
    redshift.get_waiter("cluster_available").wait(
        ClusterIdentifier=cluster_id, WaiterConfig={"Delay": 60, "MaxAttempts": 60}
    )
    # [end: resize]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cluster-id", required=True)
    parser.add_argument("--nodes", required=True, type=int)
    parser.add_argument("--node-type", help="default: the type that the cluster has")
    arguments = parser.parse_args()
    cluster_id = arguments.cluster_id
    done = f"{cluster_id} was not changed."
    try:
        redshift = boto3.client("redshift")
        before = find_cluster(redshift, cluster_id)
        node_type = arguments.node_type or before["NodeType"]
        check_offer(find_offers(redshift, cluster_id), node_type, arguments.nodes)
        done = f"{cluster_id} may be changing its nodes: look at it before you try again."
        resize(redshift, cluster_id, node_type, arguments.nodes)
        result = redshift.describe_resize(ClusterIdentifier=cluster_id)
        after = find_cluster(redshift, cluster_id)
    except KeyboardInterrupt:
        sys.exit(f"Interrupted. {done}")
    except (BotoCoreError, ClientError, RuntimeError) as error:
        refused = getattr(error, "operation_name", "") == "ResizeCluster"
        if refused and error.response["ResponseMetadata"]["HTTPStatusCode"] < 500:
            done = f"{cluster_id} was not changed."
        sys.exit(
            f"{str(error).rstrip('.')}. {done} "
            "Check the options, AWS_DEFAULT_REGION, credentials and network."
        )
    print(f"{cluster_id}  {after['ClusterStatus']}  {result['ResizeType']} {result['Status']}")
    for what, cluster in (("before", before), ("after", after)):
        print(f"  {what:6}  {cluster['NodeType']} x {cluster['NumberOfNodes']}")
    if result["Status"] != "SUCCEEDED":
        sys.exit(f"The resize of {cluster_id} has not succeeded: {result.get('Message', 'wait')}.")


if __name__ == "__main__":
    main()
