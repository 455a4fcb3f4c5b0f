import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost

Run = Callable[..., Any]


@pytest.fixture
def found(run: Run, tmp_path: Path) -> tuple[Any, dict[str, Any]]:
    file = tmp_path / "boosting.json"
    result = run("boost_by_hand", "--json", str(file))
    return result, json.loads(file.read_text())


def test_what_it_prints_and_stores(found: tuple[Any, dict[str, Any]]) -> None:
    result, tables = found
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        "trees  mean squared residual\n"
        "    0  0.5543\n    1  0.3342\n    3  0.1528\n   10  0.0526\n   30  0.0216\n"
        "XGBoost with the same settings predicts the same, to 0.0001: yes\n"
    )
    errors = tables["errors"]["rows"]
    assert [row[0] for row in errors] == list(range(31))
    assert all(later[1] < former[1] for former, later in pairwise(errors))
    assert tables["predictions"]["columns"] == [
        *("x", "y", "trees_0", "trees_1", "trees_3", "trees_10", "trees_30")
    ]
    points = np.array(tables["predictions"]["rows"])
    left = np.array(tables["residuals"]["rows"])
    assert points.shape == (60, 7)
    assert np.allclose(points[:, 1:2] - points[:, 2:], left[:, 1:], atol=2e-4)
    squares = (left[:, 1:] ** 2).mean(axis=0)
    assert squares == pytest.approx([errors[n][1] for n in (0, 1, 3, 10, 30)], abs=1e-3)


def test_one_tree_by_paper_and_pencil(example: Callable[[str], Any]) -> None:
    x, y = np.array([0.0, 1.0, 2.0, 3.0]), np.array([0.0, 0.0, 1.0, 1.0])
    boost = example("boost_by_hand").boost
    before, after = boost(x, y, trees=1, depth=1, eta=1.0)
    assert before == pytest.approx([0.5] * 4)
    assert after == pytest.approx(y)
    *_, last = boost(x, y, trees=2, depth=1, eta=0.5)
    assert last == pytest.approx([0.125, 0.125, 0.875, 0.875])  # a quarter of the error is left


def test_the_defaults_of_xgboost_predict_something_else(example: Callable[[str], Any]) -> None:
    module = example("boost_by_hand")
    x, y = module.make_points(60, seed=5)
    by_hand = module.boost(x, y, trees=30, depth=2, eta=0.3)[-1]
    same = module.boost_by_xgboost(x, y, trees=30, depth=2, eta=0.3)
    assert by_hand == pytest.approx(same, abs=1e-4)
    data = xgboost.DMatrix(x.reshape(-1, 1), label=y)
    default = xgboost.train({"max_depth": 2, "eta": 0.3, "nthread": 1}, data, num_boost_round=30)
    assert abs(default.predict(data) - by_hand).max() > 0.05  # lambda is 1


@pytest.mark.parametrize(
    "options", [["--depth", "0"], ["--eta", "0"], ["--eta", "1.5"], ["--eta", "nan"]]
)
def test_bad_options(run: Run, tmp_path: Path, options: list[str]) -> None:
    result = run("boost_by_hand", *options, "--json", str(tmp_path / "boosting.json"))
    assert (result.status, result.output) == (2, "")
    assert "error: --depth: 1 or more; --eta: above 0, at most 1\n" in result.errors
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "missing" / "boosting.json"
    result = run("boost_by_hand", "--json", str(file))
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        f"Cannot write {file}: No such file or directory. Name another file: --json.\n"
    )


@pytest.mark.parametrize(("method", "splits"), [("hist", 0), ("approx", 0), ("exact", 3)])
def test_only_exact_grows_a_tree_and_then_prunes_it_by_gamma(method: str, splits: int) -> None:
    """The first split wins little, those below it much: only who grows first gets to know them."""
    rows = np.array([[0, 0], [0, 1], [1, 0], [1, 1]] * 50, float)
    labels = np.array([0, 10, 10, 0.8] * 50)
    settings = {"max_depth": 2, "eta": 1, "lambda": 0, "base_score": 5.2, "nthread": 1}
    data = xgboost.DMatrix(rows, label=labels)

    def grown(gamma: int) -> int:
        own = settings | {"tree_method": method, "gamma": gamma}
        return xgboost.train(own, data, num_boost_round=1).get_dump()[0].count("<")

    assert (grown(0), grown(100), grown(10000)) == (3, splits, 0)


@pytest.mark.parametrize("policy", ["depthwise", "lossguide"])
@pytest.mark.parametrize(
    ("method", "limited"), [("hist", True), ("approx", True), ("exact", False)]
)
def test_max_leaves_and_max_bin_count_where_values_are_binned(
    method: str, limited: bool, policy: str
) -> None:
    random = np.random.default_rng(0)
    rows = random.normal(size=(500, 4))
    data = xgboost.DMatrix(rows, label=rows[:, 0] * rows[:, 1] + rows[:, 2])
    settings = {"tree_method": method, "grow_policy": policy, "nthread": 1}

    def tree(**own: int) -> str:
        return xgboost.train(settings | own, data, num_boost_round=1).get_dump()[0]

    assert tree().count("leaf") > 20
    assert (tree(max_leaves=5).count("leaf") == 5) is limited
    assert (tree(max_bin=8) != tree()) is limited
