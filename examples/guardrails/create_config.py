"""Create a model and an endpoint configuration of the same name: what an endpoint can change to."""

import argparse
import sys

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

VARIANT = "AllTraffic"  # must be the same in all configurations that follow each other


def create_model(
    sagemaker: BaseClient, name: str, image: str, model_data: str, role_arn: str
) -> None:
    """Name the image and the model.tar.gz that belong together (`sagemaker:CreateModel`).

    Raises ClientError: the name is taken, or the role may not be passed.
    """
    sagemaker.create_model(
        ModelName=name,
        PrimaryContainer={"Image": image, "ModelDataUrl": model_data},
        ExecutionRoleArn=role_arn,
    )


# [start: config]
def create_config(sagemaker: BaseClient, name: str, instance_type: str, instances: int) -> None:
    """One production variant of so many instances (`sagemaker:CreateEndpointConfig`)."""
    sagemaker.create_endpoint_config(
        EndpointConfigName=name,
        ProductionVariants=[
            {
                "VariantName": VARIANT,
                "ModelName": name,
                "InstanceType": instance_type,
                "InitialInstanceCount": instances,
            }
        ],
    )


# [end: config]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="of model and endpoint configuration")
    parser.add_argument("--image", required=True, help="the algorithm's image in your Region")
    parser.add_argument("--model-data", required=True, help="s3://bucket/.../model.tar.gz")
    parser.add_argument("--role-arn", required=True)
    parser.add_argument("--instance-type", default="ml.m5.large")
    parser.add_argument("--instances", type=int, default=2)
    arguments = parser.parse_args()
    name, instance_type, count = arguments.name, arguments.instance_type, arguments.instances
    if count < 1:
        parser.error("--instances: 1 or more")
    left = f"Nothing was made. If a model {name} is there already, choose another --name."
    try:
        sagemaker = boto3.client("sagemaker")
        create_model(sagemaker, name, arguments.image, arguments.model_data, arguments.role_arn)
        left = f"The model {name} was made (not billed): delete_endpoint.py --configs {name}."
        create_config(sagemaker, name, instance_type, count)
    except (BotoCoreError, ClientError) as error:
        advice = "Check the options, AWS_DEFAULT_REGION, credentials and network."
        sys.exit(f"{str(error).rstrip('.')}. {left} {advice}")
    print(
        f"{name}  variant {VARIANT}  {count} x {instance_type}  not billed until an endpoint runs"
    )


if __name__ == "__main__":
    main()
