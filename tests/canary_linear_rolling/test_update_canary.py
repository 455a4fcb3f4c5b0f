from collections.abc import Callable

import boto3
import pytest
from awslab.run import Result
from canary_linear_rolling.conftest import described, follow, refused, start, wait

Update = Callable[..., Result]


def test_a_good_version_comes_in_two_steps(update: Update) -> None:
    result = update("v2", "--wait", "120", "--bake", "60")
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        "shop -> shop-v2 has begun; watch_update.py tells how it ends\n"
        "step 1  1 of 4 instances, 120 s\n"
        "step 2  4 of 4 instances, 60 s, then the old fleet ends\n"
    )
    assert follow() == [
        ("Creating 4", True),
        ("ActivatingTraffic 1", True),
        ("Baking 1", True),
        ("ActivatingTraffic 4", True),
        ("Baking 4", True),
        ("Deleting 4", True),
        ("InService", True),
    ]
    found = described()
    assert found["EndpointConfigName"] == "shop-v2"
    assert found["LastDeploymentConfig"] == {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {
                "Type": "CANARY",
                "CanarySize": {"Type": "INSTANCE_COUNT", "Value": 1},
                "WaitIntervalInSeconds": 120,
            },
            "TerminationWaitInSeconds": 60,
            "MaximumExecutionTimeoutInSeconds": 3780,
        },
        "AutoRollbackConfiguration": {
            "Alarms": [{"AlarmName": "shop-v2-4xx"}, {"AlarmName": "shop-v2-5xx"}]
        },
    }


def test_a_bad_version_is_seen_by_the_canary_only(update: Update) -> None:
    assert update("v3").status == 0
    assert follow() == [
        ("Creating 4", True),
        ("ActivatingTraffic 1", False),
        ("Deleting 4", True),
        ("InService", True),
    ]
    wait()  # no error: the waiter takes it for a success
    found = described()
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", "shop-v1")
    assert "shop-v3-4xx" in found["FailureReason"]


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


def test_a_canary_of_half_the_fleet(update: Update) -> None:
    assert "step 1  2 of 4 instances" in update("v2", "--canary", "2").output
    assert ("Baking 2", True) in follow()


@pytest.mark.parametrize("canary", ["0", "3", "5"])
def test_a_canary_of_another_size(update: Update, canary: str) -> None:
    result = update("v2", "--canary", canary)
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        "A canary has 1 instance or more, and half of 4 at most. shop was not updated. "
        "Check the options, AWS_DEFAULT_REGION and rights.\n"
    )
    assert not {"PendingDeploymentSummary"} & set(described())


def test_a_scaled_fleet_stays_as_large(update: Update) -> None:
    sagemaker = boto3.client("sagemaker")
    larger = [{"VariantName": "AllTraffic", "DesiredInstanceCount": 6}]
    sagemaker.update_endpoint_weights_and_capacities(
        EndpointName="shop", DesiredWeightsAndCapacities=larger
    )
    wait()
    assert "step 2  6 of 6 instances" in update("v2", "--canary", "3").output
    assert ("Baking 3", True) in follow(1)
    [variant] = described()["ProductionVariants"]
    assert variant["CurrentInstanceCount"] == 6  # not the 4 of the configuration


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--config", "shop-v9"], "Could not find endpoint configuration"),
        (["--endpoint", "shop-none"], "Could not find endpoint"),
        (["--wait", "4000"], "4000"),
    ],
)
def test_what_sagemaker_refuses(update: Update, options: list[str], said: str) -> None:
    result = update("v2", *options)
    assert (result.status, result.output) == (1, "")
    assert said in result.errors
    assert "was not updated. Check the options" in result.errors
    assert described()["EndpointStatus"] == "InService"


def test_an_endpoint_that_is_being_updated(update: Update) -> None:
    update("v2")
    result = update("v2", "--config", "shop-v3")
    assert (result.status, result.output) == (1, "")
    assert "Cannot update in-progress endpoint" in result.errors
    assert "shop was not updated" in result.errors
    wait()
    assert described()["EndpointConfigName"] == "shop-v2"


def test_several_variants_are_not_one_fleet(shop: None) -> None:
    sagemaker = boto3.client("sagemaker")
    variants = [
        {"VariantName": name, "ModelName": "shop-v1", "InstanceType": "ml.m5.large"}
        | {"InitialInstanceCount": 2}
        for name in ("A", "B")
    ]
    sagemaker.create_endpoint_config(EndpointConfigName="two", ProductionVariants=variants)
    sagemaker.create_endpoint(EndpointName="two", EndpointConfigName="two")
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="two")
    for program in ("canary", "linear", "rolling"):
        names = ("--endpoint", "two", "--config", "shop-v2", "--alarms", "shop-v2-4xx")
        result = start(f"canary_linear_rolling/update_{program}", *names)
        assert (result.status, result.output) == (1, "")
        assert "two is InService and not one variant's fleet. two was not updated" in result.errors


def test_what_is_served_already(update: Update) -> None:
    result = update("v1", "--alarms", "shop-v2-4xx")
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith("shop serves shop-v1 already. shop was not updated. ")
    assert described()["EndpointStatus"] == "InService"
