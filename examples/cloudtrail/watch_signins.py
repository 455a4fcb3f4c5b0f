"""Raise an alarm when the root user acts or a sign-in to the console fails."""

import argparse
import sys

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

# [start: patterns]
PATTERNS = {  # of the CIS AWS Foundations Benchmark
    "root-use": '{ $.userIdentity.type = "Root" && $.userIdentity.invokedBy NOT EXISTS'
    ' && $.eventType != "AwsServiceEvent" }',
    "failed-sign-ins": "{ ($.eventName = ConsoleLogin)"
    ' && ($.errorMessage = "Failed authentication") }',
}
# [end: patterns]
NAMESPACE = "SignIns"


def find_group(cloudtrail: BaseClient, trail: str, group: str) -> None:
    """Raises RuntimeError: the trail writes to no or another log group (`cloudtrail:GetTrail`)."""
    found = cloudtrail.get_trail(Name=trail)["Trail"].get("CloudWatchLogsLogGroupArn", "")
    if f":log-group:{group}:*" not in found:
        raise RuntimeError(f"The trail {trail} does not write to {group}: see send_to_logs.py")


def count_lines(logs: BaseClient, group: str, metric: str, pattern: str) -> None:
    """Have a metric count the log lines that match (`logs:PutMetricFilter`)."""
    transformation = {"metricNamespace": NAMESPACE, "metricName": metric, "metricValue": "1"}
    logs.put_metric_filter(
        logGroupName=group,
        filterName=metric,
        filterPattern=pattern,
        metricTransformations=[transformation],
    )


def put_alarm(cloudwatch: BaseClient, metric: str, topic_arn: str) -> None:
    """Tell the topic of one line or more within five minutes (`cloudwatch:PutMetricAlarm`)."""
    cloudwatch.put_metric_alarm(
        AlarmName=metric,
        Namespace=NAMESPACE,
        MetricName=metric,
        Statistic="Sum",
        Period=300,  # seconds
        EvaluationPeriods=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        Threshold=1,
        TreatMissingData="notBreaching",  # lines that do not match leave no data
        AlarmActions=[topic_arn],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trail-name", required=True)
    parser.add_argument("--log-group", required=True, help="see send_to_logs.py")
    parser.add_argument("--topic-name", required=True, help="is made, if it is not there")
    arguments = parser.parse_args()
    trail, group, topic = arguments.trail_name, arguments.log_group, arguments.topic_name
    made: list[str] = []
    try:
        find_group(boto3.client("cloudtrail"), trail, group)
        logs, cloudwatch = boto3.client("logs"), boto3.client("cloudwatch")
        topic_arn = boto3.client("sns").create_topic(Name=topic)["TopicArn"]
        made.append(topic_arn)
        for kind, pattern in PATTERNS.items():
            count_lines(logs, group, f"{trail}-{kind}", pattern)
            made.append(f"{trail}-{kind}")
            put_alarm(cloudwatch, f"{trail}-{kind}", topic_arn)
    except (BotoCoreError, ClientError, RuntimeError) as error:
        left = f"Made: {', '.join(made)}: see remove_watch.py." if made else "Nothing was made."
        advice = "Check the names, AWS_DEFAULT_REGION (the home Region), credentials and network."
        sys.exit(f"{str(error).rstrip('.')}. {left} {advice}")
    for kind in PATTERNS:
        print(f"alarm {trail}-{kind} tells the topic {topic}")


if __name__ == "__main__":
    main()
