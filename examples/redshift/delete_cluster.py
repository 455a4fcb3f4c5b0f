"""Delete a cluster, with a final snapshot or expressly without one, and wait until it is gone."""

import argparse
import sys

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError


def delete_cluster(redshift: BaseClient, cluster_id: str, final_snapshot_id: str | None) -> None:
    """Delete the cluster with its automated snapshots and the secret that AWS manages.

    Manual snapshots stay (`redshift:DeleteCluster`). Raises ClientError, for example with code
    ClusterNotFound, InvalidClusterState or ClusterSnapshotAlreadyExists.
    """
    # [start: delete]
    if final_snapshot_id:
        redshift.delete_cluster(
            ClusterIdentifier=cluster_id, FinalClusterSnapshotIdentifier=final_snapshot_id
        )
    else:
        redshift.delete_cluster(ClusterIdentifier=cluster_id, SkipFinalClusterSnapshot=True)
    # [end: delete]


def wait_until_deleted(redshift: BaseClient, cluster_id: str) -> None:
    """Wait up to two hours (`redshift:DescribeClusters`). Raises WaiterError."""
    redshift.get_waiter("cluster_deleted").wait(
        ClusterIdentifier=cluster_id, WaiterConfig={"Delay": 60, "MaxAttempts": 120}
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cluster-id", required=True)
    chosen = parser.add_mutually_exclusive_group(required=True)
    chosen.add_argument("--final-snapshot-id", metavar="NAME")
    chosen.add_argument("--skip-final-snapshot", action="store_true", help="all data are lost")
    arguments = parser.parse_args()
    cluster_id, final = arguments.cluster_id, arguments.final_snapshot_id
    if not arguments.skip_final_snapshot and not final:
        parser.error("--final-snapshot-id: the name is empty")
    left = f"{cluster_id} was not deleted."
    try:
        redshift = boto3.client("redshift")
        delete_cluster(redshift, cluster_id, final)
        left = f"{cluster_id} is being deleted"
        left += f"; its final snapshot {final} stays: see delete_snapshot.py." if final else "."
        wait_until_deleted(redshift, cluster_id)
    except KeyboardInterrupt:
        sys.exit(f"Interrupted. {left}")
    except (BotoCoreError, ClientError) as error:
        sys.exit(
            f"{str(error).rstrip('.')}. {left} "
            "Check the names, AWS_DEFAULT_REGION, credentials and network."
        )
    print(f"{cluster_id}  deleted")
    if final:
        print(f"{final}  is kept and billed until: delete_snapshot.py --snapshot-id {final}")


if __name__ == "__main__":
    main()
