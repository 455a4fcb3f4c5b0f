"""Train XGBoost until a rule fires, and keep the model of that round: a script for any machine."""

import argparse
import sys
from pathlib import Path

import numpy as np
import xgboost


def overfit(
    train: list[float], validation: list[float], patience: int, ratio_threshold: float
) -> bool:
    """Whether, in each of the last rounds, validation loss was too far above training loss."""
    last = list(zip(train, validation, strict=True))[-patience:]
    return len(last) == patience and all(
        (held - seen) / seen > ratio_threshold for seen, held in last
    )


# [start: stop]
class StopOnOverfit(xgboost.callback.TrainingCallback):
    """Ends the training in the round in which the rule fires."""

    def __init__(self, patience: int, ratio_threshold: float) -> None:
        self.settings = (patience, ratio_threshold)

    def after_iteration(self, model: xgboost.Booster, epoch: int, evals_log: dict) -> bool:
        train, validation = (evals_log[name]["logloss"] for name in ("train", "validation"))
        return overfit(train, validation, *self.settings)  # True: no further round


# [end: stop]


def read_table(path: Path) -> xgboost.DMatrix:
    """A CSV file without header, its label of 0 or 1 in the first column.

    Raises OSError, or ValueError with what is wrong with the file.
    """
    if not path.read_text(encoding="utf-8").strip():
        raise ValueError(f"{path} is empty")
    table = np.loadtxt(path, delimiter=",", ndmin=2)
    labelled = table.shape[1] > 1 and np.isin(table[:, 0], [0, 1]).all()
    if not labelled or (np.abs(table) > 1e38).any():
        raise ValueError(f"{path}: each row needs a label, 0 or 1, and then features up to 1e38")
    return xgboost.DMatrix(table[:, 1:], label=table[:, 0], nthread=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("--validation", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True, help="file to write")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--rule", choices=["overfit", "early-stopping", "none"], default="overfit")
    parser.add_argument("--patience", type=int, default=1)
    parser.add_argument("--ratio-threshold", type=float, default=0.1)
    arguments = parser.parse_args()
    if arguments.rounds < 1 or arguments.patience < 1:
        parser.error("--rounds and --patience: 1 or more")
    if not np.isfinite(arguments.ratio_threshold):
        parser.error("--ratio-threshold: a finite number")
    # [start: rules]
    rules = {
        "overfit": [StopOnOverfit(arguments.patience, arguments.ratio_threshold)],
        "early-stopping": [
            xgboost.callback.EarlyStopping(rounds=arguments.patience, save_best=True)
        ],
        "none": [],
    }
    # [end: rules]
    log = {}
    try:
        train, validation = read_table(arguments.train), read_table(arguments.validation)
        if train.num_col() != validation.num_col():
            raise ValueError("The two tables have different numbers of columns")
        model = xgboost.train(
            {"objective": "binary:logistic", "eta": 0.1, "nthread": 1, "seed": 0},
            train,
            num_boost_round=arguments.rounds,
            evals=[(train, "train"), (validation, "validation")],  # the last one stops early
            callbacks=rules[arguments.rule],
            evals_result=log,
            verbose_eval=False,
        )
        arguments.model.write_bytes(model.save_raw("ubj"))
    except (OSError, ValueError) as error:
        reason = str(error).partition("Stack trace")[0].strip().rpartition(" : ")[2].rstrip(".")
        sys.exit(f"{reason}. No model was written: check the three files.")
    kept = model.num_boosted_rounds()
    seen, held = (log[name]["logloss"] for name in ("train", "validation"))
    print(f"{len(held)} of {arguments.rounds} rounds trained, {kept} kept in {arguments.model}")
    print(f"training loss {seen[kept - 1]:.3f}, validation loss {held[kept - 1]:.3f}")


if __name__ == "__main__":
    main()
