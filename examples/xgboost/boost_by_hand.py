"""Boost small trees by hand, tree by tree, and compare the result with XGBoost."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import xgboost
from sklearn.tree import DecisionTreeRegressor

SHOWN = (0, 1, 3, 10, 30)  # numbers of trees in the tables and the charts


def make_points(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """`count` values of x between 0 and 10, in order, and y: a sine wave with noise."""
    generator = np.random.default_rng(seed)
    x = np.sort(generator.uniform(0, 10, count)).round(2)
    return x, (np.sin(x) + generator.normal(0, 0.3, count)).round(2)


# [start: boost]
def boost(x: np.ndarray, y: np.ndarray, trees: int, depth: int, eta: float) -> list[np.ndarray]:
    """The predictions for every x after 0, 1, 2, ... trees: arrays of the shape of y."""
    predictions = [np.full(len(y), y.mean())]  # without a tree: the mean
    for _ in range(trees):
        residuals = y - predictions[-1]
        tree = DecisionTreeRegressor(max_depth=depth, random_state=0)
        tree.fit(x.reshape(-1, 1), residuals)
        predictions.append(predictions[-1] + eta * tree.predict(x.reshape(-1, 1)))
    return predictions


# [end: boost]


def boost_by_xgboost(
    x: np.ndarray, y: np.ndarray, trees: int, depth: int, eta: float
) -> np.ndarray:
    """The predictions of XGBoost after all trees, an array of the shape of y."""
    # [start: xgboost]
    settings = {
        "objective": "reg:squarederror",
        "base_score": float(y.mean()),
        "eta": eta,
        "max_depth": depth,
        "lambda": 0,  # by default 1: it draws the value of each leaf towards 0
        "tree_method": "exact",
        "nthread": 1,
    }
    data = xgboost.DMatrix(x.reshape(-1, 1), label=y)
    return xgboost.train(settings, data, num_boost_round=trees).predict(data)
    # [end: xgboost]


def tables(x: np.ndarray, y: np.ndarray, predictions: list[np.ndarray]) -> dict[str, Any]:
    """The numbers of the charts: the error by trees; predictions and residuals by x."""
    errors = [[trees, float(np.mean((y - p) ** 2))] for trees, p in enumerate(predictions)]
    shown = [trees for trees in SHOWN if trees < len(predictions)]
    names = [f"trees_{trees}" for trees in shown]
    columns = [predictions[trees] for trees in shown]
    found = {
        "errors": (["trees", "mean_squared_residual"], errors),
        "predictions": (["x", "y", *names], np.column_stack([x, y, *columns]).tolist()),
        "residuals": (["x", *names], np.column_stack([x, *(y - p for p in columns)]).tolist()),
    }
    return {
        name: {"columns": head, "rows": [[round(cell, 4) for cell in row] for row in rows]}
        for name, (head, rows) in found.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--depth", type=int, default=2, help="max_depth of each tree")
    parser.add_argument("--eta", type=float, default=0.3, help="share of each tree that is added")
    parser.add_argument("--json", type=Path, required=True, help="file for the charts' numbers")
    arguments = parser.parse_args()
    depth, eta = arguments.depth, arguments.eta
    if depth < 1 or not 0 < eta <= 1:
        parser.error("--depth: 1 or more; --eta: above 0, at most 1")
    x, y = make_points(count=60, seed=5)
    predictions = boost(x, y, max(SHOWN), depth, eta)
    found = tables(x, y, predictions)
    try:
        arguments.json.write_text(json.dumps(found) + "\n", encoding="utf-8")
    except OSError as error:
        sys.exit(f"Cannot write {arguments.json}: {error.strerror}. Name another file: --json.")
    print("trees  mean squared residual")
    for trees in SHOWN:
        print(f"{trees:5}  {found['errors']['rows'][trees][1]:.4f}")
    same = np.allclose(predictions[-1], boost_by_xgboost(x, y, max(SHOWN), depth, eta), atol=1e-4)
    print(f"XGBoost with the same settings predicts the same, to 0.0001: {'yes' if same else 'no'}")


if __name__ == "__main__":
    main()
