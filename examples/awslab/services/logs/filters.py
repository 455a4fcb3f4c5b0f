"""Metric filters: log lines become data points as they arrive."""

import json
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from typing import Any

import moto.logs.models
from moto.logs.exceptions import InvalidParameterException, ResourceNotFoundException
from moto.logs.models import LogsBackend, LogStream, logs_backends
from moto.logs.responses import LogsResponse

from awslab.extension import Function, adds, changes, sets
from awslab.services.logs.patterns import MISSING, BadPattern, Pattern, as_text, number_in, select
from awslab.telemetry import EPOCH, put_metric
from awslab.validation import validates

Filter = Mapping[str, Any]

MOST_FILTERS = 100  # of a log group

validates("logs", "InvalidParameterException")


@cache
def checked(text: str | None) -> Pattern:
    try:
        return Pattern(text or "")
    except BadPattern:
        raise InvalidParameterException("Invalid metric filter pattern") from None


@changes(
    LogsResponse,
    "logs",
    "PutMetricFilter",
    reason=(
        "takes any text for a pattern; takes a log group that does not exist; keeps two filters of "
        "the same name"
    ),
    differs=(
        "a field that `!=` asks about must exist; regular expressions are Python's; "
        "`applyOnTransformedLogs` and `fieldSelectionCriteria` are dropped"
    ),
)
def put_metric_filter(original: Function, self: Any) -> str:
    name, group = self._get_param("filterName"), self._get_param("logGroupName")
    backend = self.logs_backend
    checked(self._get_param("filterPattern"))
    if group not in backend.groups:
        raise ResourceNotFoundException
    kept = filters_of(backend, group)
    if len(kept) >= MOST_FILTERS and all(each["filterName"] != name for each in kept):
        raise moto.logs.models.LimitExceededException
    answer: str = original(self)
    made = backend.filters.metric_filters.pop()
    backend.delete_metric_filter(name, group)
    backend.filters.metric_filters.append(made)
    return answer


@adds(LogsResponse, "logs", "TestMetricFilter", differs="regular expressions are Python's")
def test_metric_filter(self: Any) -> str:
    pattern = checked(self._get_param("filterPattern"))
    messages = self._get_param("logEventMessages")
    found = [(n, text, pattern.values(text)) for n, text in enumerate(messages, 1)]
    matches = [
        {"eventNumber": n, "eventMessage": text, "extractedValues": pattern.extracted(values)}
        for n, text, values in found
        if values is not None
    ]
    return json.dumps({"matches": matches})


@changes(
    LogsBackend,
    "logs",
    "DeleteLogGroup",
    reason="keeps the metric filters of the group",
    differs="",
)
def delete_log_group(original: Function, self: Any, log_group_name: str) -> None:
    original(self, log_group_name)
    for each in filters_of(self, log_group_name):
        self.filters.metric_filters.remove(each)


sets(
    moto.logs.models,
    "EventMessageFilter",
    checked,
    service="logs",
    operation="FilterLogEvents",
    reason="takes every pattern but words or one phrase for a pattern that matches everything",
)


@changes(
    LogsResponse,
    "logs",
    "FilterLogEvents",
    reason="ignores `logStreamNamePrefix`; answers one stream after the other",
    differs="",
)
def filter_log_events(original: Function, self: Any) -> str:
    names, prefix = self._get_param("logStreamNames", []), self._get_param("logStreamNamePrefix")
    group = self.logs_backend.groups.get(self._get_param("logGroupName"))
    if names and prefix:
        raise InvalidParameterException(
            "logStreamNamePrefix and logStreamNames cannot be given together"
        )
    if prefix and group:
        names = [name for name in group.streams if name.startswith(prefix)]
        if not names:
            return json.dumps({"events": [], "searchedLogStreams": []})
    events, token, searched = self.logs_backend.filter_log_events(
        self._get_param("logGroupName"),
        names,
        self._get_param("startTime"),
        self._get_param("endTime"),
        self._get_param("limit"),
        self._get_param("nextToken"),
        self._get_param("filterPattern"),
        interleaved=True,
    )
    return json.dumps({"events": events, "nextToken": token, "searchedLogStreams": searched})


@changes(
    LogStream,
    "logs",
    "PutLogEvents",
    reason="makes no metric of log lines",
    differs=(
        "a data point bears the time of its log line; the default value is written once for each "
        "request without a match, not once a minute"
    ),
)
def put_log_events(original: Function, self: Any, log_events: list[dict[str, Any]]) -> str:
    token: str = original(self, log_events)
    backend = logs_backends[self.account_id][self.region]
    for each in filters_of(backend, self.log_group.name):
        count(backend, each, log_events)
    return token


def filters_of(backend: Any, group: str) -> list[Filter]:
    return [f for f in backend.filters.metric_filters if f["logGroupName"] == group]


def count(backend: Any, found: Filter, log_events: list[dict[str, Any]]) -> None:
    """Write what one filter finds in the lines of one request."""
    pattern = checked(found["filterPattern"])
    lines = [(event["timestamp"], pattern.values(event["message"])) for event in log_events]
    matching = [(at, values) for at, values in lines if values is not None]
    for transformation in found["metricTransformations"]:
        data = [
            (at, value, dimensions)
            for at, values in matching
            if (value := value_of(transformation["metricValue"], values)) is not None
            and (dimensions := dimensions_of(transformation, values)) is not None
        ]
        default = transformation.get("defaultValue")
        if lines and not matching and default is not None:
            data = [(lines[-1][0], float(default), {})]
        for at, value, dimensions in data:
            put_metric(
                backend.account_id,
                backend.region_name,
                transformation["metricNamespace"],
                transformation["metricName"],
                value,
                dimensions,
                transformation.get("unit") or "None",
                EPOCH + timedelta(milliseconds=at),
            )


def value_of(wanted: str, values: Mapping[str, Any]) -> float | None:
    """A number, or the one that a field of the line holds: `$.bytes`."""
    return number_in(select(values, wanted) if wanted.startswith("$") else wanted)


def dimensions_of(
    transformation: Mapping[str, Any], values: Mapping[str, Any]
) -> dict[str, str] | None:
    """Nothing if the line lacks one of them."""
    wanted = transformation.get("dimensions") or {}
    found = {name: select(values, selector) for name, selector in wanted.items()}
    if any(value is MISSING for value in found.values()):
        return None
    return {name: as_text(value) for name, value in found.items()}
