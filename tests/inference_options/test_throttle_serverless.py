from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


@pytest.fixture
def nightly(file: Path, go: Run) -> Path:
    given = ("--endpoint", "nightly", "--model", "shop-v1")
    assert go("create_serverless", *given).status == 0
    return file


def test_one_at_a_time(nightly: Path, go: Run) -> None:
    given = ("--endpoint", "nightly", "--file", str(nightly), "--callers", "4")
    result = go("throttle_serverless", *given)
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        "Some callers were refused: ThrottlingException: Rate exceeded. "
        "A higher MaxConcurrency or more --attempts helps against throttling.\n"
    )
    again = go("throttle_serverless", *given, "--attempts", "12")
    assert (again.status, again.output, again.errors) == (0, "all 4 callers got an answer\n", "")


def test_enough_concurrency(file: Path, go: Run) -> None:
    given = ("--endpoint", "wide", "--model", "shop-v1", "--concurrency", "4")
    assert go("create_serverless", *given).status == 0
    given = ("--endpoint", "wide", "--file", str(file), "--callers", "4")
    assert go("throttle_serverless", *given).output == "all 4 callers got an answer\n"


def test_no_such_endpoint(file: Path, go: Run) -> None:
    result = go("throttle_serverless", "--endpoint", "none", "--file", str(file))
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith(
        "All callers were refused: ValidationError: Endpoint none of account 111122223333 not found"
    )


def test_nothing_to_send(go: Run, tmp_path: Path) -> None:
    (tmp_path / "empty.csv").touch()
    for name in ("empty.csv", "missing.csv"):
        file = str(tmp_path / name)
        result = go("throttle_serverless", "--endpoint", "nightly", "--file", file)
        assert (result.status, result.output) == (1, "")
        assert result.errors.endswith("Name a CSV file with rows, such as validation.csv.\n")


@pytest.mark.parametrize("option", [("--callers", "1"), ("--rows", "0"), ("--attempts", "21")])
def test_options(go: Run, option: tuple[str, str]) -> None:
    result = go("throttle_serverless", "--endpoint", "nightly", "--file", "a.csv", *option)
    assert result.status == 2 and "--callers: 2 or more" in result.errors
