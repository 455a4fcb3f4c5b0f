"""Metrics are computed, alarms are evaluated: what CloudWatch shows after data have come in."""

import json
import re
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.error import HTTPError

import boto3
import pytest
from awslab.clock import CLOCK, naive_now
from awslab.embedded import ENVIRONMENT
from awslab.services.cloudwatch import alarm_state
from awslab.services.cloudwatch.arithmetic import Sample, is_extended, statistic
from awslab.services.cloudwatch.evaluation import judge
from awslab.telemetry import put_metric
from botocore.exceptions import ClientError

ACCOUNT, REGION = "111122223333", "ap-northeast-1"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:operators"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:inbox"
SHOP = [{"Name": "Shop", "Value": "tokyo"}, {"Name": "Page", "Value": "cart"}]
MINUTE = timedelta(minutes=1)

Arguments = dict[str, Any]


@pytest.fixture
def cloudwatch(client: Callable[..., Any]) -> Any:
    return client("cloudwatch")


@pytest.fixture
def frozen(cloudwatch: Any) -> Iterator[Any]:
    """A client of a lab whose time moves by CLOCK.advance only."""
    CLOCK.run(0)
    yield cloudwatch
    CLOCK.run(None)


def alarm(cloudwatch: Any, name: str = "errors", **changed: Any) -> None:
    """An alarm on the sum of errors, over 1 in one minute."""
    request = {
        "AlarmName": name,
        "Namespace": "Shop",
        "MetricName": "Errors",
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanThreshold",
    } | changed
    cloudwatch.put_metric_alarm(**{key: value for key, value in request.items() if value != ()})


def math_alarm(cloudwatch: Any, queries: list[Arguments], **changed: Any) -> None:
    """An alarm on what queries return, in place of one metric."""
    left_out: Arguments = dict.fromkeys(("Namespace", "MetricName", "Statistic", "Period"), ())
    alarm(cloudwatch, **left_out, Metrics=queries, **changed)


def put(cloudwatch: Any, *values: float, name: str = "Errors", **more: Any) -> None:
    data = [{"MetricName": name, "Value": value, **more} for value in values]
    cloudwatch.put_metric_data(Namespace="Shop", MetricData=data)


def shown(cloudwatch: Any, name: str = "errors") -> Arguments:
    kinds = ["MetricAlarm", "CompositeAlarm"]
    answer = cloudwatch.describe_alarms(AlarmNames=[name], AlarmTypes=kinds)
    (found,) = answer["MetricAlarms"] + answer["CompositeAlarms"]
    assert isinstance(found, dict)
    return found


def state(cloudwatch: Any, name: str = "errors") -> str:
    return str(shown(cloudwatch, name)["StateValue"])


def refusal(call: Callable[..., Any], **arguments: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def statistics(cloudwatch: Any, *names: str, name: str = "Errors", **more: Any) -> list[Arguments]:
    """The data points of the last hour, by the minute."""
    now = naive_now()
    asked = {"StartTime": now - timedelta(hours=1), "EndTime": now + MINUTE, "Period": 60}
    asked |= {"Namespace": "Shop", "MetricName": name, "Statistics": names} | more
    answer = cloudwatch.get_metric_statistics(**{k: v for k, v in asked.items() if v})
    found: list[Arguments] = answer["Datapoints"]
    return found


# --- data ----------------------------------------------------------------------------------------


def test_data_get_the_time_of_the_lab(frozen: Any) -> None:
    CLOCK.advance(86_400)
    put(frozen, 1)
    (point,) = statistics(frozen, "Sum")
    assert point["Timestamp"].replace(tzinfo=None) == naive_now().replace(second=0, microsecond=0)


def test_periods_begin_at_whole_minutes(frozen: Any) -> None:
    start = naive_now().replace(second=0, microsecond=0) - timedelta(minutes=10)
    for seconds in (10, 50, 70):
        put(frozen, 1, Timestamp=start + timedelta(seconds=seconds))
    points = statistics(frozen, "Sum")
    times = [point["Timestamp"].replace(tzinfo=None) for point in points]
    assert (times, [point["Sum"] for point in points]) == ([start, start + MINUTE], [2.0, 1.0])


def test_values_with_counts_and_statistic_sets(cloudwatch: Any) -> None:
    data: list[Arguments] = [
        {"MetricName": "Errors", "Values": [1.0, 5.0], "Counts": [3.0, 1.0]},
        {"MetricName": "Errors", "Value": 2.0},
        {
            "MetricName": "Errors",
            "StatisticValues": {"SampleCount": 5, "Sum": 30, "Minimum": 0, "Maximum": 20},
        },
    ]
    at = naive_now()
    dated = [datum | {"Timestamp": at} for datum in data]
    cloudwatch.put_metric_data(Namespace="Shop", MetricData=dated)
    (point,) = statistics(cloudwatch, "SampleCount", "Sum", "Average", "Minimum", "Maximum")
    names = ("SampleCount", "Sum", "Average", "Minimum", "Maximum")
    assert [point[name] for name in names] == [10.0, 40.0, 4.0, 0.0, 20.0]


def test_units_are_told_apart(cloudwatch: Any) -> None:
    at = naive_now()
    put(cloudwatch, 1, 2, Timestamp=at, Unit="Seconds")
    put(cloudwatch, 5, Timestamp=at)
    found = {point["Unit"]: point["Sum"] for point in statistics(cloudwatch, "Sum")}
    assert found == {"Seconds": 3.0, "None": 5.0}
    (point,) = statistics(cloudwatch, "Sum", Unit="Seconds")
    assert point["Sum"] == 3.0


def test_all_dimensions_belong_to_a_metric(cloudwatch: Any) -> None:
    put(cloudwatch, 1, Dimensions=SHOP)
    assert statistics(cloudwatch, "Sum") == []
    assert statistics(cloudwatch, "Sum", Dimensions=SHOP[:1]) == []
    (point,) = statistics(cloudwatch, "Sum", Dimensions=SHOP[::-1])
    assert point["Sum"] == 1.0


def test_percentiles_of_data(cloudwatch: Any) -> None:
    put(cloudwatch, *range(1, 101), Timestamp=naive_now())
    (point,) = statistics(cloudwatch, ExtendedStatistics=["p50", "p99", "tm90", "PR(:10)"])
    wanted = {"p50": 50.0, "p99": 99.0, "tm90": 45.5, "PR(:10)": 10.0}
    assert point["ExtendedStatistics"] == wanted


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("p0", 1.0),
        ("p90", 9.0),
        ("p90.1", 10.0),
        ("p100", 10.0),
        ("tm80", 4.5),
        ("TM(10%:90%)", 5.5),
        ("TM(2:4)", 3.5),
        ("TM(25%:)", 6.733333333333333),
        ("IQM", 5.5),
        ("tc50", 5.0),
        ("TS(80%:)", 19.0),
        ("wm90", 5.4),
        ("WM(3:8)", 5.5),
        ("PR(5:)", 50.0),
    ],
)
def test_extended_statistics_of_one_to_ten(name: str, value: float) -> None:
    at = datetime(2026, 11, 21)
    samples = [Sample(at, "None", 1.0, n, n, n) for n in range(1, 11)]
    assert is_extended(name) and statistic(samples, name) == pytest.approx(value)


