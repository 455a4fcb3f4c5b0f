"""Take a manual snapshot of a cluster that AWS deletes after a number of days."""

import argparse
import sys
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError


def take_snapshot(redshift: BaseClient, cluster_id: str, snapshot_id: str, keep_days: int) -> None:
    """Begin a snapshot of an available cluster (`redshift:CreateClusterSnapshot`).

    keep_days is 1 to 3653, or -1 for ever, which is what AWS takes when nothing is said.
    Raises ClientError, for example with code ClusterSnapshotAlreadyExists.
    """
    # [start: take]
    redshift.create_cluster_snapshot(
        ClusterIdentifier=cluster_id,
        SnapshotIdentifier=snapshot_id,
        ManualSnapshotRetentionPeriod=keep_days,
    )
    # [end: take]


def wait_until_available(redshift: BaseClient, snapshot_id: str) -> dict[str, Any]:
    """The finished snapshot, within two hours (`redshift:DescribeClusterSnapshots`).

    Raises WaiterError.
    """
    # [start: wait]
    patience = {"Delay": 30, "MaxAttempts": 240}  # by itself the waiter gives up after 5 minutes
    waiter = redshift.get_waiter("snapshot_available")
    waiter.wait(SnapshotIdentifier=snapshot_id, WaiterConfig=patience)
    # [end: wait]
    return redshift.describe_cluster_snapshots(SnapshotIdentifier=snapshot_id)["Snapshots"][0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cluster-id", required=True)
    parser.add_argument("--snapshot-id", required=True)
    parser.add_argument("--keep-days", required=True, type=int, help="1 to 3653, or -1: for ever")
    arguments = parser.parse_args()
    snapshot_id, days = arguments.snapshot_id, arguments.keep_days
    if days != -1 and not 1 <= days <= 3653:
        parser.error(f"--keep-days: {days} is neither 1 to 3653 nor -1 (for ever)")
    left = "No snapshot was confirmed."
    try:
        redshift = boto3.client("redshift")
        take_snapshot(redshift, arguments.cluster_id, snapshot_id, days)
        left = f"{snapshot_id} was begun: delete_snapshot.py removes it."
        found = wait_until_available(redshift, snapshot_id)
    except KeyboardInterrupt:
        sys.exit(f"Interrupted. {left}")
    except (BotoCoreError, ClientError) as error:
        sys.exit(
            f"{str(error).rstrip('.')}. {left} "
            "Check the names, AWS_DEFAULT_REGION, credentials and network."
        )
    print(f"{snapshot_id}  {found['Status']}  {found['SnapshotType']}")
    print(f"  cluster    {found['ClusterIdentifier']}: {found['NodeType']}", end=" ")
    print(f"x {found['NumberOfNodes']}")
    print(f"  Encrypted  {found['Encrypted']}")
    kept = found["ManualSnapshotRetentionPeriod"]
    print(f"  kept       {'for ever' if kept == -1 else f'{kept} days'}")


if __name__ == "__main__":
    main()
