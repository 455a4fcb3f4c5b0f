"""Damage one log file of a practice trail, to see what an integrity check says.

It destroys evidence: never run it on a trail that somebody relies on.
"""

import argparse
import gzip
import json
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError


def find_log(s3: BaseClient, bucket: str) -> str:
    """The key of the oldest log file (`s3:ListBucket`).

    Raises RuntimeError: there is none, or it is older than a day, so this is no practice trail.
    """
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="AWSLogs/")
    files = [found for page in pages for found in page.get("Contents", [])]
    logs = [found for found in files if "/CloudTrail/" in found["Key"]]
    if not logs:
        raise RuntimeError(f"{bucket} holds no log file yet: CloudTrail needs some minutes")
    oldest = min(logs, key=lambda found: (found["LastModified"], found["Key"]))
    if oldest["LastModified"] < datetime.now(UTC) - timedelta(days=1):
        raise RuntimeError(f"{bucket} has log files older than a day: no practice trail")
    return oldest["Key"]


def modify(s3: BaseClient, bucket: str, key: str) -> str:
    """Take the last event out of a log file (`s3:GetObject`, `s3:PutObject`)."""
    content = json.loads(gzip.decompress(s3.get_object(Bucket=bucket, Key=key)["Body"].read()))
    content["Records"].pop()
    put(s3, bucket, key, content)
    return f"took one event out of {key}"


def delete(s3: BaseClient, bucket: str, key: str) -> str:
    """Delete a log file (`s3:DeleteObject`)."""
    s3.delete_object(Bucket=bucket, Key=key)
    return f"deleted {key}"


def insert(s3: BaseClient, bucket: str, key: str) -> str:
    """Put a file without events beside a log file, named like it (`s3:PutObject`)."""
    new = key[: -len("1234567890123456.json.gz")] + "Inserted12345678.json.gz"
    put(s3, bucket, new, {"Records": []})
    return f"inserted {new}"


def put(s3: BaseClient, bucket: str, key: str, content: Any) -> None:
    """Store content as CloudTrail does, in JSON and compressed (`s3:PutObject`)."""
    s3.put_object(Bucket=bucket, Key=key, Body=gzip.compress(json.dumps(content).encode()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bucket", required=True, help="of a trail that you made today")
    how = parser.add_mutually_exclusive_group(required=True)
    for act in (modify, delete, insert):
        how.add_argument(f"--{act.__name__}", dest="act", action="store_const", const=act)
    arguments = parser.parse_args()
    bucket = arguments.bucket
    left = f"Nothing in {bucket} was changed."
    try:
        s3 = boto3.client("s3")
        key = find_log(s3, bucket)
        left = f"{key} in {bucket} may be damaged."
        print(arguments.act(s3, bucket, key))
    except (BotoCoreError, ClientError, RuntimeError) as error:
        sys.exit(f"{str(error).rstrip('.')}. {left} Check the bucket and your permissions.")


if __name__ == "__main__":
    main()
