from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3
import pytest
from guardrails.shop import interrupted_after
from proofs.trace import Trace, watching

Load = Callable[[str], ModuleType]
Run = Callable[..., Any]


@pytest.fixture
def scaled(scaling: Run, shop: Path) -> Iterator[Path]:
    """The data; AllTraffic of shop scales, from 1 to 4 instances, at 5 requests a minute."""
    given = ("--endpoint", "shop", "--target", "5", "--max", "4")
    assert scaling("add_scaling_policy", *given).status == 0
    yield shop
    scaling("remove_scaling", "--endpoint", "shop")


def watch(scaling: Run, file: Path, *options: str) -> Any:
    return scaling("watch_scaling", "--endpoint", "shop", "--file", str(file), *options)


def count() -> int:
    found = boto3.client("sagemaker").describe_endpoint(EndpointName="shop")
    return int(found["ProductionVariants"][0]["CurrentInstanceCount"])


def test_out_and_in_again(scaling: Run, scaled: Path) -> None:
    with watching(Trace()) as trace:
        result = watch(scaling, scaled, "--requests", "13")
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        "13 requests a minute: 3 instances\n"
        "1 requests a minute: 1 instances\n"
        "Setting desired instance count to 3. Why: much traffic\n"
        "Setting desired instance count to 1. Why: little traffic\n"
    )
    assert Counter(call.operation for call in trace.calls)["InvokeEndpoint"] == 14
    assert count() == 1


def test_too_little_traffic_changes_nothing(scaling: Run, scaled: Path) -> None:
    result = watch(scaling, scaled, "--requests", "1", "--minutes", "1")
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        "After 1 minutes there are still 1 instances. shop may run with more instances than "
        "before, which are billed: they go when the traffic is little, or with remove_scaling.py "
        "and delete_endpoint.py.\n"
    )


def test_a_minute_of_requests_lasts_a_minute(
    example: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = example("watch_scaling")
    at, sent = [0.0], list[float]()
    monkeypatch.setattr(module.time, "monotonic", lambda: at[0])
    monkeypatch.setattr(module.time, "sleep", lambda seconds: at.__setitem__(0, at[0] + seconds))

    class SageMaker:
        def describe_endpoint(self, **_: str) -> dict[str, Any]:
            now = 2 if at[0] > 130 else 1
            return {"ProductionVariants": [{"VariantName": "a", "CurrentInstanceCount": now}]}

    class Runtime:
        def invoke_endpoint(self, **_: str) -> None:
            sent.append(at[0])
            at[0] += 3.0

    clients = SageMaker(), Runtime()
    assert module.watch(clients, ("shop", "a"), ["1", "2"], 5) == 2
    assert sent == [0.0, 3.0, 60.0, 63.0, 120.0, 123.0]


def test_interrupted(scaling: Run, scaled: Path) -> None:
    with watching(interrupted_after("InvokeEndpoint")):
        result = watch(scaling, scaled, "--requests", "3")
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith("Interrupted. shop may run with more instances than before")


def test_bad_input(scaling: Run, scaled: Path, tmp_path: Path) -> None:
    missing = watch(scaling, tmp_path / "none.csv", "--requests", "3")
    assert missing.status == 1 and "No such file or directory" in missing.errors
    variant = watch(scaling, scaled, "--requests", "3", "--variant", "v9")
    assert variant.status == 1 and variant.errors.startswith("shop has no variant v9. ")
    none = watch(scaling, scaled, "--requests", "0")
    assert none.status == 2 and "--requests and --minutes: 1 or more" in none.errors
    empty = tmp_path / "empty.csv"
    empty.touch()
    refused = watch(scaling, empty, "--requests", "3")
    assert (refused.status, refused.output) == (1, "")
    assert refused.errors == f"{empty} has no rows: there is nothing to send.\n"
    binary = tmp_path / "binary.csv"
    binary.write_bytes(b"\xff\xfe")
    other = watch(scaling, binary, "--requests", "3")
    assert other.status == 1 and other.errors.startswith("'utf-8' codec can't decode byte 0xff")
