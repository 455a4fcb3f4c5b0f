import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import xgboost

Run = Callable[..., Any]
FEATURES = ["late_payer", "calls", "months", "discount", "age", "random"]


def test_four_importances_that_disagree(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "explanation.json"
    result = run("explain_model", "--json", str(file))
    assert (result.status, result.errors) == (0, "")
    lines = result.output.splitlines()
    assert lines[-4].split() == ["highest", "random", "late_payer", "late_payer", "months"]
    assert lines[-3:-1] == [
        "splits by late_payer: 22, from the root down: [18, 1, 3, 0]",
        "splits by random: 124, from the root down: [4, 18, 43, 59]",
    ]
    assert lines[-1] == "contributions + bias = margin, to 0.0001: checked for 800 rows"
    tables = json.loads(file.read_text())
    importance = tables["importance"]
    assert importance["columns"] == ["feature", "weight", "gain", "cover", "mean_shap"]
    assert [row[0] for row in importance["rows"]] == FEATURES
    shares = np.array([row[1:] for row in importance["rows"]])
    assert shares.sum(axis=0) == pytest.approx([1] * 4, abs=1e-3)
    assert [line.split()[1:] for line in lines[1:7]] == [
        [f"{part:.2f}" for part in row] for row in shares.tolist()
    ]
    # `random` has no part in the labels: only the count of its splits makes much of it.
    assert shares[5].argmax() == 0 and shares[5, 1] == shares[:, 1].min()
    dots = tables["rows"]["rows"]
    assert [dots[60 * n][0] for n in range(6)] == FEATURES and len(dots) == 360
    assert all(0 <= value <= 1 for _, _, value in dots)
    late = [(value, shap) for name, shap, value in dots if name == "late_payer"]
    assert {value for value, _ in late} == {0.0, 1.0}
    assert all((shap > 0) == (value == 1) for value, shap in late)


def test_splits_are_counted_by_their_depth(example: Callable[[str], Any]) -> None:
    """A root on the second feature, below it one split on the third."""
    rows = np.zeros((6, 6))
    rows[2:, 1] = 1
    rows[4:, 2] = 1
    data = xgboost.DMatrix(rows, label=[0, 0, 8, 8, 9, 9], feature_names=FEATURES)
    settings = {"max_depth": 2, "eta": 1, "lambda": 0, "min_child_weight": 0, "nthread": 1}
    model = xgboost.train(settings, data, num_boost_round=1)
    splits = example("explain_model").splits
    assert splits(model, "calls") == [1, 0, 0, 0]
    assert splits(model, "months") == [0, 1, 0, 0]
    assert splits(model, "age") == [0, 0, 0, 0]


def test_a_model_of_a_table_without_names_can_be_given_them(example: Callable[[str], Any]) -> None:
    module = example("explain_model")
    rows, labels = module.make_customers(count=200, seed=3)
    data = xgboost.DMatrix(rows, label=labels, nthread=1)
    model = xgboost.train({"nthread": 1}, data, num_boost_round=3)
    model = xgboost.Booster(model_file=model.save_raw())
    counts = model.get_score()
    assert set(counts) <= {f"f{n}" for n in range(6)} and model.feature_names is None
    model.feature_names = FEATURES
    assert model.get_score() == {FEATURES[int(name[1:])]: n for name, n in counts.items()}


def test_contributions_of_a_stump(example: Callable[[str], Any]) -> None:
    """One split: its feature has the whole difference to the mean, the others have nothing."""
    rows = np.zeros((4, 6))
    rows[2:, 1] = 1
    settings = {"max_depth": 1, "eta": 1, "lambda": 0, "base_score": 0, "nthread": 1}
    data = xgboost.DMatrix(rows, label=[0, 0, 8, 8], feature_names=FEATURES)
    model = xgboost.train(settings, data, num_boost_round=1)
    expected = np.zeros((4, 6))
    expected[:, 1] = [-4, -4, 4, 4]
    assert example("explain_model").explain(model, rows) == pytest.approx(expected, abs=1e-5)


def test_contributions_that_do_not_add_up(example: Callable[[str], Any]) -> None:
    def answer(data: Any, **asked: Any) -> np.ndarray:
        return np.ones((2, 7)) if "pred_contribs" in asked else np.full(2, 6.9)

    with pytest.raises(RuntimeError, match="do not add up to the margin"):
        example("explain_model").explain(SimpleNamespace(predict=answer), np.zeros((2, 6)))


def test_a_file_that_cannot_be_written(run: Run, tmp_path: Path) -> None:
    result = run("explain_model", "--json", str(tmp_path))
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        f"Cannot write {tmp_path}: Is a directory. Name another file: --json.\n"
    )
