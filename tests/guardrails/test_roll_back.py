from pathlib import Path

import boto3
from guardrails.shop import BUCKET, configure, interrupted_after, serving, start
from proofs.trace import watching


def test_back_from_a_bad_version(shop: Path) -> None:
    sagemaker = boto3.client("sagemaker")
    sagemaker.update_endpoint(EndpointName="shop", EndpointConfigName="shop-v3")
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="shop")
    given = ("--endpoint", "shop", "--file", str(shop), "--rows", "2")
    assert start("smoke_test", *given).status == 1
    result = start("roll_back", "--endpoint", "shop", "--config", "shop-v1")
    assert (result.status, result.errors) == (0, "")
    assert result.output == "shop serves shop-v1 again\n"
    assert serving() == ("InService", "shop-v1")
    assert start("smoke_test", *given).status == 0


def test_the_number_of_instances_is_kept(shop: Path) -> None:
    sagemaker = boto3.client("sagemaker")
    wanted = [{"VariantName": "AllTraffic", "DesiredInstanceCount": 5}]
    sagemaker.update_endpoint_weights_and_capacities(
        EndpointName="shop", DesiredWeightsAndCapacities=wanted
    )
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="shop")
    assert start("roll_back", "--endpoint", "shop", "--config", "shop-v2").status == 0
    (variant,) = sagemaker.describe_endpoint(EndpointName="shop")["ProductionVariants"]
    assert variant["CurrentInstanceCount"] == 5


def test_a_way_back_that_is_rolled_back_itself(shop: Path) -> None:
    key = "models/broken/model.tar.gz"
    boto3.client("s3").put_object(Bucket=BUCKET, Key=key, Body=b"no archive")
    configure("broken")
    result = start("roll_back", "--endpoint", "shop", "--config", "shop-broken")
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith("shop serves shop-v1: ")
    assert ". shop may not be back at shop-broken: look at its status" in result.errors
    assert serving() == ("InService", "shop-v1")


def test_a_configuration_that_was_deleted(shop: Path) -> None:
    result = start("roll_back", "--endpoint", "shop", "--config", "shop-v0")
    assert (result.status, result.output) == (1, "")
    assert 'Could not find endpoint configuration "' in result.errors
    assert serving() == ("InService", "shop-v1")


def test_while_another_update_goes_on(shop: Path) -> None:
    sagemaker = boto3.client("sagemaker")
    sagemaker.update_endpoint(EndpointName="shop", EndpointConfigName="shop-v3")
    result = start("roll_back", "--endpoint", "shop", "--config", "shop-v2")
    assert (result.status, result.output) == (1, "")
    assert "Cannot update in-progress endpoint" in result.errors
    assert "run this again once it is InService.\n" in result.errors


def test_interrupted(shop: Path) -> None:
    with watching(interrupted_after("UpdateEndpoint")):
        result = start("roll_back", "--endpoint", "shop", "--config", "shop-v2")
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith("Interrupted. shop may not be back at shop-v2: look at")
