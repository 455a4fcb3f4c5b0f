"""Publish a new version of a Lambda function; no alias moves, so no caller notices."""

import argparse
import sys

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError


# [start: publish]
def publish_version(client: BaseClient, function: str, weights: str) -> str:
    """Set WEIGHTS and return the number of the version that keeps it.

    (`lambda:UpdateFunctionConfiguration`, `PublishVersion`; `GetFunction` to wait.) Lambda makes no
    new version, but returns the last one, if nothing has changed since.
    """
    client.update_function_configuration(
        FunctionName=function, Environment={"Variables": {"WEIGHTS": weights}}
    )
    client.get_waiter("function_updated_v2").wait(FunctionName=function)
    return client.publish_version(FunctionName=function)["Version"]


# [end: publish]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--function", required=True)
    parser.add_argument("--weights", required=True, help="the setting WEIGHTS of the new version")
    arguments = parser.parse_args()
    name = arguments.function
    try:
        version = publish_version(boto3.client("lambda"), name, arguments.weights)
    except KeyboardInterrupt:
        sys.exit(f"Interrupted. $LATEST of {name} may be changed; its versions are not.")
    except (BotoCoreError, ClientError) as error:
        sys.exit(
            f"{error}. $LATEST of {name} may be changed; no alias was moved. "
            "Check --function, AWS_DEFAULT_REGION and credentials, and run it again."
        )
    print(f"{name}  version {version} published, no alias moved")


if __name__ == "__main__":
    main()
