"""Delete a trail's bucket with all its log files, unless it holds anything else."""

import argparse
import sys
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError


def versions_in(page: dict[str, Any]) -> list[dict[str, Any]]:
    """The versions and delete markers of one answer (`s3:ListObjectVersions`), 1,000 at most."""
    return page.get("Versions", []) + page.get("DeleteMarkers", [])


def refuse_others(s3: BaseClient, bucket: str) -> None:
    """Raises RuntimeError: the bucket holds an object that is no log file."""
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for version in versions_in(page):
            if not version["Key"].startswith("AWSLogs/"):
                raise RuntimeError(f"{bucket} holds {version['Key']}, which is no log file")


def empty_and_delete(s3: BaseClient, bucket: str) -> int:
    """Delete every version, then the bucket; returns the number of versions.

    Raises RuntimeError: the call `s3:DeleteObjects` succeeds, yet an object was not deleted.
    """
    deleted = 0
    # [start: empty]
    while versions := versions_in(s3.list_object_versions(Bucket=bucket)):
        found = [{"Key": v["Key"], "VersionId": v["VersionId"]} for v in versions]
        answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": found, "Quiet": True})
        for error in answer.get("Errors", []):
            raise RuntimeError(f"{error['Code']}: {error['Message']}: {error['Key']}")
        deleted += len(found)
    # [end: empty]
    s3.delete_bucket(Bucket=bucket)
    return deleted


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bucket", required=True)
    bucket, left = parser.parse_args().bucket, "Nothing was deleted."
    try:
        s3 = boto3.client("s3")
        refuse_others(s3, bucket)
        left = f"{bucket} may have lost log files and still exists."
        deleted = empty_and_delete(s3, bucket)
    except (BotoCoreError, ClientError, RuntimeError) as error:
        sys.exit(
            f"{str(error).rstrip('.')}. {left} Is a trail still logging to it? See "
            "remove_trail.py. Check the name, AWS_DEFAULT_REGION, credentials and network."
        )
    print(f"deleted {bucket}" + (" and its log files" if deleted else ", which was empty"))


if __name__ == "__main__":
    main()
