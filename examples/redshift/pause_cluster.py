"""Pause a cluster, so that its compute is not billed, or resume it, and wait for the result."""

import argparse
import sys
import time

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

PAUSE_SECONDS, MOST_LOOKS = 30, 120  # an hour


def find_status(redshift: BaseClient, cluster_id: str) -> str:
    """The status of the cluster (`redshift:DescribeClusters`). Raises ClientError."""
    return redshift.describe_clusters(ClusterIdentifier=cluster_id)["Clusters"][0]["ClusterStatus"]


def wait_for_status(redshift: BaseClient, cluster_id: str, wanted: str) -> None:
    """Look until the cluster has a status.

    boto3 has no waiter for `paused`. Raises RuntimeError after an hour.
    """
    # [start: wait]
    for _ in range(MOST_LOOKS):
        found = find_status(redshift, cluster_id)
        if found == wanted:
            return
        time.sleep(PAUSE_SECONDS)
    # [end: wait]
    raise RuntimeError(f"The cluster is still {found}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cluster-id", required=True)
    parser.add_argument("--resume", action="store_true", help="wake a paused cluster")
    arguments = parser.parse_args()
    cluster_id, resume = arguments.cluster_id, arguments.resume
    under_way, wanted = ("resuming", "available") if resume else ("pausing", "paused")
    done = f"{cluster_id} was not asked to become {wanted}."
    try:
        redshift = boto3.client("redshift")
        # [start: change]
        change = redshift.resume_cluster if resume else redshift.pause_cluster
        if find_status(redshift, cluster_id) not in (under_way, wanted):  # asked before
            change(ClusterIdentifier=cluster_id)
        # [end: change]
        done = f"{cluster_id} was asked to become {wanted}: run this again to wait for it."
        wait_for_status(redshift, cluster_id, wanted)
    except KeyboardInterrupt:
        sys.exit(f"Interrupted. {done}")
    except (BotoCoreError, ClientError, RuntimeError) as error:
        sys.exit(
            f"{str(error).rstrip('.')}. {done} "
            "Check the name, AWS_DEFAULT_REGION, credentials and network."
        )
    billed = "compute, storage and backups" if resume else "storage and backups, not compute"
    print(f"{cluster_id}  {wanted}; billed: {billed}")


if __name__ == "__main__":
    main()
