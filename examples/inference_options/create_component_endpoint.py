"""Create an endpoint that has instances but no model: inference components bring theirs."""

import argparse
import sys

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError


# [start: create]
def create_endpoint(
    sagemaker: BaseClient, endpoint: str, role_arn: str, instance_type: str, most: int
) -> None:
    """A configuration of the endpoint's name without ModelName, and the endpoint.

    (`sagemaker:CreateEndpointConfig`, `CreateEndpoint`, `DescribeEndpoint` to wait.) The role is
    the configuration's, not the model's. Between 0 and so many instances run, as the components
    need them; at the start it is 1. Raises WaiterError if it fails.
    """
    variant = {
        "VariantName": "AllTraffic",
        "InstanceType": instance_type,
        "InitialInstanceCount": 1,
        "ManagedInstanceScaling": {
            "Status": "ENABLED",
            "MinInstanceCount": 0,
            "MaxInstanceCount": most,
        },
        "RoutingConfig": {"RoutingStrategy": "LEAST_OUTSTANDING_REQUESTS"},
    }
    sagemaker.create_endpoint_config(
        EndpointConfigName=endpoint, ExecutionRoleArn=role_arn, ProductionVariants=[variant]
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
    parser.add_argument("--role-arn", required=True)
    parser.add_argument("--instance-type", default="ml.m5.large")
    parser.add_argument("--max", type=int, default=2, help="instances")
    given = parser.parse_args()
    endpoint, instance_type = given.endpoint, given.instance_type
    if given.max < 1:
        parser.error("--max: 1 or more")
    try:
        sagemaker = boto3.client("sagemaker")
        create_endpoint(sagemaker, endpoint, given.role_arn, instance_type, given.max)
    except (BotoCoreError, ClientError, KeyboardInterrupt) as error:
        sys.exit(
            f"{why(error)}. The endpoint {endpoint}, which is billed, or its configuration may be "
            f"there: delete_components.py --endpoint {endpoint} deletes both. Check the options, "
            "AWS_DEFAULT_REGION and credentials."
        )
    print(f"{endpoint}  in service, 0 to {given.max} x {instance_type}, without a model")
    print("billed by its instances, until delete_components.py deletes it")


if __name__ == "__main__":
    main()
