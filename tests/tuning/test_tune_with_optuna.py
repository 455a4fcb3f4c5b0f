import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost

Run = Callable[..., Any]
COLUMNS = ["trial", "eta", "max_depth", "min_child_weight", "subsample", "logloss", "rounds"]


@pytest.fixture
def found(run: Run, data: Path, tmp_path: Path) -> tuple[list[str], dict[str, Any]]:
    file = tmp_path / "trials.json"
    result = run("tune_with_optuna", "--data", str(data), "--trials", "12", "--json", str(file))
    assert (result.status, result.errors) == (0, "")
    return result.output.splitlines(), json.loads(file.read_text())


def test_the_search_and_its_best_trial(found: tuple[list[str], dict[str, Any]], data: Path) -> None:
    output, table = found
    assert table["columns"] == COLUMNS
    assert [row[0] for row in table["rows"]] == list(range(1, 13))
    assert {row[6] for row in table["rows"]} == {30}
    best = min(table["rows"], key=lambda row: row[5])
    assert output[0] == "all rounds   360 rounds, 0 trials stopped early"
    assert output[1] == f"  best: trial {best[0]}, log loss {best[5]:.4f}"
    for row in table["rows"]:
        assert 0.01 <= row[1] <= 0.5
        assert 2 <= row[2] <= 8
        assert 1 <= row[3] <= 30
        assert 0.5 <= row[4] <= 1
    # Trained anew, the best trial reaches the same.
    tables = [np.loadtxt(data / f"{name}.csv", delimiter=",") for name in ("train", "validation")]
    train, validation = (xgboost.DMatrix(t[:, 1:], label=t[:, 0], nthread=1) for t in tables)
    parameters = dict(zip(COLUMNS[1:5], best[1:5], strict=True))
    fixed = {"objective": "binary:logistic", "seed": 0, "nthread": 1}
    booster = xgboost.train(fixed | parameters, train, 30)
    loss = float(booster.eval(validation).rpartition(":")[2])
    assert loss == pytest.approx(best[5], abs=2e-3)  # the table holds rounded parameters


def test_the_median_rule_saves_rounds(found: tuple[list[str], dict[str, Any]]) -> None:
    words = found[0][3].split()
    assert words[:2] == ["median", "rule"]
    assert int(words[2]) < 360
    assert int(words[4]) > 0


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        (
            ["--data", "/missing"],
            1,
            "No such file or directory: '/missing/train.csv'. Write the data with",
        ),
        (["--data", "/missing", "--trials", "0"], 2, "--trials: 1 or more"),
        (["--data", "/missing", "--seed", "-1"], 2, "--seed: 0 to 4294967295"),
    ],
)
def test_bad_input(run: Run, tmp_path: Path, options: list[str], status: int, said: str) -> None:
    file = tmp_path / "trials.json"
    result = run("tune_with_optuna", *options, "--json", str(file))
    assert (result.status, result.output) == (status, "")
    assert said in result.errors
    assert not file.exists()


def test_a_table_with_a_header(run: Run, tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("label,size\n1,2\n")
    result = run("tune_with_optuna", "--data", str(tmp_path), "--json", str(tmp_path / "x.json"))
    assert result.status == 1
    assert "could not convert string 'label' to float64" in result.errors


def test_results_that_cannot_be_written(run: Run, data: Path) -> None:
    quick = ["--trials", "2"]
    result = run("tune_with_optuna", "--data", str(data), *quick, "--json", "/missing/x.json")
    assert result.status == 1
    assert result.errors.startswith("Cannot write /missing/x.json: No such file or directory.")
