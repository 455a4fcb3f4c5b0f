"""Delete the bucket of the made-up log files, with the results of queries on them."""

import argparse
import re
import sys

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

# What write_sample_logs.py makes, and no digest or other log of a trail
LOG = r"AWSLogs/111122223333/CloudTrail/[a-z0-9-]+/2026/10/\d\d/[^/]+T2355Z_\w{16}\.json\.gz"
OURS = re.compile(rf"{LOG}|athena-results/.*", re.DOTALL)


def list_keys(s3: BaseClient, bucket: str) -> list[str]:
    """The keys of all objects (`s3:ListBucket`). Raises RuntimeError: one is not made up."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    keys = [found["Key"] for page in pages for found in page.get("Contents", [])]
    others = [key for key in keys if not OURS.fullmatch(key)]
    if others:
        raise RuntimeError(f"{bucket} holds {others[0]}, which is no made-up log file")
    return keys


def delete_objects(s3: BaseClient, bucket: str, keys: list[str]) -> None:
    """Delete them (`s3:DeleteObject`). Raises RuntimeError: S3 keeps one of them."""
    for start in range(0, len(keys), 1000):  # as many as one call takes
        chosen = {"Objects": [{"Key": key} for key in keys[start : start + 1000]], "Quiet": True}
        for error in s3.delete_objects(Bucket=bucket, Delete=chosen).get("Errors", []):
            raise RuntimeError(f"{error['Code']}: {error['Message']}: {error['Key']}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bucket", required=True)
    bucket, left = parser.parse_args().bucket, "Nothing was deleted."
    try:
        s3 = boto3.client("s3")
        keys = list_keys(s3, bucket)
        left = f"{bucket} may have lost objects and still exists: run this again."
        delete_objects(s3, bucket, keys)
        left = f"{bucket} is empty and still exists: run this again."
        s3.delete_bucket(Bucket=bucket)
    except (BotoCoreError, ClientError, RuntimeError) as error:
        sys.exit(f"{str(error).rstrip('.')}. {left} Check the name and permissions.")
    print(f"deleted {bucket} and its {len(keys)} objects")


if __name__ == "__main__":
    main()
