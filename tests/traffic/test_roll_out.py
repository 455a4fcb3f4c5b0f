import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from awslab.run import Result
from awslab.scenarios import EXAMPLES

Run = Callable[..., Result]
Load = Callable[[str], ModuleType]
Alive = Callable[[int], bool]
NEEDS_NGINX = pytest.mark.skipif(
    shutil.which("nginx") is None, reason="needs nginx on PATH: make system"
)
PROGRAM = str(EXAMPLES / "traffic" / "roll_out.py")


@pytest.fixture(scope="module")
def rolls(load: Load) -> ModuleType:
    return load("roll_out")


def answer(due: float, took: float = 0.01, **other: Any) -> dict[str, Any]:
    found = {"due": due, "done": due + took, "status": 200, "version": "v2", "right": True}
    return found | other


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ([], None),
        ([answer(1.1)] * 20, None),
        ([answer(1.1)] * 19 + [answer(1.1, status=500)], None),  # 5 % are borne
        ([answer(1.1)] * 18 + [answer(1.1, status=500)] * 2, "errors"),
        ([answer(1.1, status=500)] * 2, None),  # too few
        ([answer(1.1, status=500, version="v1")] * 20, None),  # the old version's
        ([answer(0.9, status=500)] * 20, None),  # of the period before
        ([answer(1.5, status=500)] * 20, None),  # of the next one
        ([answer(1.1, 0.21)] * 20, "slow"),
        ([answer(1.1, 0.19)] * 20, None),
        ([answer(1.45, 0.3)] * 20, None),  # not answered yet
        ([answer(0.6, right=False)] * 20, "wrong"),  # known half a second later
        ([answer(1.1, right=False)] * 20, None),  # not known yet
        ([answer(0.6, right=False)] * 9, None),
        ([answer(0.6, right=False)] * 12 + [answer(0.6)] * 8, None),
        ([answer(0.6, right=False)] * 13 + [answer(0.6)] * 7, "wrong"),
        ([answer(0.6, right=None, status=500)] * 20, None),
    ],
)
def test_the_alarm(rolls: ModuleType, answers: list[dict[str, Any]], reason: str | None) -> None:
    assert rolls.alarm(answers, 1.0, 1.5, True) == reason
    unlabelled = None if reason == "wrong" else reason
    assert rolls.alarm(answers, 1.0, 1.5, False) == unlabelled


def test_the_course(rolls: ModuleType) -> None:
    answers = [answer(0.1, version="v1"), answer(0.55), answer(0.6, status=500)]
    table = rolls.course({"answers": answers}, 0.25)
    assert table == {
        "columns": ["second", "v1", "v2", "failed"],
        "rows": [[-0.375, 4, 0, 0], [-0.125, 0, 0, 0], [0.125, 0, 4, 4]],
    }


def test_what_is_measured(rolls: ModuleType) -> None:
    answers = [answer(0.6, version="v1"), answer(0.7, 0.02, status=500), answer(1.4), answer(9)]
    run = {"answers": answers, "alarm": 1.3, "finished": None, "fault": "errors", "events": []}
    run["capacity"] = [(10, 4), (12, -2), (13, -2)]
    found = rolls.measure(run, "canary", 0.5, 1)
    assert (found["requests"], found["failed"], found["saw_bad"]) == (4, 1, 3)
    assert found["detect_seconds"] == pytest.approx(0.8)
    assert found["roll_back_seconds"] == pytest.approx(7.7)  # the last one that v2 answered
    assert found["extra_instance_seconds"] == 4 * 2 + 2 * 1
    assert 10 <= found["p50_ms"] < 10.6 and 20 <= found["p99_ms"] < 21
    late = rolls.measure(run, "canary", 1.0, 1)
    assert (late["saw_bad"], late["detect_seconds"]) == (2, pytest.approx(0.3))


def test_without_nginx(
    run: Run,
    options: list[str],
    monkeypatch: pytest.MonkeyPatch,
    launched: list[int],
    alive: Alive,
) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    result = run("roll_out", *options, "--strategy", "canary")
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith("nginx is not on PATH: install it")
    assert result.errors.count("\n") == 1
    assert not any(map(alive, launched))


