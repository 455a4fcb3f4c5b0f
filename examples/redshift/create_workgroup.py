"""Create a namespace and a workgroup of Amazon Redshift Serverless, private and with a ceiling."""

import argparse
import sys
import time
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

BASE_RPU = 4  # the least that AWS offers; 1 RPU has 16 GB of memory
PAUSE_SECONDS, MOST_LOOKS = 15, 120  # half an hour


def create_namespace(serverless: BaseClient, name: str) -> None:
    """Create what holds data, users and keys (`redshift-serverless:CreateNamespace`).

    Raises ClientError, for example with code ConflictException.
    """
    # [start: namespace]
    serverless.create_namespace(
        namespaceName=name,
        manageAdminPassword=True,  # AWS Secrets Manager makes and keeps the password
    )
    # [end: namespace]


def create_workgroup(serverless: BaseClient, name: str, namespace: str, max_rpu: int) -> None:
    """Create the compute of a namespace (`redshift-serverless:CreateWorkgroup`)."""
    # [start: workgroup]
    serverless.create_workgroup(
        workgroupName=name,
        namespaceName=namespace,
        baseCapacity=BASE_RPU,
        maxCapacity=max_rpu,  # without it, AWS may scale further than you want to pay for
        publiclyAccessible=False,
    )
    # [end: workgroup]


def wait_until_available(serverless: BaseClient, name: str) -> dict[str, Any]:
    """The workgroup as soon as it is available (`redshift-serverless:GetWorkgroup`).

    boto3 has no waiters for Redshift Serverless. Raises RuntimeError after half an hour.
    """
    # [start: wait]
    for _ in range(MOST_LOOKS):
        found = serverless.get_workgroup(workgroupName=name)["workgroup"]
        if found["status"] == "AVAILABLE":
            return found
        time.sleep(PAUSE_SECONDS)
    # [end: wait]
    raise RuntimeError(f"The workgroup is still {found['status']}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--namespace", required=True)
    parser.add_argument("--workgroup", required=True)
    parser.add_argument("--max-rpu", type=int, default=8, help="4, or 8 and more in steps of 8")
    arguments = parser.parse_args()
    namespace, workgroup, most = arguments.namespace, arguments.workgroup, arguments.max_rpu
    if most != BASE_RPU and (most < 8 or most % 8):
        parser.error(f"--max-rpu: {most} is neither 4 nor a multiple of 8")
    left = (
        f"No namespace was confirmed. If {namespace} exists, remove_workgroup.py deletes it with "
        "its data."
    )
    try:
        serverless = boto3.client("redshift-serverless")
        create_namespace(serverless, namespace)
        left = f"The namespace {namespace} was created: remove_workgroup.py deletes it."
        create_workgroup(serverless, workgroup, namespace, most)
        left = (
            f"The namespace {namespace} and the workgroup {workgroup} were created: "
            "remove_workgroup.py deletes them."
        )
        found = wait_until_available(serverless, workgroup)
    except KeyboardInterrupt:
        sys.exit(f"Interrupted. {left}")
    except (BotoCoreError, ClientError, RuntimeError) as error:
        sys.exit(
            f"{str(error).rstrip('.')}. {left} "
            "Check the options, AWS_DEFAULT_REGION, credentials and network."
        )
    print(f"{workgroup}  {found['status']}  of namespace {namespace}")
    print(f"  capacity            {found['baseCapacity']} to {found['maxCapacity']} RPU")
    print(f"  publiclyAccessible  {found['publiclyAccessible']}")
    print("  password            in AWS Secrets Manager")


if __name__ == "__main__":
    main()
