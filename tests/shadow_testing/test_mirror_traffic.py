"""With real model servers once, and with quick stand-ins for what can go wrong."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost
from awslab.run import Result, run_script
from awslab.scenarios import EXAMPLES
from shadow_testing.conftest import SERVER, STAND_IN, Interrupt

Run = Callable[..., Result]
pytestmark = pytest.mark.usefixtures("nginx")
PROGRAM = EXAMPLES / "shadow_testing" / "mirror_traffic.py"
REQUESTS = 120


def answers(folder: Path, variant: str) -> dict[str, dict[str, Any]]:
    lines = (folder / f"{variant}.jsonl").read_text().splitlines()
    calls = {call["id"]: call for call in map(json.loads, lines)}
    assert len(calls) == len(lines)
    return calls


@pytest.fixture(scope="module")
def real(
    nginx: None, models: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, Result]]:
    """A run with two real servers, a third of the shadow's answers failing."""
    folder = tmp_path_factory.mktemp("real")
    options = [
        *("--server", SERVER, "--requests", str(REQUESTS), "--errors", "0.33", "--slow-ms", "5"),
        *("--production", str(models / "models" / "v1.json")),
        *("--shadow", str(models / "models" / "v2.json")),
        *("--rows", str(models / "data" / "binary" / "validation.csv")),
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield folder, run_script(PROGRAM, options)


def test_every_request_is_mirrored_and_no_failure_reaches_a_client(
    real: tuple[Path, Result],
) -> None:
    folder, result = real
    production, shadow = (answers(folder, name) for name in ("production", "shadow"))
    failed = [call for call in shadow.values() if call["status"] != 200]
    assert (result.status, result.errors) == (0, "")
    first, second, third, last = result.output.splitlines()
    assert first == f"{REQUESTS} requests: {REQUESTS} clients got v1's answer"
    assert second.startswith("mirrored when the last client had its answer: ")
    assert second.endswith(f", a little later: {REQUESTS}")
    assert third == "wrote production.jsonl and shadow.jsonl"
    assert last == f"the shadow failed {len(failed)} times, and no client saw it"
    assert production.keys() == shadow.keys()
    assert len(production) == REQUESTS
    assert {call["status"] for call in production.values()} == {200}
    assert {call["status"] for call in failed} == {500}
    assert {call["answer"] for call in failed} == {None}
    assert 20 < len(failed) < 60


def test_the_answers_are_those_of_the_two_models(real: tuple[Path, Result], models: Path) -> None:
    folder, _ = real
    table = np.loadtxt(models / "data" / "binary" / "validation.csv", delimiter=",")
    rows = xgboost.DMatrix(table[:, 1:])
    v1, v2 = (
        xgboost.Booster(model_file=models / "models" / f"{name}.json").predict(rows)
        for name in ("v1", "v2")
    )
    possible = {(f"{a:.6f}", f"{b:.6f}") for a, b in zip(v1, v2, strict=True)}
    production, shadow = (answers(folder, name) for name in ("production", "shadow"))
    pairs = {(production[key]["answer"], call["answer"]) for key, call in shadow.items()}
    assert {pair for pair in pairs if pair[1]} <= possible
    assert {a for a, _ in pairs} == {a for a, _ in possible}  # each row was sent


def test_the_shadow_is_slower_by_what_was_asked(real: tuple[Path, Result]) -> None:
    folder, _ = real
    assert all(call["seconds"] >= 0.004 for call in answers(folder, "shadow").values())


def options(folder: Path, production: str, shadow: str, *more: str) -> list[str]:
    """Options with stand-ins that answer these texts."""
    (folder / "v1").write_text(production)
    (folder / "v2").write_text(shadow)
    (folder / "rows.csv").write_text("1,0.5\n0,0.25\n")
    files = ("--production", "v1", "--shadow", "v2", "--rows", "rows.csv")
    return ["--server", STAND_IN, "--slow-ms", "0", "--requests", "8", *files, *more]


@pytest.fixture
def place(tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder; afterwards no temporary folder is left."""
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    assert list(temporary.iterdir()) == []


def test_a_shadow_that_hangs_or_is_down_counts_as_failed(run: Run, place: Path) -> None:
    result = run("mirror_traffic", *options(place, "0.5", "0.6", "--slow-ms", "2500"))
    assert (result.status, result.errors) == (0, "")
    assert result.output.endswith("the shadow failed 8 times, and no client saw it\n")
    assert {call["status"] for call in answers(place, "shadow").values()} == {504}
    assert {call["answer"] for call in answers(place, "production").values()} == {"0.5"}


def test_production_that_fails_is_not_hidden(run: Run, place: Path) -> None:
    result = run("mirror_traffic", *options(place, "fail", "0.6"))
    assert result.status == 1
    assert "8 requests: 0 clients got v1's answer\n" in result.output
    assert "no client saw it" not in result.output
    assert result.errors == "8 clients got another answer: see production.jsonl.\n"
    assert {call["status"] for call in answers(place, "production").values()} == {503}
    assert {call["answer"] for call in answers(place, "shadow").values()} == {"0.6"}


def test_what_does_not_start(run: Run, place: Path) -> None:
    good = options(place, "0.5", "0.6")
    no_model = run("mirror_traffic", *good, "--shadow", "missing")
    assert (no_model.status, no_model.output) == (1, "")
    assert no_model.errors.startswith("No shadow test: v2 did not start: FileNotFoundError: ")
    assert no_model.errors.endswith("All servers are stopped: correct it, run it again.\n")
    no_server = run("mirror_traffic", *good, "--server", "missing.py")
    assert no_server.status == 1
    assert "v1 did not start: " in no_server.errors
    assert "missing.py" in no_server.errors
    no_rows = run("mirror_traffic", *good, "--rows", "missing.csv")
    assert no_rows.status == 1
    assert "No such file or directory: 'missing.csv'" in no_rows.errors
    (place / "empty.csv").write_text("")
    empty = run("mirror_traffic", *good, "--rows", "empty.csv")
    assert empty.errors.startswith("No shadow test: empty.csv is empty. ")
    assert not (place / "production.jsonl").exists()


def test_nginx_that_is_missing_or_does_not_start(
    run: Run, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = options(place, "0.5", "0.6")
    missing = run("mirror_traffic", *good, PATH=str(place))
    assert (missing.status, missing.output) == (1, "")
    assert missing.errors == (
        "nginx is not on PATH: install it, or add its folder, often /usr/sbin, to PATH.\n"
    )
    broken = place / "bin" / "nginx"
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\necho nginx: [emerg] bind failed >&2\nexit 1\n")
    broken.chmod(0o755)
    refused = run("mirror_traffic", *good, PATH=f"{broken.parent}:/usr/bin:/bin")
    assert refused.status == 1
    assert "No shadow test: nginx did not start: nginx: [emerg] bind failed. " in refused.errors


@pytest.mark.parametrize("group", [False, True])
def test_ctrl_c_stops_everything(
    interrupt: Interrupt, tmp_path: Path, temporary: Path, group: bool
) -> None:
    many = options(tmp_path, "0.5", "0.6", "--requests", "20000")

    def started() -> bool:
        return any(log.stat().st_size for log in temporary.glob("*/shadow.log"))

    status, said, errors = interrupt("mirror_traffic", many, started, group)
    assert (status, said) == (1, "")
    assert errors == (
        "Interrupted: all servers are stopped. Do not use production.jsonl and shadow.jsonl.\n"
    )


def test_bad_options(run: Run, place: Path) -> None:
    for count in ("0", "100001"):
        result = run("mirror_traffic", *options(place, "0.5", "0.6", "--requests", count))
        assert result.status == 2
        assert "--requests: 1 to 100000" in result.errors