@pytest.mark.parametrize("name", ["p101", "q9", "TM()", "TM(:)", "p", "Average", "pr90", ""])
def test_what_is_no_extended_statistic(name: str) -> None:
    assert not is_extended(name)


def test_a_percentile_of_unknown_values_is_none() -> None:
    unknown = Sample(datetime(2026, 11, 21), "None", 5.0, 30.0, 0.0, 20.0)
    assert statistic([unknown], "p90") is None
    assert statistic([unknown._replace(least=20.0)], "p90") == 20.0


@pytest.mark.parametrize(
    ("datum", "code", "said"),
    [
        ({}, "MissingParameter", "At least one of the parameters must be specified."),
        (
            {"Value": 1, "Values": [1]},
            "InvalidParameterCombination",
            "The parameters MetricData.member.1.Value and MetricData.member.1.Values are mutually "
            "exclusive and you have specified both.",
        ),
        (
            {"Values": [1, 2], "Counts": [1]},
            "InvalidParameterValue",
            "The parameters MetricData.member.1.Values and MetricData.member.1.Counts must be of "
            "the same size.",
        ),
        (
            {"Values": [0.0] * 151},
            "InvalidParameterValue",
            "The collection MetricData.member.1.Values must not have a size greater than 150.",
        ),
        (
            {"Value": 1e200},
            "InvalidParameterValue",
            "The value 1e+200 for parameter MetricData.member.1.Value is invalid.",
        ),
        (
            {"Value": 1, "Timestamp": datetime(2020, 1, 1)},
            "InvalidParameterValue",
            "The parameter MetricData.member.1.Timestamp must specify a time within the past two "
            "weeks.",
        ),
        (
            {"Value": 1, "Timestamp": datetime(2100, 1, 1)},
            "InvalidParameterValue",
            "The parameter MetricData.member.1.Timestamp must specify a time no more than two "
            "hours in the future.",
        ),
        (
            {"Value": 1, "Dimensions": [SHOP[0], SHOP[0]]},
            "InvalidParameterValue",
            "No metric may specify the same dimension name twice.",
        ),
        (
            {"Value": 1, "Unit": "Furlongs"},
            "ValidationError",
            "Value 'Furlongs' at 'metricData.1.member.unit' failed to satisfy constraint",
        ),
    ],
)
def test_data_that_are_refused(cloudwatch: Any, datum: Arguments, code: str, said: str) -> None:
    data = [{"MetricName": "Errors", **datum}]
    found = refusal(cloudwatch.put_metric_data, Namespace="Shop", MetricData=data)
    assert found[0] == code and said in found[1]
    assert cloudwatch.list_metrics()["Metrics"] == []


def test_namespaces_of_aws_are_closed(cloudwatch: Any) -> None:
    datum = {"MetricName": "ModelLatency", "Value": 1}
    assert refusal(cloudwatch.put_metric_data, Namespace="AWS/SageMaker", MetricData=[datum]) == (
        "InvalidParameterValue",
        "The value AWS/ for parameter Namespace is invalid.",
    )
    cloudwatch.put_metric_data(Namespace="/aws/sagemaker/Endpoints", MetricData=[datum])
    put_metric(ACCOUNT, REGION, "AWS/SageMaker", "ModelLatency", 1, {})
    found = {metric["Namespace"] for metric in cloudwatch.list_metrics()["Metrics"]}
    assert found == {"AWS/SageMaker", "/aws/sagemaker/Endpoints"}


def test_no_data_and_too_many(cloudwatch: Any) -> None:
    call = cloudwatch.put_metric_data
    none = ("MissingParameter", "The parameter MetricData is required.")
    assert refusal(call, Namespace="Shop", MetricData=[]) == none
    data = [{"MetricName": "Errors", "Value": 1}] * 1001
    said = "The collection MetricData must not have a size greater than 1000."
    assert refusal(call, Namespace="Shop", MetricData=data) == ("InvalidParameterValue", said)


@pytest.mark.parametrize(
    ("changed", "code", "said"),
    [
        (
            {"Statistics": ()},
            "InvalidParameterCombination",
            "Must specify either Statistics or ExtendedStatistics",
        ),
        (
            {"EndTime": datetime(2026, 11, 20)},
            "InvalidParameterValue",
            "The parameter StartTime must be less than the parameter EndTime.",
        ),
        (
            {"EndTime": datetime(2026, 11, 22, 2, 48)},
            "InvalidParameterCombination",
            "You have requested up to 1,608 datapoints, which exceeds the limit of 1,440. You may "
            "reduce the datapoints requested by increasing Period, or decreasing the time range.",
        ),
        (
            {"Period": 90},
            "InvalidParameterValue",
            "The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60.",
        ),
        (
            {"Statistics": (), "ExtendedStatistics": ["p999"]},
            "InvalidParameterValue",
            "The value p999 for parameter ExtendedStatistics is not supported.",
        ),
    ],
)
def test_statistics_that_are_refused(
    cloudwatch: Any, changed: Arguments, code: str, said: str
) -> None:
    asked = {"StartTime": datetime(2026, 11, 21), "EndTime": datetime(2026, 11, 21, 1), **changed}
    asked = {"Namespace": "Shop", "MetricName": "Errors", "Period": 60, **asked}
    asked = {"Statistics": ["Sum"], **asked}
    given = {name: value for name, value in asked.items() if value != ()}
    assert refusal(cloudwatch.get_metric_statistics, **given) == (code, said)


