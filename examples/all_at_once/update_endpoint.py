"""Update an endpoint to another configuration all at once, with nothing that leads back."""

import argparse
import sys

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError


def serving(sagemaker: BaseClient, endpoint: str) -> str:
    """The configuration that the endpoint has now (`sagemaker:DescribeEndpoint`)."""
    return str(sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"])


# [start: update]
def update(sagemaker: BaseClient, endpoint: str, config: str) -> None:
    """Begin an update without a DeploymentConfig (`sagemaker:UpdateEndpoint`).

    All traffic shifts at once, then the old fleet ends: there is no bake and no alarm. Raises
    ClientError: the endpoint is not in service, or there is no such configuration.
    """
    sagemaker.update_endpoint(
        EndpointName=endpoint, EndpointConfigName=config, RetainAllVariantProperties=True
    )


# [end: update]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--config", required=True, help="the new endpoint configuration")
    arguments = parser.parse_args()
    endpoint, config = arguments.endpoint, arguments.config
    try:
        sagemaker = boto3.client("sagemaker")
        old = serving(sagemaker, endpoint)
        if old == config:
            raise RuntimeError(f"{endpoint} serves {config} already")
        update(sagemaker, endpoint, config)
    except (BotoCoreError, ClientError, RuntimeError) as error:
        sys.exit(
            f"{str(error).rstrip('.')}. {endpoint} is as it was. Check both names, "
            "AWS_DEFAULT_REGION and credentials; no other update may be going on."
        )
    print(f"{endpoint}  from {old} to {config}  all at once, without a bake and alarms")
    print(f"keep {old}: roll_back.py goes back to it. watch_update.py tells how this ends")


if __name__ == "__main__":
    main()
