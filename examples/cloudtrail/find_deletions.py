"""Who deleted a resource? Ask the event history, which every account has, trail or not."""

import argparse
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

VERBS = ("Delete", "Terminate", "Remove", "Schedule")  # ScheduleKeyDeletion
# CloudTrail answers 2 LookupEvents per second, account and Region. This mode of the SDK repeats
# what was throttled, and sends no faster than the service has last accepted.
RETRIES = Config(retries={"mode": "adaptive", "max_attempts": 10})


def find_events(cloudtrail: BaseClient, resource: str, days: int) -> Iterator[dict[str, Any]]:
    """The management events about a resource, the newest first (`cloudtrail:LookupEvents`).

    `days`: at most 90, older events are not kept. Of one Region, the client's.
    """
    # [start: lookup]
    pages = cloudtrail.get_paginator("lookup_events").paginate(
        LookupAttributes=[{"AttributeKey": "ResourceName", "AttributeValue": resource}],
        StartTime=datetime.now(UTC) - timedelta(days=days),
        PaginationConfig={"PageSize": 50},  # the most; one attribute is the most, too
    )
    # [end: lookup]
    for page in pages:
        yield from page["Events"]


def describe(event: dict[str, Any]) -> str:
    """Who, what, when, where from; the whole record is text in JSON."""
    record = json.loads(event["CloudTrailEvent"])
    at = f"{event['EventTime'].astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    who = record["userIdentity"].get("arn") or event.get("Username", "unknown")
    ending = f", refused: {record['errorCode']}" if "errorCode" in record else ""
    return (
        f"{at}  {event['EventName']}  by {who}  from {record['sourceIPAddress']}"
        f"  in {record['awsRegion']}{ending}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--resource", required=True, help="a name, id or ARN, as the event has it")
    parser.add_argument("--days", type=int, default=90, help="1 to 90")
    arguments = parser.parse_args()
    if not 1 <= arguments.days <= 90:
        parser.error(f"argument --days: {arguments.days} is not 1 to 90")
    try:
        cloudtrail = boto3.client("cloudtrail", config=RETRIES)
        events = list(find_events(cloudtrail, arguments.resource, arguments.days))
    except (BotoCoreError, ClientError) as error:
        advice = "Check AWS_DEFAULT_REGION, credentials and network."
        sys.exit(f"{str(error).rstrip('.')}. {advice}")
    deletions = [event for event in events if event["EventName"].startswith(VERBS)]
    for event in deletions:
        print(describe(event))
    print(f"events about {arguments.resource}: {len(events)}, deletions: {len(deletions)}")


if __name__ == "__main__":
    main()