def test_metrics_are_listed_once_by_page_and_by_filter(cloudwatch: Any) -> None:
    put(cloudwatch, 1, 2, 3, Dimensions=SHOP)
    data = [{"MetricName": f"m{number}", "Value": 1} for number in range(501)]
    cloudwatch.put_metric_data(Namespace="Many", MetricData=data)
    pages = list(cloudwatch.get_paginator("list_metrics").paginate())
    assert [len(page["Metrics"]) for page in pages] == [500, 2]
    metric = {"Namespace": "Shop", "MetricName": "Errors"}
    dimensions = sorted(SHOP, key=lambda pair: pair["Name"])
    listed = [metric | {"Dimensions": dimensions}]
    for wanted in ({"Namespace": "Shop"}, {"Dimensions": [{"Name": "Shop"}]}, {**metric}):
        assert cloudwatch.list_metrics(**wanted)["Metrics"] == listed
    other = [{"Name": "Shop", "Value": "osaka"}]
    assert cloudwatch.list_metrics(Dimensions=other)["Metrics"] == []
    code, _ = refusal(cloudwatch.list_metrics, NextToken="mine")
    assert code == "InvalidParameterValue"


def test_accounts_and_regions_have_their_own(client: Callable[..., Any], cloudwatch: Any) -> None:
    put_metric("444455556666", REGION, "Shop", "Errors", 5, {})
    put_metric(ACCOUNT, "eu-west-1", "Shop", "Errors", 5, {})
    alarm(cloudwatch)
    assert state(cloudwatch) == "INSUFFICIENT_DATA"
    assert statistics(cloudwatch, "Sum") == []
    assert client("cloudwatch", region="eu-west-1").describe_alarms()["MetricAlarms"] == []
    assert alarm_state("444455556666", REGION, "errors") is None


# --- metric math ---------------------------------------------------------------------------------


def query(name: str, metric: str = "Errors", stat: str = "Sum", **more: Any) -> Arguments:
    identity = {"Namespace": "Shop", "MetricName": metric}
    return {"Id": name, "MetricStat": {"Metric": identity, "Period": 60, "Stat": stat}, **more}


def computed(cloudwatch: Any, *queries: Arguments, **more: Any) -> dict[str, list[float]]:
    now = naive_now()
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=queries,
        StartTime=now - timedelta(hours=1),
        EndTime=now + MINUTE,
        ScanBy="TimestampAscending",
        **more,
    )
    return {result["Id"]: result["Values"] for result in answer["MetricDataResults"]}


@pytest.mark.parametrize(
    ("expression", "values"),
    [
        ("100 * m1 / m2", [20.0, 50.0]),
        ("m1 + m2 - 1", [11.0, 5.0]),
        ("-m1 ^ 2", [-4.0, -4.0]),
        ("m1 / 0", []),
        ("m1 - m2 >= 0", [0.0, 0.0]),
        ("IF(m2 > 5, m1, 0)", [2.0, 0.0]),
        ("IF(m2 > 5 && m1 == 2, 1)", [1.0]),
        ("m2 < 5 OR m1 > 9", [0.0, 1.0]),
        ("SUM([m1, m2])", [12.0, 6.0]),
        ("AVG(METRICS())", [6.0, 3.0]),
        ('MAX(METRICS("2"))', [10.0, 4.0]),
        ("m1 / SUM(m1)", [0.5, 0.5]),
        ("CEIL(m1 / 3)", [1.0, 1.0]),
        ("e2 * 2", [24.0, 12.0]),
    ],
)
def test_expressions(frozen: Any, expression: str, values: list[float]) -> None:
    put(frozen, 2, Timestamp=naive_now() - MINUTE)
    put(frozen, 2)
    put(frozen, 10, name="Requests", Timestamp=naive_now() - MINUTE)
    put(frozen, 4, name="Requests")
    queries = [query("m1", ReturnData=False), query("m2", "Requests", ReturnData=False)]
    queries += [{"Id": "e2", "Expression": "m1 + m2", "ReturnData": False}]
    found = computed(frozen, *queries, {"Id": "e1", "Expression": expression})
    assert found == {"e1": pytest.approx(values)}


def test_gaps_are_filled_when_asked(frozen: Any) -> None:
    for minutes, value in ((4, 1), (2, 3), (0, 5)):
        put(frozen, value, Timestamp=naive_now() - minutes * MINUTE)
    fillings = {"e1": "FILL(m1, 0)", "e2": "FILL(m1, REPEAT)", "e3": "m1"}
    queries = [{"Id": name, "Expression": text} for name, text in fillings.items()]
    assert computed(frozen, query("m1", ReturnData=False), *queries) == {
        "e1": [1.0, 0.0, 3.0, 0.0, 5.0],
        "e2": [1.0, 1.0, 3.0, 3.0, 5.0],
        "e3": [1.0, 3.0, 5.0],
    }


def test_results_come_newest_first_with_labels(frozen: Any) -> None:
    put(frozen, 1, Timestamp=naive_now() - MINUTE)
    put(frozen, 2)
    result = frozen.get_metric_data(
        MetricDataQueries=[query("m1", stat="p90"), query("m2", Label="named")],
        StartTime=naive_now() - timedelta(hours=1),
        EndTime=naive_now() + MINUTE,
    )["MetricDataResults"]
    assert [(r["Label"], r["Values"], r["StatusCode"]) for r in result] == [
        ("Errors p90", [2.0, 1.0], "Complete"),
        ("named", [2.0, 1.0], "Complete"),
    ]
    assert result[0]["Timestamps"][0] - result[0]["Timestamps"][1] == MINUTE


@pytest.mark.parametrize(
    ("expression", "code", "said"),
    [
        ("m1 / m9", "ValidationError", "Error in expression 'e1' [Undefined variable: m9]"),
        ("m1 /", "ValidationError", "Error in expression 'e1' [Invalid syntax.]"),
        ("e1 + 1", "ValidationError", "Error in expression 'e1' [Undefined variable: e1]"),
        ("m1.real", "ValidationError", "Error in expression 'e1' [Invalid syntax.]"),
        ("FILL(m1)", "ValidationError", "[Invalid arguments of the function FILL.]"),
        ("METRICS()", "ValidationError", "[The expression returns several time series.]"),
        ("(" * 500 + "m1" + ")" * 500, "ValidationError", "[Invalid syntax.]"),
        ("RATE(m1)", "NotImplemented", "The lab does not have the function RATE."),
        ("SELECT 1", "NotImplemented", "The lab does not have queries of Metrics Insights."),
    ],
)
def test_expressions_that_are_refused(
    cloudwatch: Any, expression: str, code: str, said: str
) -> None:
    found = refusal(
        cloudwatch.get_metric_data,
        MetricDataQueries=[query("m1"), {"Id": "e1", "Expression": expression}],
        StartTime=naive_now() - MINUTE,
        EndTime=naive_now(),
    )
    assert found[0] == code and said in found[1]


