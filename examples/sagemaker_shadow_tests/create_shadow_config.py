"""Add a shadow variant and data capture to an endpoint: a new configuration, then an update."""

import argparse
import sys
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

SHADOW = "Shadow"


def read_production(sagemaker: BaseClient, endpoint: str) -> dict[str, Any]:
    """The one production variant of the endpoint's configuration.

    (`sagemaker:DescribeEndpoint`, `DescribeEndpointConfig`.) Raises ValueError: it has several, or
    a shadow variant already.
    """
    name = sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
    config = sagemaker.describe_endpoint_config(EndpointConfigName=name)
    if len(config["ProductionVariants"]) > 1 or config.get("ShadowProductionVariants"):
        raise ValueError(f"{name}: a shadow needs one production variant, and no other shadow")
    return config["ProductionVariants"][0]


# [start: config]
def create_config(
    sagemaker: BaseClient, name: str, production: dict[str, Any], model: str, capture: str
) -> None:
    """Production as it is, the same machines for the shadow, all requests of both captured.

    capture: s3://bucket/prefix. (`sagemaker:CreateEndpointConfig`.) ClientError: no such model.
    """
    sagemaker.create_endpoint_config(
        EndpointConfigName=name,
        ProductionVariants=[production],
        ShadowProductionVariants=[production | {"VariantName": SHADOW, "ModelName": model}],
        DataCaptureConfig={
            "EnableCapture": True,
            "InitialSamplingPercentage": 100,
            "DestinationS3Uri": capture,
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            # Without it, the captured data are in Base64.
            "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"]},
        },
    )


# [end: config]


def update(sagemaker: BaseClient, endpoint: str, config: str) -> dict[str, Any]:
    """The endpoint after the update (`sagemaker:UpdateEndpoint`, `DescribeEndpoint`).

    Raises RuntimeError: it was rolled back, which the waiter does not tell.
    """
    sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=config)
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=endpoint)
    found = sagemaker.describe_endpoint(EndpointName=endpoint)
    if found["EndpointConfigName"] != config:
        reason = " ".join(found.get("FailureReason", "").split())
        raise RuntimeError(f"{endpoint} was rolled back to {found['EndpointConfigName']}: {reason}")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--config", required=True, help="name of the new configuration")
    parser.add_argument("--model", required=True, help="the shadow's model, made before")
    parser.add_argument("--capture", required=True, help="s3://bucket/prefix of what is captured")
    arguments = parser.parse_args()
    endpoint, config = arguments.endpoint, arguments.config
    left = (
        f"If {config} was made: delete_endpoint.py --configs {config}. {endpoint} serves as before."
    )
    try:
        sagemaker = boto3.client("sagemaker")
        production = read_production(sagemaker, endpoint)
        create_config(sagemaker, config, production, arguments.model, arguments.capture)
        left = (
            f"{config} was made; {endpoint} may be changing to it, and is billed for both variants."
        )
        found = update(sagemaker, endpoint, config)
    except KeyboardInterrupt:
        sys.exit(f"Interrupted. {left}")
    except (BotoCoreError, ClientError, RuntimeError, ValueError) as error:
        sys.exit(f"{str(error).rstrip('.')}. {left} Check the names and AWS_DEFAULT_REGION.")
    print(f"{endpoint}  in service with {config}")
    for kind in ("ProductionVariants", "ShadowProductionVariants"):
        for variant in found[kind]:
            print(f"{kind}: {variant['VariantName']}  {variant['CurrentInstanceCount']} running")


if __name__ == "__main__":
    main()
