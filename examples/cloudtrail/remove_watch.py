"""Take away what send_to_logs.py and watch_signins.py made; the trail stays and logs on."""

import argparse
import sys
from collections.abc import Callable
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

GONE = ("ResourceNotFoundException", "NoSuchEntity", "TrailNotFoundException", "NotFound")
Step = tuple[str, Callable[[], object]]


def look(call: Callable[..., dict[str, Any]], **names: Any) -> dict[str, Any]:
    """The answer of a call; empty if what it is about is not there. Raises ClientError."""
    try:
        return call(**names)
    except ClientError as error:
        if error.response["Error"]["Code"] not in GONE:
            raise
        return {}


def is_written(
    cloudtrail: BaseClient, logs: BaseClient, trail: str, group: str, filters: list[str]
) -> bool:
    """Whether the trail writes to the log group (`cloudtrail:GetTrail`).

    Raises RuntimeError: it does not, and the group is neither gone nor empty and holds no filter
    of the trail (`logs:DescribeLogStreams`, `logs:DescribeMetricFilters`).
    """
    found = look(cloudtrail.get_trail, Name=trail).get("Trail", {})
    written = found.get("CloudWatchLogsLogGroupArn", "")
    held = look(logs.describe_metric_filters, logGroupName=group, filterNamePrefix=f"{trail}-")
    lines = look(logs.describe_log_streams, logGroupName=group, limit=1).get("logStreams")
    own = not lines or any(each["filterName"] in filters for each in held.get("metricFilters", []))
    if not (f":log-group:{group}:*" in written if written else own):
        raise RuntimeError(f"The trail {trail} does not write to {group}, so its logs are to stay")
    return bool(written)


def find_steps(session: boto3.Session, trail: str, group: str, topic: str) -> list[Step]:
    """What to take away, in this order (`sts:GetCallerIdentity`, `cloudwatch:DescribeAlarms`)."""
    names = ("cloudtrail", "cloudwatch", "iam", "logs", "sns")
    cloudtrail, cloudwatch, iam, logs, sns = (session.client(name) for name in names)
    account = session.client("sts").get_caller_identity()["Account"]
    topic_arn = f"arn:aws:sns:{sns.meta.region_name}:{account}:{topic}"
    named, role = [f"{trail}-root-use", f"{trail}-failed-sign-ins"], f"{trail}-to-logs"
    policy = {"RoleName": role, "PolicyName": "write"}
    written = is_written(cloudtrail, logs, trail, group, named)
    told = look(sns.get_topic_attributes, TopicArn=topic_arn)
    found = cloudwatch.describe_alarms(AlarmNames=named)["MetricAlarms"]
    there, delete_alarms = {alarm["AlarmName"] for alarm in found}, cloudwatch.delete_alarms
    alarms = [name for name in named if name in there]
    if any(topic_arn not in alarm["AlarmActions"] for alarm in found):
        raise RuntimeError(f"The alarms {', '.join(alarms)} do not tell the topic {topic}")

    def remove_group() -> object:
        # While the trail writes to it, the next run knows the group: so the group goes first
        deleted = look(logs.delete_log_group, logGroupName=group)  # and its metric filters
        empty = {"CloudWatchLogsLogGroupArn": "", "CloudWatchLogsRoleArn": ""}  # not: as it is
        return (written and cloudtrail.update_trail(Name=trail, **empty)) or deleted

    # [start: steps]
    return [
        (", ".join(alarms or named), lambda: alarms and delete_alarms(AlarmNames=alarms)),
        (topic_arn, lambda: told and sns.delete_topic(TopicArn=topic_arn)),
        (f"{group}, and the writing of {trail} to it", remove_group),
        (f"policy of {role}", lambda: look(iam.delete_role_policy, **policy)),
        (role, lambda: look(iam.delete_role, RoleName=role)),
    ]
    # [end: steps]


def take_away(steps: list[Step]) -> list[str]:
    """One after the other, a failed one does not stop the rest; returns the failures."""
    failures = []
    for name, remove in steps:
        try:
            print(f"removed {name}" if remove() else f"{name}: was not there")
        except (BotoCoreError, ClientError) as error:
            failures.append(f"Not removed: {name}: {str(error).rstrip('.')}.")
    return failures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trail-name", required=True)
    parser.add_argument("--log-group", required=True)
    parser.add_argument("--topic-name", required=True)
    arguments = parser.parse_args()
    names = (arguments.trail_name, arguments.log_group, arguments.topic_name)
    try:
        steps = find_steps(boto3.Session(), *names)
    except (BotoCoreError, ClientError, RuntimeError) as error:
        advice = "Check the names, AWS_DEFAULT_REGION, credentials and network."
        sys.exit(f"{str(error).rstrip('.')}. Nothing was removed. {advice}")
    failures = take_away(steps)
    if failures:
        advice = "Check credentials and network, then run it again."
        sys.exit(f"{' '.join(failures)} {advice} The trail {arguments.trail_name} stays.")


if __name__ == "__main__":
    main()
