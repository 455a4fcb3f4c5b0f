"""Create a serverless endpoint of a model that is there, and wait until it is in service."""

import argparse
import sys

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

MEMORY_SIZES = range(1024, 6145, 1024)  # MB, which SageMaker allows


# [start: create]
def create_serverless(
    sagemaker: BaseClient, endpoint: str, model: str, memory: int, concurrency: int
) -> None:
    """A configuration of the endpoint's name, without instances, and the endpoint.

    (`sagemaker:CreateEndpointConfig`, `CreateEndpoint`, `DescribeEndpoint` to wait.) memory: MB;
    concurrency: requests at a time, further ones are throttled. Raises WaiterError if it fails.
    """
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": model,
        "ServerlessConfig": {"MemorySizeInMB": memory, "MaxConcurrency": concurrency},
    }
    sagemaker.create_endpoint_config(EndpointConfigName=endpoint, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=endpoint)
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=endpoint)


# [end: create]


def why(error: BaseException) -> str:
    """The FailureReason behind the error of a waiter, or else what the error says."""
    answer = getattr(error, "last_response", {})
    said = " ".join(str(answer.get("FailureReason", error)).split()).rstrip(".")
    return said or "Interrupted"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True, help="and name of its configuration")
    parser.add_argument("--model", required=True, help="made before, by create_config.py")
    parser.add_argument("--memory", type=int, choices=MEMORY_SIZES, default=2048, help="MB")
    parser.add_argument("--concurrency", type=int, default=1, help="1 to 200")
    arguments = parser.parse_args()
    endpoint, memory, concurrency = arguments.endpoint, arguments.memory, arguments.concurrency
    if not 1 <= concurrency <= 200:
        parser.error("--concurrency: 1 to 200")
    try:
        sagemaker = boto3.client("sagemaker")
        create_serverless(sagemaker, endpoint, arguments.model, memory, concurrency)
    except (BotoCoreError, ClientError, KeyboardInterrupt) as error:
        sys.exit(
            f"{why(error)}. The endpoint {endpoint} or its configuration may be there: "
            f"delete_endpoint.py --endpoint {endpoint} --configs {endpoint} deletes both. Check "
            "the options, AWS_DEFAULT_REGION and credentials."
        )
    print(f"{endpoint}  in service, {memory} MB, {concurrency} at a time")
    print("billed by the time of its requests and their data, not while it waits")


if __name__ == "__main__":
    main()
