"""Delete a manual snapshot, such as the final one of a deleted cluster."""

import argparse
import sys

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError


def delete_snapshot(redshift: BaseClient, snapshot_id: str) -> str:
    """Delete the snapshot and return the name of its cluster.

    (`redshift:DescribeClusterSnapshots`, `redshift:DeleteClusterSnapshot`)
    Raises ClientError, for example with code ClusterSnapshotNotFound; RuntimeError: it is an
    automated one, which only AWS deletes.
    """
    answer = redshift.describe_cluster_snapshots(SnapshotIdentifier=snapshot_id)
    found = answer["Snapshots"][0]
    if found["SnapshotType"] != "manual":
        raise RuntimeError(f"{snapshot_id} is {found['SnapshotType']}: AWS deletes it by itself")
    # [start: delete]
    redshift.delete_cluster_snapshot(
        SnapshotIdentifier=snapshot_id,
        # needed where a policy allows the snapshots of certain clusters only
        SnapshotClusterIdentifier=found["ClusterIdentifier"],
    )
    # [end: delete]
    return found["ClusterIdentifier"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--snapshot-id", required=True)
    snapshot_id = parser.parse_args().snapshot_id
    try:
        cluster_id = delete_snapshot(boto3.client("redshift"), snapshot_id)
    except (BotoCoreError, ClientError, RuntimeError) as error:
        sys.exit(
            f"{str(error).rstrip('.')}. {snapshot_id} was not deleted. "
            "Check the name, AWS_DEFAULT_REGION, credentials and network."
        )
    print(f"deleted {snapshot_id} of {cluster_id}")


if __name__ == "__main__":
    main()
