"""Train XGBoost with max_depth=0, no limit, under each tree method, and see what is refused."""

import argparse
from typing import Any

import numpy as np
import xgboost
from sklearn.datasets import load_digits

# [start: settings]
SETTINGS: dict[str, dict[str, Any]] = {
    "default": {},
    "hist, 0": {"tree_method": "hist", "max_depth": 0},
    "approx, 0": {"tree_method": "approx", "max_depth": 0},
    "lossguide, 0, 31 leaves": {"grow_policy": "lossguide", "max_depth": 0, "max_leaves": 31},
    "lossguide, 4, 31 leaves": {"grow_policy": "lossguide", "max_depth": 4, "max_leaves": 31},
    "depthwise, 0, 31 leaves": {"grow_policy": "depthwise", "max_depth": 0, "max_leaves": 31},
    "exact, 0": {"tree_method": "exact", "max_depth": 0},
    "-1": {"max_depth": -1},
    "3.5": {"max_depth": 3.5},
}
# [end: settings]


def make_data() -> xgboost.DMatrix:
    """1797 digits of 8 x 8 pixels, odd (1) or even (0), 15 % of the labels wrong."""
    features, digits = load_digits(return_X_y=True)
    wrong = np.random.RandomState(0).rand(len(digits)) < 0.15
    return xgboost.DMatrix(features, np.where(wrong, 1 - digits % 2, digits % 2))


def describe(booster: xgboost.Booster) -> str:
    """The deepest tree and the largest number of leaves that a tree has."""
    trees = [tree.splitlines() for tree in booster.get_dump()]
    deepest = max(len(node) - len(node.lstrip("\t")) for tree in trees for node in tree)
    return (
        f"depth {deepest:2}, {max(sum('leaf=' in node for node in tree) for tree in trees)} leaves"
    )


def reason(error: Exception) -> str:
    """The sentence of an error of XGBoost, without the place in its source and the stack."""
    line = next(line for line in str(error).splitlines() if line.strip())
    return line.rpartition("] ")[2].rpartition(" : ")[2]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    if min(arguments.rounds, arguments.threads) < 1:
        parser.error("--rounds and --threads: 1 or more")
    train = make_data()
    fixed = {"objective": "binary:logistic", "seed": 0, "nthread": arguments.threads}
    for name, settings in SETTINGS.items():
        try:
            found = describe(xgboost.train(fixed | settings, train, arguments.rounds))
        except (xgboost.core.XGBoostError, TypeError, ValueError) as error:
            found = f"refused: {reason(error)}"
        print(f"{name:24} {found}")


if __name__ == "__main__":
    main()
