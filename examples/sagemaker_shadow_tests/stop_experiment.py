"""End a shadow test, with the shadow promoted or removed, and verify which model serves then."""

import argparse
import sys
import time
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

PAUSE = 20  # seconds between two looks
KEPT = ("VariantName", "ModelName", "InfrastructureConfig")


# [start: stop]
def stop(sagemaker: BaseClient, found: dict[str, Any], promote: bool, reason: str) -> str:
    """End the described experiment; returns the model that must serve (`StopInferenceExperiment`).

    Raises ValueError: a share below 100 % was tested, so the shadow never bore the whole load.
    """
    mode = found["ShadowModeConfig"]
    source, shadow = mode["SourceModelVariantName"], mode["ShadowModelVariants"][0]
    if promote and shadow["SamplingPercentage"] < 100:
        raise ValueError(
            f"{found['Name']} copies {shadow['SamplingPercentage']} %: test with 100 % before you "
            "promote (change_share.py)"
        )
    name = shadow["ShadowModelVariantName"]
    actions = {source: "Remove" if promote else "Retain", name: "Promote" if promote else "Remove"}
    wanted = next(
        {key: variant[key] for key in KEPT}
        for variant in found["ModelVariants"]
        if variant["VariantName"] == (name if promote else source)
    )
    sagemaker.stop_inference_experiment(
        Name=found["Name"],
        ModelVariantActions=actions,
        DesiredModelVariants=[wanted],
        DesiredState="Completed",
        Reason=reason,
    )
    return wanted["ModelName"]


# [end: stop]


# [start: verify]
def serving_models(sagemaker: BaseClient, name: str, endpoint: str) -> list[str]:
    """Wait for the end, then read the models of the endpoint's configuration, shadows too.

    (`sagemaker:DescribeInferenceExperiment`, `DescribeEndpoint`, `DescribeEndpointConfig`.)
    """
    while sagemaker.describe_inference_experiment(Name=name)["Status"] not in (
        "Completed",
        "Cancelled",
    ):
        time.sleep(PAUSE)
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=endpoint)
    config = sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
    found = sagemaker.describe_endpoint_config(EndpointConfigName=config)
    variants = found["ProductionVariants"] + found.get("ShadowProductionVariants", [])
    return [variant["ModelName"] for variant in variants]


# [end: verify]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="of the experiment")
    parser.add_argument("--promote", action="store_true", help="otherwise the shadow is removed")
    parser.add_argument("--reason", required=True, help="kept with the experiment")
    arguments = parser.parse_args()
    name = arguments.name
    left = f"If {name} still runs, it ends by its schedule, and bills both variants until then."
    try:
        sagemaker = boto3.client("sagemaker")
        found = sagemaker.describe_inference_experiment(Name=name)
        endpoint = found["EndpointMetadata"]["EndpointName"]
        wanted = stop(sagemaker, found, arguments.promote, arguments.reason)
        left = f"{name} is ending: look which model {endpoint} serves before you go on."
        models = serving_models(sagemaker, name, endpoint)
    except KeyboardInterrupt:
        sys.exit(f"Interrupted. {left}")
    except (BotoCoreError, ClientError, ValueError) as error:
        sys.exit(f"{str(error).rstrip('.')}. {left} Check the name and AWS_DEFAULT_REGION.")
    print(f"{endpoint} serves {', '.join(models)}")
    if models != [wanted]:
        sys.exit(f"That is not {wanted} alone. Look at {name} and {endpoint} before you go on.")


if __name__ == "__main__":
    main()
