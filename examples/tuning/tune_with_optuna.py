"""Tune XGBoost on this computer with Optuna: TPE proposes, the median rule stops what is weak."""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import optuna
import xgboost

ROUNDS = 30
COLUMNS = ["trial", "eta", "max_depth", "min_child_weight", "subsample", "logloss", "rounds"]


# [start: objective]
def suggest(trial: optuna.Trial) -> dict[str, float]:
    """The hyperparameters of one trial: the ranges of the search."""
    return {
        "eta": trial.suggest_float("eta", 0.01, 0.5, log=True),
        "max_depth": trial.suggest_int("max_depth", 2, 8),
        "min_child_weight": trial.suggest_float("min_child_weight", 1, 30, log=True),
        "subsample": trial.suggest_float("subsample", 0.5, 1),
    }


def train(trial: optuna.Trial, data: xgboost.DMatrix, validation: xgboost.DMatrix) -> float:
    """The log loss on the validation data after the last round.

    Raises optuna.TrialPruned: after some round it was worse than the median of earlier trials.
    """
    fixed = {"objective": "binary:logistic", "seed": 0, "nthread": 1}
    booster = xgboost.Booster(fixed | suggest(trial), [data, validation])
    for number in range(ROUNDS):
        booster.update(data, number)
        loss = float(booster.eval(validation).rpartition(":")[2])
        trial.report(loss, number + 1)
        if trial.should_prune():
            raise optuna.TrialPruned
    return loss


# [end: objective]


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


def search(
    data: xgboost.DMatrix, validation: xgboost.DMatrix, trials: int, seed: int, *, prune: bool
) -> optuna.Study:
    """A finished study of so many trials, with or without the median rule."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    # [start: study]
    median = optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=5)
    study = optuna.create_study(
        direction="minimize",
        sampler=optuna.samplers.TPESampler(n_startup_trials=8, seed=seed),
        pruner=median if prune else optuna.pruners.NopPruner(),
    )
    study.optimize(lambda trial: train(trial, data, validation), n_trials=trials)
    # [end: study]
    return study


def as_row(trial: optuna.trial.FrozenTrial) -> list[float | None]:
    """A line of the table: what was tried and what came out; no loss if it was stopped."""
    parameters = [round(trial.params[name], 4) for name in COLUMNS[1:5]]
    return [
        trial.number + 1,
        *parameters,
        None if trial.state == optuna.trial.TrialState.PRUNED else trial.value,
        len(trial.intermediate_values),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="with train and validation.csv")
    parser.add_argument("--trials", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, required=True, help="file for the trials")
    arguments = parser.parse_args()
    if arguments.trials < 1 or not 0 <= arguments.seed < 2**32:
        parser.error("--trials: 1 or more; --seed: 0 to 4294967295")
    try:
        tables = [read_table(arguments.data / f"{name}.csv") for name in ("train", "validation")]
        if len({table.num_col() for table in tables}) > 1:
            raise ValueError("The two tables have different numbers of columns")
    except (OSError, ValueError) as error:
        sys.exit(f"{str(error).rstrip('.')}. Write the data with write_data.py first.")
    rows = {}
    for name, prune in (("all rounds", False), ("median rule", True)):
        study = search(*tables, arguments.trials, arguments.seed, prune=prune)
        rows[name] = [as_row(trial) for trial in study.trials]
        stopped = sum(row[5] is None for row in rows[name])
        rounds = sum(row[6] or 0 for row in rows[name])
        print(f"{name:11}  {rounds} rounds, {stopped} trials stopped early")
        print(f"  best: trial {study.best_trial.number + 1}, log loss {study.best_value:.4f}")
        print("  " + ", ".join(f"{key} {value:.4g}" for key, value in study.best_params.items()))
    table = {"columns": COLUMNS, "rows": rows["all rounds"]}
    try:
        arguments.json.write_text(json.dumps(table) + "\n", encoding="utf-8")
    except OSError as error:
        sys.exit(f"Cannot write {arguments.json}: {error.strerror}. Name another file: --json.")


if __name__ == "__main__":
    main()
