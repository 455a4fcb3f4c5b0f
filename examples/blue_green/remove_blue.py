"""Remove the endpoint that callers have left, with what it was made of; never the one in use."""

import argparse
import contextlib
import sys

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError


# [start: check]
def check_unused(ssm: BaseClient, pointer: str, endpoint: str) -> None:
    """Raises RuntimeError: callers use the endpoint; ClientError: nobody knows, there is no such
    pointer (`ssm:GetParameter`)."""
    if ssm.get_parameter(Name=pointer)["Parameter"]["Value"] == endpoint:
        raise RuntimeError(f"{pointer} names {endpoint}: its callers would fail")


# [end: check]


def parts(sagemaker: BaseClient, endpoint: str) -> tuple[str, list[str]]:
    """The configuration of an endpoint and its models, to be read while the endpoint is there.

    (`sagemaker:DescribeEndpoint`, `DescribeEndpointConfig`.) Raises ClientError: it is not there.
    """
    config = sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
    found = sagemaker.describe_endpoint_config(EndpointConfigName=config)
    return config, sorted({variant["ModelName"] for variant in found["ProductionVariants"]})


# [start: remove]
def remove(
    sagemaker: BaseClient, logs: BaseClient, endpoint: str, config: str, models: list[str]
) -> None:
    """First what is billed, and nothing that something else still needs.

    (`sagemaker:DeleteEndpoint`, `DescribeEndpoint` to wait, `DeleteEndpointConfig`, `DeleteModel`;
    `logs:DeleteLogGroup`.) The artifacts in S3 stay: with them the version can be brought back.
    """
    sagemaker.delete_endpoint(EndpointName=endpoint)
    sagemaker.get_waiter("endpoint_deleted").wait(EndpointName=endpoint)
    sagemaker.delete_endpoint_config(EndpointConfigName=config)
    for model in models:
        sagemaker.delete_model(ModelName=model)
    with contextlib.suppress(logs.exceptions.ResourceNotFoundException):  # it was never asked
        logs.delete_log_group(logGroupName=f"/aws/sagemaker/Endpoints/{endpoint}")


# [end: remove]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pointer", default="/ml/endpoint/current", help="name of the parameter")
    parser.add_argument("--endpoint", required=True, help="its configuration serves no other one")
    arguments = parser.parse_args()
    endpoint = arguments.endpoint
    left = "Nothing was removed: check the names, AWS_DEFAULT_REGION and rights."
    try:
        sagemaker, logs = boto3.client("sagemaker"), boto3.client("logs")
        check_unused(boto3.client("ssm"), arguments.pointer, endpoint)
        config, models = parts(sagemaker, endpoint)
        left = (
            f"The endpoint {endpoint} (billed) and its log, the configuration {config} or the "
            f"model {', '.join(models)} may be left. Once no status changes any more, "
            f"guardrails/delete_endpoint.py --endpoint {endpoint} --configs {config} removes them."
        )
        remove(sagemaker, logs, endpoint, config, models)
    except (BotoCoreError, ClientError, RuntimeError, KeyboardInterrupt) as error:
        sys.exit(f"{str(error).rstrip('.') or 'Interrupted'}. {left}")
    print(f"removed endpoint {endpoint}, then configuration {config}, then model", *models)


if __name__ == "__main__":
    main()
