from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3
import pytest
from guardrails.shop import interrupted_after, serving
from proofs.trace import Trace, watching

Load = Callable[[str], ModuleType]
Run = Callable[..., Any]


def weights() -> dict[str, tuple[float, float]]:
    """Current and desired ones, asked by a client of the test."""
    found = boto3.client("sagemaker").describe_endpoint(EndpointName="shop")["ProductionVariants"]
    return {v["VariantName"]: (v["CurrentWeight"], v["DesiredWeight"]) for v in found}


def change(ab: Run, *changes: str) -> Any:
    return ab("change_weights", "--endpoint", "shop", "--weights", *changes)


def asked(file: Path) -> set[str]:
    """The variants that answer 40 requests."""
    runtime, body = boto3.client("sagemaker-runtime"), file.read_text().split()[0].split(",", 1)[1]
    request = {"EndpointName": "shop", "ContentType": "text/csv", "Body": body}
    return {runtime.invoke_endpoint(**request)["InvokedProductionVariant"] for _ in range(40)}


def test_the_traffic_follows_without_a_new_configuration(ab: Run, shop: Path) -> None:
    result = change(ab, "v1=3", "v2=1")
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        "v1  weight 3  75% of the requests\n"
        "v2  weight 1  25% of the requests\n"
        "shop  still with the configuration shop-ab\n"
    )
    assert weights() == {"v1": (3.0, 3.0), "v2": (1.0, 1.0)}
    assert serving() == ("InService", "shop-ab")
    assert asked(shop) == {"v1", "v2"}


def test_one_variant_can_be_changed_alone_and_left_without_traffic(ab: Run, shop: Path) -> None:
    change(ab, "v1=1", "v2=1")
    result = change(ab, "v1=0")
    assert result.output.startswith(
        "v1  weight 0  0% of the requests\nv2  weight 1  100% of the requests\n"
    )
    assert asked(shop) == {"v2"}
    found = boto3.client("sagemaker").describe_endpoint_config(EndpointConfigName="shop-ab")
    initial = [variant["InitialVariantWeight"] for variant in found["ProductionVariants"]]
    assert initial == [1.0, 1.0]  # the configuration does not say what is true now


def test_a_variant_that_is_not_there(ab: Run, shop: Path) -> None:
    change(ab, "v1=1", "v2=1")
    result = change(ab, "v1=2", "v9=1")
    assert (result.status, result.output) == (1, "")
    assert "(ValidationException)" in result.errors
    assert "shop may have its old weights or the new ones: see CurrentWeight" in result.errors
    assert weights() == {"v1": (1.0, 1.0), "v2": (1.0, 1.0)}


def test_interrupted(ab: Run, shop: Path) -> None:
    with watching(interrupted_after("UpdateEndpointWeightsAndCapacities")) as trace:
        result = change(ab, "v1=1", "v2=4")
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith("Interrupted. shop may have its old weights or the new ones: ")
    assert [call.operation for call in trace.calls] == [
        "UpdateEndpointWeightsAndCapacities",
        "DescribeEndpoint",
    ]
    boto3.client("sagemaker").get_waiter("endpoint_in_service").wait(EndpointName="shop")
    assert weights()["v2"] == (4.0, 4.0)  # it went on


def test_a_weight_that_did_not_change_is_no_success(
    example: Load, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = example("change_weights")
    variants = [{"VariantName": "v1", "CurrentWeight": 1.0}]
    after = {"ProductionVariants": variants, "EndpointConfigName": "shop-ab"}
    monkeypatch.setattr(module, "change_weights", lambda *_: after)
    monkeypatch.setattr(module.boto3, "client", lambda _: None)
    given = ["change_weights.py", "--endpoint", "shop", "--weights", "v1=2"]
    monkeypatch.setattr(module.sys, "argv", given)
    with pytest.raises(SystemExit) as stopped:
        module.main()
    assert stopped.value.code == "v1 did not take the new weight: see the events of shop."
    assert capsys.readouterr().out.startswith("v1  weight 1  100% of the requests\n")


@pytest.mark.parametrize("weight", ["v1", "=1", "v1=x", "v1=-1", "v1=nan"])
def test_bad_weights(ab: Run, weight: str) -> None:
    with watching(Trace()) as trace:
        result = change(ab, weight)
    assert (result.status, result.output, trace.calls) == (2, "", [])
    assert "invalid parse_weight value" in result.errors


def test_no_such_endpoint(ab: Run, shop: Path) -> None:
    result = ab("change_weights", "--endpoint", "no", "--weights", "v1=1")
    assert (result.status, result.output) == (1, "")
    assert 'Could not find endpoint "' in result.errors
