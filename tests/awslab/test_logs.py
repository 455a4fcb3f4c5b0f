"""CloudWatch Logs: filter patterns, and metrics that are made of log lines."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from awslab.clock import now
from awslab.services.logs.patterns import BadPattern, Pattern
from awslab.telemetry import put_log_lines
from botocore.exceptions import ClientError

ACCOUNT, REGION = "111122223333", "ap-northeast-1"

# Lines of the user guide, "Filter pattern syntax".
EVENT = json.dumps(
    {
        "eventType": "UpdateTrail",
        "sourceIPAddress": "111.111.111.111",
        "arrayKey": ["value", "another value"],
        "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}],
        "SomeObject": None,
        "yes": True,
        "size": 12.5,
        "a.b": "dotted",
        "text": 'say "hi"',
    }
)
PEOPLE = json.dumps(
    {
        "user": {"id": 1, "email": "John.Stiles@example.com"},
        "users": [{"id": 2, "email": "John.Doe@example.com"}],
        "actions": ["GET", "PUT", "DELETE"],
        "coordinates": [[0, 1, 2], [4, 5, 6], [7, 8, 9]],
    }
)
LINE = '127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534'


def matches(pattern: str, line: str) -> bool:
    return Pattern(pattern).matches(line)


# --- patterns ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "line", "found"),
    [
        ("", "anything", True),
        ('" "', "anything", True),
        ("ERROR", "[ERROR 400] BAD REQUEST", True),
        ("ERROR", "[error 400]", False),
        ("ERROR", "with ERRORCODE: -1", True),
        ("ERROR ARGUMENTS", "[ERROR 419] MISSING ARGUMENTS", True),
        ("ERROR ARGUMENTS", "[ERROR 400] BAD REQUEST", False),
        ("?ERROR ?ARGUMENTS", "[ERROR 400] BAD REQUEST", True),
        ("?ERROR ?ARGUMENTS", "NO ARGUMENTS", True),
        ("?ERROR ?ARGUMENTS", "nothing", False),
        ('"INTERNAL SERVER ERROR"', "[ERROR 500] INTERNAL SERVER ERROR", True),
        ('"INTERNAL SERVER ERROR"', "SERVER INTERNAL ERROR", False),
        ("ERROR -ARGUMENTS", "[ERROR 400] BAD REQUEST", True),
        ("ERROR -ARGUMENTS", "[ERROR 419] MISSING ARGUMENTS", False),
        ('ERROR -"BAD REQUEST"', "[ERROR 400] BAD REQUEST", False),
        (r'"a \"b\""', 'a "b" c', True),
        ("%AUTHORIZED%", "[ERROR 401] UNAUTHORIZED REQUEST", True),
        ("%^AUTH%", "[ERROR 401] UNAUTHORIZED REQUEST", False),
    ],
)
def test_terms(pattern: str, line: str, found: bool) -> None:
    assert matches(pattern, line) is found


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ('{ $.eventType = "UpdateTrail" }', True),
        ("{ $.eventType = UpdateTrail }", True),
        ("{$.eventType=UpdateTrail}", True),
        ('{ $.eventType != "UpdateTrail" }', False),
        ('{ $.eventType = "Update*" }', True),
        ("{ $.eventType = *Trail }", True),
        ("{ $.eventType = * }", True),
        ("{ $.eventType = Update }", False),
        ("{ $.eventType = %^Up.*l$% }", True),
        ("{ $.eventType = %^pd% }", False),
        ("{ $.sourceIPAddress != 123.123.* }", True),
        ("{ $.sourceIPAddress = 111.111.* }", True),
        ('{ $.arrayKey[0] = "value" }', True),
        ('{ $.arrayKey[1] = "value" }', False),
        ('{ $.arrayKey[2] = "value" }', False),
        ("{ $.arrayKey = * }", False),  # a list
        ("{ $.objectList[1].id = 2 }", True),
        ("{ $.objectList[1].id = 2.0 }", True),
        ('{ $.objectList[1].id = "2" }', True),
        ("{ $.objectList[1].id > 1 }", True),
        ("{ $.objectList[1].id >= 2 && $.objectList[1].id <= 2 }", True),
        ("{ $.objectList[1].id < 2 }", False),
        ("{ $.size = 1.25e1 }", True),
        ("{ $.size > -3 }", True),
        ("{ $.eventType > 1 }", False),
        ("{ $.SomeObject IS NULL }", True),
        ("{ $.eventType IS NULL }", False),
        ("{ $.missing IS NULL }", False),
        ("{ $.yes IS TRUE }", True),
        ("{ $.yes IS FALSE }", False),
        ("{ $.yes = true }", True),
        ("{ $.yes > 0 }", False),
        ("{ $.missing NOT EXISTS }", True),
        ("{ $.eventType NOT EXISTS }", False),
        ("{ $.SomeObject NOT EXISTS }", False),
        ("{ $.eventType.deeper NOT EXISTS }", True),
        ("{ $.missing = * }", False),
        ('{ $.missing != "x" }', False),
        ('{ $.SomeObject != "x" }', False),
        ("{ $.['a.b'] = dotted }", True),
        ("{ $['a.b'] = dotted }", True),
        (r'{ $.text = "say \"hi\"" }', True),
    ],
)
def test_conditions_on_json(pattern: str, found: bool) -> None:
    assert matches(pattern, EVENT) is found


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ('{ ($.user.id = 1) && ($.users[0].email = "John.Doe@example.com") }', True),
        (
            '{ $.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = "nonmatch" '
            '&& $.actions[2] = "nonmatch" }',
            True,
        ),
        (
            '{ ($.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = "nonmatch") '
            '&& $.actions[2] = "nonmatch" }',
            False,
        ),
        ('{ ($.user.id = 2 && $.users[0].email = "nonmatch") || $.actions[2] = "GET" }', False),
        ("{ $.user.id = 1 && $.user.id = 1 && $.user.id = 2 }", False),
        ("{ (($.user.id = 1)) }", True),
        ("{ $.coordinates[1][2] = 6 }", True),
    ],
)
def test_conditions_are_combined(pattern: str, found: bool) -> None:
    assert matches(pattern, PEOPLE) is found


@pytest.mark.parametrize("line", ["no JSON", "[1]", '"text"', "3", ""])
def test_a_pattern_for_json_matches_no_other_line(line: str) -> None:
    assert not matches("{ $.missing NOT EXISTS }", line)


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("[ip, user, username, timestamp, request =*.html*, status_code = 4*, bytes]", True),
        ("[..., request =*.html*, status_code = 4*, bytes]", True),
        ("[ip, ..., bytes > 1534]", False),
        ("[ip, ..., bytes >= 1534]", True),
        ("[ip, user, ...]", True),
        ("[a, b, c, d, e, f, status_code = 404 || status_code = 410, g]", False),  # 8 fields
        ("[a, b, c, d, e, status_code = 404 || status_code = 410, g]", True),
        ("[w1=127.0.0.1, w2]", True),
        ("[w1=ERROR, w2]", False),
        ("[w1!=ERROR && w1!=WARNING, w2]", True),
        ('[a, b = "Prod", c]', True),
    ],
)
def test_fields_that_spaces_delimit(pattern: str, found: bool) -> None:
    assert matches(pattern, LINE) is found


@pytest.mark.parametrize(
    "pattern",
    [
        "{ $.a }",
        "{ $.a = }",
        "{ $.a = 1",
        "{ a = 1 }",
        "{ $.a EXISTS }",  # "The variables IS NOT and EXISTS currently aren't supported"
        "{ $.a IS NOT NULL }",
        "{ $.a IS 3 }",
        "{ $.a NOT NULL }",
        "{ $.a = 1 && }",
        "{ ($.a = 1 }",
        "{ $.a = 1) }",
        "{ $.a > x }",
        '{ $.a > "1" }',
        "{ $.a && 1 }",
        "{ }",
        "{ $.a = %(% }",
        "%[%",
        "[]",
        "[..., ...]",
        "[a",
        '"open',
    ],
)
def test_what_is_no_pattern(pattern: str) -> None:
    with pytest.raises(BadPattern):
        Pattern(pattern)


# --- operations ----------------------------------------------------------------------------------


@pytest.fixture
def logs(client: Callable[..., Any]) -> Any:
    """A client, and the log group `g`."""
    made = client("logs")
    made.create_log_group(logGroupName="g")
    made.create_log_stream(logGroupName="g", logStreamName="s")
    return made


@pytest.fixture
def cloudwatch(client: Callable[..., Any]) -> Any:
    return client("cloudwatch")


def put_filter(logs: Any, pattern: str, name: str = "f", **transformation: Any) -> None:
    chosen = {"metricNamespace": "N", "metricName": "m", "metricValue": "1", **transformation}
    logs.put_metric_filter(
        logGroupName="g",
        filterName=name,
        filterPattern=pattern,
        metricTransformations=[chosen],
    )


def put_lines(logs: Any, *lines: str, at: datetime | None = None) -> None:
    stamp = int((at or now()).timestamp() * 1000)
    events = [{"timestamp": stamp, "message": line} for line in lines]
    logs.put_log_events(logGroupName="g", logStreamName="s", logEvents=events)


def data(
    cloudwatch: Any, dimensions: list[Any] | None = None, **wanted: Any
) -> tuple[float, float]:
    """The sum of all values of the metric, and their number."""
    answer = cloudwatch.get_metric_statistics(
        Namespace="N",
        MetricName="m",
        Dimensions=dimensions or [],
        StartTime=now() - timedelta(hours=1),
        EndTime=now() + timedelta(hours=1),
        Period=60,
        Statistics=["Sum", "SampleCount"],
        **wanted,
    )
    points = answer["Datapoints"]
    return sum(p["Sum"] for p in points), sum(p["SampleCount"] for p in points)


def test_lines_that_match_are_counted(logs: Any, cloudwatch: Any) -> None:
    put_filter(logs, "ERROR")
    put_lines(logs, "ERROR 1", "fine", "ERROR 2")
    assert data(cloudwatch) == (2.0, 2.0)
    put_lines(logs, "fine")
    assert data(cloudwatch) == (2.0, 2.0)


def test_lines_of_services_are_counted_too(logs: Any, cloudwatch: Any) -> None:
    put_filter(logs, "{ $.eventName = ConsoleLogin }")
    put_log_lines(ACCOUNT, REGION, "g", "s", ['{"eventName": "ConsoleLogin"}', "{}"])
    assert data(cloudwatch) == (1.0, 1.0)


def test_lines_before_the_filter_and_of_other_groups_do_not_count(
    logs: Any, cloudwatch: Any
) -> None:
    put_lines(logs, "ERROR")
    put_filter(logs, "ERROR")
    put_log_lines(ACCOUNT, REGION, "other", "s", ["ERROR"])
    put_log_lines(ACCOUNT, "us-west-2", "g", "s", ["ERROR"])
    assert data(cloudwatch) == (0, 0)


def test_a_data_point_bears_the_time_of_its_line(logs: Any, cloudwatch: Any) -> None:
    put_filter(logs, "ERROR")
    at = (now() - timedelta(hours=3)).replace(second=5, microsecond=0)
    put_lines(logs, "ERROR", at=at)
    (point,) = cloudwatch.get_metric_statistics(
        Namespace="N",
        MetricName="m",
        StartTime=at - timedelta(hours=1),
        EndTime=now(),
        Period=60,
        Statistics=["Sum"],
    )["Datapoints"]
    assert abs(point["Timestamp"] - at) < timedelta(minutes=1)
    assert point["Timestamp"].astimezone(UTC) <= at


def test_the_value_may_come_from_the_line(logs: Any, cloudwatch: Any) -> None:
    put_filter(logs, "{ $.latency = * }", metricValue="$.latency", unit="Milliseconds")
    put_lines(logs, '{"latency": 50}', '{"latency": "7.5"}', '{"latency": "slow"}', "{}")
    assert data(cloudwatch, Unit="Milliseconds") == (57.5, 2.0)
    assert data(cloudwatch, Unit="Seconds") == (0, 0)


def test_the_value_may_come_from_a_field(logs: Any, cloudwatch: Any) -> None:
    put_filter(logs, "[..., bytes]", metricValue="$bytes")
    put_lines(logs, LINE)
    assert data(cloudwatch) == (1534.0, 1.0)


def test_the_default_value_stands_for_no_match(logs: Any, cloudwatch: Any) -> None:
    put_filter(logs, "ERROR", defaultValue=0)
    put_lines(logs, "fine", "fine")
    assert data(cloudwatch) == (0.0, 1.0)
    put_lines(logs, "ERROR", "fine")
    assert data(cloudwatch) == (1.0, 2.0)


def test_dimensions_come_from_the_line(logs: Any, cloudwatch: Any) -> None:
    put_filter(logs, "{ $.code = * }", dimensions={"Code": "$.code", "Where": "$.where"})
    put_lines(logs, '{"code": 404, "where": "a"}', '{"code": 500}')
    assert data(cloudwatch) == (0, 0)
    where = [{"Name": "Code", "Value": "404"}, {"Name": "Where", "Value": "a"}]
    assert data(cloudwatch, where) == (1.0, 1.0)
    assert len(cloudwatch.list_metrics(Namespace="N")["Metrics"]) == 1


def test_a_filter_of_the_same_name_is_replaced(logs: Any, cloudwatch: Any) -> None:
    put_filter(logs, "ERROR")
    put_filter(logs, "WARNING")
    (found,) = logs.describe_metric_filters(logGroupName="g")["metricFilters"]
    assert found["filterPattern"] == "WARNING"
    put_lines(logs, "ERROR")
    assert data(cloudwatch) == (0, 0)


def test_two_filters_count_apart(logs: Any, cloudwatch: Any) -> None:
    put_filter(logs, "ERROR", "first")
    put_filter(logs, "?ERROR ?WARNING", "second")
    put_lines(logs, "ERROR", "WARNING")
    assert data(cloudwatch) == (3.0, 3.0)
    logs.delete_metric_filter(logGroupName="g", filterName="second")
    put_lines(logs, "WARNING")
    assert data(cloudwatch) == (3.0, 3.0)


def test_an_alarm_sees_the_metric(logs: Any, cloudwatch: Any) -> None:
    put_filter(logs, "ERROR")
    cloudwatch.put_metric_alarm(
        AlarmName="a",
        Namespace="N",
        MetricName="m",
        Statistic="Sum",
        Period=300,
        EvaluationPeriods=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        Threshold=2,
        TreatMissingData="notBreaching",
    )

    def state() -> str:
        return str(cloudwatch.describe_alarms()["MetricAlarms"][0]["StateValue"])

    put_lines(logs, "ERROR")
    assert state() == "OK"
    put_lines(logs, "ERROR")
    assert state() == "ALARM"


def refusal_of(call: Callable[[], Any]) -> str:
    with pytest.raises(ClientError) as caught:
        call()
    return str(caught.value.response["Error"]["Code"])


def test_what_is_no_filter_is_refused(logs: Any) -> None:
    assert refusal_of(lambda: put_filter(logs, "{ $.a EXISTS }")) == "InvalidParameterException"
    assert refusal_of(lambda: put_filter(logs, "a", "x:y")) == "InvalidParameterException"
    assert logs.describe_metric_filters(logGroupName="g")["metricFilters"] == []
    logs.delete_log_group(logGroupName="g")
    assert refusal_of(lambda: put_filter(logs, "a")) == "ResourceNotFoundException"


def test_a_group_has_a_hundred_filters_at_most(logs: Any) -> None:
    for number in range(100):
        put_filter(logs, "a", f"f{number}")
    assert refusal_of(lambda: put_filter(logs, "a", "one-more")) == "LimitExceededException"
    put_filter(logs, "b", "f7")
    found = logs.describe_metric_filters(logGroupName="g")["metricFilters"]
    assert len(found) == 100


def test_a_group_takes_its_filters_along(logs: Any, cloudwatch: Any) -> None:
    put_filter(logs, "ERROR")
    logs.create_log_group(logGroupName="g2")
    logs.delete_log_group(logGroupName="g2")
    assert len(logs.describe_metric_filters()["metricFilters"]) == 1
    logs.delete_log_group(logGroupName="g")
    assert logs.describe_metric_filters()["metricFilters"] == []
    logs.create_log_group(logGroupName="g")
    logs.create_log_stream(logGroupName="g", logStreamName="s")
    put_lines(logs, "ERROR")
    assert data(cloudwatch) == (0, 0)


def test_test_metric_filter_shows_what_matches(logs: Any) -> None:
    answer = logs.test_metric_filter(
        filterPattern="{ $.eventType = * && $.missing NOT EXISTS && $.size > 1 }",
        logEventMessages=["{}", EVENT],
    )
    assert answer["matches"] == [
        {
            "eventNumber": 2,
            "eventMessage": EVENT,
            "extractedValues": {"$.eventType": "UpdateTrail", "$.size": "12.5"},
        }
    ]
    (found,) = logs.test_metric_filter(
        filterPattern="[ip, ..., request, code, bytes]", logEventMessages=[LINE]
    )["matches"]
    assert found["extractedValues"] == {
        "$ip": "127.0.0.1",
        "$request": "GET /index.html HTTP/1.0",
        "$code": "404",
        "$bytes": "1534",
    }
    (found,) = logs.test_metric_filter(filterPattern="a", logEventMessages=["a", "b"])["matches"]
    assert (found["eventNumber"], found["extractedValues"]) == (1, {})


@pytest.mark.parametrize(("pattern", "count"), [("{", 1), ("a", 51)])
def test_test_metric_filter_refuses(logs: Any, pattern: str, count: int) -> None:
    ask = {"filterPattern": pattern, "logEventMessages": ["a"] * count}
    assert refusal_of(lambda: logs.test_metric_filter(**ask)) == "InvalidParameterException"


def test_lines_are_found_by_the_same_patterns(logs: Any) -> None:
    put_lines(logs, EVENT, PEOPLE, "ERROR one", "ERROR two")

    def found(pattern: str) -> list[str]:
        answer = logs.filter_log_events(logGroupName="g", filterPattern=pattern)
        return [event["message"] for event in answer["events"]]

    assert found("{ $.user.id = 1 }") == [PEOPLE]
    assert found("ERROR -two") == ["ERROR one"]
    assert len(found("")) == 4
    assert refusal_of(lambda: found("{ $.a EXISTS }")) == "InvalidParameterException"


def test_the_lines_of_all_streams_with_a_prefix_come_in_the_order_of_time(
    logs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seconds, stream in enumerate(("a/2", "a/1", "ab/1", "a/2")):
        at = now().replace(tzinfo=None) + timedelta(seconds=seconds)
        monkeypatch.setattr("awslab.telemetry.naive_now", lambda at=at: at)
        put_log_lines(ACCOUNT, REGION, "g", stream, [f"{stream} at {seconds}"])

    def found(prefix: str, **more: Any) -> list[str]:
        answer = logs.filter_log_events(logGroupName="g", logStreamNamePrefix=prefix, **more)
        return [event["message"] for event in answer["events"]]

    assert found("a/") == ["a/2 at 0", "a/1 at 1", "a/2 at 3"]
    assert found("b") == []
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName="g", logStreamNamePrefix="a/", PaginationConfig={"PageSize": 2}
    )
    assert [len(page["events"]) for page in pages] == [2, 1]
    assert refusal_of(lambda: found("a/", logStreamNames=["a/1"])) == "InvalidParameterException"
