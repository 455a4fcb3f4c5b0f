"""Data points: how they come in, and what GetMetricStatistics and GetMetricData read of them."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, EmptyResult

from awslab.calls import NotInTheLab
from awslab.clock import naive_now
from awslab.extension import Function, changes
from awslab.services.cloudwatch.arithmetic import (
    BadExpression,
    Sample,
    Unsupported,
    Values,
    is_statistic,
    results,
    statistic,
)
from awslab.services.cloudwatch.series import all_series, find, floor, measure, naive
from awslab.validation import validates

validates("cloudwatch", "ValidationError")

OLDEST, NEWEST = timedelta(weeks=2), timedelta(hours=2)  # of a data point, before and after now
LARGEST = 2.0**360
MOST_DATA = 1_000  # data in one PutMetricData
MOST_VALUES = 150
MOST_DATAPOINTS = 1_440  # of one GetMetricStatistics
MOST_PERIODS = 100_800  # of one GetMetricData
PAGE = 500  # metrics in one answer of ListMetrics


class ValidationError(ServiceException):
    code = "ValidationError"


class InvalidParameterValue(ServiceException):
    code = "InvalidParameterValue"


class InvalidParameterCombination(ServiceException):
    code = "InvalidParameterCombination"


class MissingParameter(ServiceException):
    code = "MissingParameter"


# --- what comes in -------------------------------------------------------------------------------


@changes(
    CloudWatchResponse,
    "cloudwatch",
    "PutMetricData",
    reason="accepts the namespaces of AWS; accepts data of any age",
    differs="data can be read at once; entities are dropped; nothing is forgotten",
)
def put_metric_data(original: Function, self: Any) -> ActionResult:
    namespace = self.params["Namespace"]
    if namespace.startswith("AWS/"):
        raise InvalidParameterValue("The value AWS/ for parameter Namespace is invalid.")
    data = list(self.params.get("MetricData") or [])
    for group in self.params.get("EntityMetricData") or []:
        data += group.get("MetricData") or []
    if not data:
        raise MissingParameter("The parameter MetricData is required.")
    if len(data) > MOST_DATA:
        said = f"The collection MetricData must not have a size greater than {MOST_DATA}."
        raise InvalidParameterValue(said)
    for position, datum in enumerate(data, 1):
        check_datum(datum, f"MetricData.member.{position}")
    self.cloudwatch_backend.put_metric_data(namespace, data)
    return EmptyResult()


def check_datum(datum: Mapping[str, Any], path: str) -> None:
    """Refuse a datum that the model allows and CloudWatch does not.

    Raises:
        ServiceException: with the message of CloudWatch.
    """
    ways = [way for way in ("Value", "Values", "StatisticValues") if datum.get(way) is not None]
    if not ways or (ways == ["Values"] and not datum["Values"]):
        raise MissingParameter("At least one of the parameters must be specified.")
    if len(ways) > 1:
        raise InvalidParameterCombination(
            f"The parameters {path}.{ways[0]} and {path}.{ways[1]} are mutually exclusive and you "
            "have specified both."
        )
    values, counts = datum.get("Values") or [], datum.get("Counts")
    if len(values) > MOST_VALUES:
        raise InvalidParameterValue(
            f"The collection {path}.Values must not have a size greater than {MOST_VALUES}."
        )
    if counts is not None and len(counts) != len(values):
        raise InvalidParameterValue(
            f"The parameters {path}.Values and {path}.Counts must be of the same size."
        )
    numbers = {
        "Value": [datum["Value"]] if "Value" in ways else [],
        "Values": values,
        "Counts": counts or [],
        "StatisticValues": list((datum.get("StatisticValues") or {}).values()),
    }
    for name, given in numbers.items():
        for number in given:
            if not math.isfinite(number) or abs(number) > LARGEST:
                shown = "NaN" if math.isnan(number) else number
                raise InvalidParameterValue(
                    f"The value {shown} for parameter {path}.{name} is invalid."
                )
    check_time(datum, path)
    names = [pair["Name"] for pair in datum.get("Dimensions") or []]
    if len(set(names)) < len(names):
        raise InvalidParameterValue("No metric may specify the same dimension name twice.")


def check_time(datum: Mapping[str, Any], path: str) -> None:
    at = naive(datum.get("Timestamp") or naive_now())
    if at < naive_now() - OLDEST:
        raise InvalidParameterValue(
            f"The parameter {path}.Timestamp must specify a time within the past two weeks."
        )
    if at > naive_now() + NEWEST:
        raise InvalidParameterValue(
            f"The parameter {path}.Timestamp must specify a time no more than two hours in the "
            "future."
        )


# --- what is read --------------------------------------------------------------------------------


@changes(
    CloudWatchResponse,
    "cloudwatch",
    "ListMetrics",
    reason="lists a metric with two dimensions once for each data point",
    differs="metrics are listed at once and for ever",
)
def list_metrics(original: Function, self: Any) -> ActionResult:
    params = self.params
    filters = [(each["Name"], each.get("Value")) for each in params.get("Dimensions") or []]
    listed = [
        (namespace, name, dimensions)
        for namespace, name, dimensions in all_series(self.cloudwatch_backend)
        if params.get("Namespace") in (None, namespace)
        and params.get("MetricName") in (None, name)
        and all(
            any(name == wanted and value in (None, given) for name, given in dimensions)
            for wanted, value in filters
        )
    ]
    start = offset(params.get("NextToken"), "Request parameter NextToken is invalid")
    metrics = [
        {
            "Namespace": namespace,
            "MetricName": name,
            "Dimensions": [{"Name": key, "Value": value} for key, value in sorted(dimensions)],
        }
        for namespace, name, dimensions in listed[start : start + PAGE]
    ]
    more = str(start + PAGE) if len(listed) > start + PAGE else None
    return ActionResult({"Metrics": metrics, "NextToken": more})


def offset(token: str | None, said: str) -> int:
    """Where the page of a token begins.

    Raises:
        InvalidParameterValue: the lab did not give this token.
    """
    if token and not (token.isascii() and token.isdigit() and len(token) < 10):
        raise InvalidParameterValue(said)
    return int(token or 0)


@changes(
    CloudWatchResponse,
    "cloudwatch",
    "GetMetricStatistics",
    reason=(
        "ignores ExtendedStatistics; begins the periods at the first data point; "
        "adds up metrics that have the dimensions among others"
    ),
    differs="percentiles are exact; the answer is in the order of time",
)
def get_metric_statistics(original: Function, self: Any) -> ActionResult:
    params = self.params
    names = list(params.get("Statistics") or [])
    wanted = list(params.get("ExtendedStatistics") or [])
    if bool(names) == bool(wanted):
        raise InvalidParameterCombination("Must specify either Statistics or ExtendedStatistics")
    for name in wanted:
        if not is_statistic(name):
            said = f"The value {name} for parameter ExtendedStatistics is not supported."
            raise InvalidParameterValue(said)
    check_period(params["Period"])
    start, end, length = times_of(params, params["Period"])
    periods = math.ceil((end - start) / length)
    if periods > MOST_DATAPOINTS:
        raise InvalidParameterCombination(
            f"You have requested up to {periods:,} datapoints, which exceeds the limit of "
            f"{MOST_DATAPOINTS:,}. You may reduce the datapoints requested by increasing Period, "
            "or decreasing the time range."
        )
    groups: dict[tuple[int, str], list[Sample]] = defaultdict(list)
    for sample in find(self.cloudwatch_backend, params).between(start, start + length * periods):
        if params.get("Unit") in (None, sample.unit):
            groups[(sample.at - start) // length, sample.unit].append(sample)
    points = [
        {
            "Timestamp": start + length * position,
            "Unit": unit,
            **{name: statistic(samples, name) for name in names},
            "ExtendedStatistics": {name: statistic(samples, name) for name in wanted} or None,
        }
        for (position, unit), samples in sorted(groups.items())
    ]
    return ActionResult({"Label": params["MetricName"], "Datapoints": points})


def check_period(period: int) -> None:
    if period not in (1, 5, 10, 20, 30) and period % 60:
        raise InvalidParameterValue(
            "The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60."
        )


def times_of(params: Mapping[str, Any], period: int) -> tuple[datetime, datetime, timedelta]:
    """Start, rounded down to the minute as CloudWatch does, end, and the length of a period.

    Raises:
        InvalidParameterValue: there is no time between them.
    """
    start, end = naive(params["StartTime"]), naive(params["EndTime"])
    if start >= end:
        raise InvalidParameterValue(
            "The parameter StartTime must be less than the parameter EndTime."
        )
    # No moment of Python's calendar lies beyond its year 9999, no length beyond its 10**9 days.
    length = timedelta(seconds=min(period, 10**9))
    last = datetime.max - length * 2
    return floor(start, min(period, 60)), min(end, last), length


@changes(
    CloudWatchResponse,
    "cloudwatch",
    "GetMetricData",
    reason=(
        "computes no expression but the name of another query; crashes at a percentile; "
        "mixes the namespaces"
    ),
    differs=(
        "expressions: `+ - * / ^`, comparisons, `AND`, `OR`, `IF`, `FILL`, `ABS`, `CEIL`, "
        "`FLOOR`, `SUM`, `AVG`, `MIN`, `MAX` and `METRICS`; all in one page"
    ),
)
def get_metric_data(original: Function, self: Any) -> ActionResult:
    queries = self.params["MetricDataQueries"] or []
    check_queries(queries, "MetricDataQueries")
    found = [
        result_of(self.cloudwatch_backend, self.params, queries, query)
        for query in queries
        if query.get("ReturnData", True)
    ]
    return ActionResult({"MetricDataResults": found, "Messages": []})


def check_queries(queries: Sequence[Mapping[str, Any]], path: str) -> None:
    """Refuse queries that the model allows and CloudWatch does not.

    Raises:
        ValidationError: with the message of CloudWatch.
    """
    ids = [query["Id"] for query in queries]
    for position, query in enumerate(queries, 1):
        stat, here = query.get("MetricStat"), f"{path}.member.{position}"
        if not query["Id"][0].islower() or ids.count(query["Id"]) > 1:
            raise ValidationError(f"The value {query['Id']} for parameter {here}.Id is invalid.")
        if not stat and not query.get("Expression"):
            # AWS ends the sentence with this empty line, too.
            raise ValidationError(f"The parameter {here}.MetricStat is required.\n")
        if stat and query.get("Expression"):
            raise ValidationError(
                f"The parameters {here}.MetricStat and {here}.Expression are mutually exclusive "
                "and you have specified both."
            )
        if stat and not (stat["Metric"].get("Namespace") and stat["Metric"].get("MetricName")):
            raise ValidationError(f"The parameter {here}.MetricStat.Metric is invalid.")
        if stat and not is_statistic(stat["Stat"]):
            where = f"parameter {here}.MetricStat.Stat"
            raise ValidationError(f"The value {stat['Stat']} for {where} is not supported.")


def result_of(
    backend: Any, params: Mapping[str, Any], queries: Any, query: Mapping[str, Any]
) -> dict[str, Any]:
    stat = query.get("MetricStat")
    period = stat["Period"] if stat else query.get("Period") or period_of(queries)
    check_period(period)
    start, end, length = times_of(params, period)
    start, periods = spanned(backend, queries, start, end, length)

    def measured(other: Mapping[str, Any]) -> Values:
        return measure(backend, other["MetricStat"], start, length.total_seconds(), periods)

    try:
        values = results(queries, measured, query["Id"], periods)
    except Unsupported as error:
        raise NotInTheLab(str(error)) from error
    except BadExpression as error:
        raise ValidationError(f"Error in expression '{query['Id']}' [{error}]") from error
    points = [
        (start + length * position, value)
        for position, value in enumerate(values)
        if value is not None
    ]
    if params.get("ScanBy") != "TimestampAscending":
        points.reverse()
    metric = f"{stat['Metric']['MetricName']} {stat['Stat']}" if stat else query["Id"]
    return {
        "Id": query["Id"],
        "Label": query.get("Label") or metric,
        "Timestamps": [at for at, _ in points],
        "Values": [value for _, value in points],
        "StatusCode": "Complete",
    }


def period_of(queries: Sequence[Mapping[str, Any]]) -> int:
    """The period of an expression: the longest of the metrics beside it."""
    stats = [query["MetricStat"] for query in queries if query.get("MetricStat")]
    return max((stat["Period"] for stat in stats), default=60)


def spanned(
    backend: Any, queries: Any, start: datetime, end: datetime, length: timedelta
) -> tuple[datetime, int]:
    """The part of a time that has data: where its first period begins, and how many there are."""
    times = [
        sample.at
        for query in queries
        if query.get("MetricStat")
        for sample in find(backend, query["MetricStat"]["Metric"]).between(start, end)
    ]
    if not times:
        return start, 0
    first, last = (min(times) - start) // length, (max(times) - start) // length
    first = max(first, last + 1 - MOST_PERIODS)
    return start + length * first, last + 1 - first
