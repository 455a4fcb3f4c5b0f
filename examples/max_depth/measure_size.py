"""Measure what max_depth does to an XGBoost model: leaves, real depth, bytes, prediction time."""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import xgboost
from sklearn.datasets import load_digits

DEPTHS = (1, 2, 3, 4, 6, 8, 10, 12, 15)
REPEAT = 15  # predictions of all rows; other work on the machine only adds time


def make_data() -> tuple[Any, Any]:
    """1797 digits of 8 x 8 pixels, odd (1) or even (0), 15 % of the labels wrong."""
    features, digits = load_digits(return_X_y=True)
    wrong = np.random.RandomState(0).rand(len(digits)) < 0.15
    return features, np.where(wrong, 1 - digits % 2, digits % 2)


# [start: trees]
def tree_sizes(booster: xgboost.Booster) -> list[tuple[int, int]]:
    """The number of leaves and the depth in splits of each tree, from the dump of the model.

    In the dump a node is a line, indented by one tab for each split above it.
    """
    sizes = []
    for tree in booster.get_dump():
        nodes = tree.splitlines()
        leaves = sum("leaf=" in node for node in nodes)
        sizes.append((leaves, max(len(node) - len(node.lstrip("\t")) for node in nodes)))
    return sizes


# [end: trees]


def predict_ms(booster: xgboost.Booster, features: Any) -> float:
    """Milliseconds per 1000 rows, which is microseconds per row: the fastest run."""
    took = []
    for _ in range(REPEAT):
        start = time.perf_counter()
        booster.inplace_predict(features)
        took.append(time.perf_counter() - start)
    return min(took) * 1e6 / len(features)


def measure(data: tuple[Any, Any], depth: int, rounds: int, threads: int) -> list[Any]:
    """One row: depth, leaves, deepest tree, trees that reach the limit, bytes, time."""
    features, labels = data
    settings = {"objective": "binary:logistic", "eta": 0.1, "max_depth": depth, "seed": 0}
    settings["nthread"] = threads
    booster = xgboost.train(settings, xgboost.DMatrix(features, labels), rounds)
    sizes = tree_sizes(booster)
    return [
        depth,
        sum(leaves for leaves, _ in sizes),
        max(found for _, found in sizes),
        sum(found == depth for _, found in sizes),
        len(booster.save_raw("ubj")),
        round(predict_ms(booster, features), 3),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path, required=True, help="file for the figures")
    arguments = parser.parse_args()
    if min(arguments.rounds, arguments.threads) < 1:
        parser.error("--rounds and --threads: 1 or more")
    data = make_data()
    rows = [measure(data, depth, arguments.rounds, arguments.threads) for depth in DEPTHS]
    columns = ["depth", "leaves", "deepest", "at_limit", "bytes", "per_1000_rows_ms"]
    try:
        arguments.json.write_text(json.dumps({"columns": columns, "rows": rows}) + "\n")
    except OSError as error:
        sys.exit(f"Cannot write {arguments.json}: {error.strerror}. Name another file.")
    print(f"{arguments.rounds} trees; the times are in {arguments.json}")
    print("depth  leaves  deepest  at limit   bytes")
    for depth, leaves, deepest, at_limit, size, _ in rows:
        print(f"{depth:5}  {leaves:6}  {deepest:7}  {at_limit:8}  {size:6}")


if __name__ == "__main__":
    main()
