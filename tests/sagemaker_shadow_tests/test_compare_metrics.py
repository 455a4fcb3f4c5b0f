"""The metrics of both variants, and none."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from awslab.clock import naive_now
from awslab.telemetry import put_metric


@pytest.mark.parametrize(
    ("model", "line"),
    [
        ("shop-v2", "Shadow         3 requests  0 4XX  0 5XX  errors 0.0 %\n"),
        ("shop-v3", "Shadow         3 requests  3 4XX  0 5XX  errors 100.0 %\n"),
    ],
)
def test_errors_of_a_shadow_are_in_its_metrics(
    shadowed: Callable[[str], None],
    run: Callable[..., Any],
    tmp_path: Path,
    model: str,
    line: str,
) -> None:
    shadowed(model)
    file = tmp_path / "rows.csv"
    file.write_text("1,0.25\n0,0.5\n1,0.75\n")
    run("send_requests", "--endpoint", "shop", "--file", str(file), "--prefix", "m")
    result = run("compare_metrics", "--endpoint", "shop")
    assert (result.status, result.errors) == (0, "")
    first = "AllTraffic     3 requests  0 4XX  0 5XX  errors 0.0 %\n"
    assert result.output == first + line
    with_latency = run("compare_metrics", "--endpoint", "shop", "--latency").output
    assert with_latency.splitlines()[0] == first.rstrip() + "  p50 2.0 ms  p99 2.0 ms"


def test_all_minutes_count(lab: None, run: Callable[..., Any]) -> None:
    """Across hours, with the latencies weighted by the requests; what is older is left out."""
    dimensions = {"EndpointName": "shop", "VariantName": "AllTraffic"}

    def put(minutes_ago: float, metric: str, *values: float) -> None:
        at = naive_now() - timedelta(minutes=minutes_ago)
        for value in values:
            account, region = "111122223333", "ap-northeast-1"
            put_metric(account, region, "AWS/SageMaker", metric, value, dimensions, at=at)

    for ago, latencies, refused in ((125, [9e6], 1), (90, [1000] * 3, 1), (5, [5000], 0)):
        put(ago, "Invocations", *[1.0] * len(latencies))
        put(ago, "ModelLatency", *latencies)
        put(ago, "Invocation4XXErrors", refused)

    def compare(minutes: int) -> str:
        options = ("--variants", "AllTraffic", "--minutes", str(minutes), "--latency")
        result = run("compare_metrics", "--endpoint", "shop", *options)
        assert (result.status, result.errors) == (0, "")
        return str(result.output)

    line = "AllTraffic     {} requests  {} 4XX  0 5XX  errors {} %  p50 {} ms  p99 {} ms\n"
    assert compare(120) == line.format(4, 1, "25.0", "2.0", "2.0")
    assert compare(60) == line.format(1, 0, "0.0", "5.0", "5.0")


def test_periods_of_a_minute_in_several_pages(example: Callable[[str], Any]) -> None:
    """As AWS may answer: a point for each minute by the clock, and not all in one page."""
    asked: dict[str, Any] = {}
    first, second = (datetime(2026, 11, 30, 12, minute, tzinfo=UTC) for minute in (1, 0))
    #      Invocations, 4XX, 5XX, SampleCount, p50, p99
    pages = [(first, (10, 1, 0, 10, 2000.0, 4000.0)), (second, (30, 2, 3, 30, 6000.0, 8000.0))]

    class CloudWatch:
        def get_paginator(self, operation: str) -> "CloudWatch":
            assert operation == "get_metric_data"
            return self

        def paginate(self, **request: Any) -> list[dict[str, Any]]:
            asked.update(request)
            ids = [query["Id"] for query in request["MetricDataQueries"]]
            return [
                {
                    "MetricDataResults": [
                        {"Id": name, "Timestamps": [at], "Values": [value]}
                        for name, value in zip(ids, values, strict=True)
                    ]
                }
                for at, values in pages
            ]

    before = datetime.now(UTC)
    found = example("compare_metrics").read_metrics(CloudWatch(), "shop", "Shadow", 60)
    assert found == {
        "Invocations": 40,
        "Invocation4XXErrors": 3,
        "Invocation5XXErrors": 3,
        "p50": 5000.0,
        "p99": 7000.0,
    }
    assert {query["MetricStat"]["Period"] for query in asked["MetricDataQueries"]} == {60}
    start, end = asked["StartTime"], asked["EndTime"]
    assert end - start == timedelta(minutes=61)  # 60 whole ones, and the one that runs
    assert (end.second, end.microsecond) == (0, 0) and end > before


def test_without_requests(shop: Any, run: Callable[..., Any]) -> None:
    result = run("compare_metrics", "--endpoint", "shop", "--variants", "AllTraffic")
    assert result.status == 1
    assert result.output == "AllTraffic     0 requests  0 4XX  0 5XX  errors -\n"
    assert result.errors.startswith("No requests. Check the names")


@pytest.mark.parametrize("minutes", ["0", "1441"])
def test_minutes(lab: None, run: Callable[..., Any], minutes: str) -> None:
    result = run("compare_metrics", "--endpoint", "shop", "--minutes", minutes)
    assert result.status == 2
    assert "--minutes: 1 to 1440" in result.errors
