"""Write, read, list and delete one object, and report which requests are denied and why."""

import argparse
import sys
import uuid
from collections.abc import Callable

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError


def try_access(s3: BaseClient, bucket: str, key: str) -> dict[str, str]:
    """For each S3 action "allowed" or S3's own reason for denying it.

    `key` names an object that does not exist yet. Raises other errors, for example NoSuchBucket.
    """
    steps: dict[str, Callable[[], object]] = {
        "s3:PutObject": lambda: s3.put_object(Bucket=bucket, Key=key, Body=b"test"),
        "s3:GetObject": lambda: s3.get_object(Bucket=bucket, Key=key),
        "s3:ListBucket": lambda: s3.list_objects_v2(Bucket=bucket, MaxKeys=1),
        "s3:DeleteObject": lambda: s3.delete_object(Bucket=bucket, Key=key),
    }
    answers = {}
    for action, step in steps.items():
        try:
            step()
            answers[action] = "allowed"
        except ClientError as error:
            code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
            if code not in ("AccessDenied", "NoSuchKey"):
                raise
            # NoSuchKey: reading is allowed, there is only nothing to read.
            answers[action] = message if code == "AccessDenied" else "allowed"
    return answers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bucket", required=True)
    bucket = parser.parse_args().bucket
    key = f"access-test-{uuid.uuid4()}.txt"
    try:
        answers = try_access(boto3.client("s3"), bucket, key)
    except (BotoCoreError, ClientError) as error:
        sys.exit(
            f"{str(error).rstrip('.')}. {key} may be left in {bucket}. "
            "Check the bucket, AWS_DEFAULT_REGION, credentials and network."
        )
    for action, answer in answers.items():
        print(f"{action:16} {answer}")
    if answers["s3:PutObject"] == "allowed" != answers["s3:DeleteObject"]:
        sys.exit(f"{key} is left in {bucket}: delete it from where s3:DeleteObject is allowed.")
    if set(answers.values()) != {"allowed"}:
        sys.exit(1)


if __name__ == "__main__":
    main()
