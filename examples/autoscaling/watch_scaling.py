"""Send much traffic, then little, and watch how many instances autoscaling makes of it."""

import argparse
import sys
import time
from pathlib import Path

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

MINUTE = 60.0  # seconds: the metric counts by the minute


# [start: watch]
def watch(
    clients: tuple[BaseClient, BaseClient], names: tuple[str, str], bodies: list[str], minutes: int
) -> int:
    """Send all bodies in every minute, until the number of instances has changed; returns it.

    (`sagemaker:InvokeEndpoint`, `DescribeEndpoint`.) Raises RuntimeError: after so many minutes
    nothing has changed.
    """
    (sagemaker, runtime), (endpoint, variant) = clients, names
    before = instances(sagemaker, endpoint, variant)
    for _ in range(minutes):
        end = time.monotonic() + MINUTE
        for body in bodies:
            runtime.invoke_endpoint(EndpointName=endpoint, ContentType="text/csv", Body=body)
        for _ in range(3):  # looks: an instance starts, and takes minutes until it serves
            if (now := instances(sagemaker, endpoint, variant)) != before:
                return now
            time.sleep(max(0.0, min(MINUTE / 3, end - time.monotonic())))
    raise RuntimeError(f"After {minutes} minutes there are still {before} instances")


# [end: watch]


def instances(sagemaker: BaseClient, endpoint: str, variant: str) -> int:
    """Those that serve now. Raises RuntimeError: the endpoint has no such variant."""
    found = sagemaker.describe_endpoint(EndpointName=endpoint)["ProductionVariants"]
    for one in found:
        if one["VariantName"] == variant:
            return one["CurrentInstanceCount"]
    raise RuntimeError(f"{endpoint} has no variant {variant}")


def read_causes(scaling: BaseClient, endpoint: str, variant: str) -> list[str]:
    """What was done and why, the oldest first (`DescribeScalingActivities`)."""
    activities = scaling.describe_scaling_activities(
        ServiceNamespace="sagemaker", ResourceId=f"endpoint/{endpoint}/variant/{variant}"
    )["ScalingActivities"]
    # The cause names the alarm: TargetTracking-...-AlarmHigh-... or AlarmLow.
    causes = [(one["Description"], "AlarmHigh" in one["Cause"]) for one in reversed(activities)]
    return [f"{done} Why: {'much' if high else 'little'} traffic" for done, high in causes]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--variant", default="AllTraffic")
    parser.add_argument("--file", type=Path, required=True, help="CSV file, the label first")
    parser.add_argument("--requests", type=int, required=True, help="a minute, above the target")
    parser.add_argument("--minutes", type=int, default=30, help="at most, for each direction")
    given = parser.parse_args()
    names = given.endpoint, given.variant
    if min(given.requests, given.minutes) < 1:
        parser.error("--requests and --minutes: 1 or more")
    try:
        lines = given.file.read_text(encoding="utf-8").split()
        if not lines:
            sys.exit(f"{given.file} has no rows: there is nothing to send.")
        bodies = [lines[n % len(lines)].partition(",")[2] for n in range(given.requests)]
        clients = boto3.client("sagemaker"), boto3.client("sagemaker-runtime")
        for sent in (bodies, bodies[:1]):
            count = watch(clients, names, sent, given.minutes)
            print(f"{len(sent)} requests a minute: {count} instances")
        causes = read_causes(boto3.client("application-autoscaling"), *names)
    except (
        OSError,
        UnicodeDecodeError,
        RuntimeError,
        BotoCoreError,
        ClientError,
        KeyboardInterrupt,
    ) as error:
        sys.exit(
            f"{str(error).rstrip('.') or 'Interrupted'}. {given.endpoint} may run with more "
            "instances than before, which are billed: they go when the traffic is little, or with "
            "remove_scaling.py and delete_endpoint.py."
        )
    print("\n".join(causes))


if __name__ == "__main__":
    main()