@NEEDS_NGINX
def test_a_healthy_canary_loses_nothing(
    rolls: ModuleType, load: Load, data: Path, launched: list[int], alive: Alive
) -> None:
    models = [data / "models" / f"{version}.json" for version in ("v1", "v2")]
    rows = load("send_load").read_rows(data / "binary" / "validation.csv")
    found = rolls.roll_out("canary", "none", models, rows, rate=80, requests=400, seconds=1)
    assert found["requests"] >= 400
    assert (found["failed"], found["saw_bad"], found["detect_seconds"]) == (0, 0, None)
    assert [text for _, text in found["events"]] == [
        "10 % to v2",
        "100 % to v2",
        "0 of 4 instances of v1 left",
    ]
    first, second = (at for at, text in found["events"] if "% to v2" in text)
    done = found["events"][2][0]
    assert second - first > 1.4 and done - second > 1.4  # both are baked
    new = [a["due"] - rolls.LEAD for a in found["answers"] if a["version"] == "v2"]
    canary = [a for a in found["answers"] if first + 0.5 < a["due"] - rolls.LEAD < second]
    share = sum(a["version"] == "v2" for a in canary) / len(canary)
    assert 0.01 < share < 0.25
    assert min(new) >= first
    old = [a["due"] - rolls.LEAD for a in found["answers"] if a["version"] == "v1"]
    assert max(old) < done
    assert 4 * 3 < found["extra_instance_seconds"] < 4 * 30
    assert launched and not any(map(alive, launched))


@NEEDS_NGINX
def test_a_canary_with_errors_is_rolled_back(
    run: Run, options: list[str], tmp_path: Path, launched: list[int], alive: Alive
) -> None:
    arguments = [*options, "--strategy", "canary", "--fault", "errors", "--rate", "120"]
    arguments += ["--seconds", "1.5", "--json", str(tmp_path / "course.json")]
    result = run("roll_out", *arguments)
    assert (result.status, result.errors) == (0, "")
    *events, summary = result.output.splitlines()
    assert [event[10:] for event in events][:3] == ["10 % to v2", "alarm: errors", "0 % to v2"]
    requests, failed, bad = (int(part.split()[0]) for part in summary.split(", "))
    assert 0 < failed <= bad < requests / 4
    table = json.loads((tmp_path / "course.json").read_text())
    assert table["columns"] == ["second", "v1", "v2", "failed"]
    assert table["rows"][-1][2:] == [0, 0]  # after the roll-back only v1 answers
    assert table["rows"][-1][1] > 0
    assert not any(map(alive, launched))


@NEEDS_NGINX
def test_a_late_fault_of_a_rolling_update_needs_the_old_instances_again(
    rolls: ModuleType, load: Load, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rolls, "BAKE", 1)
    models = [data / "models" / f"{version}.json" for version in ("v1", "v2")]
    rows = load("send_load").read_rows(data / "binary" / "validation.csv")
    found = rolls.roll_out(
        "rolling", "errors", models, rows, rate=100, fault_at=4, seconds=5, labels=False
    )
    texts = [text for _, text in found["events"]]
    assert texts[:4] == [
        "50 % to v2",
        "2 of 4 instances of v1 left",
        "100 % to v2",
        "0 of 4 instances of v1 left",
    ]
    assert texts[4:] == ["alarm: errors", "start 4 instances of v1 again", "0 % to v2"]
    assert 0 < found["failed"] < found["saw_bad"]
    assert not any(a["status"] == 500 for a in found["answers"] if a["due"] < rolls.LEAD + 3.9)
    assert found["finish_seconds"] < 4


@NEEDS_NGINX
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_nothing_is_left_when_it_is_ended(
    options: list[str], number: signal.Signals, tmp_path: Path, alive: Alive
) -> None:
    command = [sys.executable, PROGRAM, *options, "--strategy", "linear", "--rate", "50"]
    with subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    ) as process:
        deadline = time.monotonic() + 60
        while not list(tmp_path.glob("*/nginx.pid")) and time.monotonic() < deadline:
            time.sleep(0.05)
        nginx = int(next(tmp_path.glob("*/nginx.pid")).read_text() or 0)
        time.sleep(1)
        children = [int(child) for child in descendants(process.pid)]
        assert nginx in children and len(children) >= 6
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert errors == "Interrupted. No server and no nginx is left running.\n"
    assert not any(map(alive, children))
    assert list(tmp_path.iterdir()) == []


def descendants(process: int) -> list[str]:
    """The ids of the processes that a process has started, and of theirs (Linux)."""
    found = []
    for task in Path(f"/proc/{process}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += [child, *descendants(int(child))]
    return found


@NEEDS_NGINX
def test_a_model_that_cannot_be_served(
    run: Run, options: list[str], tmp_path: Path, launched: list[int], alive: Alive
) -> None:
    options[2] = str(tmp_path / "none.json")
    result = run("roll_out", *options, "--strategy", "canary")
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith("Cannot serve") and result.errors.count("\n") == 1
    assert launched and not any(map(alive, launched))


def test_bad_input(run: Run, options: list[str]) -> None:
    arguments = [*options, "--strategy", "canary"]
    for wrong, said in (
        (["--rate", "0"], "--rate: up to 2000"),
        (["--requests", "-1"], "--requests: up to 100000"),
        (["--seconds", "61"], "--seconds and --fault-at: up to 60"),
        (["--fault", "fire"], "invalid choice: 'fire'"),
    ):
        result = run("roll_out", *arguments, *wrong)
        assert result.status == 2 and said in result.errors
