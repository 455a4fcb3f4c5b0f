"""Create an endpoint configuration of two variants that share the traffic by their weights."""

import argparse
import sys

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError


# [start: config]
def create_ab_config(
    sagemaker: BaseClient, name: str, models: dict[str, str], weights: list[float], kind: str
) -> None:
    """Each variant is one model on one instance of its own (`sagemaker:CreateEndpointConfig`).

    models: variant name to model name. Raises ClientError: the name is taken, or a model is not
    there.
    """
    variants = [
        {
            "VariantName": variant,
            "ModelName": model,
            "InstanceType": kind,
            "InitialInstanceCount": 1,
            "InitialVariantWeight": weight,
        }
        for (variant, model), weight in zip(models.items(), weights, strict=True)
    ]
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants)


# [end: config]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="of the endpoint configuration")
    parser.add_argument("--variants", nargs=2, required=True, metavar="VARIANT=MODEL")
    parser.add_argument("--weights", nargs=2, type=float, default=[1.0, 1.0])
    parser.add_argument("--instance-type", default="ml.m5.large")
    arguments = parser.parse_args()
    name, weights = arguments.name, arguments.weights
    models = dict(variant.partition("=")[::2] for variant in arguments.variants)
    if len(models) < 2 or not all(models) or not all(models.values()):
        parser.error("--variants: two names, each with its model: v1=shop-v1 v2=shop-v2")
    if min(weights) < 0 or not sum(weights):
        parser.error("--weights: not below 0, and not both 0")
    try:
        sagemaker = boto3.client("sagemaker")
        create_ab_config(sagemaker, name, models, weights, arguments.instance_type)
    except (BotoCoreError, ClientError) as error:
        sys.exit(
            f"{str(error).rstrip('.')}. The configuration {name} was not made, unless it was there "
            "before. Check the names of the models (create_config.py makes them), "
            "AWS_DEFAULT_REGION and credentials."
        )
    for (variant, model), weight in zip(models.items(), weights, strict=True):
        share = weight / sum(weights)
        print(f"{variant}  {model}  weight {weight:g}  {share:.0%} of the requests")
    print(f"{name}  not billed until an endpoint runs: then 2 x {arguments.instance_type}")


if __name__ == "__main__":
    main()
