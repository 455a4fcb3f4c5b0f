"""Create a Lambda function with version 1, the alias that callers use, and an alarm."""

import argparse
import io
import json
import sys
import time
import zipfile
from pathlib import Path

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

TRUST = {
    "Effect": "Allow",
    "Action": "sts:AssumeRole",
    "Principal": {"Service": "lambda.amazonaws.com"},
}
LOGS = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


def create_role(iam: BaseClient, name: str) -> str:
    """The ARN of a role that may write logs (`iam:CreateRole`, `AttachRolePolicy`)."""
    document = json.dumps({"Version": "2012-10-17", "Statement": [TRUST]})
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)
    iam.attach_role_policy(RoleName=name, PolicyArn=LOGS)
    time.sleep(10)  # until all of IAM knows the role
    return role["Role"]["Arn"]


def pack(file: Path) -> bytes:
    """The file as a ZIP archive, the same bytes each time. Raises OSError."""
    entry = zipfile.ZipInfo(file.name)
    entry.external_attr = 0o644 << 16  # Lambda's user must be able to read it
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as target:
        target.writestr(entry, file.read_bytes())
    return archive.getvalue()


def create_function(
    client: BaseClient, name: str, role_arn: str, code: bytes, module: str, weights: str
) -> str:
    """The number of the published version (`lambda:CreateFunction`; `GetFunction` to wait)."""
    # [start: function]
    made = client.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Handler=f"{module}.handler",
        Role=role_arn,
        Code={"ZipFile": code},
        Environment={"Variables": {"WEIGHTS": weights}},
        Publish=True,
    )
    client.get_waiter("function_active_v2").wait(FunctionName=name)
    # [end: function]
    return made["Version"]


def create_alarm(cloudwatch: BaseClient, function: str, alias: str) -> str:
    """The name of an alarm of any error by way of the alias (`cloudwatch:PutMetricAlarm`)."""
    # [start: alarm]
    name = f"{function}-{alias}-errors"
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="AWS/Lambda",
        MetricName="Errors",
        Dimensions=[
            {"Name": "FunctionName", "Value": function},
            {"Name": "Resource", "Value": f"{function}:{alias}"},
        ],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="notBreaching",
    )
    # [end: alarm]
    return name


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--function", required=True, help="its name, and that of its role")
    parser.add_argument("--file", type=Path, required=True, help="with the function `handler`")
    parser.add_argument("--weights", required=True, help="the setting WEIGHTS")
    parser.add_argument("--alias", default="live")
    given = parser.parse_args()
    name = given.function
    left = "Nothing was made."
    try:
        code = pack(given.file)
        client = boto3.client("lambda")
        left = (
            f"A part of {name} may be left: delete_function.py deletes all, also what was there "
            "before."
        )
        role_arn = create_role(boto3.client("iam"), name)
        version = create_function(client, name, role_arn, code, given.file.stem, given.weights)
        client.create_alias(FunctionName=name, Name=given.alias, FunctionVersion=version)
        alarm = create_alarm(boto3.client("cloudwatch"), name, given.alias)
    except KeyboardInterrupt:
        sys.exit(f"Interrupted. {left}")
    except (BotoCoreError, ClientError, OSError) as error:
        sys.exit(
            f"{str(error).rstrip('.')}. {left} Check the options, AWS_DEFAULT_REGION and "
            "credentials."
        )
    print(f"{name}  alias {given.alias} -> version {version}, watched by {alarm}")


if __name__ == "__main__":
    main()
