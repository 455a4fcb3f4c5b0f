"""Delete an endpoint with its log, then endpoint configurations and their models."""

import argparse
import sys
from collections.abc import Callable

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError


def delete(call: Callable[..., object], **name: str) -> bool:
    """Delete one thing; False if there is none. Raises ClientError for every other reason.

    A missing thing is a ValidationException to SageMaker, with this beginning of its message.
    """
    try:
        call(**name)
    except ClientError as error:
        reason = error.response["Error"]
        missing = reason["Code"] == "ResourceNotFoundException"
        if not missing and not reason["Message"].startswith("Could not find"):
            raise
        return False
    return True


# [start: delete]
def delete_endpoint(sagemaker: BaseClient, logs: BaseClient, endpoint: str) -> list[str]:
    """Delete the endpoint, which is what costs, and its log; returns what there was of them.

    (`sagemaker:DeleteEndpoint`, `DescribeEndpoint` to wait; `logs:DeleteLogGroup`.) An endpoint
    that is being updated cannot be deleted: ClientError.
    """
    deleted = []
    if delete(sagemaker.delete_endpoint, EndpointName=endpoint):
        sagemaker.get_waiter("endpoint_deleted").wait(EndpointName=endpoint)
        deleted.append(f"endpoint {endpoint}")
    log = f"/aws/sagemaker/Endpoints/{endpoint}"
    if delete(logs.delete_log_group, logGroupName=log):
        deleted.append(f"log {log}")
    return deleted


def delete_config(sagemaker: BaseClient, name: str) -> list[str]:
    """Delete a configuration that no endpoint uses, and its model; returns what there was of them.

    (`sagemaker:DeleteEndpointConfig`, `DeleteModel`.) The artifact in S3 stays.
    """
    deleted = []
    if delete(sagemaker.delete_endpoint_config, EndpointConfigName=name):
        deleted.append(f"configuration {name}")
    if delete(sagemaker.delete_model, ModelName=name):
        deleted.append(f"model {name}")
    return deleted


# [end: delete]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", help="left out: only configurations and models")
    parser.add_argument("--configs", nargs="*", default=[], help="which no other endpoint uses")
    arguments = parser.parse_args()
    endpoint, configs = arguments.endpoint, arguments.configs
    names = [*([endpoint] if endpoint else []), *configs]
    if not names:
        parser.error("nothing to delete: give --endpoint or --configs")
    try:
        sagemaker, logs = boto3.client("sagemaker"), boto3.client("logs")
        deleted = delete_endpoint(sagemaker, logs, endpoint) if endpoint else []
        for name in configs:
            deleted += delete_config(sagemaker, name)
    except (BotoCoreError, ClientError, KeyboardInterrupt) as error:
        sys.exit(
            f"{str(error).rstrip('.') or 'Interrupted'}. Of {', '.join(names)} something may still "
            "be there; an endpoint is billed, and cannot be deleted while it is being updated: "
            "run this again, in some minutes."
        )
    if not deleted:
        sys.exit(f"Nothing is called {', '.join(names)}. Check the names and AWS_DEFAULT_REGION.")
    print("deleted", ", ".join(deleted))


if __name__ == "__main__":
    main()
