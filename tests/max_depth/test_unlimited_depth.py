from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import xgboost

Load = Callable[[str], ModuleType]
Run = Callable[..., Any]
REFUSALS = {
    "exact, 0": "refused: exact tree method doesn't support unlimited depth.",
    "-1": "refused: value -1 for Parameter max_depth should be greater equal to 0",
    "3.5": "refused: Invalid Parameter format for max_depth expect int but value='3.5'",
}


@pytest.mark.parametrize("threads", [1, 2])
def test_what_grows_and_what_is_refused(run: Run, threads: int) -> None:
    result = run("unlimited_depth", "--rounds", "2", "--threads", str(threads))
    assert (result.status, result.errors) == (0, "")
    found = {line[:24].rstrip(): line[25:] for line in result.output.splitlines()}
    assert {name: found[name] for name in REFUSALS} == REFUSALS
    depth = {name: int(said[6:8]) for name, said in found.items() if name not in REFUSALS}
    assert depth["default"] == 6
    assert depth["hist, 0"] > 10
    assert depth["approx, 0"] > 10
    assert depth["lossguide, 4, 31 leaves"] == 4
    assert found["lossguide, 4, 31 leaves"].endswith(" 16 leaves")
    assert found["lossguide, 0, 31 leaves"].endswith(" 31 leaves")
    assert found["depthwise, 0, 31 leaves"].endswith(" 31 leaves")
    assert depth["lossguide, 0, 31 leaves"] > depth["depthwise, 0, 31 leaves"]


def test_describe_a_stump_and_a_leaf(example: Load) -> None:
    describe = example("unlimited_depth").describe
    rows = xgboost.DMatrix(np.array([[0.0], [1.0]]), np.array([0, 1]))
    settings = {"nthread": 1, "min_child_weight": 0, "max_depth": 3}
    assert describe(xgboost.train(settings, rows, 1)) == "depth  1, 2 leaves"
    constant = xgboost.DMatrix(np.zeros((2, 1)), np.array([0, 1]))
    assert describe(xgboost.train(settings, constant, 1)) == "depth  0, 1 leaves"


def test_reason_is_one_sentence(example: Load) -> None:
    error = ValueError("[07:00:00] /src/x.cc:180: Check failed: a > 0 (0 vs. 0) : Too deep.\nStack")
    assert example("unlimited_depth").reason(error) == "Too deep."


def test_bad_options(run: Run) -> None:
    result = run("unlimited_depth", "--threads", "0")
    assert (result.status, result.output) == (2, "")
    assert "--rounds and --threads: 1 or more" in result.errors


@pytest.mark.parametrize(("method", "leaves"), [("exact", 4), ("hist", 1), ("approx", 1)])
def test_gamma_prunes_with_exact_and_stops_the_growth_otherwise(
    example: Load, method: str, leaves: int
) -> None:
    """The first split of an exclusive or gains almost nothing, those below it a lot."""
    corners = np.repeat([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [50, 50, 50, 51], axis=0)
    rows = xgboost.DMatrix(corners, corners[:, 0] == corners[:, 1])
    settings = {"objective": "binary:logistic", "max_depth": 2, "nthread": 1, "seed": 0}
    describe = example("unlimited_depth").describe
    free = xgboost.train(settings | {"tree_method": method}, rows, 1)
    assert describe(free) == "depth  2, 4 leaves"
    kept = xgboost.train(settings | {"tree_method": method, "gamma": 5}, rows, 1)
    assert describe(kept).endswith(f" {leaves} leaves")
