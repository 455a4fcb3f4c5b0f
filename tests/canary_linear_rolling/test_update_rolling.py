from collections.abc import Callable

import pytest
from awslab.run import Result
from canary_linear_rolling.conftest import described, follow, refused

Update = Callable[..., Result]


def test_a_good_version_comes_batch_by_batch(update: Update) -> None:
    result = update("v2", "--wait", "60")
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        "shop -> shop-v2 has begun; watch_update.py tells how it ends\n"
        "batch 1  1 of 4 instances are new, 60 s\n"
        "batch 2  2 of 4 instances are new, 60 s\n"
        "batch 3  3 of 4 instances are new, 60 s\n"
        "batch 4  4 of 4 instances are new, 60 s\n"
    )
    seen = follow()
    assert all(well for _, well in seen)
    assert [what for what, _ in seen] == [
        *[
            stage
            for count in (1, 2, 3, 4)
            for stage in (
                "Creating 1",
                f"ActivatingTraffic {count}",
                f"Baking {count}",
                "Deleting 1",
            )
        ],
        "InService",
    ]
    found = described()
    assert found["EndpointConfigName"] == "shop-v2"
    assert found["LastDeploymentConfig"] == {
        "RollingUpdatePolicy": {
            "MaximumBatchSize": {"Type": "INSTANCE_COUNT", "Value": 1},
            "WaitIntervalInSeconds": 60,
            "MaximumExecutionTimeoutInSeconds": 7440,
            "RollbackMaximumBatchSize": {"Type": "CAPACITY_PERCENT", "Value": 100},
        },
        "AutoRollbackConfiguration": {
            "Alarms": [{"AlarmName": "shop-v2-4xx"}, {"AlarmName": "shop-v2-5xx"}]
        },
    }


def test_a_bad_version_goes_after_the_first_batch(update: Update) -> None:
    assert update("v3").status == 0
    assert follow() == [
        ("Creating 1", True),
        ("ActivatingTraffic 1", False),
        ("Deleting 1", True),
        ("InService", True),
    ]
    found = described()
    assert found["EndpointConfigName"] == "shop-v1"
    assert "shop-v3-4xx" in found["FailureReason"]
    [variant] = found["ProductionVariants"]
    assert variant["CurrentInstanceCount"] == 4


def test_at_no_time_more_than_one_batch_above_the_fleet(update: Update) -> None:
    update("v2", "--batch", "2")
    most = 0
    while (found := described())["EndpointStatus"] != "InService":
        pending = found["PendingDeploymentSummary"]["ProductionVariants"]
        variants = found["ProductionVariants"] + pending
        most = max(most, sum(variant["CurrentInstanceCount"] for variant in variants))
    assert most == 6  # a blue/green update has 8
    assert found["EndpointConfigName"] == "shop-v2"


@pytest.mark.parametrize("batch", ["0", "3", "4"])
def test_a_batch_of_another_size(update: Update, batch: str) -> None:
    result = update("v2", "--batch", batch)
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        f"A batch of {batch} is not 5 to 50 % of 4 instances. shop was not updated. "
        "Check the options, AWS_DEFAULT_REGION and rights.\n"
    )
    assert "PendingDeploymentSummary" not in described()


def test_the_longest_time_of_all(update: Update) -> None:
    assert update("v2", "--wait", "3600").status == 0
    while described()["EndpointStatus"] != "InService":
        pass
    policy = described()["LastDeploymentConfig"]["RollingUpdatePolicy"]
    assert policy["MaximumExecutionTimeoutInSeconds"] == 4 * 5400


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


def test_what_is_served_already(update: Update) -> None:
    result = update("v1", "--alarms", "shop-v2-4xx")
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith("shop serves shop-v1 already. shop was not updated. ")
    assert described()["EndpointStatus"] == "InService"
