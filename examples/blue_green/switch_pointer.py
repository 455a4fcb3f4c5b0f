"""Point the callers at another endpoint, which must be in service: a parameter holds its name."""

import argparse
import sys

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError


def current(ssm: BaseClient, pointer: str) -> str | None:
    """The endpoint that the pointer names (`ssm:GetParameter`); None: there is no pointer yet."""
    try:
        return str(ssm.get_parameter(Name=pointer)["Parameter"]["Value"])
    except ssm.exceptions.ParameterNotFound:
        return None


# [start: switch]
def switch(sagemaker: BaseClient, ssm: BaseClient, pointer: str, endpoint: str) -> int:
    """Name the endpoint in the pointer; returns the pointer's new version.

    (`sagemaker:DescribeEndpoint`, `ssm:PutParameter`.) Raises RuntimeError: the endpoint is not in
    service, and callers would fail; ClientError: there is none, or a call is not allowed.
    """
    status = sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointStatus"]
    if status != "InService":
        raise RuntimeError(f"{endpoint} is {status}, not InService")
    answer = ssm.put_parameter(Name=pointer, Value=endpoint, Type="String", Overwrite=True)
    return int(answer["Version"])


# [end: switch]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pointer", default="/ml/endpoint/current", help="name of the parameter")
    parser.add_argument("--to", required=True, help="the endpoint that callers are to use")
    arguments = parser.parse_args()
    pointer, endpoint = arguments.pointer, arguments.to
    try:
        sagemaker, ssm = boto3.client("sagemaker"), boto3.client("ssm")
        before = current(ssm, pointer)
        if before == endpoint:
            print(f"{pointer}  names {endpoint} already: nothing was changed")
            return
        version = switch(sagemaker, ssm, pointer, endpoint)
    except (BotoCoreError, ClientError, RuntimeError) as error:
        advice = "was not changed. Check the names, AWS_DEFAULT_REGION and rights."
        sys.exit(f"{str(error).rstrip('.')}. {pointer} {advice}")
    print(f"{pointer}  {before or '(new)'} -> {endpoint}  version {version}")


if __name__ == "__main__":
    main()
