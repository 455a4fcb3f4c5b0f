"""Measure how XGBoost learns at seven values of max_depth: loss, gap, AUC and ROC curve."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xgboost
from sklearn.datasets import load_digits
from sklearn.metrics import roc_auc_score, roc_curve
from sklearn.model_selection import train_test_split

DEPTHS = (1, 2, 3, 4, 6, 8, 10)
FALSE_POSITIVES = np.linspace(0, 1, 41)  # where the ROC curves are read


def make_data() -> tuple[xgboost.DMatrix, xgboost.DMatrix, Any]:
    """Digits of 8 x 8 pixels, odd (1) or even (0), 15 % of the labels wrong: 1078 and 719 rows.

    Returns the rows for training and for validation, and the true classes of the latter.
    """
    features, digits = load_digits(return_X_y=True)
    wrong = np.random.RandomState(0).rand(len(digits)) < 0.15
    true = digits % 2
    labels = np.where(wrong, 1 - true, true)
    parts = train_test_split(features, labels, true, test_size=0.4, random_state=0, stratify=labels)
    return xgboost.DMatrix(parts[0], parts[2]), xgboost.DMatrix(parts[1], parts[3]), parts[5]


# [start: measure]
def measure(data: Sequence[Any], depth: int, rounds: int, threads: int) -> dict[str, Any]:
    """Train at one depth: log loss and AUC after each round, and of the last one the ROC curve.

    `sure` is the mean probability of the class that the model predicts; `right` how often it is.
    """
    train, validation = data
    settings = {
        "objective": "binary:logistic",
        "eval_metric": ["logloss", "auc"],
        "eta": 0.1,
        "max_depth": depth,
        "seed": 0,
        "nthread": threads,
    }
    watched = [(train, "train"), (validation, "validation")]
    history: dict[str, Any] = {}
    booster = xgboost.train(
        settings, train, rounds, evals=watched, evals_result=history, verbose_eval=False
    )
    labels, predicted = validation.get_label(), booster.predict(validation)
    false, true, _ = roc_curve(labels, predicted)
    sure = np.maximum(predicted, 1 - predicted).mean()
    roc = np.interp(FALSE_POSITIVES, false, true)
    return {**history, "roc": roc, "sure": sure, "right": ((predicted > 0.5) == labels).mean()}


# [end: measure]


def as_table(names: list[str], columns: list[Any]) -> dict[str, Any]:
    """Columns as a table of JSON, numbers to four decimals."""
    rows = [[round(float(cell), 4) for cell in row] for row in zip(*columns, strict=True)]
    return {"columns": names, "rows": rows}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path, required=True, help="file for the figures")
    arguments = parser.parse_args()
    if min(arguments.rounds, arguments.threads) < 1:
        parser.error("--rounds and --threads: 1 or more")
    *data, true = make_data()
    runs = [measure(data, depth, arguments.rounds, arguments.threads) for depth in DEPTHS]
    last = []
    for depth, run in zip(DEPTHS, runs, strict=True):
        train, validation = (run[part]["logloss"][-1] for part in ("train", "validation"))
        rest = run["validation"]["auc"][-1], run["sure"], run["right"]
        last.append((depth, train, validation, validation - train, *rest))
    names = [f"depth_{depth}" for depth in DEPTHS]
    rounds = range(1, arguments.rounds + 1)
    figures = {
        part: as_table(["round", *names], [rounds, *(run[part]["logloss"] for run in runs)])
        for part in ("train", "validation")
    }
    figures["roc"] = as_table(
        ["false_positive_rate", *names], [FALSE_POSITIVES, *(run["roc"] for run in runs)]
    )
    columns = ["depth", "train", "validation", "gap", "auc", "sure", "right"]
    figures["last"] = as_table(columns, list(zip(*last, strict=True)))
    try:
        arguments.json.write_text(json.dumps(figures) + "\n", encoding="utf-8")
    except OSError as error:
        sys.exit(f"Cannot write {arguments.json}: {error.strerror}. Name another file.")
    print(
        f"log loss after {arguments.rounds} rounds; on validation: AUC, how sure, how often right"
    )
    print("depth  train  validation    gap    AUC   sure  right")
    for depth, *cells in last:
        print("{:5}  {:.3f}  {:10.3f}  {:.3f}  {:.3f}  {:.3f}  {:.3f}".format(depth, *cells))
    labels = data[1].get_label()
    auc, right = roc_auc_score(labels, true), (labels == true).mean()
    print(f"the true classes, as predictions of these labels: AUC {auc:.3f}, right {right:.3f}")


if __name__ == "__main__":
    main()
