"""Compare Optuna's TPE and random search on the same budget, over many seeds."""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import optuna
import xgboost

ROUNDS = 20


def read_table(path: Path) -> xgboost.DMatrix:
    """A CSV file without header, its label of 0 or 1 in the first column.

    Raises OSError, or ValueError with what is wrong with the file.
    """
    if not path.read_text(encoding="utf-8").strip():
        raise ValueError(f"{path} is empty")
    table = np.loadtxt(path, delimiter=",", ndmin=2)
    if table.shape[1] < 2 or set(table[:, 0]) != {0, 1} or (np.abs(table) > 1e38).any():
        raise ValueError(f"{path}: each row needs a label, 0 or 1 (both), and features up to 1e38")
    return xgboost.DMatrix(table[:, 1:], label=table[:, 0], nthread=1)


def train(trial: optuna.Trial, data: xgboost.DMatrix, validation: xgboost.DMatrix) -> float:
    """The log loss on the validation data with the hyperparameters that the trial proposes."""
    parameters = {
        "objective": "binary:logistic",
        "eta": trial.suggest_float("eta", 0.01, 0.5, log=True),
        "max_depth": trial.suggest_int("max_depth", 2, 8),
        "min_child_weight": trial.suggest_float("min_child_weight", 1, 30, log=True),
        "subsample": trial.suggest_float("subsample", 0.5, 1),
        "seed": 0,
        "nthread": 1,
    }
    booster = xgboost.train(parameters, data, ROUNDS)
    return float(booster.eval(validation).rpartition(":")[2])


# [start: compare]
def best_so_far(
    sampler: optuna.samplers.BaseSampler, tables: list[xgboost.DMatrix], trials: int
) -> np.ndarray:
    """The lowest loss after each trial: an array of shape (trials,)."""
    study = optuna.create_study(direction="minimize", sampler=sampler)
    study.optimize(lambda trial: train(trial, *tables), n_trials=trials)
    return np.minimum.accumulate([trial.value for trial in study.trials])


def compare(tables: list[xgboost.DMatrix], trials: int, seeds: int) -> dict[str, np.ndarray]:
    """The lowest losses of each sampler: arrays of shape (seeds, trials)."""
    samplers = {
        "TPE": lambda seed: optuna.samplers.TPESampler(n_startup_trials=4, seed=seed),
        "random": lambda seed: optuna.samplers.RandomSampler(seed=seed),
    }
    return {
        name: np.array([best_so_far(make(seed), tables, trials) for seed in range(seeds)])
        for name, make in samplers.items()
    }


# [end: compare]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="with train and validation.csv")
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--json", type=Path, required=True, help="file for the curves")
    arguments = parser.parse_args()
    if min(arguments.trials, arguments.seeds) < 1:
        parser.error("--trials and --seeds: 1 or more")
    try:
        tables = [read_table(arguments.data / f"{name}.csv") for name in ("train", "validation")]
        if len({table.num_col() for table in tables}) > 1:
            raise ValueError("The two tables have different numbers of columns")
    except (OSError, ValueError) as error:
        sys.exit(f"{str(error).rstrip('.')}. Write the data with write_data.py first.")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    found = compare(tables, arguments.trials, arguments.seeds)
    for name, losses in found.items():
        last = losses[:, -1]
        print(f"{name:6}  mean {last.mean():.4f}, from {last.min():.4f} to {last.max():.4f}")
    ahead = int((found["TPE"][:, -1] < found["random"][:, -1]).sum())
    print(f"TPE is ahead with {ahead} of {arguments.seeds} seeds")
    means = np.column_stack([losses.mean(axis=0) for losses in found.values()]).round(5)
    rows = [[number, *row] for number, row in enumerate(means.tolist(), 1)]
    table = {"columns": ["trial", *found], "rows": rows}
    try:
        arguments.json.write_text(json.dumps(table) + "\n", encoding="utf-8")
    except OSError as error:
        sys.exit(f"Cannot write {arguments.json}: {error.strerror}. Name another file: --json.")


if __name__ == "__main__":
    main()
