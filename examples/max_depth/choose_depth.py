"""Choose max_depth for a CSV file: cross-validation, early stopping, one standard error."""

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
import xgboost
from sklearn.model_selection import KFold, StratifiedKFold

DEPTHS = (1, 2, 3, 4, 6, 8)
METRICS = {"binary:logistic": "logloss", "reg:squarederror": "rmse"}


def read_table(path: Path, objective: str) -> xgboost.DMatrix:
    """Numbers without header, the label first, as SageMaker's XGBoost reads CSV.

    Raises OSError, and ValueError that says what is wrong. Empty features count as missing.
    """
    rows: list[list[float]] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            rows.append([float(cell) if cell.strip() else np.nan for cell in line.split(",")])
        except ValueError:
            raise ValueError(f"line {number}: text; drop the header, encode categories") from None
        if len(rows[-1]) != len(rows[0]):
            raise ValueError(f"line {number}: {len(rows[-1])} columns, line 1 has {len(rows[0])}")
        if not np.isfinite(rows[-1][0]) or np.isinf(rows[-1]).any():
            raise ValueError(f"line {number}: no label, or an infinite number")
        if objective == "binary:logistic" and rows[-1][0] not in (0, 1):
            raise ValueError(f"line {number}: the label is {rows[-1][0]:g}; use 0 and 1")
    if not rows or len(rows[0]) < 2:
        raise ValueError("empty, or a label without features")
    table = np.array(rows)
    positive = table[:, 0].sum() if objective == "binary:logistic" else 5
    if len(table) < 10 or not 5 <= positive <= len(table) - 5:
        raise ValueError("10 rows or more are needed, for 0 and 1 at least 5 of each")
    return xgboost.DMatrix(table[:, 1:], table[:, 0])


# [start: validate]
def cross_validate(train: xgboost.DMatrix, settings: dict[str, Any], metric: str) -> list[Any]:
    """Rounds, loss on rows held out, its standard error, and loss on rows learned from.

    Boosting ends when the mean loss of five models, on what each has not seen, stops falling.
    """
    labels = train.get_label()
    fold = StratifiedKFold if metric == "logloss" else KFold
    folds = list(fold(5, shuffle=True, random_state=0).split(np.zeros(len(labels)), labels))
    found = xgboost.cv(
        settings, train, 1000, folds=folds, early_stopping_rounds=20, as_pandas=False
    )
    held, learned = found[f"test-{metric}-mean"], found[f"train-{metric}-mean"]
    error = found[f"test-{metric}-std"][-1] / np.sqrt(len(folds) - 1)
    return [len(held), *(round(float(value), 4) for value in (held[-1], error, learned[-1]))]


def lowest_within_error(rows: list[list[Any]]) -> list[Any]:
    """The row of the lowest depth whose loss is within one standard error of the best."""
    best = min(rows, key=lambda row: row[2])
    return next(row for row in rows if row[2] <= best[2] + best[3])


# [end: validate]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("train", type=Path)
    parser.add_argument("test", type=Path, help="other rows, to judge the choice")
    parser.add_argument("--objective", choices=METRICS, default="binary:logistic")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    if arguments.threads < 1:
        parser.error("--threads: 1 or more")
    tables = []
    for path in (arguments.train, arguments.test):
        try:
            tables.append(read_table(path, arguments.objective))
        except (OSError, ValueError) as error:
            sys.exit(f"Cannot use {path}: {getattr(error, 'strerror', None) or error}.")
    if tables[0].num_col() != tables[1].num_col():
        sys.exit(f"{arguments.test} has other columns than {arguments.train}.")
    metric = METRICS[arguments.objective]
    fixed = {"objective": arguments.objective, "eval_metric": metric, "eta": 0.1}
    fixed |= {"seed": 0, "nthread": arguments.threads}
    rows = [[d, *cross_validate(tables[0], fixed | {"max_depth": d}, metric)] for d in DEPTHS]
    print(f"{metric} of 5-fold cross-validation\ndepth  rounds  held out  error  learned from")
    for row in rows:
        print("{:5}  {:6}  {:8.3f}  {:5.3f}  {:12.3f}".format(*row))
    default = rows[DEPTHS.index(6)]
    print(f"on {arguments.test}, of the choice and of the default:")
    for depth, rounds, *_ in (lowest_within_error(rows), default):
        booster = xgboost.train(fixed | {"max_depth": depth}, tables[0], rounds)
        loss = float(booster.eval(tables[1]).rpartition(":")[2])
        print(f"max_depth {depth}, num_round {rounds}: {metric} {loss:.3f}")


if __name__ == "__main__":
    main()
