"""Delete the record of a shadow test and what was captured; name the configurations it leaves."""

import argparse
import sys

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError


# [start: delete]
def delete_experiment(sagemaker: BaseClient, name: str) -> bool:
    """Delete the record of an ended experiment; False if there is none.

    (`sagemaker:DeleteInferenceExperiment`.) Raises ClientError: it has not ended.
    """
    try:
        sagemaker.delete_inference_experiment(Name=name)
    except ClientError as error:
        if not error.response["Error"]["Code"].startswith("ResourceNotFound"):
            raise
        return False
    return True


def find_configs(sagemaker: BaseClient, name: str) -> list[str]:
    """Endpoint configurations that bear the name; its endpoint may still use one of them.

    (`sagemaker:ListEndpointConfigs`.)
    """
    pages = sagemaker.get_paginator("list_endpoint_configs").paginate(
        NameContains=name, SortBy="Name", SortOrder="Ascending"
    )
    return [each["EndpointConfigName"] for page in pages for each in page["EndpointConfigs"]]


def delete_captures(s3: BaseClient, bucket: str, prefix: str) -> int:
    """Delete all objects below the prefix (`s3:ListBucket`, `DeleteObject`); returns how many."""
    count = 0
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        keys = [{"Key": item["Key"]} for item in page.get("Contents", [])]
        if keys:
            answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})
            if failed := answer.get("Errors"):
                raise RuntimeError(f"{failed[0]['Key']}: {failed[0]['Message']}")
            count += len(keys)
    return count


# [end: delete]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="of the experiment, which has ended")
    parser.add_argument("--endpoint", required=True, help="whose captured files are deleted")
    parser.add_argument("--capture", required=True, help="s3://bucket/prefix of what is captured")
    arguments = parser.parse_args()
    name, capture = arguments.name, arguments.capture
    bucket, _, prefix = capture.removeprefix("s3://").rstrip("/").partition("/")
    if not arguments.endpoint or not bucket:  # the folder would be all of the bucket
        parser.error("--endpoint: a name; --capture: s3://bucket/prefix")
    folder = f"{prefix}/{arguments.endpoint}/".lstrip("/")
    try:
        sagemaker = boto3.client("sagemaker")
        deleted = delete_experiment(sagemaker, name)
        configs = find_configs(sagemaker, name)
        count = delete_captures(boto3.client("s3"), bucket, folder)
    except (BotoCoreError, ClientError, RuntimeError) as error:
        sys.exit(
            f"{str(error).rstrip('.')}. {name} and files below {capture}, which are billed, may "
            "still be there. End the experiment with stop_experiment.py, then run this again."
        )
    print(f"{name}  {'deleted' if deleted else 'is not there'}")
    print(f"{count} captured files deleted")
    for config in configs:
        print(f"left: configuration {config} (delete_endpoint.py --configs)")


if __name__ == "__main__":
    main()
