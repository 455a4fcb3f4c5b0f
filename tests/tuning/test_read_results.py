import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
COLUMNS = ["trial", "eta", "max_depth", "objective"]


def trials(count: int = 30) -> list[list[float | None]]:
    """The objective follows from eta alone; the last trial has none."""
    draw = random.Random(1)
    rows: list[list[float | None]] = []
    for number in range(1, count + 1):
        eta, depth = draw.uniform(0.01, 0.5), draw.randint(2, 8)
        rows.append([number, round(eta, 4), depth, round((eta - 0.2) ** 2, 6)])
    return [*rows, [count + 1, 0.3, 4, None]]


def read(run: Run, folder: Path, table: Any, *options: str) -> Any:
    (folder / "trials.json").write_text(json.dumps(table))
    files = ["--results", str(folder / "trials.json"), "--json", str(folder / "reading.json")]
    return run("read_results", *files, *options)


def test_what_mattered_and_where_the_best_lie(run: Run, tmp_path: Path) -> None:
    result = read(run, tmp_path, {"columns": COLUMNS, "rows": trials()}, "--best", "3")
    assert (result.status, result.errors) == (0, "")
    charts = json.loads((tmp_path / "reading.json").read_text())
    names, shares = zip(*charts["importance"]["rows"], strict=True)
    assert names == ("eta", "max_depth")
    assert shares[0] > 0.9
    assert sum(shares) == pytest.approx(1, abs=1e-3)
    finished = [row for row in trials() if row[3] is not None]
    assert charts["trials"]["columns"] == COLUMNS[1:]
    assert charts["trials"]["rows"] == [row[1:] for row in finished]
    lines = result.output.splitlines()
    assert lines[0].endswith("best 3 of 30 trials")
    best = sorted(finished, key=lambda row: row[3] or 0)[:3]
    etas = [row[1] or 0 for row in best]
    assert lines[1].endswith(f"  {min(etas):.4g} – {max(etas):.4g}")
    assert lines[3].startswith(f"objective: best {best[0][3]:.4f}, trial 3 {best[2][3]:.4f}, ")


def test_the_results_of_a_tuning_job(run: Run, stored: str, create: Run, tmp_path: Path) -> None:
    create("read", "--jobs", "3")
    run("read_tuning_job", "--name", "read", "--json", str(tmp_path / "job.json"))
    result = read(run, tmp_path, json.loads((tmp_path / "job.json").read_text()))
    assert (result.status, result.errors) == (0, "")
    assert result.output.splitlines()[0].endswith("best 3 of 3 trials")


@pytest.mark.parametrize(
    "table",
    [
        {"columns": COLUMNS, "rows": []},
        {"columns": ["trial", "eta"], "rows": [[1, 0.1]]},
        {"rows": []},
        {"columns": COLUMNS, "rows": [[1, 0.1, 2, 0.5]]},
        {"columns": COLUMNS, "rows": [[1, 0.1, 2, 0.5], [2, 0.2]]},
        {"columns": COLUMNS, "rows": [[1, 0.1, 2, 0.5], [2, 0.2, 3, 0.5]]},
        {"columns": COLUMNS, "rows": [[1, 0.1, "deep", 0.5], [2, 0.2, "flat", 0.6]]},
        {"columns": None, "rows": []},
        [],
    ],
)
def test_files_that_hold_no_search(run: Run, tmp_path: Path, table: Any) -> None:
    result = read(run, tmp_path, table)
    assert (result.status, result.output) == (1, "")
    assert "trials.json must be written by tune_with_optuna.py or read_tuning_job.py" in (
        result.errors
    )
    assert not (tmp_path / "reading.json").exists()


def test_no_best_trials(run: Run, tmp_path: Path) -> None:
    result = read(run, tmp_path, {"columns": COLUMNS, "rows": trials(3)}, "--best", "0")
    assert (result.status, result.output) == (2, "")
    assert "--best: 1 or more" in result.errors


def test_charts_that_cannot_be_written(run: Run, tmp_path: Path) -> None:
    table = {"columns": COLUMNS, "rows": trials(3)}
    result = read(run, tmp_path, table, "--json", "/missing/x.json")
    assert result.status == 1
    assert result.errors.startswith("Cannot write /missing/x.json: No such file or directory.")


def test_a_file_that_is_not_there(run: Run) -> None:
    result = run("read_results", "--results", "/missing.json", "--json", "/missing/x.json")
    assert result.status == 1
    assert "No such file or directory: '/missing.json'" in result.errors
