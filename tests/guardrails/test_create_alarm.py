from typing import Any

import boto3
import pytest
from awslab.state import difference, snapshot
from awslab.telemetry import put_metric
from guardrails.shop import ALARMS, start
from proofs.trace import Trace, refusal, watching


def alarms() -> dict[str, Any]:
    found = boto3.client("cloudwatch").describe_alarms()["MetricAlarms"]
    return {alarm["AlarmName"]: alarm for alarm in found}


def dimensions(alarm: dict[str, Any]) -> dict[str, str]:
    return {pair["Name"]: pair["Value"] for pair in alarm["Dimensions"]}


def test_three_alarms_on_both_fleets(lab: None) -> None:
    result = start("create_alarm", "--endpoint", "shop", "--bake", "600")
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        "shop-4xx  Invocation4XXErrors > 0.05\n"
        "shop-5xx  Invocation5XXErrors > 0.05\n"
        "shop-latency  ModelLatency > 1000000\n"
        "judged after 1 x 60 s; no requests are no alarm\n"
    )
    made = alarms()
    assert sorted(made) == ALARMS
    for alarm in made.values():
        assert dimensions(alarm) == {"EndpointName": "shop", "VariantName": "AllTraffic"}
        assert (alarm["Namespace"], alarm["Statistic"]) == ("AWS/SageMaker", "Average")
        assert (alarm["Period"], alarm["EvaluationPeriods"]) == (60, 1)
        assert alarm["ComparisonOperator"] == "GreaterThanThreshold"
        assert alarm["TreatMissingData"] == "notBreaching"
    assert {name: alarm["Threshold"] for name, alarm in made.items()} == {
        "shop-4xx": 0.05,
        "shop-5xx": 0.05,
        "shop-latency": 1_000_000,
    }


def test_alarms_on_the_new_fleet_alone(lab: None) -> None:
    given = ("--variant", "A", "--config", "shop-v2", "--latency-ms", "100", "--error-rate", "0")
    assert start("create_alarm", "--endpoint", "shop", *given, "--periods", "3").status == 0
    made = alarms()
    assert sorted(made) == ["shop-v2-4xx", "shop-v2-5xx", "shop-v2-latency"]
    assert dimensions(made["shop-v2-4xx"]) == {
        "EndpointName": "shop",
        "VariantName": "A",
        "EndpointConfigName": "shop-v2",
    }
    assert made["shop-v2-latency"]["Threshold"] == 100_000  # microseconds
    assert made["shop-v2-5xx"]["Threshold"] == 0
    assert made["shop-v2-5xx"]["EvaluationPeriods"] == 3


def test_errors_lead_to_alarm_and_no_requests_do_not(lab: None) -> None:
    start("create_alarm", "--endpoint", "shop")
    names = {"EndpointName": "shop", "VariantName": "AllTraffic"}

    def states() -> list[str]:
        found = alarms()
        return [found[name]["StateValue"] for name in ALARMS]

    def measure(metric: str, *values: float) -> None:
        for value in values:  # as the lab's endpoints do; no account may write to AWS/SageMaker
            put_metric("111122223333", "ap-northeast-1", "AWS/SageMaker", metric, value, names)

    assert states() == ["OK", "OK", "OK"]  # missing data are notBreaching
    measure("Invocation4XXErrors", *[0] * 19, 1)  # 5 %, which is not above 5 %
    measure("ModelLatency", 900_000, 1_000_000)
    assert states() == ["OK", "OK", "OK"]
    measure("Invocation4XXErrors", 1)
    assert states() == ["ALARM", "OK", "OK"]
    measure("ModelLatency", 1_200_000)
    assert states() == ["ALARM", "OK", "ALARM"]


@pytest.mark.parametrize(("period", "periods", "bake"), [(600, 2, 600), (60, 5, 300)])
def test_an_alarm_that_would_come_too_late(lab: None, period: int, periods: int, bake: int) -> None:
    given = ("--period", str(period), "--periods", str(periods), "--bake", str(bake))
    with watching(Trace()) as trace:
        result = start("create_alarm", "--endpoint", "shop", *given)
    assert (result.status, result.output, trace.calls) == (1, "", [])
    assert result.errors == (
        f"{periods} x {period} s is not shorter than the bake of {bake} s: the bake may end "
        "before an alarm. Shorten --period and --periods, or give a longer --bake.\n"
    )


@pytest.mark.parametrize(
    "given", [("--period", "30"), ("--period", "90"), ("--periods", "0"), ("--period", "0")]
)
def test_periods_that_sagemaker_has_no_metrics_for(lab: None, given: tuple[str, str]) -> None:
    result = start("create_alarm", "--endpoint", "shop", *given)
    assert (result.status, result.output) == (2, "")
    assert "--period: a multiple of 60" in result.errors
    assert alarms() == {}


def test_an_alarm_of_that_name_is_not_overwritten(lab: None) -> None:
    start("create_alarm", "--endpoint", "shop", "--error-rate", "0.5")
    boto3.client("cloudwatch").delete_alarms(AlarmNames=["shop-4xx"])
    before = snapshot()
    result = start("create_alarm", "--endpoint", "shop")
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        "There is an alarm already: shop-5xx, shop-latency; delete_alarm.py deletes it. Nothing "
        "was made. Check the options, AWS_DEFAULT_REGION, credentials and network.\n"
    )
    assert difference(before, snapshot()) == []


def test_what_is_left_half_made_is_named(lab: None) -> None:
    def refuse(trace: Trace, call: Any) -> Any:
        return refusal("AccessDenied", "No.", 403) if len(trace.calls) == 3 else None

    with watching(Trace(refuse)):
        result = start("create_alarm", "--endpoint", "shop")
    assert result.status == 1
    assert "Some of shop-4xx, shop-5xx, shop-latency may be there: delete_alarm.py" in result.errors
    assert list(alarms()) == ["shop-4xx"]
    start("delete_alarm", "--endpoint", "shop")
    assert alarms() == {}


@pytest.mark.parametrize(
    "given",
    [
        ("--error-rate", "5"),  # of 1, not per cent: it would never go off
        ("--error-rate", "-0.1"),
        ("--error-rate", "nan"),
        ("--latency-ms", "0"),
        ("--latency-ms", "inf"),
    ],
)
def test_limits_that_are_never_or_always_exceeded(lab: None, given: tuple[str, str]) -> None:
    result = start("create_alarm", "--endpoint", "shop", *given)
    assert (result.status, result.output) == (2, "")
    assert "--error-rate: 0 up to 1, such as 0.05 for 5 %; --latency-ms: above 0" in result.errors
    assert alarms() == {}