# --- when alarms change --------------------------------------------------------------------------


def test_an_alarm_begins_without_data(cloudwatch: Any) -> None:
    alarm(cloudwatch)
    found = shown(cloudwatch)
    assert found["StateValue"] == "INSUFFICIENT_DATA"
    assert found["StateReason"] == "Unchecked: Initial alarm creation"
    assert found["AlarmArn"] == f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:errors"
    assert found["ActionsEnabled"] and found["Dimensions"] == [] == found["OKActions"]


def test_what_was_just_put_trips_an_alarm(cloudwatch: Any) -> None:
    alarm(cloudwatch, Dimensions=SHOP)
    put(cloudwatch, 5, 5)  # without dimensions: another metric
    assert state(cloudwatch) == "INSUFFICIENT_DATA"
    put(cloudwatch, 3, 4, Dimensions=SHOP)
    found = shown(cloudwatch)
    assert found["StateValue"] == "ALARM"
    assert re.fullmatch(
        r"Threshold Crossed: 1 out of the last 1 datapoints \[7\.0 \(\d\d/\d\d/\d\d "
        r"\d\d:\d\d:\d\d\)\] was greater than the threshold \(1\.0\) \(minimum 1 datapoint for "
        r"OK -> ALARM transition\)\.",
        found["StateReason"],
    )
    data = json.loads(found["StateReasonData"])
    assert data["recentDatapoints"] == [7.0] == [p["value"] for p in data["evaluatedDatapoints"]]
    told = (data["version"], data["statistic"], data["period"], data["threshold"])
    assert told == ("1.0", "Sum", 60, 1.0)
    assert found["StateUpdatedTimestamp"] == found["StateTransitionedTimestamp"]
    assert alarm_state(ACCOUNT, REGION, "errors") == "ALARM"


def test_a_minute_has_to_end_when_the_clock_is_frozen(frozen: Any) -> None:
    alarm(frozen)
    put(frozen, 7)
    minute = naive_now().replace(second=0, microsecond=0)
    assert state(frozen) == "INSUFFICIENT_DATA"
    CLOCK.advance(60)
    assert shown(frozen)["StateReason"] == (
        f"Threshold Crossed: 1 out of the last 1 datapoints [7.0 ({minute:%d/%m/%y %H:%M:%S})] "
        "was greater than the threshold (1.0) (minimum 1 datapoint for OK -> ALARM transition)."
    )
    changed_at = shown(frozen)["StateTransitionedTimestamp"]
    put(frozen, 1)
    CLOCK.advance(60)
    found = shown(frozen)
    assert found["StateReason"] == (
        "Threshold Crossed: 1 out of the last 1 datapoints "
        f"[1.0 ({minute + MINUTE:%d/%m/%y %H:%M:%S})] was not greater than the threshold (1.0) "
        "(minimum 1 datapoint for ALARM -> OK transition)."
    )
    assert found["StateTransitionedTimestamp"] - changed_at == MINUTE


def test_three_of_three_and_many_data(frozen: Any) -> None:
    alarm(frozen, "three", EvaluationPeriods=3)
    alarm(frozen, "five", EvaluationPeriods=6, DatapointsToAlarm=5)
    seen = []
    for value in (2, 3, 4, 5, 6, 7):
        put(frozen, value)
        CLOCK.advance(60)
        seen.append((state(frozen, "three"), state(frozen, "five")))
    none = "INSUFFICIENT_DATA"
    assert seen == [(none, none)] * 2 + [("ALARM", none)] * 2 + [("ALARM", "ALARM")] * 2
    assert shown(frozen, "three")["StateReason"].startswith(
        "Threshold Crossed: 3 out of the last 3 datapoints [4.0 ("
    )
    assert shown(frozen, "three")["StateReason"].endswith(
        "were greater than the threshold (1.0) (minimum 3 datapoints for OK -> ALARM transition)."
    )
    assert shown(frozen, "five")["StateReason"].startswith(
        "Threshold Crossed: 5 out of the last 6 datapoints were greater than the threshold (1.0). "
        "The most recent datapoints which crossed the threshold: [6.0 ("
    )


OK, X, GAP = 0.0, 9.0, None


@pytest.mark.parametrize(
    ("data", "least", "missing", "ignore", "breaching", "not_breaching"),
    [  # the tables of the CloudWatch User Guide; None: the state stays
        ((OK, GAP, X, GAP, X), 3, "OK", "OK", "OK", "OK"),
        ((GAP, GAP, GAP, GAP, OK), 3, "OK", "OK", "OK", "OK"),
        ((GAP, GAP, GAP, GAP, GAP), 3, "INSUFFICIENT_DATA", None, "ALARM", "OK"),
        ((OK, X, X, GAP, X), 3, "ALARM", "ALARM", "ALARM", "ALARM"),
        ((GAP, GAP, X, GAP, GAP), 3, "ALARM", None, "ALARM", "OK"),
        ((GAP, GAP, GAP, GAP, X), 3, None, None, "ALARM", "OK"),
        ((GAP, GAP, GAP, X, GAP), 3, None, None, "ALARM", "OK"),
        ((OK, GAP, X, GAP, X), 2, "ALARM", "ALARM", "ALARM", "ALARM"),
        ((OK, OK, X, OK, X), 2, "ALARM", "ALARM", "ALARM", "ALARM"),
        ((OK, GAP, X, GAP, GAP), 2, "OK", "OK", "ALARM", "OK"),
        ((GAP, GAP, GAP, GAP, OK), 2, "OK", "OK", "ALARM", "OK"),
        ((GAP, GAP, GAP, X, GAP), 2, "ALARM", None, "ALARM", "OK"),
    ],
)
def test_missing_data_of_three_periods(
    data: tuple[float | None, ...],
    least: int,
    missing: str | None,
    ignore: str | None,
    breaching: str,
    not_breaching: str,
) -> None:
    request = {
        "EvaluationPeriods": 3,
        "DatapointsToAlarm": least,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanThreshold",
    }
    found = [
        judge(list(data), request | {"TreatMissingData": treatment})
        for treatment in ("missing", "ignore", "breaching", "notBreaching")
    ]
    assert found == [missing, ignore, breaching, not_breaching]
    assert judge(list(data), request) == missing


