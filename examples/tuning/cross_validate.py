"""Compare values of max_depth by k-fold cross-validation, which no tuning job does by itself."""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import xgboost

FIXED = {"objective": "binary:logistic", "eta": 0.3, "seed": 0, "nthread": 1}
ROUNDS = 30


def read_table(path: Path) -> np.ndarray:
    """A CSV file without header, its label of 0 or 1 in the first column.

    Raises OSError, or ValueError with what is wrong with the file.
    """
    if not path.read_text(encoding="utf-8").strip():
        raise ValueError(f"{path} is empty")
    table = np.loadtxt(path, delimiter=",", ndmin=2)
    if table.shape[1] < 2 or set(table[:, 0]) != {0, 1} or (np.abs(table) > 1e38).any():
        raise ValueError(f"{path}: each row needs a label, 0 or 1 (both), and features up to 1e38")
    return table


def as_matrix(table: np.ndarray) -> xgboost.DMatrix:
    """The first column is the label."""
    return xgboost.DMatrix(table[:, 1:], label=table[:, 0], nthread=1)


# [start: validate]
def cross_validate(data: xgboost.DMatrix, depth: int, folds: int) -> tuple[float, float]:
    """The mean and the standard deviation of the log loss over the folds, after all rounds."""
    parameters = FIXED | {"max_depth": depth}
    result = xgboost.cv(
        parameters, data, ROUNDS, nfold=folds, stratified=True, seed=0, as_pandas=False
    )
    return result["test-logloss-mean"][-1], result["test-logloss-std"][-1]


def split_once(data: xgboost.DMatrix, validation: xgboost.DMatrix, depth: int) -> float:
    """The log loss on one validation table: what a tuning job of the built-in algorithm sees."""
    booster = xgboost.train(FIXED | {"max_depth": depth}, data, ROUNDS)
    return float(booster.eval(validation).rpartition(":")[2])


def split_again(tables: list[np.ndarray], depth: int, times: int) -> np.ndarray:
    """The losses when the rows of both tables are dealt out anew, in the same numbers."""
    rows, random, size = np.vstack(tables), np.random.default_rng(0), len(tables[0])
    orders = [random.permutation(len(rows)) for _ in range(times)]
    parts = [(as_matrix(rows[order[:size]]), as_matrix(rows[order[size:]])) for order in orders]
    return np.array([split_once(*part, depth) for part in parts])


# [end: validate]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="with train and validation.csv")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--depths", type=int, nargs="+", default=[1, 2, 3, 4, 6, 8])
    parser.add_argument("--splits", type=int, default=20, help="of all rows, at the best depth")
    parser.add_argument("--json", type=Path, required=True, help="file for the losses")
    arguments = parser.parse_args()
    if arguments.folds < 2 or min(*arguments.depths, arguments.splits) < 1:
        parser.error("--folds: 2 or more; --depths and --splits: 1 or more")
    if max(arguments.depths) > 1000:
        parser.error("--depths: 1000 at most")
    try:
        tables = [read_table(arguments.data / f"{name}.csv") for name in ("train", "validation")]
        if len({table.shape[1] for table in tables}) > 1:
            raise ValueError("The two tables have different numbers of columns")
        data, validation = map(as_matrix, tables)
    except (OSError, ValueError) as error:
        sys.exit(f"{str(error).rstrip('.')}. Write the data with write_data.py first.")
    rarer = int(np.bincount(tables[0][:, 0].astype(int), minlength=2).min())
    if arguments.folds > rarer:
        parser.error(f"--folds: each needs a row of both labels, and one has only {rarer} rows")
    rows = []
    for depth in arguments.depths:
        mean, deviation = cross_validate(data, depth, arguments.folds)
        once = split_once(data, validation, depth)
        rows.append(
            [depth, *(round(x, 5) for x in (mean, mean - deviation, mean + deviation, once))]
        )
        # The form that a metric definition can catch: cv-logloss=([0-9.]+)
        print(f"max_depth={depth} cv-logloss={mean:.4f} deviation={deviation:.4f} once={once:.4f}")
    best = min(rows, key=lambda row: row[1])[0]
    losses = split_again(tables, best, arguments.splits)
    print(
        f"{arguments.splits} other splits at max_depth={best}: mean {losses.mean():.4f},", end=" "
    )
    print(f"deviation {losses.std():.4f}, from {losses.min():.4f} to {losses.max():.4f}")
    columns = ["max_depth", "mean", "low", "high", "once"]
    table = {"columns": columns, "rows": rows}
    try:
        arguments.json.write_text(json.dumps(table) + "\n", encoding="utf-8")
    except OSError as error:
        sys.exit(f"Cannot write {arguments.json}: {error.strerror}. Name another file: --json.")


if __name__ == "__main__":
    main()
