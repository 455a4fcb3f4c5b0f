"""Create an encrypted, private Amazon Redshift cluster whose password no person needs to know."""

import argparse
import sys
from collections import Counter
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError


def create_cluster(
    redshift: BaseClient, cluster_id: str, node_type: str, nodes: int, subnet_group: str | None
) -> None:
    """Request a cluster of two nodes or more (`redshift:CreateCluster`).

    Raises ClientError, for example with code ClusterAlreadyExists.
    """
    network = {"ClusterSubnetGroupName": subnet_group} if subnet_group else {}
    # [start: create]
    redshift.create_cluster(
        ClusterIdentifier=cluster_id,
        ClusterType="multi-node",
        NodeType=node_type,
        NumberOfNodes=nodes,  # without it: a single node
        MasterUsername="awsuser",
        ManageMasterPassword=True,  # AWS Secrets Manager makes and keeps the password
        Encrypted=True,
        PubliclyAccessible=False,
        **network,
    )
    # [end: create]


def wait_until_available(redshift: BaseClient, cluster_id: str) -> dict[str, Any]:
    """The cluster as soon as it is available, within 30 minutes (`redshift:DescribeClusters`).

    Raises WaiterError.
    """
    # [start: wait]
    redshift.get_waiter("cluster_available").wait(ClusterIdentifier=cluster_id)
    # [end: wait]
    return redshift.describe_clusters(ClusterIdentifier=cluster_id)["Clusters"][0]


def print_cluster(cluster: dict[str, Any]) -> None:
    """Print the state, the nodes by their roles, and the security settings."""
    roles = Counter(node["NodeRole"].partition("-")[0].lower() for node in cluster["ClusterNodes"])
    counts = ", ".join(f"{count} {role}" for role, count in roles.items())
    kept = "MasterPasswordSecretArn" in cluster
    print(f"{cluster['ClusterIdentifier']}  {cluster['ClusterStatus']}")
    print(f"  Endpoint            {cluster['Endpoint']['Address']}:{cluster['Endpoint']['Port']}")
    print(f"  nodes               {cluster['NodeType']} x {cluster['NumberOfNodes']}: {counts}")
    print(f"  Encrypted           {cluster['Encrypted']}")
    print(f"  PubliclyAccessible  {cluster['PubliclyAccessible']}")
    print(f"  password            {'in AWS Secrets Manager' if kept else 'not managed by AWS'}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cluster-id", required=True)
    parser.add_argument("--node-type", default="ra3.xlplus")
    parser.add_argument("--nodes", type=int, default=2)
    parser.add_argument("--subnet-group-name")
    arguments = parser.parse_args()
    cluster_id, nodes = arguments.cluster_id, arguments.nodes
    if nodes < 2:
        parser.error("--nodes: a cluster of one node cannot be resized elastically; take 2 or more")
    left = (
        f"No cluster was confirmed. If {cluster_id} exists, it is billed: delete_cluster.py "
        "deletes it."
    )
    try:
        redshift = boto3.client("redshift")
        create_cluster(
            redshift, cluster_id, arguments.node_type, nodes, arguments.subnet_group_name
        )
        left = f"{cluster_id} was requested and will be billed: delete_cluster.py deletes it."
        print_cluster(wait_until_available(redshift, cluster_id))
    except KeyboardInterrupt:
        sys.exit(f"Interrupted. {left}")
    except (BotoCoreError, ClientError) as error:
        sys.exit(
            f"{str(error).rstrip('.')}. {left} "
            "Check the options, AWS_DEFAULT_REGION, credentials and network."
        )


if __name__ == "__main__":
    main()
