"""Point the callers back at the endpoint that they used before a bad one."""

import argparse
import sys

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError


# [start: before]
def used_before(ssm: BaseClient, pointer: str, bad: str) -> str | None:
    """What the pointer named last before the bad endpoint; None: it was led away already.

    (`ssm:GetParameterHistory`, which has up to 100 versions.) Raises RuntimeError: it has never
    named the bad one, or no other one; ClientError: there is no such pointer.
    """
    pages = ssm.get_paginator("get_parameter_history").paginate(Name=pointer)
    versions = sorted((v for p in pages for v in p["Parameters"]), key=lambda v: v["Version"])
    names = [version["Value"] for version in versions]
    if bad not in names:
        raise RuntimeError(f"{pointer} names {names[-1]} and has never named {bad}")
    if names[-1] != bad:
        return None
    others = [name for name in names if name != bad]
    if not others:
        raise RuntimeError(f"{pointer} has never named another endpoint than {bad}")
    return str(others[-1])


# [end: before]


# [start: back]
def switch_back(sagemaker: BaseClient, ssm: BaseClient, pointer: str, endpoint: str) -> None:
    """Name the old endpoint again, if it still serves.

    (`sagemaker:DescribeEndpoint`, `ssm:PutParameter`.) Raises RuntimeError: it is not in service;
    ClientError: it was deleted, or a call is not allowed.
    """
    status = sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointStatus"]
    if status != "InService":
        raise RuntimeError(f"{endpoint} is {status}, not InService")
    ssm.put_parameter(Name=pointer, Value=endpoint, Type="String", Overwrite=True)


# [end: back]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pointer", default="/ml/endpoint/current", help="name of the parameter")
    parser.add_argument("--bad", required=True, help="the endpoint that callers are to leave")
    arguments = parser.parse_args()
    pointer, bad = arguments.pointer, arguments.bad
    try:
        sagemaker, ssm = boto3.client("sagemaker"), boto3.client("ssm")
        good = used_before(ssm, pointer, bad)
        if good:
            switch_back(sagemaker, ssm, pointer, good)
    except (BotoCoreError, ClientError, RuntimeError) as error:
        advice = f"Callers still use what it names: switch_pointer.py --pointer {pointer} --to"
        sys.exit(f"Not rolled back: {str(error).rstrip('.')}. {advice} an endpoint in service.")
    if good:
        print(f"{pointer}  {bad} -> {good}: rolled back")
    else:
        print(f"{pointer}  does not name {bad}: nothing was changed")


if __name__ == "__main__":
    main()
