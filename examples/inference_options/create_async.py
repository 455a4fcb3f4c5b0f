"""Create an asynchronous endpoint of a model that is there, and wait until it is in service."""

import argparse
import sys

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError


# [start: create]
def create_async(
    sagemaker: BaseClient, endpoint: str, model: str, instance_type: str, bucket: str
) -> None:
    """A configuration of the endpoint's name with AsyncInferenceConfig, and the endpoint.

    (`sagemaker:CreateEndpointConfig`, `CreateEndpoint`, `DescribeEndpoint` to wait.) It cannot be
    made with less than 1 instance. Raises WaiterError if it fails.
    """
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": model,
        "InstanceType": instance_type,
        "InitialInstanceCount": 1,
    }
    queue = {
        "OutputConfig": {
            "S3OutputPath": f"s3://{bucket}/async/out",
            "S3FailurePath": f"s3://{bucket}/async/failed",
        },
        "ClientConfig": {"MaxConcurrentInvocationsPerInstance": 4},
    }
    sagemaker.create_endpoint_config(
        EndpointConfigName=endpoint, ProductionVariants=[variant], AsyncInferenceConfig=queue
    )
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
    parser.add_argument("--instance-type", default="ml.m5.large")
    parser.add_argument("--bucket", required=True, help="for answers and failures")
    arguments = parser.parse_args()
    endpoint, instance_type = arguments.endpoint, arguments.instance_type
    try:
        sagemaker = boto3.client("sagemaker")
        create_async(sagemaker, endpoint, arguments.model, instance_type, arguments.bucket)
    except (BotoCoreError, ClientError, KeyboardInterrupt) as error:
        sys.exit(
            f"{why(error)}. The endpoint {endpoint}, which is billed, or its configuration may be "
            f"there: delete_endpoint.py --endpoint {endpoint} --configs {endpoint} deletes both. "
            "Check the options, AWS_DEFAULT_REGION and credentials."
        )
    print(f"{endpoint}  in service on 1 x {instance_type}, answers below async/out")
    print("billed while it has an instance, until delete_endpoint.py deletes it")


if __name__ == "__main__":
    main()
