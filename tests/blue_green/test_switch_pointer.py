from collections.abc import Callable
from typing import Any

import boto3
from blue_green.conftest import POINTER, serve, start

Point = Callable[..., None]


def test_a_new_pointer(point: Point, named: Callable[[], Any]) -> None:
    result = start("blue_green/switch_pointer", "--to", "shop-blue")
    assert (result.status, result.errors) == (0, "")
    assert result.output == f"{POINTER}  (new) -> shop-blue  version 1\n"
    assert named() == "shop-blue"
    [found] = boto3.client("ssm").describe_parameters()["Parameters"]
    assert (found["Name"], found["Type"], found["Tier"]) == (POINTER, "String", "Standard")


def test_a_switch_and_the_way_back(point: Point, named: Callable[[], Any]) -> None:
    point("shop-blue")
    forth = start("blue_green/switch_pointer", "--to", "shop-green")
    assert forth.output == f"{POINTER}  shop-blue -> shop-green  version 2\n"
    assert named() == "shop-green"
    back = start("blue_green/switch_pointer", "--to", "shop-blue")
    assert back.output == f"{POINTER}  shop-green -> shop-blue  version 3\n"
    assert named() == "shop-blue"


def test_once_is_enough(point: Point) -> None:
    point("shop-green")
    result = start("blue_green/switch_pointer", "--to", "shop-green")
    assert (result.status, result.errors) == (0, "")
    assert result.output == f"{POINTER}  names shop-green already: nothing was changed\n"
    assert len(boto3.client("ssm").get_parameter_history(Name=POINTER)["Parameters"]) == 1


def test_an_endpoint_that_is_not_there(point: Point, named: Callable[[], Any]) -> None:
    point("shop-blue")
    result = start("blue_green/switch_pointer", "--to", "shop-gren")
    assert (result.status, result.output) == (1, "")
    assert "Could not find endpoint" in result.errors
    assert f"{POINTER} was not changed. Check the names" in result.errors
    assert named() == "shop-blue"


def test_an_endpoint_that_cannot_serve(point: Point, named: Callable[[], Any]) -> None:
    point("shop-blue")
    sagemaker = boto3.client("sagemaker")
    sagemaker.create_endpoint(EndpointName="shop-new", EndpointConfigName="shop-v2")
    result = start("blue_green/switch_pointer", "--to", "shop-new")
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        f"shop-new is Creating, not InService. {POINTER} was not changed. "
        "Check the names, AWS_DEFAULT_REGION and rights.\n"
    )
    assert named() == "shop-blue"
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="shop-new")
    assert start("blue_green/switch_pointer", "--to", "shop-new").status == 0
    assert named() == "shop-new"


def test_another_pointer(point: Point, named: Callable[[], Any]) -> None:
    point("shop-blue")
    result = start("blue_green/switch_pointer", "--pointer", "/ml/other", "--to", "shop-green")
    assert result.output == "/ml/other  (new) -> shop-green  version 1\n"
    assert named() == "shop-blue"
    boto3.client("ssm").delete_parameter(Name="/ml/other")


def test_an_endpoint_that_was_updated_badly_is_still_in_service(
    point: Point, named: Callable[[], Any]
) -> None:
    """The check is of the status only: what compare_endpoints.py finds, it does not."""
    serve({"shop-worse": "v3"})
    assert start("blue_green/switch_pointer", "--to", "shop-worse").status == 0
    assert named() == "shop-worse"
