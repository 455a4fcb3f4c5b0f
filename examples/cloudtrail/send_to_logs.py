"""Have a trail write its events to CloudWatch Logs too: log group, role, trail."""

import argparse
import json
import sys
import time
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError


def policy(**statement: Any) -> str:
    """A policy of one statement that allows, as IAM takes it."""
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


def create_role(iam: BaseClient, role: str, streams: str, made: list[str]) -> str:
    """A role by which CloudTrail may write to log streams; returns its ARN (`iam:CreateRole`)."""
    # [start: role]
    service = {"Service": "cloudtrail.amazonaws.com"}
    trust = policy(Principal=service, Action="sts:AssumeRole")
    answer = iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust)
    made.append(role)
    write = policy(Action=["logs:CreateLogStream", "logs:PutLogEvents"], Resource=streams)
    iam.put_role_policy(RoleName=role, PolicyName="write", PolicyDocument=write)
    # [end: role]
    return answer["Role"]["Arn"]


def check_new(trail: dict[str, Any], iam: BaseClient, role: str) -> None:
    """Raises RuntimeError: the trail writes to a log group, or the role exists (`iam:GetRole`)."""
    if trail.get("CloudWatchLogsLogGroupArn"):
        group = trail["CloudWatchLogsLogGroupArn"].removesuffix(":*")
        raise RuntimeError(f"The trail {trail['Name']} writes to {group} already")
    try:
        iam.get_role(RoleName=role)
        raise RuntimeError(f"The role {role} exists already")
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchEntity":
            raise


def update_trail(cloudtrail: BaseClient, trail: str, group_arn: str, role_arn: str) -> None:
    """Have the trail use the role, which AWS knows everywhere only after some seconds.

    Raises ClientError (`cloudtrail:UpdateTrail`).
    """
    where = {"CloudWatchLogsLogGroupArn": f"{group_arn}:*", "CloudWatchLogsRoleArn": role_arn}
    for pause in (5, 10, 20, 0):
        try:
            cloudtrail.update_trail(Name=trail, **where)
            return
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code != "InvalidCloudWatchLogsRoleArnException" or not pause:
                raise
        time.sleep(pause)


def send_to_logs(session: boto3.Session, trail: str, group: str, made: list[str]) -> None:
    """Do it all; the name of each thing goes onto `made` as soon as it exists."""
    names = ("cloudtrail", "iam", "logs")
    cloudtrail, iam, logs = (session.client(name) for name in names)
    found, role = cloudtrail.get_trail(Name=trail)["Trail"], f"{trail}-to-logs"
    check_new(found, iam, role)
    _, _, _, region, account, _ = found["TrailARN"].split(":")
    logs.create_log_group(logGroupName=group)
    made.append(group)
    logs.put_retention_policy(logGroupName=group, retentionInDays=90)  # else they stay for ever
    group_arn = f"arn:aws:logs:{region}:{account}:log-group:{group}"
    streams = f"{group_arn}:log-stream:{account}_CloudTrail_{region}*"
    role_arn = create_role(iam, role, streams, made)
    update_trail(cloudtrail, trail, group_arn, role_arn)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trail-name", required=True)
    parser.add_argument("--log-group", required=True, help="a new one")
    arguments = parser.parse_args()
    trail, group, made = arguments.trail_name, arguments.log_group, []
    try:
        send_to_logs(boto3.Session(), trail, group, made)
    except (BotoCoreError, ClientError, RuntimeError, KeyboardInterrupt) as error:
        said = str(error).rstrip(".") or "Interrupted"
        left = f"Made: {', '.join(made)}: see remove_watch.py." if made else "Nothing was made."
        advice = "Check the names, AWS_DEFAULT_REGION (the home Region), credentials and network."
        sys.exit(f"{said}. {left} {advice}")
    print(f"trail {trail} writes to the log group {group}, as role {trail}-to-logs")


if __name__ == "__main__":
    main()
