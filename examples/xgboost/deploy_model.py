"""Deploy a model of the built-in XGBoost algorithm to a real-time endpoint of one instance."""

import argparse
import sys

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError


def check_image(image: str, region: str) -> None:
    """Raises RuntimeError: an image that lies in another Region is refused by SageMaker."""
    if ".ecr." in image and f".ecr.{region}." not in image:
        raise RuntimeError(f"{image} is not in {region}: give --image the image of your Region")


def create_model(
    sagemaker: BaseClient, name: str, image: str, model_data: str, role_arn: str
) -> None:
    """Name the image and the model.tar.gz that belong together (`sagemaker:CreateModel`)."""
    # [start: model]
    sagemaker.create_model(
        ModelName=name,
        PrimaryContainer={"Image": image, "ModelDataUrl": model_data},
        ExecutionRoleArn=role_arn,
    )
    # [end: model]


def create_endpoint(sagemaker: BaseClient, name: str, instance_type: str) -> None:
    """Create the endpoint of the model and wait, an hour at most, until it is in service.

    (`sagemaker:CreateEndpointConfig`, `CreateEndpoint`; `DescribeEndpoint` to wait.) Raises
    WaiterError if the endpoint fails.
    """
    # [start: endpoint]
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": name,
        "InstanceType": instance_type,
        "InitialInstanceCount": 1,
    }
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name)
    # [end: endpoint]


def why(error: Exception) -> str:
    """The FailureReason behind the error of a waiter, or else what the error says."""
    answer = getattr(error, "last_response", {})
    return " ".join(answer.get("FailureReason", str(error)).split()).rstrip(".")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="of model, configuration and endpoint")
    parser.add_argument("--image", required=True, help="the algorithm's image in your Region")
    parser.add_argument("--model-data", required=True, help="s3://bucket/.../model.tar.gz")
    parser.add_argument("--role-arn", required=True)
    parser.add_argument("--instance-type", default="ml.m5.large")
    arguments = parser.parse_args()
    name, instance_type = arguments.name, arguments.instance_type
    left = f"Nothing was made. If a model {name} is there already, choose another --name."
    try:
        sagemaker = boto3.client("sagemaker")
        check_image(arguments.image, sagemaker.meta.region_name)
        create_model(sagemaker, name, arguments.image, arguments.model_data, arguments.role_arn)
        left = f"A part of {name} was made; an endpoint is billed: delete_endpoint.py deletes all."
        create_endpoint(sagemaker, name, instance_type)
    except KeyboardInterrupt:
        sys.exit(f"Interrupted. {left}")
    except (BotoCoreError, ClientError, RuntimeError) as error:
        advice = "Check the options, AWS_DEFAULT_REGION, credentials and network."
        sys.exit(f"{why(error)}. {left} {advice}")
    print(f"{name}  in service on 1 x {instance_type}")
    print("billed with and without requests, until delete_endpoint.py deletes it")


if __name__ == "__main__":
    main()