def test_alarms_without_data(frozen: Any) -> None:
    for treatment in ("missing", "ignore", "breaching", "notBreaching"):
        alarm(frozen, treatment, TreatMissingData=treatment, EvaluationPeriods=2)
    CLOCK.advance(60)
    found = [(state(frozen, n), shown(frozen, n)["StateReason"]) for n in ("missing", "ignore")]
    assert found == [("INSUFFICIENT_DATA", "Unchecked: Initial alarm creation")] * 2
    said = "Threshold Crossed: no datapoints were received for 2 periods and 2 missing datapoints "
    for treatment, value, shape in (
        ("breaching", "ALARM", "Breaching"),
        ("notBreaching", "OK", "NonBreaching"),
    ):
        assert state(frozen, treatment) == value
        wanted = f"{said}were treated as [{shape}]."
        assert shown(frozen, treatment)["StateReason"] == wanted


def test_data_that_stop_count_for_two_more_periods(frozen: Any) -> None:
    alarm(frozen)
    put(frozen, 7)
    seen = []
    for _ in range(4):
        CLOCK.advance(60)
        seen.append(state(frozen))
    assert seen == ["ALARM", "ALARM", "ALARM", "INSUFFICIENT_DATA"]
    assert shown(frozen)["StateReason"] == "Insufficient Data: 1 datapoint was unknown."


@pytest.mark.parametrize(
    ("operator", "on_it", "words"),
    [
        ("GreaterThanThreshold", "OK", "not greater than the threshold"),
        ("GreaterThanOrEqualToThreshold", "ALARM", "greater than or equal to the threshold"),
        ("LessThanThreshold", "OK", "not less than the threshold"),
        ("LessThanOrEqualToThreshold", "ALARM", "less than or equal to the threshold"),
    ],
)
def test_operators_at_the_threshold(cloudwatch: Any, operator: str, on_it: str, words: str) -> None:
    alarm(cloudwatch, ComparisonOperator=operator, Threshold=0.5)
    put(cloudwatch, 0.5)
    found = shown(cloudwatch)
    assert found["StateValue"] == on_it and f"was {words} (0.5)" in found["StateReason"]


@pytest.mark.parametrize(
    ("changed", "value"),
    [
        ({"Statistic": "Average"}, "ALARM"),  # 2.0
        ({"Statistic": "Minimum"}, "OK"),  # 0.0
        ({"Statistic": "Maximum", "Threshold": 4.5}, "ALARM"),  # 5.0
        ({"Statistic": "SampleCount", "Threshold": 3}, "OK"),
        ({"Statistic": (), "ExtendedStatistic": "p50"}, "OK"),  # 1.0
        ({"Statistic": (), "ExtendedStatistic": "p90"}, "ALARM"),  # 5.0
        ({"Unit": "Seconds"}, "INSUFFICIENT_DATA"),
    ],
)
def test_statistics_of_alarms(cloudwatch: Any, changed: Arguments, value: str) -> None:
    alarm(cloudwatch, **changed)
    put(cloudwatch, 0, 1, 5)
    assert state(cloudwatch) == value


def test_a_percentile_of_few_data_may_be_left_alone(cloudwatch: Any) -> None:
    options = {"Statistic": (), "ExtendedStatistic": "p90"}
    alarm(cloudwatch, "trusting", **options)
    alarm(cloudwatch, "careful", EvaluateLowSampleCountPercentile="ignore", **options)
    put(cloudwatch, *[9] * 99)
    assert [state(cloudwatch, n) for n in ("trusting", "careful")] == ["ALARM", "INSUFFICIENT_DATA"]
    put(cloudwatch, 9)
    assert state(cloudwatch, "careful") == "ALARM"


def test_an_alarm_on_an_expression(cloudwatch: Any) -> None:
    rate = {"Id": "e1", "Expression": "100 * errors / requests", "Label": "per cent"}
    queries = [query("errors", ReturnData=False), query("requests", "Requests", ReturnData=False)]
    math_alarm(cloudwatch, [rate, *queries], Threshold=5)
    put(cloudwatch, 5)
    assert state(cloudwatch) == "INSUFFICIENT_DATA"
    put(cloudwatch, 50, name="Requests")
    found = shown(cloudwatch)
    assert "[10.0 (" in found["StateReason"] and found["StateValue"] == "ALARM"
    assert found["Metrics"] == [rate, *queries] and "MetricName" not in found
    named = {"Namespace": "Shop", "MetricName": "Requests"}
    (same,) = cloudwatch.describe_alarms_for_metric(**named)["MetricAlarms"]
    assert same["AlarmName"] == "errors"


def test_an_expression_that_the_lab_lacks_has_no_data(cloudwatch: Any) -> None:
    queries = [query("m1", ReturnData=False), {"Id": "e1", "Expression": "RATE(m1)"}]
    math_alarm(cloudwatch, queries)
    put(cloudwatch, 9)
    assert state(cloudwatch) == "INSUFFICIENT_DATA"


def test_a_state_that_was_set_holds_until_there_are_new_data(cloudwatch: Any) -> None:
    alarm(cloudwatch)
    put(cloudwatch, 0)
    cloudwatch.set_alarm_state(AlarmName="errors", StateValue="ALARM", StateReason="a drill")
    assert [state(cloudwatch), state(cloudwatch)] == ["ALARM", "ALARM"]
    assert shown(cloudwatch)["StateReason"] == "a drill"
    put(cloudwatch, 0, name="Other")
    assert state(cloudwatch) == "ALARM"
    put(cloudwatch, 0)
    assert state(cloudwatch) == "OK"


