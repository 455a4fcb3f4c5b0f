"""Show which interactions of features an XGBoost model of each max_depth can learn."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import xgboost

DEPTHS = (1, 2, 3, 4, 6)
TARGETS = {
    "additive": lambda x: x[:, 0] + x[:, 1] ** 2,
    "pair": lambda x: x[:, 0] * x[:, 1],
    "triple": lambda x: x[:, 0] * x[:, 1] * x[:, 2],
}
CORNERS = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]]) * 0.9  # where x0 * x1 is 0.81 or -0.81
SIGNS = np.array([1, -1, -1, 1])


def train(values: Any, features: Any, depth: int, rounds: int, threads: int) -> xgboost.Booster:
    """A regression model; values hold no noise, so that only the depth limits what is learned."""
    settings = {"objective": "reg:squarederror", "max_depth": depth, "seed": 0, "nthread": threads}
    return xgboost.train(settings, xgboost.DMatrix(features, values), rounds)


def explained(booster: xgboost.Booster, features: Any, values: Any) -> float:
    """The share of the variance that the model explains: 1 is all, 0 no more than the mean."""
    missed = values - booster.inplace_predict(features)
    return float(1 - (missed**2).mean() / values.var())


# [start: interaction]
def largest_interaction(booster: xgboost.Booster, features: Any) -> float:
    """How far the model is from a sum of one function of x0 and one of the other features.

    f(a, b) - f(a, -b) - f(-a, b) + f(-a, -b) is 0 for such a sum, whatever the other features are.
    Returns the largest absolute value over the rows.
    """
    total = np.zeros(len(features))
    for (first, second), sign in zip(CORNERS, SIGNS, strict=True):
        moved = features.copy()
        moved[:, 0], moved[:, 1] = first, second
        total += sign * booster.inplace_predict(moved)
    return float(np.abs(total).max())


# [end: interaction]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=150)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path, required=True, help="file for the figures")
    arguments = parser.parse_args()
    if min(arguments.rounds, arguments.threads) < 1:
        parser.error("--rounds and --threads: 1 or more")
    rng = np.random.default_rng(0)
    known, new = (rng.uniform(-1, 1, size=(rows, 5)) for rows in (2000, 1000))
    rows = []
    for depth in DEPTHS:
        row: list[Any] = [depth]
        for target in TARGETS.values():
            booster = train(target(known), known, depth, arguments.rounds, arguments.threads)
            row.append(round(explained(booster, new, target(new)), 3))
            if target is TARGETS["pair"]:
                strength = round(largest_interaction(booster, new), 3)
        rows.append([*row, strength])
    columns = ["depth", *TARGETS, "interaction"]
    try:
        arguments.json.write_text(json.dumps({"columns": columns, "rows": rows}) + "\n")
    except OSError as error:
        sys.exit(f"Cannot write {arguments.json}: {error.strerror}. Name another file.")
    print("explained share of the variance of new rows; the largest interaction of x0 and x1")
    print("depth  x0 + x1^2  x0 * x1  x0 * x1 * x2  interaction in the model of x0 * x1")
    for depth, additive, pair, triple, strength in rows:
        print(f"{depth:5}  {additive:9.2f}  {pair:7.2f}  {triple:12.2f}  {strength:11.2f}")


if __name__ == "__main__":
    main()
