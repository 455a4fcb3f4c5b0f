"""What serves after a test has ended, by promotion and by removal."""

from collections.abc import Callable
from typing import Any

import pytest


def test_promoted(
    shop: Any,
    testing: Callable[..., Any],
    run: Callable[..., Any],
    models: Callable[[], dict[str, str]],
) -> None:
    testing("--share", "100")
    result = run("stop_experiment", "--name", "v2-test", "--promote", "--reason", "96 % agree")
    assert (result.status, result.errors) == (0, "")
    assert result.output == "shop serves shop-v2\n"
    assert models() == {"Shadow": "shop-v2"}
    found = shop.describe_inference_experiment(Name="v2-test")
    assert (found["Status"], found["StatusReason"]) == ("Completed", "96 % agree")


def test_removed(
    shop: Any,
    testing: Callable[..., Any],
    run: Callable[..., Any],
    models: Callable[[], dict[str, str]],
) -> None:
    testing("--share", "10")
    result = run("stop_experiment", "--name", "v2-test", "--reason", "too slow")
    assert (result.status, result.output) == (0, "shop serves shop-v1\n")
    assert models() == {"AllTraffic": "shop-v1"}
    assert shop.describe_inference_experiment(Name="v2-test")["Status"] == "Completed"


def test_a_small_share_is_not_promoted(
    shop: Any, testing: Callable[..., Any], run: Callable[..., Any]
) -> None:
    testing("--share", "99")
    result = run("stop_experiment", "--name", "v2-test", "--promote", "--reason", "fine")
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith(
        "v2-test copies 99 %: test with 100 % before you promote (change_share.py). "
    )
    assert shop.describe_inference_experiment(Name="v2-test")["Status"] == "Running"


def test_an_end_that_did_not_bring_the_wanted_model_is_no_success(
    testing: Callable[..., Any], run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    testing("--share", "100")
    monkeypatch.setattr(
        "awslab.services.sagemaker.inference_experiments.InferenceExperiment.last_config",
        lambda self, actions, desired: "shop-v1",
    )
    result = run("stop_experiment", "--name", "v2-test", "--promote", "--reason", "fine")
    assert (result.status, result.output) == (1, "shop serves shop-v1\n")
    assert result.errors.startswith("That is not shop-v2 alone. Look at v2-test and shop")


def test_what_is_missing_or_has_ended(
    testing: Callable[..., Any], shop: Any, run: Callable[..., Any]
) -> None:
    missing = run("stop_experiment", "--name", "none", "--reason", "x")
    assert (missing.status, missing.output) == (1, "")
    assert "Inference experiment none does not exist" in missing.errors
    testing()
    run("stop_experiment", "--name", "v2-test", "--reason", "x")
    again = run("stop_experiment", "--name", "v2-test", "--reason", "x")
    assert (again.status, again.output) == (1, "")
    assert "(ConflictException)" in again.errors


def test_interrupted(
    testing: Callable[..., Any], run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    testing("--share", "100")

    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("botocore.waiter.Waiter.wait", interrupt)
    result = run("stop_experiment", "--name", "v2-test", "--promote", "--reason", "fine")
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        "Interrupted. v2-test is ending: look which model shop serves before you go on.\n"
    )
