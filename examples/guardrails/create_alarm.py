"""Create the alarms on an endpoint's errors and latency that may roll an update back."""

import argparse
import math
import sys
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError


# [start: alarms]
def alarms_of(
    endpoint: str, variant: str, config: str | None, error_rate: float, latency_ms: float
) -> list[dict[str, Any]]:
    """The part of each alarm that is its own: two on the rate of errors, one on the latency.

    endpoint, variant: the traffic of both fleets. config: only the fleet of this configuration.
    """
    names = {"EndpointName": endpoint, "VariantName": variant}
    if config:
        names["EndpointConfigName"] = config
    dimensions = [{"Name": name, "Value": value} for name, value in names.items()]
    return [
        {
            "AlarmName": f"{config or endpoint}-{ending}",
            "MetricName": metric,
            "Threshold": threshold,
            "Dimensions": dimensions,
        }
        for ending, metric, threshold in (
            ("4xx", "Invocation4XXErrors", error_rate),
            ("5xx", "Invocation5XXErrors", error_rate),
            ("latency", "ModelLatency", latency_ms * 1000),  # the metric is in microseconds
        )
    ]


# [end: alarms]


def refuse_existing(cloudwatch: BaseClient, names: list[str]) -> None:
    """Raises RuntimeError: PutMetricAlarm would overwrite (`cloudwatch:DescribeAlarms`)."""
    found = cloudwatch.describe_alarms(AlarmNames=names)["MetricAlarms"]
    if found:
        there = ", ".join(alarm["AlarmName"] for alarm in found)
        raise RuntimeError(f"There is an alarm already: {there}; delete_alarm.py deletes it")


def create_alarm(cloudwatch: BaseClient, alarm: dict[str, Any], period: int, periods: int) -> None:
    """Create an alarm that judges the mean of each period (`cloudwatch:PutMetricAlarm`).

    period: seconds. periods: how many in a row must be above the threshold.
    """
    # [start: put]
    cloudwatch.put_metric_alarm(
        **alarm,
        Namespace="AWS/SageMaker",
        Statistic="Average",
        Period=period,
        EvaluationPeriods=periods,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )
    # [end: put]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--variant", default="AllTraffic")
    parser.add_argument("--config", help="watch only the fleet of this endpoint configuration")
    parser.add_argument("--error-rate", type=float, default=0.05, help="of all requests, 0 to 1")
    parser.add_argument("--latency-ms", type=float, default=1000, help="mean of a period")
    parser.add_argument("--period", type=int, default=60, help="seconds")
    parser.add_argument("--periods", type=int, default=1, help="in a row")
    parser.add_argument("--bake", type=int, default=300, help="seconds of the shortest bake")
    arguments = parser.parse_args()
    period, periods = arguments.period, arguments.periods
    if period < 60 or period % 60 or periods < 1:
        parser.error("--period: a multiple of 60, as SageMaker's metrics are; --periods: 1 or more")
    if not 0 <= arguments.error_rate < 1 or not 0 < arguments.latency_ms < math.inf:
        parser.error("--error-rate: 0 up to 1, such as 0.05 for 5 %; --latency-ms: above 0")
    if period * periods >= arguments.bake:
        sys.exit(
            f"{periods} x {period} s is not shorter than the bake of {arguments.bake} s: the "
            "bake may end before an alarm. Shorten --period and --periods, or give a longer "
            "--bake."
        )
    alarms = alarms_of(
        arguments.endpoint,
        arguments.variant,
        arguments.config,
        arguments.error_rate,
        arguments.latency_ms,
    )
    names, left = [alarm["AlarmName"] for alarm in alarms], "Nothing was made."
    try:
        cloudwatch = boto3.client("cloudwatch")
        refuse_existing(cloudwatch, names)
        left = f"Some of {', '.join(names)} may be there: delete_alarm.py deletes them."
        for alarm in alarms:
            create_alarm(cloudwatch, alarm, period, periods)
            print(f"{alarm['AlarmName']}  {alarm['MetricName']} > {alarm['Threshold']:.10g}")
    except (BotoCoreError, ClientError, RuntimeError) as error:
        advice = "Check the options, AWS_DEFAULT_REGION, credentials and network."
        sys.exit(f"{str(error).rstrip('.')}. {left} {advice}")
    print(f"judged after {periods} x {period} s; no requests are no alarm")


if __name__ == "__main__":
    main()
