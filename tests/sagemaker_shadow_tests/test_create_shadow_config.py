"""A shadow variant beside the production variant, and what is refused."""

from collections.abc import Callable
from typing import Any

import pytest

BUCKET = "amzn-s3-demo-bucket-111122223333"
OPTIONS = ("--endpoint", "shop", "--config", "shop-shadow", "--capture", f"s3://{BUCKET}/capture")


def test_what_it_makes(shop: Any, run: Callable[..., Any]) -> None:
    result = run("create_shadow_config", *OPTIONS, "--model", "shop-v2")
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        "shop  in service with shop-shadow\n"
        "ProductionVariants: AllTraffic  2 running\n"
        "ShadowProductionVariants: Shadow  2 running\n"
    )
    config = shop.describe_endpoint_config(EndpointConfigName="shop-shadow")
    [production], [shadow] = config["ProductionVariants"], config["ShadowProductionVariants"]
    assert production["ModelName"] == "shop-v1"
    assert shadow == production | {"VariantName": "Shadow", "ModelName": "shop-v2"}
    assert config["DataCaptureConfig"] == {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": f"s3://{BUCKET}/capture",
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"]},
    }
    endpoint = shop.describe_endpoint(EndpointName="shop")
    assert endpoint["EndpointConfigName"] == "shop-shadow"
    assert endpoint["DataCaptureConfig"]["CaptureStatus"] == "Started"


def test_a_second_shadow_is_refused_before_anything_is_made(
    shop: Any, shadowed: Callable[[str], None], run: Callable[..., Any]
) -> None:
    shadowed("shop-v2")
    again = ("--endpoint", "shop", "--config", "again", "--capture", f"s3://{BUCKET}/capture")
    result = run("create_shadow_config", *again, "--model", "shop-v3")
    assert (result.status, result.output) == (1, "")
    said = "shop-shadow: a shadow needs one production variant, and no other shadow. "
    assert result.errors.startswith(said)
    names = shop.list_endpoint_configs(NameContains="again")["EndpointConfigs"]
    assert names == []


def test_two_production_variants_are_refused(shop: Any, run: Callable[..., Any]) -> None:
    [variant] = shop.describe_endpoint_config(EndpointConfigName="shop-v1")["ProductionVariants"]
    other = variant | {"VariantName": "B", "ModelName": "shop-v2"}
    shop.create_endpoint_config(EndpointConfigName="ab", ProductionVariants=[variant, other])
    shop.update_endpoint(EndpointName="shop", EndpointConfigName="ab")
    shop.get_waiter("endpoint_in_service").wait(EndpointName="shop")
    result = run("create_shadow_config", *OPTIONS, "--model", "shop-v2")
    assert "ab: a shadow needs one production variant" in result.errors


def test_a_shadow_that_cannot_load_is_rolled_back_and_said_so(
    shop: Any, run: Callable[..., Any], models: Callable[[], dict[str, str]]
) -> None:
    result = run("create_shadow_config", *OPTIONS, "--model", "broken")
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith("shop was rolled back to shop-v1: ")
    assert "shop-shadow was made; shop may be changing to it" in result.errors
    assert models() == {"AllTraffic": "shop-v1"}


@pytest.mark.parametrize(
    ("endpoint", "model", "said"),
    [("none", "shop-v2", "Could not find endpoint"), ("shop", "none", "Could not find model")],
)
def test_what_is_missing(
    shop: Any, run: Callable[..., Any], endpoint: str, model: str, said: str
) -> None:
    options = ("--config", "shop-shadow", "--capture", f"s3://{BUCKET}/capture")
    result = run("create_shadow_config", *options, "--endpoint", endpoint, "--model", model)
    assert (result.status, result.output) == (1, "")
    assert said in result.errors
    assert f"If shop-shadow was made: delete_endpoint.py --configs shop-shadow. {endpoint} " in (
        result.errors
    )


def test_interrupted(shop: Any, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("botocore.waiter.Waiter.wait", interrupt)
    result = run("create_shadow_config", *OPTIONS, "--model", "shop-v2")
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith("Interrupted. shop-shadow was made; shop may be changing")
