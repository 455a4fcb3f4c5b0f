"""Judge the losses of every boosting round by two rules: of a healthy run and of two bad ones."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import xgboost

# Rows for training, rounds, hyperparameters. No leaf can have the weight that the last one asks of
# it, so that no tree has a split.
RUNS = {
    "healthy": (4000, 40, {"max_depth": 2, "eta": 0.2}),
    "overfit": (400, 100, {"max_depth": 6, "eta": 0.1}),
    "no splits": (4000, 40, {"min_child_weight": 4000}),
}
Losses = Sequence[float]


# [start: rules]
def overfit(
    train: Losses,
    validation: Losses,
    start_step: int = 0,
    patience: int = 1,
    ratio_threshold: float = 0.1,
) -> str | None:
    """What is wrong if, in each of the last rounds, validation loss was too far above training."""
    last = list(zip(train, validation, strict=True))[start_step:][-patience:]
    ratios = [(held - seen) / seen for seen, held in last]
    if len(ratios) < patience or min(ratios) <= ratio_threshold:
        return None
    return f"validation loss is {ratios[-1]:.0%} above training loss"


def loss_not_decreasing(
    losses: Losses, num_steps: int = 10, diff_percent: float = 0.1
) -> str | None:
    """What is wrong if, each time so many rounds are over, a loss has not fallen by so much."""
    step = len(losses) - 1
    if step < num_steps or step % num_steps:
        return None
    fallen = 100 * (1 - losses[step] / losses[step - num_steps])
    if fallen >= diff_percent:
        return None
    return f"training loss fell by {fallen:.1f} % in {num_steps} rounds"


# [end: rules]


# [start: callback]
class Watch(xgboost.callback.TrainingCallback):
    """Keeps in `fired` the first round in which each rule fires, and why."""

    def __init__(self) -> None:
        self.fired: dict[str, tuple[int, str]] = {}

    def after_iteration(self, model: xgboost.Booster, epoch: int, evals_log: dict) -> bool:
        train, validation = (evals_log[name]["logloss"] for name in ("train", "validation"))
        found = {
            "Overfit": overfit(train, validation),
            "LossNotDecreasing": loss_not_decreasing(train),
        }
        for rule, reason in found.items():
            if reason:
                self.fired.setdefault(rule, (epoch, reason))
        return False  # True would end the training


# [end: callback]


def make_data(rows: int, seed: int) -> xgboost.DMatrix:
    """Eight features that all have a part in the label, and noise that no model can learn."""
    random = np.random.default_rng(seed)
    features = random.normal(size=(rows, 8))
    score = features @ [1, -1, 0.8, -0.8, 0.6, -0.6, 0.4, -0.4] + random.normal(size=rows)
    return xgboost.DMatrix(features, label=score > 0, nthread=1)


def watched(rows: int, rounds: int, chosen: dict[str, float]) -> tuple[Watch, Losses, Losses]:
    """Train once under watch; returns the losses of training and validation too."""
    watch, log = Watch(), {}
    train, validation = make_data(rows, seed=0), make_data(2000, seed=1)
    xgboost.train(
        {"objective": "binary:logistic", "nthread": 1, "seed": 0, **chosen},
        train,
        num_boost_round=rounds,
        evals=[(train, "train"), (validation, "validation")],
        callbacks=[watch],
        evals_result=log,
        verbose_eval=False,
    )
    return watch, log["train"]["logloss"], log["validation"]["logloss"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, required=True, help="file for the losses")
    file, figures = parser.parse_args().json, {}
    for name, settings in RUNS.items():
        watch, train, validation = watched(*settings)
        lowest = int(np.argmin(validation))
        print(f"{name}: training loss {train[-1]:.3f}, validation loss {validation[-1]:.3f}")
        for rule, (number, reason) in watch.fired.items():
            print(f"  round {number:2}  {rule}: {reason}")
        print(f"  round {lowest:2}  the lowest validation loss, {validation[lowest]:.3f}")
        fired = {number for number, _ in watch.fired.values()}
        figures[name] = {
            "columns": ["round", "train", "validation", "fired", "lowest"],
            "rows": [
                [number, round(seen, 4), round(held, 4)]
                + [round(held, 4) if number in marked else None for marked in (fired, {lowest})]
                for number, (seen, held) in enumerate(zip(train, validation, strict=True))
                if number % 2 == 0 or number in fired | {lowest}
            ],
        }
    try:
        file.write_text(json.dumps(figures) + "\n", encoding="utf-8")
    except OSError as error:
        sys.exit(f"{error}. The losses were not kept: choose a --json that can be written.")


if __name__ == "__main__":
    main()
