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
def delete_endpoint(sagemaker: BaseClient, logs: BaseClient, endpoint: str) -> bool:
    """Delete the endpoint, which is what costs, and its log; False if there was neither.

    (`sagemaker:DeleteEndpoint`, `DescribeEndpoint` to wait; `logs:DeleteLogGroup`.) An endpoint
    that is being updated cannot be deleted: ClientError.
    """
    there = delete(sagemaker.delete_endpoint, EndpointName=endpoint)
    if there:
        sagemaker.get_waiter("endpoint_deleted").wait(EndpointName=endpoint)
    return (
        delete(logs.delete_log_group, logGroupName=f"/aws/sagemaker/Endpoints/{endpoint}") or there
    )


def delete_config(sagemaker: BaseClient, name: str) -> bool:
    """Delete a configuration that no endpoint uses, and its model; False if there was neither.

    (`sagemaker:DeleteEndpointConfig`, `DeleteModel`.) The artifact in S3 stays.
    """
    there = delete(sagemaker.delete_endpoint_config, EndpointConfigName=name)
    return delete(sagemaker.delete_model, ModelName=name) or there


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
    deleted = []
    try:
        sagemaker, logs = boto3.client("sagemaker"), boto3.client("logs")
        if endpoint and delete_endpoint(sagemaker, logs, endpoint):
            deleted.append(f"endpoint {endpoint}")
        deleted += [f"configuration {c}" for c in configs if delete_config(sagemaker, c)]
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
