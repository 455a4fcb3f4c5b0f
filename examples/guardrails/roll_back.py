"""Lead an endpoint back to the configuration that it had before, and verify that it serves it."""

import argparse
import sys

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError


# [start: back]
def roll_back(sagemaker: BaseClient, endpoint: str, config: str) -> None:
    """Update to the old configuration all at once and wait until the endpoint is in service.

    (`sagemaker:UpdateEndpoint`, `DescribeEndpoint`.) Raises ClientError: another update is going
    on, or the configuration was deleted; RuntimeError: the endpoint serves something else.
    """
    sagemaker.update_endpoint(
        EndpointName=endpoint, EndpointConfigName=config, RetainAllVariantProperties=True
    )
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=endpoint)
    found = sagemaker.describe_endpoint(EndpointName=endpoint)
    if found["EndpointConfigName"] != config:  # the waiter does not look at this
        reason = found.get("FailureReason", "SageMaker gives no reason").rstrip(".")
        raise RuntimeError(f"{endpoint} serves {found['EndpointConfigName']}: {reason}")


# [end: back]


def why(error: Exception) -> str:
    """The FailureReason behind the error of a waiter, or else what the error says."""
    answer = getattr(error, "last_response", {})
    return " ".join(answer.get("FailureReason", str(error)).split()).rstrip(".")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--config", required=True, help="the old endpoint configuration")
    arguments = parser.parse_args()
    endpoint, config = arguments.endpoint, arguments.config
    try:
        roll_back(boto3.client("sagemaker"), endpoint, config)
    except (BotoCoreError, ClientError, RuntimeError, KeyboardInterrupt) as error:
        sys.exit(
            f"{why(error) or 'Interrupted'}. {endpoint} may not be back at {config}: look at its "
            "status with aws sagemaker describe-endpoint, and run this again once it is InService."
        )
    print(f"{endpoint} serves {config} again")


if __name__ == "__main__":
    main()
