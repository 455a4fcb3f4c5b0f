"""Create an endpoint from an endpoint configuration and wait until it is in service."""

import argparse
import sys

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError


# [start: create]
def create_endpoint(sagemaker: BaseClient, endpoint: str, config: str) -> None:
    """Create the endpoint and wait, an hour at most, until it is in service.

    (`sagemaker:CreateEndpoint`, `DescribeEndpoint`.) Raises ClientError: the name is taken or
    there is no such configuration; WaiterError: the endpoint fails.
    """
    sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=config)
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=endpoint)


# [end: create]


def why(error: Exception) -> str:
    """The FailureReason behind the error of a waiter, or else what the error says."""
    answer = getattr(error, "last_response", {})
    return " ".join(answer.get("FailureReason", str(error)).split()).rstrip(".")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--config", required=True, help="endpoint configuration, made before")
    arguments = parser.parse_args()
    endpoint, config = arguments.endpoint, arguments.config
    left = (
        f"Unless it was there before, {endpoint} may be there and is billed: delete_endpoint.py "
        f"--endpoint {endpoint} --configs {config} deletes it."
    )
    try:
        create_endpoint(boto3.client("sagemaker"), endpoint, config)
    except KeyboardInterrupt:
        sys.exit(f"Interrupted. {left}")
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"{why(error)}. {left} Check the names, AWS_DEFAULT_REGION and credentials.")
    print(f"{endpoint}  in service with {config}")
    print("billed with and without requests, until delete_endpoint.py deletes it")


if __name__ == "__main__":
    main()
