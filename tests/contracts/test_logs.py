"""What bare moto does with filter patterns, metric filters and log lines."""

import time
from typing import Any

import boto3
import pytest

from contracts.gaps import gap

TRANSFORMATION = {"metricNamespace": "N", "metricName": "m", "metricValue": "1"}


@pytest.fixture
def logs(bare_moto: None) -> Any:
    client = boto3.client("logs")
    client.create_log_group(logGroupName="g")
    client.create_log_stream(logGroupName="g", logStreamName="s")
    return client


def put_filter(logs: Any, pattern: str = "ERROR", group: str = "g") -> None:
    logs.put_metric_filter(
        logGroupName=group,
        filterName="f",
        filterPattern=pattern,
        metricTransformations=[TRANSFORMATION],
    )


def put_line(logs: Any, line: str) -> None:
    event = {"timestamp": int(time.time() * 1000), "message": line}
    logs.put_log_events(logGroupName="g", logStreamName="s", logEvents=[event])


def filters(logs: Any) -> list[Any]:
    found: list[Any] = logs.describe_metric_filters()["metricFilters"]
    return found


@gap("logs:PutMetricFilter", "takes any text for a pattern")
def test_any_text_is_a_pattern(logs: Any) -> None:
    put_filter(logs, "{ $.a EXISTS")
    assert len(filters(logs)) == 1


@gap("logs:PutMetricFilter", "takes a log group that does not exist")
def test_a_filter_needs_no_group(logs: Any) -> None:
    put_filter(logs, group="missing")
    assert len(filters(logs)) == 1


@gap("logs:PutMetricFilter", "keeps two filters of the same name")
def test_a_filter_is_not_replaced(logs: Any) -> None:
    put_filter(logs)
    put_filter(logs, "WARNING")
    assert len(filters(logs)) == 2


@gap("logs:DeleteLogGroup", "keeps the metric filters of the group")
def test_filters_outlive_their_group(logs: Any) -> None:
    put_filter(logs)
    logs.delete_log_group(logGroupName="g")
    assert len(filters(logs)) == 1


@gap("logs:PutLogEvents", "makes no metric of log lines")
def test_no_metric_is_made(logs: Any) -> None:
    put_filter(logs)
    put_line(logs, "ERROR")
    assert boto3.client("cloudwatch").list_metrics()["Metrics"] == []


@gap(
    "logs:FilterLogEvents",
    "takes every pattern but words or one phrase for a pattern that matches everything",
)
@pytest.mark.parametrize("pattern", ["{ $.a = 1 }", "-ERROR", "?a ?b", "%x%", "[a = 1, b]"])
def test_other_patterns_match_everything(logs: Any, pattern: str) -> None:
    put_line(logs, "ERROR")
    answer = logs.filter_log_events(logGroupName="g", filterPattern=pattern)
    assert len(answer["events"]) == 1


@gap("logs:FilterLogEvents", "ignores `logStreamNamePrefix`")
def test_the_prefix_of_streams_is_ignored(logs: Any) -> None:
    put_line(logs, "a")
    assert logs.filter_log_events(logGroupName="g", logStreamNamePrefix="other")["events"]


@gap("logs:FilterLogEvents", "answers one stream after the other")
def test_streams_are_not_merged(logs: Any) -> None:
    logs.create_log_stream(logGroupName="g", logStreamName="t")
    at = int(time.time() * 1000)
    for stream, later in (("s", 1), ("t", 0)):
        event = {"timestamp": at + later, "message": stream}
        logs.put_log_events(logGroupName="g", logStreamName=stream, logEvents=[event])
    found = logs.filter_log_events(logGroupName="g")["events"]
    assert [event["message"] for event in found] == ["s", "t"]
