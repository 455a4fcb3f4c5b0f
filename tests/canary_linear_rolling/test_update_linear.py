from collections.abc import Callable

import pytest
from awslab.run import Result
from canary_linear_rolling.conftest import described, follow, refused

Update = Callable[..., Result]


def test_a_good_version_comes_in_equal_steps(update: Update) -> None:
    result = update("v2", "--wait", "60")
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        "shop -> shop-v2 has begun; watch_update.py tells how it ends\n"
        "step 1  1 of 4 instances, 60 s\n"
        "step 2  2 of 4 instances, 60 s\n"
        "step 3  3 of 4 instances, 60 s\n"
        "step 4  4 of 4 instances, 60 s\n"
    )
    seen = follow()
    assert all(well for _, well in seen)
    assert [what for what, _ in seen] == [
        "Creating 4",
        *[f"{what} {count}" for count in (1, 2, 3, 4) for what in ("ActivatingTraffic", "Baking")],
        "Deleting 4",
        "InService",
    ]
    found = described()
    assert found["EndpointConfigName"] == "shop-v2"
    assert found["LastDeploymentConfig"] == {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {
                "Type": "LINEAR",
                "LinearStepSize": {"Type": "CAPACITY_PERCENT", "Value": 25},
                "WaitIntervalInSeconds": 60,
            },
            "TerminationWaitInSeconds": 60,
            "MaximumExecutionTimeoutInSeconds": 3840,
        },
        "AutoRollbackConfiguration": {
            "Alarms": [{"AlarmName": "shop-v2-4xx"}, {"AlarmName": "shop-v2-5xx"}]
        },
    }


def test_a_bad_version_goes_after_the_first_step(update: Update) -> None:
    assert update("v3").status == 0
    assert follow() == [
        ("Creating 4", True),
        ("ActivatingTraffic 1", False),
        ("Deleting 4", True),
        ("InService", True),
    ]
    found = described()
    assert found["EndpointConfigName"] == "shop-v1"
    assert "shop-v3-4xx" in found["FailureReason"]


def test_two_steps_of_half_the_fleet(update: Update) -> None:
    result = update("v2", "--percent", "50", "--wait", "0")
    assert result.output.endswith("step 1  2 of 4 instances, 0 s\nstep 2  4 of 4 instances, 0 s\n")
    assert [what for what, _ in follow(1) if "Activating" in what] == [
        "ActivatingTraffic 2",
        "ActivatingTraffic 4",
    ]


@pytest.mark.parametrize("percent", ["5", "10", "20", "30", "40", "100"])
def test_steps_that_are_not_whole_instances_or_not_equal(update: Update, percent: str) -> None:
    result = update("v2", "--percent", percent)
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        f"{percent} % of 4 instances are no equal steps of 10 to 50 %. shop was not updated. "
        "Check the options, AWS_DEFAULT_REGION and rights.\n"
    )
    assert "PendingDeploymentSummary" not in described()


def test_longer_than_sagemaker_waits(update: Update) -> None:
    result = update("v2", "--wait", "3601")
    assert (result.status, result.output) == (1, "")
    assert "3601" in result.errors
    assert "shop was not updated" in result.errors


def test_an_alarm_that_is_not_there(update: Update) -> None:
    assert refused(update, "shop-v2-4xx", "none") == (
        "The alarm none is not there: create_alarm.py. shop was not updated. "
        "Check the options, AWS_DEFAULT_REGION and rights.\n"
    )


def test_an_alarm_that_is_on_already(update: Update, alarm_on: str) -> None:
    assert refused(update, "shop-v2-4xx", alarm_on) == (
        "The alarm shop-on is in ALARM already. shop was not updated. "
        "Check the options, AWS_DEFAULT_REGION and rights.\n"
    )


def test_no_such_endpoint(update: Update) -> None:
    result = update("v2", "--endpoint", "none")
    assert (result.status, result.output) == (1, "")
    assert "Could not find endpoint" in result.errors
    assert "none was not updated" in result.errors


def test_what_is_served_already(update: Update) -> None:
    result = update("v1", "--alarms", "shop-v2-4xx")
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith("shop serves shop-v1 already. shop was not updated. ")
    assert described()["EndpointStatus"] == "InService"
