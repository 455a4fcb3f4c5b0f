"""Ask a model what its features are worth, in four ways that disagree, and explain its rows."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import xgboost

FEATURES = ["late_payer", "calls", "months", "discount", "age", "random"]
KINDS = ["weight", "gain", "cover"]
DEPTH = 4
EXPLAINED = 60  # rows of the charts


def make_customers(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """`count` rows of the features, and whether each customer left; `random` means nothing."""
    generator = np.random.default_rng(seed)
    late_payer = generator.binomial(1, 0.15, count)
    calls = generator.poisson(2, count)
    months = generator.integers(1, 60, count)
    discount = generator.binomial(1, 0.5, count)
    age = generator.integers(18, 80, count)
    random = generator.normal(0, 1, count)
    margin = 3 * late_payer + 0.7 * calls - 0.06 * months - 0.5 * discount - 0.5
    left = generator.uniform(size=count) < 1 / (1 + np.exp(-margin))
    return np.column_stack([late_payer, calls, months, discount, age, random]), left.astype(int)


def train(rows: np.ndarray, labels: np.ndarray) -> xgboost.Booster:
    """A model of 40 trees that knows the features' names."""
    settings = {"objective": "binary:logistic", "max_depth": DEPTH, "eta": 0.2}
    data = xgboost.DMatrix(rows, label=labels, feature_names=FEATURES)
    return xgboost.train(settings | {"seed": 0, "nthread": 1}, data, num_boost_round=40)


# [start: shap]
def explain(model: xgboost.Booster, rows: np.ndarray) -> np.ndarray:
    """The SHAP values, one per row and feature, in units of the margin (log odds).

    Raises RuntimeError if those of a row and the bias do not add up to the row's margin.
    """
    data = xgboost.DMatrix(rows, feature_names=FEATURES)
    contributions = model.predict(data, pred_contribs=True)  # the last column is the bias
    margins = model.predict(data, output_margin=True)
    if not np.allclose(contributions.sum(axis=1), margins, atol=1e-4):
        raise RuntimeError("The contributions do not add up to the margin.")
    return contributions[:, :-1]


# [end: shap]


def compare(model: xgboost.Booster, shap: np.ndarray) -> np.ndarray:
    """Each feature's share of the importance by weight, gain, cover, mean |SHAP|: shape (6, 4)."""
    # [start: scores]
    scores = [model.get_score(importance_type=kind) for kind in KINDS]  # without unused features
    # [end: scores]
    columns = [[score.get(name, 0.0) for name in FEATURES] for score in scores]
    table = np.column_stack([*columns, np.abs(shap).mean(axis=0)])
    return (table / table.sum(axis=0)).round(4)


def splits(model: xgboost.Booster, feature: str) -> list[int]:
    """How many splits use a feature, by depth: at the root of a tree, one below, …"""
    nodes = [line for tree in model.get_dump() for line in tree.splitlines()]  # a tab per level
    found = [node.count("\t") for node in nodes if f"[{feature}<" in node]
    return [found.count(depth) for depth in range(DEPTH)]


def dots(rows: np.ndarray, shap: np.ndarray) -> list[list[Any]]:
    """Feature, SHAP value and the feature's value, scaled from 0 to 1, of the first 60 rows."""
    scaled = (rows - rows.min(axis=0)) / np.ptp(rows, axis=0)
    return [
        [name, round(float(shap[row, column]), 4), round(float(scaled[row, column]), 4)]
        for column, name in enumerate(FEATURES)
        for row in range(EXPLAINED)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, required=True, help="file for the charts' numbers")
    path = parser.parse_args().json
    rows, labels = make_customers(count=800, seed=3)
    model = train(rows, labels)
    shap = explain(model, rows)
    shares, head = compare(model, shap), [*KINDS, "mean_shap"]
    importance = [[name, *row] for name, row in zip(FEATURES, shares.tolist(), strict=True)]
    found = {
        "importance": {"columns": ["feature", *head], "rows": importance},
        "rows": {"columns": ["feature", "shap", "value"], "rows": dots(rows, shap)},
    }
    try:
        path.write_text(json.dumps(found) + "\n", encoding="utf-8")
    except OSError as error:
        sys.exit(f"Cannot write {path}: {error.strerror}. Name another file: --json.")
    print("share of importance by" + "".join(f"{name:>12}" for name in head))
    for name, *row in importance:
        print(f"{name:22}" + "".join(f"{part:12.2f}" for part in row))
    first = [FEATURES[row] for row in shares.argmax(axis=0)]
    print(f"{'highest':22}" + "".join(f"{name:>12}" for name in first))
    for feature in ("late_payer", "random"):
        counts = splits(model, feature)
        print(f"splits by {feature}: {sum(counts)}, from the root down: {counts}")
    print(f"contributions + bias = margin, to 0.0001: checked for {len(rows)} rows")


if __name__ == "__main__":
    main()
