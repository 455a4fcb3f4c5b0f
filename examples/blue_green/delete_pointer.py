"""Delete the pointer to the current endpoint; its callers fail from then on."""

import argparse
import sys

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError


# [start: delete]
def delete_pointer(ssm: BaseClient, pointer: str) -> None:
    """Delete the parameter with all its versions (`ssm:DeleteParameter`).

    Raises ClientError: there is no such parameter, or the call is not allowed.
    """
    ssm.delete_parameter(Name=pointer)


# [end: delete]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pointer", default="/ml/endpoint/current", help="name of the parameter")
    pointer = parser.parse_args().pointer
    try:
        delete_pointer(boto3.client("ssm"), pointer)
    except (BotoCoreError, ClientError) as error:
        advice = f"If {pointer} was there, it still is. Check its name, AWS_DEFAULT_REGION, rights."
        sys.exit(f"{str(error).rstrip('.')}. {advice}")
    print(f"deleted {pointer}; the endpoints are still there")


if __name__ == "__main__":
    main()