def test_a_state_that_was_set_holds_until_the_next_evaluation(frozen: Any) -> None:
    alarm(frozen, TreatMissingData="notBreaching")
    CLOCK.advance(60)
    frozen.set_alarm_state(AlarmName="errors", StateValue="ALARM", StateReason="a drill")
    CLOCK.advance(59)
    assert state(frozen) == "ALARM"
    CLOCK.advance(1)
    assert state(frozen) == "OK"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"AlarmName": "none"}, "ResourceNotFound"),
        ({"StateReasonData": "{"}, "InvalidFormat"),
        ({"StateValue": "PANIC"}, "ValidationError"),
    ],
)
def test_states_that_cannot_be_set(cloudwatch: Any, changed: Arguments, code: str) -> None:
    alarm(cloudwatch)
    asked = {"AlarmName": "errors", "StateValue": "ALARM", "StateReason": "a drill"} | changed
    assert refusal(cloudwatch.set_alarm_state, **asked)[0] == code
    assert state(cloudwatch) == "INSUFFICIENT_DATA"


def test_a_change_keeps_the_state(cloudwatch: Any) -> None:
    alarm(cloudwatch, AlarmDescription="old")
    put(cloudwatch, 9)
    assert state(cloudwatch) == "ALARM"
    before = shown(cloudwatch)
    cloudwatch.set_alarm_state(AlarmName="errors", StateValue="OK", StateReason="by hand")
    alarm(cloudwatch, Threshold=5)
    after = shown(cloudwatch)
    assert (after["StateReason"], after["Threshold"]) == ("by hand", 5.0)
    assert "AlarmDescription" not in after
    stamp = "AlarmConfigurationUpdatedTimestamp"
    assert after[stamp] > before[stamp]


def test_a_hundred_thousand_data_are_judged_quickly(cloudwatch: Any) -> None:
    alarm(cloudwatch, Statistic=(), ExtendedStatistic="p99", Threshold=98_997)
    at = naive_now() - timedelta(hours=1)
    for number in range(50_000):
        put_metric(ACCOUNT, REGION, "Shop", "Errors", 0, {}, at=at)
        put_metric(ACCOUNT, REGION, "Shop", "Errors", 2 * number, {})
    started = time.perf_counter()
    assert state(cloudwatch) == "ALARM"
    assert time.perf_counter() - started < 2


# --- who is told ---------------------------------------------------------------------------------


@pytest.fixture
def inbox(client: Callable[..., Any], cloudwatch: Any) -> Callable[[], list[Any]]:
    """What has come to a queue that hears the topic, and EventBridge about alarms."""
    sqs, sns, events = client("sqs"), client("sns"), client("events")
    url = sqs.create_queue(QueueName="inbox")["QueueUrl"]
    sns.create_topic(Name="operators")
    sns.subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=QUEUE)
    pattern = {"source": ["aws.cloudwatch"], "detail-type": ["CloudWatch Alarm State Change"]}
    events.put_rule(Name="alarms", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="alarms", Targets=[{"Id": "inbox", "Arn": QUEUE}])

    def read() -> list[Any]:
        messages: list[Any] = []
        while True:
            found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
            if not found:
                return messages
            for message in found:
                messages.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    return read


def test_a_topic_gets_the_message_of_cloudwatch(
    cloudwatch: Any, inbox: Callable[[], list[Any]]
) -> None:
    alarm(
        cloudwatch,
        AlarmDescription="too many errors",
        AlarmActions=[TOPIC],
        OKActions=[TOPIC],
        Dimensions=SHOP[:1],
        TreatMissingData="ignore",
    )
    put(cloudwatch, 7, Dimensions=SHOP[:1])
    found = shown(cloudwatch)
    event, notification = sorted(inbox(), key=lambda message: "Subject" in message)
    assert notification["Subject"] == 'ALARM: "errors" in Asia Pacific (Tokyo)'
    message = json.loads(notification["Message"])
    assert message.pop("AlarmConfigurationUpdatedTimestamp").endswith("+0000")
    at = message.pop("StateChangeTime")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000", at)
    assert message == {
        "AlarmName": "errors",
        "AlarmDescription": "too many errors",
        "AWSAccountId": ACCOUNT,
        "NewStateValue": "ALARM",
        "NewStateReason": found["StateReason"],
        "Region": "Asia Pacific (Tokyo)",
        "AlarmArn": found["AlarmArn"],
        "OldStateValue": "INSUFFICIENT_DATA",
        "OKActions": [TOPIC],
        "AlarmActions": [TOPIC],
        "InsufficientDataActions": [],
        "Trigger": {
            "MetricName": "Errors",
            "Namespace": "Shop",
            "StatisticType": "Statistic",
            "Statistic": "SUM",
            "Unit": None,
            "Dimensions": [{"value": "tokyo", "name": "Shop"}],
            "Period": 60,
            "EvaluationPeriods": 1,
            "ComparisonOperator": "GreaterThanThreshold",
            "Threshold": 1.0,
            "TreatMissingData": "ignore",
            "EvaluateLowSampleCountPercentile": "",
        },
    }
    assert event["resources"] == [found["AlarmArn"]]
    detail = event["detail"]
    assert (detail["alarmName"], detail["state"]["value"]) == ("errors", "ALARM")
    assert detail["previousState"]["value"] == "INSUFFICIENT_DATA"
    assert detail["state"]["reasonData"] == found["StateReasonData"]
    (metric,) = detail["configuration"]["metrics"]
    assert metric["metricStat"] == {
        "metric": {"namespace": "Shop", "name": "Errors", "dimensions": {"Shop": "tokyo"}},
        "period": 60,
        "stat": "Sum",
    }


def test_actions_belong_to_states_and_can_be_disabled(
    cloudwatch: Any, inbox: Callable[[], list[Any]]
) -> None:
    alarm(cloudwatch, OKActions=[TOPIC], InsufficientDataActions=[TOPIC])

    def subjects(state: str) -> list[str]:
        cloudwatch.set_alarm_state(AlarmName="errors", StateValue=state, StateReason="a drill")
        return [message["Subject"] for message in inbox() if "Subject" in message]

    assert subjects("ALARM") == []
    assert subjects("OK") == ['OK: "errors" in Asia Pacific (Tokyo)']
    assert subjects("OK") == []  # no change
    assert subjects("INSUFFICIENT_DATA") == ['INSUFFICIENT_DATA: "errors" in Asia Pacific (Tokyo)']
    cloudwatch.disable_alarm_actions(AlarmNames=["errors"])
    assert subjects("OK") == [] and not shown(cloudwatch)["ActionsEnabled"]
    cloudwatch.enable_alarm_actions(AlarmNames=["errors"])
    assert subjects("INSUFFICIENT_DATA") != []


