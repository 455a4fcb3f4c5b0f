"""Delete a Lambda function with its versions and aliases, its alarm, its logs and its role."""

import argparse
import sys

import boto3
from botocore.exceptions import BotoCoreError, ClientError

LOGS = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
GONE = {"NoSuchEntity", "ResourceNotFoundException"}


def delete_all(function: str, alias: str) -> bool:
    """What create_function.py made, and the log group; False if there was none of it.

    (`cloudwatch:DeleteAlarms`, `lambda:DeleteFunction`, `logs:DeleteLogGroup`,
    `iam:DetachRolePolicy`, `DeleteRole`.)
    """
    # [start: delete]
    iam = boto3.client("iam")
    steps = [
        (boto3.client("cloudwatch").delete_alarms, {"AlarmNames": [f"{function}-{alias}-errors"]}),
        # Without a Qualifier all versions and aliases go with it.
        (boto3.client("lambda").delete_function, {"FunctionName": function}),
        (boto3.client("logs").delete_log_group, {"logGroupName": f"/aws/lambda/{function}"}),
        (iam.detach_role_policy, {"RoleName": function, "PolicyArn": LOGS}),
        (iam.delete_role, {"RoleName": function}),
    ]
    there = False
    for call, arguments in steps:
        try:
            call(**arguments)
            there |= "AlarmNames" not in arguments  # a missing alarm is no error
        except ClientError as error:
            if error.response["Error"]["Code"] not in GONE:
                raise
    # [end: delete]
    return there


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--function", required=True)
    parser.add_argument("--alias", default="live", help="the alarm is named after it")
    arguments = parser.parse_args()
    name = arguments.function
    try:
        there = delete_all(name, arguments.alias)
    except (BotoCoreError, ClientError) as error:
        sys.exit(
            f"{str(error).rstrip('.')}. Function, role or logs /aws/lambda/{name}, alarm "
            f"{name}-{arguments.alias}-errors may be left: run it again."
        )
    if not there:
        sys.exit(f"Nothing is called {name}. Check the name and AWS_DEFAULT_REGION.")
    print(f"{name}  deleted, with versions, aliases, alarm, logs and role")


if __name__ == "__main__":
    main()
