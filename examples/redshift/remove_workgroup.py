"""Delete a workgroup of Redshift Serverless, then its namespace with all data, and wait."""

import argparse
import sys
import time
from collections.abc import Callable
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

PAUSE_SECONDS, MOST_LOOKS = 15, 120  # half an hour


def is_gone(describe: Callable[[], Any]) -> bool:
    """Whether AWS answers that it does not know the thing. Raises other ClientErrors."""
    try:
        describe()
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return True
        raise
    return False


def wait_until_gone(describe: Callable[[], Any]) -> None:
    """Look again and again; boto3 has no waiters for this. Raises RuntimeError at the end."""
    for _ in range(MOST_LOOKS):
        if is_gone(describe):
            return
        time.sleep(PAUSE_SECONDS)
    raise RuntimeError("It is still being deleted")


def remove(serverless: BaseClient, namespace: str, workgroup: str) -> None:
    """Delete both and skip what is not there: a namespace only goes without a workgroup.

    (`redshift-serverless:GetWorkgroup`, `redshift-serverless:DeleteWorkgroup`,
    `redshift-serverless:GetNamespace`, `redshift-serverless:DeleteNamespace`)
    """
    # [start: remove]
    steps = (
        (serverless.get_workgroup, serverless.delete_workgroup, {"workgroupName": workgroup}),
        (serverless.get_namespace, serverless.delete_namespace, {"namespaceName": namespace}),
    )
    for describe, delete, named in steps:
        what, name = next(iter(named.items()))
        if is_gone(lambda d=describe, n=named: d(**n)):
            print(f"{what.removesuffix('Name')} {name} was not found")
            continue
        delete(**named)
        wait_until_gone(lambda d=describe, n=named: d(**n))
        print(f"deleted {what.removesuffix('Name')} {name}")
    # [end: remove]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--namespace", required=True)
    parser.add_argument("--workgroup", required=True)
    arguments = parser.parse_args()
    namespace, workgroup = arguments.namespace, arguments.workgroup
    left = f"Workgroup {workgroup} and namespace {namespace} may still exist: run it again."
    try:
        remove(boto3.client("redshift-serverless"), namespace, workgroup)
    except KeyboardInterrupt:
        sys.exit(f"Interrupted. {left}")
    except (BotoCoreError, ClientError, RuntimeError) as error:
        sys.exit(
            f"{str(error).rstrip('.')}. {left} "
            "Check the names, AWS_DEFAULT_REGION, credentials and network."
        )


if __name__ == "__main__":
    main()
