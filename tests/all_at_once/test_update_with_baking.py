from pathlib import Path

import boto3
import pytest
from awslab.run import Result
from guardrails.shop import ALARMS, serving, start
from proofs.trace import Trace, watching


@pytest.fixture
def watched(shop: Path) -> Path:
    """The same shop, with alarms."""
    assert start("create_alarm", "--endpoint", "shop").status == 0
    return shop


def update(config: str, *options: str, alarms: list[str] = ALARMS) -> Result:
    given = ("--endpoint", "shop", "--config", config, "--alarms", *alarms)
    return start("all_at_once/update_with_baking", *given, *options)


def test_the_policy(watched: Path) -> None:
    result = update("shop-v2", "--bake", "600", "--limit", "3600")
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        "shop  from shop-v1 to shop-v2  all at once, then a bake of 600 s\n"
        "watched by shop-4xx, shop-5xx, shop-latency. watch_update.py tells how this ends\n"
    )
    sagemaker = boto3.client("sagemaker")
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="shop")
    assert sagemaker.describe_endpoint(EndpointName="shop")["LastDeploymentConfig"] == {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0},
            "TerminationWaitInSeconds": 600,
            "MaximumExecutionTimeoutInSeconds": 3600,
        },
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": name} for name in ALARMS]},
    }
    assert serving() == ("InService", "shop-v2")


def test_a_good_version_stays_and_a_bad_one_does_not(watched: Path) -> None:
    given = ("--endpoint", "shop", "--file", str(watched))
    assert update("shop-v2").status == 0
    assert start("watch_update", *given, "--config", "shop-v2").status == 0
    assert update("shop-v3").status == 0
    result = start("watch_update", *given, "--config", "shop-v3")
    assert result.status == 1
    assert result.errors.startswith("Rolled back. shop serves shop-v2, not shop-v3. ")
    assert serving() == ("InService", "shop-v2")
    alarms = boto3.client("cloudwatch").describe_alarms(StateValue="ALARM")["MetricAlarms"]
    assert [alarm["AlarmName"] for alarm in alarms] == ["shop-4xx"]
    again = update("shop-v3")  # the alarm is still on
    assert (again.status, again.output) == (1, "")
    assert again.errors.startswith("The alarm shop-4xx is in ALARM already. shop is as it was. ")
    assert serving() == ("InService", "shop-v2")


def test_an_alarm_that_is_not_there(watched: Path) -> None:
    with watching(Trace()) as trace:
        result = update("shop-v2", alarms=["shop-4xx", "shop-6xx"])
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith("The alarm shop-6xx is not there: create_alarm.py. shop is ")
    assert [call.operation for call in trace.calls] == ["DescribeAlarms"]


@pytest.mark.parametrize(
    "options",
    [
        ("--bake", "0"),
        ("--bake", "3601"),
        ("--limit", "599"),
        ("--limit", "28801"),
        ("--bake", "1800", "--limit", "1800"),
    ],
)
def test_times_that_sagemaker_refuses(lab: None, options: tuple[str, ...]) -> None:
    with watching(Trace()) as trace:
        result = update("shop-v2", *options)
    assert (result.status, result.output, trace.calls) == (2, "", [])
    assert "--bake: 1 to 3600; --limit: 600 to 28800, above --bake" in result.errors


def test_too_many_alarms(lab: None) -> None:
    result = update("shop-v2", alarms=[f"alarm-{number}" for number in range(11)])
    assert (result.status, result.output) == (2, "")
    assert "--alarms: 10 at most" in result.errors


def test_names_that_are_not_there(watched: Path) -> None:
    result = update("shop-v0")
    assert (result.status, result.output) == (1, "")
    assert 'Could not find endpoint configuration "' in result.errors
    assert serving() == ("InService", "shop-v1")


def test_one_update_at_a_time(watched: Path) -> None:
    update("shop-v2")
    result = update("shop-v3")
    assert (result.status, result.output) == (1, "")
    assert "Cannot update in-progress endpoint" in result.errors


def test_what_is_served_already(watched: Path) -> None:
    result = update("shop-v1")
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith("shop serves shop-v1 already. shop is as it was. ")
    assert serving() == ("InService", "shop-v1")
