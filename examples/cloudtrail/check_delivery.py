"""Prove that a trail delivers: its status, and the newest log file in its bucket; exit 1 if not."""

import argparse
import sys
import time
from datetime import UTC
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

TRIES, PAUSE = 20, 60  # a file comes about 5 minutes after the events; seconds between two looks


def log_folder(trail: dict[str, Any]) -> str:
    """Where the files about the trail's own Region and account begin."""
    account, region = trail["TrailARN"].split(":")[4], trail["HomeRegion"]
    prefix = f"{trail['S3KeyPrefix']}/" if trail.get("S3KeyPrefix") else ""
    return f"{prefix}AWSLogs/{account}/CloudTrail/{region}/"


def newest_file(s3: BaseClient, bucket: str, folder: str) -> str | None:
    """The key of the last log file, if there is one (`s3:ListObjectsV2`)."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=folder)
    files = [found for page in pages for found in page.get("Contents", [])]
    return max(files, key=lambda file: file["LastModified"])["Key"] if files else None


def wait_for_file(cloudtrail: BaseClient, s3: BaseClient, trail: dict[str, Any]) -> str | None:
    """Look until a file is there, at most TRIES times (`cloudtrail:GetTrailStatus`).

    Raises RuntimeError: the trail does not log, or S3 refuses its files.
    """
    for attempt in range(TRIES):
        time.sleep(PAUSE if attempt else 0)
        # [start: status]
        status = cloudtrail.get_trail_status(Name=trail["TrailARN"])
        if not status["IsLogging"]:
            raise RuntimeError("The trail does not log: call cloudtrail:StartLogging")
        if status.get("LatestDeliveryError"):
            raise RuntimeError(f"S3 refuses the log files: {status['LatestDeliveryError']}")
        if status.get("LatestDeliveryTime"):
            day = status["LatestDeliveryTime"].astimezone(UTC)  # the folders are those of UTC
            folder = f"{log_folder(trail)}{day:%Y/%m/%d}/"
            key = newest_file(s3, trail["S3BucketName"], folder)
            if key:
                return key
        # [end: status]
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trail-name", required=True)
    name = parser.parse_args().trail_name
    try:
        cloudtrail = boto3.client("cloudtrail")
        trail = cloudtrail.get_trail(Name=name)["Trail"]
        key = wait_for_file(cloudtrail, boto3.client("s3"), trail)
    except (BotoCoreError, ClientError, RuntimeError, KeyboardInterrupt) as error:
        said = str(error).rstrip(".") or "Interrupted"
        advice = "Check the bucket policy, AWS_DEFAULT_REGION, credentials and network."
        sys.exit(f"{said}. Delivery of the trail {name} is not proven. {advice}")
    if key is None:
        sys.exit(f"The trail {name} logs, but no file of its home Region has come: run it again.")
    print(f"trail {name}: logging, no delivery error")
    print(f"newest file: s3://{trail['S3BucketName']}/{key}")


if __name__ == "__main__":
    main()