def test_history(cloudwatch: Any, inbox: Callable[[], list[Any]]) -> None:
    lost = TOPIC.replace("operators", "nobody")
    alarm(cloudwatch, AlarmActions=[TOPIC, lost])
    alarm(cloudwatch, "other")
    put(cloudwatch, 9)
    cloudwatch.delete_alarms(AlarmNames=["other"])
    items = cloudwatch.describe_alarm_history(AlarmName="errors", ScanBy="TimestampAscending")[
        "AlarmHistoryItems"
    ]
    assert [(item["HistoryItemType"], item["HistorySummary"]) for item in items] == [
        ("ConfigurationUpdate", 'Alarm "errors" created'),
        ("StateUpdate", "Alarm updated from INSUFFICIENT_DATA to ALARM"),
        ("Action", f"Successfully executed action {TOPIC}"),
        (
            "Action",
            f'Failed to execute action {lost}. Received error: "Topic does not exist: {lost}"',
        ),
    ]
    assert json.loads(items[1]["HistoryData"])["newState"]["stateValue"] == "ALARM"
    newest = cloudwatch.describe_alarm_history(HistoryItemType="ConfigurationUpdate")
    summaries = [item["HistorySummary"] for item in newest["AlarmHistoryItems"]]
    assert summaries[0] == 'Alarm "other" deleted' and len(summaries) == 3
    pages = cloudwatch.get_paginator("describe_alarm_history").paginate(
        PaginationConfig={"PageSize": 2}
    )
    assert [len(page["AlarmHistoryItems"]) for page in pages][:3] == [2, 2, 2]


# --- what is refused, and what is listed ---------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "code", "said"),
    [
        ({"MetricName": ()}, "MissingParameter", "The parameter MetricName is required."),
        ({"Threshold": ()}, "MissingParameter", "The parameter Threshold is required."),
        ({"Period": ()}, "MissingParameter", "The parameter Period is required."),
        (
            {"Period": 90},
            "ValidationError",
            "Period must be 10, 20, 30 or a multiple of 60",
        ),
        (
            {"EvaluationPeriods": 1441},
            "ValidationError",
            "Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be "
            "<= 86400) for alarms using period < 3600",
        ),
        (
            {"Period": 86400, "EvaluationPeriods": 8},
            "ValidationError",
            "Metrics cannot be checked across more than a week (EvaluationPeriods * Period must "
            "be <= 604800) for alarms using period >= 3600",
        ),
        (
            {"DatapointsToAlarm": 2},
            "ValidationError",
            "DatapointsToAlarm must be less than or equal to EvaluationPeriods",
        ),
        (
            {"ExtendedStatistic": "p90"},
            "InvalidParameterCombination",
            "You must specify either Statistic or ExtendedStatistic, but not both.",
        ),
        (
            {"Statistic": (), "ExtendedStatistic": "x9"},
            "ValidationError",
            "The value x9 for parameter ExtendedStatistic is not supported.",
        ),
        (
            {"TreatMissingData": "panic"},
            "ValidationError",
            "Option panic is not supported. Supported options for parameter TreatMissingData are "
            "breaching, notBreaching, ignore and missing.",
        ),
        ({"AlarmActions": ["me"]}, "ValidationError", "Invalid arn syntax: me"),
        (
            {"Metrics": [query("m1")]},
            "ValidationError",
            "Metrics list contains all information about the metric. Do not include MetricName, "
            "Namespace, Dimensions, Period, Unit, Statistic or ExtendedStatistic.",
        ),
        (
            {"ComparisonOperator": "Near"},
            "ValidationError",
            "Value 'Near' at 'comparisonOperator' failed to satisfy constraint",
        ),
    ],
)
def test_alarms_that_are_refused(cloudwatch: Any, changed: Arguments, code: str, said: str) -> None:
    with pytest.raises(ClientError) as refused:
        alarm(cloudwatch, **changed)
    error = refused.value.response["Error"]
    assert error["Code"] == code and said in error["Message"]
    assert cloudwatch.describe_alarms()["MetricAlarms"] == []


@pytest.mark.parametrize(
    ("queries", "said"),
    [
        (
            [query("m1"), query("m2")],
            "Exactly one element of the metrics list should return data.",
        ),
        (
            [query("m1", ReturnData=False), {"Id": "e1", "Expression": "m1 + m2"}],
            "Error in expression 'e1' [Undefined variable: m2]",
        ),
        ([query("M1")], "The value M1 for parameter Metrics.member.1.Id is invalid."),
        ([{"Id": "m1"}], "The parameter Metrics.member.1.MetricStat is required.\n"),
        (
            [query("m1", stat="best")],
            "The value best for parameter Metrics.member.1.MetricStat.Stat is not supported.",
        ),
    ],
)
def test_queries_that_are_refused(cloudwatch: Any, queries: list[Arguments], said: str) -> None:
    with pytest.raises(ClientError) as refused:
        math_alarm(cloudwatch, queries)
    assert refused.value.response["Error"]["Message"] == said


def test_filters_and_pages(cloudwatch: Any) -> None:
    for number in range(53):
        alarm(cloudwatch, f"a{number:02}")
    alarm(cloudwatch, "b-loud", AlarmActions=[TOPIC], TreatMissingData="breaching")
    cloudwatch.put_composite_alarm(AlarmName="b-both", AlarmRule="ALARM(a01) OR ALARM(a02)")

    def names(**asked: Any) -> list[str]:
        found = cloudwatch.describe_alarms(**asked)
        return [a["AlarmName"] for a in found["MetricAlarms"] + found["CompositeAlarms"]]

    first = cloudwatch.describe_alarms()
    assert len(first["MetricAlarms"]) == 50 and first["CompositeAlarms"] == []
    assert names(NextToken=first["NextToken"]) == ["a50", "a51", "a52", "b-loud"]
    assert names(AlarmNamePrefix="b") == ["b-loud"]
    both = ["MetricAlarm", "CompositeAlarm"]
    assert names(AlarmNamePrefix="b", AlarmTypes=both) == ["b-loud", "b-both"]
    assert names(StateValue="ALARM") == ["b-loud"]
    assert names(StateValue="OK", AlarmNamePrefix="b") == []
    assert names(ActionPrefix="arn:aws:sns:") == ["b-loud"]
    assert names(ChildrenOfAlarmName="b-both") == ["a01", "a02"]
    assert names(ParentsOfAlarmName="a02") == ["b-both"]
    assert names(AlarmNames=["a01", "none"], MaxRecords=1) == ["a01"]
    assert refusal(cloudwatch.describe_alarms, NextToken="mine")[0] == "InvalidParameterValue"
    asked = {"AlarmNames": ["a01"], "AlarmNamePrefix": "a"}
    assert refusal(cloudwatch.describe_alarms, **asked)[0] == "InvalidParameterCombination"


