"""Stop XGBoost when validation no longer improves, and read the best round from the saved model."""

import argparse
import json
import re
import sys
import warnings
from pathlib import Path

import numpy as np
import xgboost

SETTINGS = {
    "objective": "binary:logistic",
    "eval_metric": "logloss",
    "max_depth": 6,
    "eta": 0.3,
    "seed": 0,
    "nthread": 1,
}
Curves = dict[str, dict[str, list[float]]]


def load(path: Path) -> xgboost.DMatrix:
    """A CSV file without a header, the label first.

    Raises ValueError: it holds no row, no feature, or a label other than 0 and 1.
    """
    with warnings.catch_warnings(action="ignore"):  # what an empty file is, the error says
        table = np.loadtxt(path, delimiter=",", ndmin=2)
    if table.shape[1] < 2 or not np.isin(table[:, 0], [0, 1]).all():
        raise ValueError(f"{path}: no rows, no features, or labels other than 0 and 1")
    return xgboost.DMatrix(table[:, 1:], label=table[:, 0], nthread=1)


# [start: train]
def train(
    data: dict[str, xgboost.DMatrix], rounds: int, patience: int | None, save_best: bool = True
) -> tuple[xgboost.Booster, Curves]:
    """Train until validation has not improved for so many rounds; None: through all rounds.

    save_best: drop the trees after the best round, as SageMaker's container does.
    """
    curves: Curves = {}
    stop = xgboost.callback.EarlyStopping(rounds=patience or rounds, save_best=save_best)
    model = xgboost.train(
        SETTINGS,
        data["train"],
        num_boost_round=rounds,
        evals=[(matrix, name) for name, matrix in data.items()],  # the last decides
        evals_result=curves,
        verbose_eval=False,
        callbacks=[stop] if patience else [],
    )
    return model, curves


# [end: train]


# [start: read]
def describe(saved: bytes) -> str:
    """What a saved model says of itself: it holds the best round as an attribute."""
    model = xgboost.Booster(model_file=bytearray(saved))
    best = model.attr("best_iteration")
    if best is None:
        return f"{model.num_boosted_rounds()} trees"
    score = float(model.attr("best_score"))
    return f"{model.num_boosted_rounds()} trees, best_iteration {best}, best_score {score:.4f}"


# [end: read]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="binary/ of write_data.py")
    parser.add_argument("--rounds", type=int, default=150)
    parser.add_argument("--patience", type=int, default=10, help="early_stopping_rounds")
    parser.add_argument("--json", type=Path, required=True, help="file for the curves")
    arguments = parser.parse_args()
    if arguments.rounds < 1 or arguments.patience < 1:
        parser.error("--rounds and --patience: 1 or more")
    try:
        names = ("train", "validation")
        data = {name: load(arguments.folder / f"{name}.csv") for name in names}
        rounds, patience = arguments.rounds, arguments.patience
        full, curves = train(data, rounds, None)
        best, short = train(data, rounds, patience)
        late, _ = train(data, rounds, patience, save_best=False)
    except (OSError, ValueError) as error:
        said = str(error).partition("\n")[0].rpartition(" : ")[2].rstrip(".")
        said = re.sub(r"^\[[\d:]+\] \S+ (Check failed: )?", "", said)
        sys.exit(f"{said}. Write the data with write_data.py.")
    losses = [curves[name]["logloss"] for name in names]
    rows = [[i, *(round(x, 5) for x in row)] for i, row in enumerate(zip(*losses, strict=True))]
    table = {"columns": ["round", *names], "rows": rows[:: max(1, rounds // 75)]}
    try:
        arguments.json.write_text(json.dumps(table) + "\n", encoding="utf-8")
    except OSError as error:
        sys.exit(f"Cannot write {arguments.json}: {error.strerror}. Name another file: --json.")
    ran = len(short["validation"]["logloss"])
    print(f"all rounds:   {describe(full.save_raw())}, last score {losses[1][-1]:.4f}")
    print(f"stopped:      {ran} rounds ran; {describe(best.save_raw())}")
    print(f"all trees:    {describe(late.save_raw())}")
    rows_of = data["validation"]
    cut = late.predict(rows_of, iteration_range=(0, late.best_iteration + 1))
    for name, model in (("stopped", best), ("all trees", late)):
        apart = np.abs(model.predict(rows_of) - cut).max()
        print(f"predict by {name}: up to {apart:.4f} from that of the best round")


if __name__ == "__main__":
    main()
