"""Limit how long concurrency scaling may run for a cluster each day, or lift the limit."""

import argparse
import sys
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

FEATURE, PERIOD, ACTION = "concurrency-scaling", "daily", "disable"


def find_limit(redshift: BaseClient, cluster_id: str) -> dict[str, Any] | None:
    """The limit that this program sets, if it exists (`redshift:DescribeUsageLimits`).

    Limits with another period or action are not this program's. Raises ClientError.
    """
    pages = redshift.get_paginator("describe_usage_limits").paginate(
        ClusterIdentifier=cluster_id, FeatureType=FEATURE
    )
    found = [limit for page in pages for limit in page["UsageLimits"]]
    own = [f for f in found if (f["Period"], f["BreachAction"]) == (PERIOD, ACTION)]
    return own[0] if own else None


def set_limit(
    redshift: BaseClient, cluster_id: str, minutes: int, found: dict[str, Any] | None
) -> str:
    """Create or change the limit and return what was done; nothing, if it says so already.

    (`redshift:CreateUsageLimit`, `redshift:ModifyUsageLimit`)
    """
    if found is None:
        # [start: limit]
        redshift.create_usage_limit(
            ClusterIdentifier=cluster_id,
            FeatureType=FEATURE,
            LimitType="time",
            Amount=minutes,
            Period=PERIOD,
            BreachAction=ACTION,  # by itself AWS only writes a log entry
        )
        # [end: limit]
        return "created"
    if found["Amount"] == minutes:
        return "unchanged"
    redshift.modify_usage_limit(UsageLimitId=found["UsageLimitId"], Amount=minutes)
    return f"changed from {found['Amount']}"


def remove_limit(redshift: BaseClient, found: dict[str, Any] | None) -> str:
    """Lift the limit and return what was done (`redshift:DeleteUsageLimit`)."""
    if found is None:
        return "no limit was set"
    redshift.delete_usage_limit(UsageLimitId=found["UsageLimitId"])
    return "limit removed"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cluster-id", required=True)
    chosen = parser.add_mutually_exclusive_group(required=True)
    chosen.add_argument("--minutes", type=int, help="per day, at least 1")
    chosen.add_argument("--remove", action="store_true")
    arguments = parser.parse_args()
    cluster_id, minutes = arguments.cluster_id, arguments.minutes
    if minutes is not None and minutes < 1:
        parser.error("--minutes: the least that AWS accepts is 1")
    left = "has not changed"
    try:
        redshift = boto3.client("redshift")
        found = find_limit(redshift, cluster_id)
        left = "may have changed"
        if arguments.remove:
            print(f"{cluster_id}  {FEATURE}: {remove_limit(redshift, found)}")
        else:
            done = set_limit(redshift, cluster_id, minutes, found)
            print(f"{cluster_id}  {FEATURE}: {minutes} minutes {PERIOD}, then {ACTION} ({done})")
    except (BotoCoreError, ClientError) as error:
        answered = isinstance(error, ClientError)
        if answered and error.response["ResponseMetadata"]["HTTPStatusCode"] < 500:
            left = "has not changed"  # AWS has refused
        sys.exit(
            f"{str(error).rstrip('.')}. The usage limit of {cluster_id} {left}. "
            "Check the name, AWS_DEFAULT_REGION, credentials and network."
        )


if __name__ == "__main__":
    main()
