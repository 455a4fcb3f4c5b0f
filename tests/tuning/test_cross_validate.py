import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import xgboost
from sklearn.model_selection import StratifiedKFold

Run = Callable[..., Any]


def test_losses_of_each_depth(run: Run, data: Path, tmp_path: Path) -> None:
    file = tmp_path / "losses.json"
    options = ["--data", str(data), "--folds", "3", "--depths", "1", "4", "--splits", "2"]
    result = run("cross_validate", *options, "--json", str(file))
    assert (result.status, result.errors) == (0, "")
    table = json.loads(file.read_text())
    assert table["columns"] == ["max_depth", "mean", "low", "high", "once"]
    assert [row[0] for row in table["rows"]] == [1, 4]
    *lines, last = result.output.splitlines()
    best = min(table["rows"], key=lambda row: row[1])[0]
    assert last.startswith(f"2 other splits at max_depth={best}: mean 0.")
    for line, (depth, mean, low, high, once) in zip(lines, table["rows"], strict=True):
        assert mean == pytest.approx((low + high) / 2, abs=1e-5)
        deviation = (high - low) / 2
        told = dict(word.split("=") for word in line.split())
        assert told["max_depth"] == str(depth)
        found = [float(told[name]) for name in ("cv-logloss", "deviation", "once")]
        assert found == pytest.approx([mean, deviation, once], abs=1e-4)


def test_the_mean_is_that_of_the_folds(example: Callable[[str], ModuleType], data: Path) -> None:
    program = example("cross_validate")
    rows = np.loadtxt(data / "train.csv", delimiter=",")
    table = program.as_matrix(rows)
    mean, deviation = program.cross_validate(table, depth=2, folds=4)
    losses = []
    for inside, outside in StratifiedKFold(4, shuffle=True, random_state=0).split(rows, rows[:, 0]):
        parts = [xgboost.DMatrix(rows[part, 1:], label=rows[part, 0]) for part in (inside, outside)]
        losses.append(program.split_once(*parts, depth=2))
    assert (mean, deviation) == pytest.approx((np.mean(losses), np.std(losses)), abs=1e-5)


def test_other_splits_use_all_rows(example: Callable[[str], ModuleType], data: Path) -> None:
    program = example("cross_validate")
    tables = [np.loadtxt(data / f"{name}.csv", delimiter=",") for name in ("train", "validation")]
    found = program.split_again(tables, depth=2, times=2)
    rows, random, losses = np.vstack(tables), np.random.default_rng(0), []
    for _ in range(2):
        order = random.permutation(250)
        parts = (rows[order[:200]], rows[order[200:]])
        losses.append(program.split_once(*map(program.as_matrix, parts), depth=2))
    assert found.tolist() == pytest.approx(losses)
    assert losses[0] != losses[1]


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        (
            ["--data", "/missing"],
            1,
            "No such file or directory: '/missing/train.csv'. Write the data with",
        ),
        (["--data", "/missing", "--folds", "1"], 2, "--folds: 2 or more; --depths and"),
        (["--data", "/missing", "--depths", "0"], 2, "--depths and --splits: 1 or more"),
        (["--data", "/missing", "--depths", "1001"], 2, "--depths: 1000 at most"),
        (["--data", "/missing", "--splits", "0"], 2, "--depths and --splits: 1 or more"),
    ],
)
def test_bad_input(run: Run, tmp_path: Path, options: list[str], status: int, said: str) -> None:
    result = run("cross_validate", *options, "--json", str(tmp_path / "losses.json"))
    assert (result.status, result.output) == (status, "")
    assert said in result.errors
    assert list(tmp_path.iterdir()) == []


def test_more_folds_than_rows(run: Run, data: Path, tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    result = run("cross_validate", "--data", str(data), "--folds", "100000", "--json", str(file))
    assert (result.status, result.output) == (2, "")
    assert "--folds: each needs a row of both labels, and one has only " in result.errors
    assert not file.exists()


def test_results_that_cannot_be_written(run: Run, data: Path) -> None:
    quick = ["--folds", "2", "--depths", "1", "--splits", "1"]
    result = run("cross_validate", "--data", str(data), *quick, "--json", "/missing/x.json")
    assert result.status == 1
    assert result.errors.startswith("Cannot write /missing/x.json: No such file or directory.")
