import boto3
import pytest
from guardrails.shop import ALARMS, start
from proofs.trace import Answer, Call, Trace, refusal, watching


def names() -> list[str]:
    found = boto3.client("cloudwatch").describe_alarms()["MetricAlarms"]
    return sorted(alarm["AlarmName"] for alarm in found)


@pytest.fixture
def alarms(lab: None) -> None:
    """Alarms of the endpoint and of a configuration."""
    start("create_alarm", "--endpoint", "shop")
    start("create_alarm", "--endpoint", "shop", "--config", "shop-v2")


def test_those_of_the_endpoint(alarms: None) -> None:
    result = start("delete_alarm", "--endpoint", "shop")
    assert (result.status, result.errors) == (0, "")
    assert result.output == "deleted shop-4xx, shop-5xx, shop-latency\n"
    assert names() == ["shop-v2-4xx", "shop-v2-5xx", "shop-v2-latency"]


def test_those_of_a_configuration(alarms: None) -> None:
    result = start("delete_alarm", "--endpoint", "shop", "--config", "shop-v2")
    assert result.output == "deleted shop-v2-4xx, shop-v2-5xx, shop-v2-latency\n"
    assert names() == ALARMS


def test_some_are_gone_already(alarms: None) -> None:
    boto3.client("cloudwatch").delete_alarms(AlarmNames=["shop-4xx"])
    assert start("delete_alarm", "--endpoint", "shop").output == "deleted shop-5xx, shop-latency\n"


def test_nothing_to_delete(lab: None) -> None:
    result = start("delete_alarm", "--endpoint", "shop")
    assert (result.status, result.output) == (1, "")
    assert result.errors == ("There is no alarm of shop. Check the names and AWS_DEFAULT_REGION.\n")


def test_what_may_be_left_is_named(alarms: None) -> None:
    def refuse(trace: Trace, call: Call) -> Answer | None:
        denied = call.operation == "DeleteAlarms"
        return refusal("AccessDenied", "Not allowed.", 403) if denied else None

    with watching(Trace(refuse)):
        result = start("delete_alarm", "--endpoint", "shop")
    assert (result.status, result.output) == (1, "")
    assert "Not allowed. shop-4xx, shop-5xx, shop-latency may still be there" in result.errors
    assert len(names()) == 6
