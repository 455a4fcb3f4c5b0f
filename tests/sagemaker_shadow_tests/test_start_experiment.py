"""An experiment that runs, and those that do not."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

BUCKET = "amzn-s3-demo-bucket-111122223333"


def test_what_it_makes(
    shop: Any, testing: Callable[..., Any], models: Callable[[], dict[str, str]]
) -> None:
    result = testing("--share", "30", "--days", "2")
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        "v2-test  Creating -> Created -> Starting -> Running\n"
        "shop: 30 % of the requests are copied to shop-v2\n"
    )
    found = shop.describe_inference_experiment(Name="v2-test")
    assert (found["Status"], found["Type"]) == ("Running", "ShadowMode")
    assert found["Schedule"]["EndTime"] - found["Schedule"]["StartTime"] == timedelta(days=2)
    share = {"ShadowModelVariantName": "Shadow", "SamplingPercentage": 30}
    assert found["ShadowModeConfig"] == {
        "SourceModelVariantName": "AllTraffic",
        "ShadowModelVariants": [share],
    }
    assert found["DataStorageConfig"]["Destination"] == f"s3://{BUCKET}/capture"
    machines = {"InstanceType": "ml.m5.large", "InstanceCount": 2}
    assert [
        (v["ModelName"], v["InfrastructureConfig"]["RealTimeInferenceConfig"])
        for v in found["ModelVariants"]
    ] == [("shop-v1", machines), ("shop-v2", machines)]
    assert models() == {"AllTraffic": "shop-v1", "Shadow": "shop-v2"}


def test_a_shadow_that_cannot_load(
    testing: Callable[..., Any], models: Callable[[], dict[str, str]]
) -> None:
    result = testing(model="broken")
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith("v2-test is Cancelled: The model cannot be loaded")
    assert "delete_experiment.py" in result.errors
    assert models() == {"AllTraffic": "shop-v1"}


def test_a_name_that_is_taken(testing: Callable[..., Any]) -> None:
    testing()
    result = testing()
    assert (result.status, result.output) == (1, "")
    assert "(ResourceInUse)" in result.errors or "already" in result.errors


def test_bad_numbers(testing: Callable[..., Any], shop: Any) -> None:
    for bad in (("--share", "101"), ("--share", "-1"), ("--days", "31"), ("--days", "0")):
        result = testing(*bad)
        assert result.status == 2
        assert "--share: 0 to 100; --days: 1 to 30" in result.errors
    assert shop.list_inference_experiments()["InferenceExperiments"] == []


def test_interrupted(testing: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", interrupt)
    result = testing()
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith(
        "Interrupted. If v2-test was made, it changes shop, and bills both variants: stop it"
    )
