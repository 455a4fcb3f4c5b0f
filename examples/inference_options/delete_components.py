"""Delete an endpoint after its inference components, and what belongs to them, in this order."""

import argparse
import sys
import time
from collections.abc import Callable

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

PAUSE, LOOKS = 15.0, 120  # seconds between two looks, and how many: half an hour


def delete(call: Callable[..., object], **name: str) -> bool:
    """Delete or look; False if there is no such thing. Raises ClientError for other reasons."""
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
def delete_component(sagemaker: BaseClient, logs: BaseClient, name: str) -> bool:
    """Delete a component and its log, and wait until it is gone; False if there was none.

    (`sagemaker:DeleteInferenceComponent`, `DescribeInferenceComponent`; `logs:DeleteLogGroup`.)
    Raises ClientError: it is being created or updated; TimeoutError.
    """
    there = delete(sagemaker.delete_inference_component, InferenceComponentName=name)
    looks = LOOKS
    while there and delete(sagemaker.describe_inference_component, InferenceComponentName=name):
        looks -= 1
        if not looks:
            raise TimeoutError(f"{name} is still being deleted")
        time.sleep(PAUSE)
    group = f"/aws/sagemaker/InferenceComponents/{name}"
    return delete(logs.delete_log_group, logGroupName=group) or there


def delete_endpoint(sagemaker: BaseClient, logs: BaseClient, name: str) -> bool:
    """Then the endpoint, its configuration and log; False if there was none of them.

    (`sagemaker:DeleteEndpoint`, `DescribeEndpoint` to wait, `DeleteEndpointConfig`;
    `logs:DeleteLogGroup`.)
    """
    there = delete(sagemaker.delete_endpoint, EndpointName=name)
    if there:
        sagemaker.get_waiter("endpoint_deleted").wait(EndpointName=name)
    there |= delete(sagemaker.delete_endpoint_config, EndpointConfigName=name)
    return delete(logs.delete_log_group, logGroupName=f"/aws/sagemaker/Endpoints/{name}") or there


# [end: delete]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True, help="and its configuration")
    parser.add_argument("--components", nargs="*", default=[], help="all that it has")
    given = parser.parse_args()
    names = ", ".join([*given.components, given.endpoint])
    deleted = []
    try:
        sagemaker, logs = boto3.client("sagemaker"), boto3.client("logs")
        deleted = [n for n in given.components if delete_component(sagemaker, logs, n)]
        deleted += [given.endpoint] * delete_endpoint(sagemaker, logs, given.endpoint)
    except (BotoCoreError, ClientError, OSError, KeyboardInterrupt) as error:
        sys.exit(
            f"{str(error).rstrip('.') or 'Interrupted'}. Of {names} something may still be there, "
            "and an endpoint is billed. What is being changed cannot be deleted: run this again, "
            "in some minutes."
        )
    if not deleted:
        sys.exit(f"Nothing is called {names}. Check the names and AWS_DEFAULT_REGION.")
    print("deleted", ", ".join(deleted))


if __name__ == "__main__":
    main()
