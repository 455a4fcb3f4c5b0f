"""Delete what deploy_model.py has made, endpoint, configuration and model, and the log."""

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
def delete_all(sagemaker: BaseClient, logs: BaseClient, name: str) -> list[str]:
    """Delete the endpoint first, for it is what costs; returns what was deleted.

    (`sagemaker:DeleteEndpoint`, `DescribeEndpoint` to wait, `DeleteEndpointConfig`, `DeleteModel`;
    `logs:DeleteLogGroup`: the log outlives the endpoint, and its storage is billed.)
    """
    deleted = []
    if delete(sagemaker.delete_endpoint, EndpointName=name):
        sagemaker.get_waiter("endpoint_deleted").wait(EndpointName=name)
        deleted.append("endpoint")
    if delete(sagemaker.delete_endpoint_config, EndpointConfigName=name):
        deleted.append("endpoint configuration")
    if delete(sagemaker.delete_model, ModelName=name):
        deleted.append("model")
    if delete(logs.delete_log_group, logGroupName=f"/aws/sagemaker/Endpoints/{name}"):
        deleted.append("log")
    return deleted


# [end: delete]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="of endpoint, configuration and model")
    name = parser.parse_args().name
    left = (
        f"The endpoint {name}, its configuration, model or log may still be there, and an "
        "endpoint is billed. While its status changes it cannot be deleted: run this again, in "
        "some minutes."
    )
    try:
        deleted = delete_all(boto3.client("sagemaker"), boto3.client("logs"), name)
    except KeyboardInterrupt:
        sys.exit(f"Interrupted. {left}")
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"{str(error).rstrip('.')}. {left}")
    if not deleted:
        sys.exit(f"Nothing is called {name}. Check the name and AWS_DEFAULT_REGION.")
    print(f"deleted {name}: {', '.join(deleted)}")


if __name__ == "__main__":
    main()
