"""Measure how max_depth plays together with the other XGBoost settings that limit a tree."""

import argparse
import json
import statistics
import sys
from pathlib import Path
from typing import Any

import numpy as np
import xgboost
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

DEPTHS = (2, 3, 6, 10)
# [start: settings]
SETTINGS: dict[str, dict[str, float]] = {
    "default": {},
    "eta 0.1": {"eta": 0.1},
    "gamma 2": {"gamma": 2},
    "min_child_weight 10": {"min_child_weight": 10},
    "lambda 20": {"lambda": 20},
    "alpha 3": {"alpha": 3},
    "colsample_bytree 0.5": {"colsample_bytree": 0.5},
    "subsample 0.5": {"subsample": 0.5},
    "eta 0.1, subsample 0.5": {"eta": 0.1, "subsample": 0.5},
}
# [end: settings]


def make_splits(count: int) -> list[tuple[xgboost.DMatrix, xgboost.DMatrix]]:
    """Digits, odd (1) or even (0), 15 % of the labels wrong; each split validates other rows."""
    features, digits = load_digits(return_X_y=True)
    wrong = np.random.RandomState(0).rand(len(digits)) < 0.15
    labels = np.where(wrong, 1 - digits % 2, digits % 2)
    splits = []
    for seed in range(count):
        parts = train_test_split(
            features, labels, test_size=0.4, random_state=seed, stratify=labels
        )
        splits.append((xgboost.DMatrix(parts[0], parts[2]), xgboost.DMatrix(parts[1], parts[3])))
    return splits


def loss(settings: dict[str, Any], split: tuple[Any, Any], rounds: int) -> float:
    """The log loss on the validation rows after the last round."""
    train, validation = split
    history: dict[str, Any] = {}
    fixed = {"objective": "binary:logistic", "seed": 0}
    watched = [(validation, "validation")]
    xgboost.train(
        fixed | settings, train, rounds, evals=watched, evals_result=history, verbose_eval=False
    )
    return history["validation"]["logloss"][-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path, required=True, help="file for the figures")
    arguments = parser.parse_args()
    if min(arguments.rounds, arguments.splits, arguments.threads) < 1:
        parser.error("--rounds, --splits and --threads: 1 or more")
    splits = make_splits(arguments.splits)
    rows = []
    for name, settings in SETTINGS.items():
        for depth in DEPTHS:
            chosen = settings | {"max_depth": depth, "nthread": arguments.threads}
            found = [loss(chosen, split, arguments.rounds) for split in splits]
            rows.append([name, depth, round(statistics.mean(found), 4)])
    try:
        figures = {"columns": ["setting", "depth", "loss"], "rows": rows}
        arguments.json.write_text(json.dumps(figures) + "\n", encoding="utf-8")
    except OSError as error:
        sys.exit(f"Cannot write {arguments.json}: {error.strerror}. Name another file.")
    print(f"validation log loss after {arguments.rounds} rounds, mean of {arguments.splits} splits")
    print(f"{'max_depth':22}" + "".join(f"{depth:8}" for depth in DEPTHS))
    losses = {(name, depth): mean for name, depth, mean in rows}
    for name in SETTINGS:
        print(f"{name:22}" + "".join(f"{losses[name, depth]:8.3f}" for depth in DEPTHS))


if __name__ == "__main__":
    main()
