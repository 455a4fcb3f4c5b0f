"""Delete a bucket of create_bucket.py with all its objects: data, models, outputs."""

import argparse
import sys

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

TAG = {"Key": "made-by", "Value": "create_bucket.py"}


def check_tag(s3: BaseClient, bucket: str) -> None:
    """Raises RuntimeError if the bucket is not one of create_bucket.py (`s3:GetBucketTagging`)."""
    try:
        tags = s3.get_bucket_tagging(Bucket=bucket)["TagSet"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchTagSet":
            raise
        tags = []
    if TAG not in tags:
        raise RuntimeError(f"{bucket} is not tagged by create_bucket.py")


def empty(s3: BaseClient, bucket: str) -> int:
    """Delete every version and delete marker; returns their number (`s3:ListBucketVersions`).

    Raises RuntimeError: the call `s3:DeleteObject` succeeds and yet an object was not deleted.
    """
    deleted, more = 0, True
    # [start: empty]
    while more:
        page = s3.list_object_versions(Bucket=bucket)  # 1,000 at most
        found = [
            {"Key": version["Key"], "VersionId": version["VersionId"]}
            for version in page.get("Versions", []) + page.get("DeleteMarkers", [])
        ]
        if found:
            answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": found, "Quiet": True})
            for error in answer.get("Errors", []):
                raise RuntimeError(f"{error['Code']}: {error['Message']}: {error['Key']}")
        deleted += len(found)
        more = page["IsTruncated"]
    # [end: empty]
    return deleted


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bucket", required=True)
    bucket, left = parser.parse_args().bucket, "Nothing was deleted."
    try:
        s3 = boto3.client("s3")
        check_tag(s3, bucket)
        left = f"{bucket} may still exist, without some of its objects."
        deleted = empty(s3, bucket)
        s3.delete_bucket(Bucket=bucket)
    except (BotoCoreError, ClientError, RuntimeError) as error:
        sys.exit(
            f"{str(error).rstrip('.')}. {left} "
            "Check the name, AWS_DEFAULT_REGION, credentials and network; then run this again."
        )
    print(f"deleted {bucket} with {deleted} objects")


if __name__ == "__main__":
    main()