def test_alarms_of_a_metric(cloudwatch: Any) -> None:
    alarm(cloudwatch, "plain")
    alarm(cloudwatch, "shop", Dimensions=SHOP)
    alarm(cloudwatch, "slow", Dimensions=SHOP, Period=300)
    metric = {"Namespace": "Shop", "MetricName": "Errors"}

    def names(**more: Any) -> list[str]:
        found = cloudwatch.describe_alarms_for_metric(**metric, **more)["MetricAlarms"]
        return [each["AlarmName"] for each in found]

    assert names() == ["plain"]
    assert names(Dimensions=SHOP) == ["shop", "slow"]
    assert names(Dimensions=SHOP, Period=300, Statistic="Sum") == ["slow"]
    assert names(Dimensions=SHOP, Statistic="Average") == []


def test_tags_end_with_the_alarm(cloudwatch: Any) -> None:
    alarm(cloudwatch, Tags=[{"Key": "team", "Value": "ml"}])
    arn = shown(cloudwatch)["AlarmArn"]
    tags = cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"]
    assert tags == [{"Key": "team", "Value": "ml"}] and "Tags" not in shown(cloudwatch)
    cloudwatch.delete_alarms(AlarmNames=["errors"])
    alarm(cloudwatch)
    assert cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"] == []


# --- alarms on alarms ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        ("ALARM(on)", "ALARM"),
        ("OK(on)", "OK"),
        ('ALARM("on") AND ALARM(off)', "OK"),
        ("ALARM(on) AND NOT ALARM(off)", "ALARM"),
        ("(ALARM(off) OR INSUFFICIENT_DATA(off)) AND TRUE", "ALARM"),
        (f"ALARM('arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:on')", "ALARM"),
        ("FALSE", "OK"),
    ],
)
def test_rules(cloudwatch: Any, rule: str, value: str) -> None:
    alarm(cloudwatch, "on", TreatMissingData="breaching")
    alarm(cloudwatch, "off")
    cloudwatch.put_composite_alarm(AlarmName="both", AlarmRule=rule)
    found = shown(cloudwatch, "both")
    assert (found["StateValue"], found["AlarmRule"]) == (value, rule)
    arn = found["AlarmArn"]
    said = f"{arn} was created and its alarm rule evaluates to {value}"
    assert found["StateReason"] == said


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("ALARM(on) AND", "AlarmRule is invalid."),
        ("ALARM(on) XOR ALARM(on)", "AlarmRule is invalid."),
        ("__import__('os')", "AlarmRule is invalid."),
        ("TRUE AND on", "AlarmRule is invalid."),
        (
            "ALARM(on) OR OK(gone)",
            "Could not save the composite alarm as alarms [gone] in the alarm rule do not exist",
        ),
    ],
)
def test_rules_that_are_refused(cloudwatch: Any, rule: str, said: str) -> None:
    alarm(cloudwatch, "on")
    found = refusal(cloudwatch.put_composite_alarm, AlarmName="both", AlarmRule=rule)
    assert found == ("ValidationError", said)


def test_a_composite_alarm_follows_its_children(
    cloudwatch: Any, inbox: Callable[[], list[Any]]
) -> None:
    alarm(cloudwatch)
    put(cloudwatch, 0)
    cloudwatch.put_composite_alarm(AlarmName="inner", AlarmRule="ALARM(errors)")
    rule = {"AlarmName": "outer", "AlarmRule": "ALARM(inner)", "AlarmActions": [TOPIC]}
    cloudwatch.put_composite_alarm(**rule)
    assert state(cloudwatch, "outer") == "OK"
    put(cloudwatch, 9)
    assert state(cloudwatch, "outer") == "ALARM"
    found, child = shown(cloudwatch, "outer"), shown(cloudwatch, "inner")
    at = f"{child['StateTransitionedTimestamp']:%A %d %B, %Y %H:%M:%S} UTC"
    assert found["StateReason"] == f"{child['AlarmArn']} transitioned to ALARM at {at}"
    (message,) = [json.loads(m["Message"]) for m in inbox() if "Subject" in m]
    assert (message["AlarmRule"], message["OldStateValue"]) == ("ALARM(inner)", "OK")
    (triggering,) = message["TriggeringChildren"]
    assert (triggering["Arn"], triggering["State"]["Value"]) == (child["AlarmArn"], "ALARM")


# --- over HTTP -----------------------------------------------------------------------------------


def test_over_http_in_all_three_protocols(lab_server: str) -> None:
    session = boto3.Session("testing", "testing", region_name=REGION)
    client = session.client("cloudwatch", endpoint_url=lab_server)  # CBOR
    alarm(client)
    put(client, 7)
    assert state(client) == "ALARM"
    json_headers = {
        "X-Amz-Target": "GraniteServiceVersion20100801.DescribeAlarms",
        "Content-Type": "application/x-amz-json-1.0",
    }
    found = json.loads(post(lab_server, json.dumps({"AlarmNames": ["errors"]}), json_headers))
    assert found["MetricAlarms"][0]["StateValue"] == "ALARM"
    form = urllib.parse.urlencode({"Action": "DescribeAlarms", "Version": "2010-08-01"})
    form_headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert "<StateValue>ALARM</StateValue>" in post(lab_server, form, form_headers)


def test_a_body_that_is_not_compressed_as_it_says(lab_server: str) -> None:
    headers = {
        "X-Amz-Target": "GraniteServiceVersion20100801.DescribeAlarms",
        "Content-Type": "application/x-amz-json-1.0",
        "Content-Encoding": "gzip",
    }
    with pytest.raises(HTTPError) as refused:
        post(lab_server, "{}", headers)
    with refused.value as answer:
        assert (answer.code, b"SerializationException" in answer.read()) == (400, True)


def post(address: str, body: str, headers: dict[str, str]) -> str:
    region = ENVIRONMENT["AWS_DEFAULT_REGION"]
    scope = f"x/20261121/{region}/monitoring/aws4_request"
    signed = headers | {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}"}
    request = urllib.request.Request(address, body.encode(), signed)
    with urllib.request.urlopen(request) as answer:
        return str(answer.read().decode())
