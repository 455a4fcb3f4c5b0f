"""The share of a running test, and of one that does not run."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.client import BaseClient


def share_of(shop: Any) -> int:
    found = shop.describe_inference_experiment(Name="v2-test")
    share: int = found["ShadowModeConfig"]["ShadowModelVariants"][0]["SamplingPercentage"]
    return share


def test_the_share_changes_and_the_test_goes_on(
    shop: Any, testing: Callable[..., Any], run: Callable[..., Any]
) -> None:
    testing("--share", "10")
    result = run("change_share", "--name", "v2-test", "--share", "100")
    assert (result.status, result.errors) == (0, "")
    assert result.output == "v2-test: 10 % -> 100 % of the requests\n"
    assert share_of(shop) == 100
    assert shop.describe_inference_experiment(Name="v2-test")["Status"] == "Running"
    [shadow] = shop.describe_endpoint(EndpointName="shop")["ShadowProductionVariants"]
    assert shadow["CurrentWeight"] == 1.0


def test_an_ended_test_keeps_its_share(
    shop: Any, testing: Callable[..., Any], run: Callable[..., Any]
) -> None:
    testing("--share", "10")
    run("stop_experiment", "--name", "v2-test", "--reason", "enough")
    result = run("change_share", "--name", "v2-test", "--share", "100")
    assert (result.status, result.output) == (1, "")
    assert "(ConflictException)" in result.errors
    assert "v2-test may have the old share or the new one" in result.errors
    assert share_of(shop) == 10


def test_what_is_missing_or_out_of_range(shop: Any, run: Callable[..., Any]) -> None:
    missing = run("change_share", "--name", "none", "--share", "50")
    assert (missing.status, missing.output) == (1, "")
    assert "Inference experiment none does not exist" in missing.errors
    for share in ("-1", "101"):
        refused = run("change_share", "--name", "none", "--share", share)
        assert refused.status == 2
        assert "--share: 0 to 100" in refused.errors


def test_interrupted(
    testing: Callable[..., Any],
    run: Callable[..., Any],
    example: Callable[[str], Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    testing()

    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("botocore.client.BaseClient._make_api_call", interrupt)
    result = run("change_share", "--name", "v2-test", "--share", "60")
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith("Interrupted. v2-test may have the old share")


class SageMaker:
    """Answers the looks with these states and shares; the last one stays."""

    def __init__(self, *looks: tuple[str, int]) -> None:
        self.looks = list(looks)
        self.asked: list[dict[str, Any]] = []

    def describe_inference_experiment(self, Name: str) -> dict[str, Any]:  # noqa: N803
        status, share = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        shadow = {"ShadowModelVariantName": "Shadow", "SamplingPercentage": share}
        return {"Status": status, "ShadowModeConfig": {"ShadowModelVariants": [shadow]}}

    def update_inference_experiment(self, **request: Any) -> None:
        self.asked.append(request)


BEFORE = ("Running", 10)


@pytest.mark.parametrize(
    ("looks", "pauses"),
    [
        ([("Running", 50)], 0),
        ([("Updating", 10), ("Running", 50)], 1),
        ([("Running", 10), ("Updating", 10), ("Updating", 50), ("Running", 50)], 3),
        ([("Created", 10), ("Created", 50)], 1),
    ],
)
def test_it_waits_until_the_share_is_read_back(
    example: Callable[[str], Any],
    monkeypatch: pytest.MonkeyPatch,
    looks: list[tuple[str, int]],
    pauses: int,
) -> None:
    """A look that still meets Running with the old share ends nothing."""
    module, slept = example("change_share"), list[float]()
    monkeypatch.setattr(module.time, "sleep", slept.append)
    sagemaker = SageMaker(BEFORE, *looks)
    assert module.change_share(sagemaker, "v2-test", 50) == 10
    [request] = sagemaker.asked
    shares = request["ShadowModeConfig"]["ShadowModelVariants"]
    assert [each["SamplingPercentage"] for each in shares] == [50]
    assert (sagemaker.looks, slept) == ([looks[-1]], [20] * pauses)


@pytest.mark.parametrize(
    ("look", "pauses"), [(("Running", 10), 90), (("Updating", 50), 90), (("Cancelled", 10), 0)]
)
def test_a_share_that_does_not_come(
    example: Callable[[str], Any],
    monkeypatch: pytest.MonkeyPatch,
    look: tuple[str, int],
    pauses: int,
) -> None:
    module, slept = example("change_share"), list[float]()
    monkeypatch.setattr(module.time, "sleep", slept.append)
    with pytest.raises(RuntimeError) as raised:
        module.change_share(SageMaker(BEFORE, look), "v2-test", 50)
    status, share = look
    assert str(raised.value) == f"v2-test is {status} with {share} %, not Running with 50 %"
    assert slept == [20] * pauses


def test_a_share_that_does_not_come_is_no_success(
    shop: Any, testing: Callable[..., Any], run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An update that AWS accepts and that changes nothing."""
    testing("--share", "10")
    call = BaseClient._make_api_call

    def ignore(self: Any, operation: str, request: dict[str, Any]) -> Any:
        if operation == "UpdateInferenceExperiment":
            return {}
        return call(self, operation, request)

    monkeypatch.setattr(BaseClient, "_make_api_call", ignore)
    result = run("change_share", "--name", "v2-test", "--share", "100")
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        "v2-test is Running with 10 %, not Running with 100 %. v2-test may have the old share or "
        "the new one. Unless it has ended, it goes on. Check the name and AWS_DEFAULT_REGION.\n"
    )
    assert share_of(shop) == 10
