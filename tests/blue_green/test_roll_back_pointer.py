from collections.abc import Callable
from typing import Any

import boto3
import pytest
from blue_green.conftest import POINTER, serve, start

Point = Callable[..., None]


@pytest.mark.parametrize(
    "history",
    [
        ["shop-blue", "shop-green"],
        ["shop-green", "shop-blue", "shop-green"],
        ["shop-first", "shop-blue", "shop-green", "shop-green"],
    ],
)
def test_it_goes_back_to_what_was_used_before(
    point: Point, named: Callable[[], Any], history: list[str]
) -> None:
    point(*history)
    result = start("blue_green/roll_back_pointer", "--bad", "shop-green")
    assert (result.status, result.errors) == (0, "")
    assert result.output == f"{POINTER}  shop-green -> shop-blue: rolled back\n"
    assert named() == "shop-blue"


def test_twice_is_not_forth_again(point: Point, named: Callable[[], Any]) -> None:
    point("shop-blue", "shop-green")
    start("blue_green/roll_back_pointer", "--bad", "shop-green")
    again = start("blue_green/roll_back_pointer", "--bad", "shop-green")
    assert (again.status, again.errors) == (0, "")
    assert again.output == f"{POINTER}  does not name shop-green: nothing was changed\n"
    assert named() == "shop-blue"


def test_a_history_of_several_pages(point: Point, named: Callable[[], Any]) -> None:
    point(*["shop-green"] * 20, *["shop-blue"] * 20, *["shop-green"] * 20)
    assert start("blue_green/roll_back_pointer", "--bad", "shop-green").status == 0
    assert named() == "shop-blue"


def test_nothing_was_used_before(point: Point, named: Callable[[], Any]) -> None:
    point("shop-green")
    result = start("blue_green/roll_back_pointer", "--bad", "shop-green")
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith(
        f"Not rolled back: {POINTER} has never named another endpoint than shop-green. "
    )
    assert named() == "shop-green"


def test_the_old_endpoint_does_not_serve(point: Point, named: Callable[[], Any]) -> None:
    point("shop-old", "shop-green")
    gone = start("blue_green/roll_back_pointer", "--bad", "shop-green")
    assert (gone.status, gone.output) == (1, "")
    assert gone.errors.startswith("Not rolled back: ")
    assert "Could not find endpoint" in gone.errors
    assert named() == "shop-green"
    sagemaker = boto3.client("sagemaker")
    serve({"shop-old": "v1"})
    sagemaker.update_endpoint(EndpointName="shop-old", EndpointConfigName="shop-v2")
    updated = start("blue_green/roll_back_pointer", "--bad", "shop-green")
    assert (updated.status, updated.output) == (1, "")
    assert "Not rolled back: shop-old is Updating, not InService. Callers still" in updated.errors
    assert named() == "shop-green"


def test_no_pointer(point: Point) -> None:
    result = start("blue_green/roll_back_pointer", "--bad", "shop-green")
    assert (result.status, result.output) == (1, "")
    assert f"Parameter {POINTER} not found." in result.errors


def test_a_name_that_was_never_used(point: Point, named: Callable[[], Any]) -> None:
    point("shop-blue", "shop-green")
    result = start("blue_green/roll_back_pointer", "--bad", "shop-gren")
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith(
        f"Not rolled back: {POINTER} names shop-green and has never named shop-gren. "
    )
    assert named() == "shop-green"
