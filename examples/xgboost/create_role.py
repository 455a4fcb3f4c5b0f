"""Create the execution role of SageMaker jobs that read and write one bucket, and nothing more."""

import argparse
import json
import sys
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

TAG = {"Key": "made-by", "Value": "create_role.py"}  # delete_role.py deletes no other role
TRUST = {"Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}


def document(*statements: dict[str, Any]) -> str:
    """A policy of statements that allow, as IAM takes it."""
    allowed = [{"Effect": "Allow", **statement} for statement in statements]
    return json.dumps({"Version": "2012-10-17", "Statement": allowed})


def permissions(bucket: str) -> str:
    """What a job or an endpoint needs: data and model, its log, its image, metrics and alarms."""
    # [start: permissions]
    objects = {
        "Action": ["s3:GetObject", "s3:PutObject"],
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }
    listing = {"Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{bucket}"}
    log = {
        "Action": [
            *("logs:CreateLogGroup", "logs:CreateLogStream"),
            *("logs:DescribeLogStreams", "logs:PutLogEvents"),
        ],
        "Resource": "arn:aws:logs:*:*:log-group:/aws/sagemaker/*",
    }
    image = {
        "Action": [
            *("ecr:GetAuthorizationToken", "ecr:BatchCheckLayerAvailability"),
            *("ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"),
        ],
        "Resource": "*",  # AWS's own registry; GetAuthorizationToken knows no resource
    }
    metrics = {
        "Action": ["cloudwatch:PutMetricData", "cloudwatch:DescribeAlarms"],
        "Resource": "*",  # an update of an endpoint looks at its alarms
    }
    # [end: permissions]
    return document(objects, listing, log, image, metrics)


def create_role(iam: BaseClient, role: str) -> str:
    """A role that SageMaker may take on; returns its ARN (`iam:CreateRole`, `iam:TagRole`)."""
    trust = document(TRUST)
    answer = iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust, Tags=[TAG])
    return answer["Role"]["Arn"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--role", required=True)
    parser.add_argument("--bucket", required=True, help="need not exist yet")
    arguments = parser.parse_args()
    role, left = arguments.role, "No role was created."
    try:
        iam = boto3.client("iam")
        arn = create_role(iam, role)
        left = f"The role {role} was created without permissions: delete it with delete_role.py."
        allowed = permissions(arguments.bucket)
        iam.put_role_policy(RoleName=role, PolicyName="training", PolicyDocument=allowed)
    except (BotoCoreError, ClientError) as error:
        advice = "Check the names, credentials and network."
        sys.exit(f"{str(error).rstrip('.')}. {left} {advice}")
    print(arn)


if __name__ == "__main__":
    main()
