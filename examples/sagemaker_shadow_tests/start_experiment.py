"""Start a shadow test of a model on an endpoint and wait until it runs: an inference experiment."""

import argparse
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

PAUSE = 20  # seconds between two looks
SHADOW = "Shadow"


def variant_of(variant: dict[str, Any], name: str, model: str) -> dict[str, Any]:
    """A variant of the experiment on the machines of a variant of the configuration."""
    machines = {
        "InstanceType": variant["InstanceType"],
        "InstanceCount": variant["InitialInstanceCount"],
    }
    infrastructure = {
        "InfrastructureType": "RealTimeInference",
        "RealTimeInferenceConfig": machines,
    }
    return {"VariantName": name, "ModelName": model, "InfrastructureConfig": infrastructure}


# [start: create]
def create_experiment(sagemaker: BaseClient, arguments: argparse.Namespace) -> None:
    """It begins at once (`sagemaker:CreateInferenceExperiment`, `DescribeEndpoint`, …Config)."""
    endpoint = sagemaker.describe_endpoint(EndpointName=arguments.endpoint)
    config = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    serving = config["ProductionVariants"][0]
    source, now = serving["VariantName"], datetime.now(UTC)
    share = {"ShadowModelVariantName": SHADOW, "SamplingPercentage": arguments.share}
    sagemaker.create_inference_experiment(
        Name=arguments.name,
        Type="ShadowMode",
        EndpointName=arguments.endpoint,
        RoleArn=arguments.role_arn,
        Schedule={"StartTime": now, "EndTime": now + timedelta(days=arguments.days)},
        ModelVariants=[
            variant_of(serving, source, serving["ModelName"]),
            variant_of(serving, SHADOW, arguments.model),
        ],
        ShadowModeConfig={"SourceModelVariantName": source, "ShadowModelVariants": [share]},
        DataStorageConfig={
            "Destination": arguments.capture,
            "ContentType": {"CsvContentTypes": ["text/csv"]},
        },
    )


# [end: create]


# [start: wait]
def wait_until_running(sagemaker: BaseClient, name: str) -> list[str]:
    """The states met (`sagemaker:DescribeInferenceExperiment`): boto3 has no waiter.

    Raises RuntimeError: the experiment ended before it ran; says why.
    """
    states: list[str] = []
    while "Running" not in states:
        if states:
            time.sleep(PAUSE)
        found = sagemaker.describe_inference_experiment(Name=name)
        if found["Status"] not in states:
            states.append(found["Status"])
        if found["Status"] in ("Completed", "Cancelled"):
            raise RuntimeError(f"{name} is {found['Status']}: {found.get('StatusReason')}")
    return states


# [end: wait]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="of the experiment")
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--model", required=True, help="the shadow's model, made before")
    parser.add_argument("--role-arn", required=True)
    parser.add_argument("--capture", required=True, help="s3://bucket/prefix of what is captured")
    parser.add_argument("--share", type=int, default=50, help="percent of the requests copied")
    parser.add_argument("--days", type=int, default=7, help="30 at most")
    arguments = parser.parse_args()
    name, endpoint = arguments.name, arguments.endpoint
    if not 0 <= arguments.share <= 100 or not 1 <= arguments.days <= 30:
        parser.error("--share: 0 to 100; --days: 1 to 30")
    left = "Nothing was made."
    try:
        sagemaker = boto3.client("sagemaker")
        left = (
            f"If {name} was made, it changes {endpoint}, and bills both variants: stop it with "
            "stop_experiment.py, then delete_experiment.py."
        )
        create_experiment(sagemaker, arguments)
        states = wait_until_running(sagemaker, name)
    except KeyboardInterrupt:
        sys.exit(f"Interrupted. {left}")
    except (BotoCoreError, ClientError, RuntimeError) as error:
        sys.exit(f"{str(error).rstrip('.')}. {left} Check the names and AWS_DEFAULT_REGION.")
    print(f"{name}  {' -> '.join(states)}")
    print(f"{endpoint}: {arguments.share} % of the requests are copied to {arguments.model}")


if __name__ == "__main__":
    main()
