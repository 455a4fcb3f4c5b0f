"""What an alarm tells others when its state changes: SNS topics, and rules of EventBridge."""

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

from botocore.loaders import create_loader

from awslab.services.cloudwatch.alarm import Alarm, State, remember
from awslab.telemetry import put_event

STATISTICS = {
    "SampleCount": "SAMPLE_COUNT",
    "Average": "AVERAGE",
    "Sum": "SUM",
    "Minimum": "MINIMUM",
    "Maximum": "MAXIMUM",
}


class Undelivered(Exception):
    """The receiver of an action could not be reached; the message says why."""


def stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}+0000"


def announce(backend: Any, alarm: Alarm, before: State) -> None:
    """Carry out the actions of the state that the alarm has now, and send the event."""
    if alarm.actions_enabled:
        for arn in alarm.actions(alarm.state.value):
            act(backend, alarm, before, arn)
    send_event(alarm, before)


def act(backend: Any, alarm: Alarm, before: State, arn: str) -> None:
    """Carry out one action. Scaling policies are looked after by Application Auto Scaling."""
    try:
        if arn.split(":")[2] == "sns":
            subject = f'{alarm.state.value}: "{alarm.name}" in {name_of(alarm.region_name)}'
            publish(arn, subject[:100], json.dumps(message(alarm, before)))
        result = f"Successfully executed action {arn}"
    except Undelivered as error:
        result = f'Failed to execute action {arn}. Received error: "{error}"'
    data = {"actionState": result.split()[0], "notificationResource": arn}
    remember(backend, alarm, "Action", result, json.dumps(data))


def publish(arn: str, subject: str, text: str) -> None:
    """Send a message to a topic of any account.

    Raises:
        Undelivered: there is no such topic, or a subscriber fails.
    """
    from moto.sns.models import sns_backends  # brings cryptography: not for every start

    region, account = arn.split(":")[3:5]
    backend = (sns_backends.get(account) or {}).get(region)
    if backend is None or arn not in backend.topics:
        raise Undelivered(f"Topic does not exist: {arn}")
    try:
        backend.topics[arn].publish(text, subject=subject)
    except Exception as error:  # whatever a subscriber of moto raises
        raise Undelivered(str(error)) from error


@cache
def name_of(region: str) -> str:
    """`Asia Pacific (Tokyo)`."""
    for partition in create_loader().load_data("partitions")["partitions"]:
        if region in partition["regions"]:
            return str(partition["regions"][region]["description"])
    return region


def message(alarm: Alarm, before: State) -> dict[str, Any]:
    """What CloudWatch sends to a topic."""
    request = alarm.request
    common = {
        "AlarmName": alarm.name,
        "AlarmDescription": request.get("AlarmDescription"),
        "AWSAccountId": alarm.account_id,
        "AlarmConfigurationUpdatedTimestamp": stamp(alarm.configured_at),
        "NewStateValue": alarm.state.value,
        "NewStateReason": alarm.state.reason,
        "StateChangeTime": stamp(alarm.state.at),
        "Region": name_of(alarm.region_name),
        "AlarmArn": alarm.alarm_arn,
        "OldStateValue": before.value,
        "OKActions": alarm.actions("OK"),
        "AlarmActions": alarm.actions("ALARM"),
        "InsufficientDataActions": alarm.actions("INSUFFICIENT_DATA"),
    }
    if alarm.kind == "CompositeAlarm":
        children = json.loads(alarm.state.data or "{}").get("triggeringAlarms", [])
        return {
            **common,
            "AlarmRule": request["AlarmRule"],
            "TriggeringChildren": [
                {"Arn": child["arn"], "State": {k.title(): v for k, v in child["state"].items()}}
                for child in children
            ],
        }
    return {**common, "Trigger": trigger(request)}


def trigger(request: Mapping[str, Any]) -> dict[str, Any]:
    judged = {
        "Period": request.get("Period"),
        "EvaluationPeriods": request.get("EvaluationPeriods"),
        "DatapointsToAlarm": request.get("DatapointsToAlarm"),
        "ComparisonOperator": request.get("ComparisonOperator"),
        "Threshold": request.get("Threshold"),
        "TreatMissingData": request.get("TreatMissingData") or "missing",
        "EvaluateLowSampleCountPercentile": request.get("EvaluateLowSampleCountPercentile") or "",
    }
    judged = {name: value for name, value in judged.items() if value is not None}
    if "MetricName" not in request:
        return {**judged, "Metrics": [query_of(query) for query in request.get("Metrics") or []]}
    extended = request.get("ExtendedStatistic")
    statistic = (
        {"StatisticType": "ExtendedStatistic", "ExtendedStatistic": extended}
        if extended
        else {"StatisticType": "Statistic", "Statistic": STATISTICS[request["Statistic"]]}
    )
    return {
        "MetricName": request["MetricName"],
        "Namespace": request["Namespace"],
        **statistic,
        "Unit": request.get("Unit"),
        "Dimensions": pairs_of(request),
        **judged,
    }


def query_of(query: Mapping[str, Any]) -> dict[str, Any]:
    shown = {**query, "ReturnData": query.get("ReturnData", True)}
    if query.get("MetricStat"):
        metric = query["MetricStat"]["Metric"]
        shown["MetricStat"] = {
            **query["MetricStat"],
            "Metric": {**metric, "Dimensions": pairs_of(metric)},
        }
    return shown


def pairs_of(metric: Mapping[str, Any]) -> list[dict[str, str]]:
    """CloudWatch writes dimensions in messages with small letters."""
    pairs = metric.get("Dimensions") or []
    return [{"value": pair["Value"], "name": pair["Name"]} for pair in pairs]


def send_event(alarm: Alarm, before: State) -> None:
    """The event `CloudWatch Alarm State Change`, to the rules of the account's default bus."""
    detail = {
        "alarmName": alarm.name,
        "state": state_of(alarm.state),
        "previousState": state_of(before),
        "configuration": configuration(alarm),
    }
    kind = "CloudWatch Alarm State Change"
    put_event(alarm.account_id, alarm.region_name, "aws.cloudwatch", kind, alarm.alarm_arn, detail)


def state_of(state: State) -> dict[str, str]:
    shown = {"value": state.value, "reason": state.reason, "timestamp": stamp(state.at)}
    return {**shown, "reasonData": state.data} if state.data else shown


def configuration(alarm: Alarm) -> dict[str, Any]:
    request = alarm.request
    shown: dict[str, Any] = {"description": request.get("AlarmDescription", "")}
    if alarm.kind == "CompositeAlarm":
        return {**shown, "alarmRule": request["AlarmRule"]}
    queries = request.get("Metrics") or [
        {
            "Id": alarm.alarm_arn.rpartition(":")[2],
            "MetricStat": {
                "Metric": request,
                "Period": request.get("Period"),
                "Stat": request.get("Statistic") or request.get("ExtendedStatistic"),
            },
        }
    ]
    return {**shown, "metrics": [small(query) for query in queries]}


def small(query: Mapping[str, Any]) -> dict[str, Any]:
    """A query as events show it."""
    shown = {"id": query["Id"], "returnData": query.get("ReturnData", True)}
    if query.get("Expression"):
        return {**shown, "expression": query["Expression"]}
    stat = query["MetricStat"]
    metric = {
        "namespace": stat["Metric"].get("Namespace"),
        "name": stat["Metric"].get("MetricName"),
        "dimensions": {
            pair["Name"]: pair["Value"] for pair in stat["Metric"].get("Dimensions") or []
        },
    }
    return {
        **shown,
        "metricStat": {"metric": metric, "period": stat["Period"], "stat": stat["Stat"]},
    }
