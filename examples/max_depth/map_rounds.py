"""Map the validation loss of XGBoost over max_depth and the number of boosting rounds."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import xgboost
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

DEPTHS = (1, 2, 3, 4, 6, 8, 10)
ROUNDS = (5, 10, 25, 50, 100, 200)


def make_data() -> tuple[xgboost.DMatrix, xgboost.DMatrix]:
    """Digits of 8 x 8 pixels, odd (1) or even (0), 15 % of the labels wrong: 1078 and 719 rows."""
    features, digits = load_digits(return_X_y=True)
    wrong = np.random.RandomState(0).rand(len(digits)) < 0.15
    labels = np.where(wrong, 1 - digits % 2, digits % 2)
    parts = train_test_split(features, labels, test_size=0.4, random_state=0, stratify=labels)
    return xgboost.DMatrix(parts[0], parts[2]), xgboost.DMatrix(parts[1], parts[3])


# [start: losses]
def losses(data: tuple[Any, Any], depth: int, rounds: int, threads: int) -> list[float]:
    """The log loss on the validation rows after each round: one training gives a whole column."""
    train, validation = data
    settings = {"objective": "binary:logistic", "eta": 0.1, "max_depth": depth}
    settings |= {"seed": 0, "nthread": threads}
    history: dict[str, Any] = {}
    watched = [(validation, "validation")]
    xgboost.train(settings, train, rounds, evals=watched, evals_result=history, verbose_eval=False)
    return history["validation"]["logloss"]


# [end: losses]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--most", type=int, default=200, help="rounds")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path, required=True, help="file for the figures")
    arguments = parser.parse_args()
    if arguments.most < ROUNDS[0] or arguments.threads < 1:
        parser.error(f"--most: {ROUNDS[0]} or more; --threads: 1 or more")
    shown = [count for count in ROUNDS if count <= arguments.most]
    data = make_data()
    found = {depth: losses(data, depth, arguments.most, arguments.threads) for depth in DEPTHS}
    cells = [
        [depth, count, round(found[depth][count - 1], 4)] for count in shown for depth in DEPTHS
    ]
    best = [
        [depth, int(np.argmin(curve)) + 1, round(min(curve), 4), round(curve[-1], 4)]
        for depth, curve in found.items()
    ]
    figures = {
        "map": {"columns": ["depth", "rounds", "loss"], "rows": cells},
        "best": {"columns": ["depth", "best_round", "best_loss", "last_loss"], "rows": best},
    }
    try:
        arguments.json.write_text(json.dumps(figures) + "\n", encoding="utf-8")
    except OSError as error:
        sys.exit(f"Cannot write {arguments.json}: {error.strerror}. Name another file.")
    print(f"validation log loss of {arguments.most} rounds")
    print("depth  best round  best loss  last loss")
    for depth, at, lowest, last in best:
        print(f"{depth:5}  {at:10}  {lowest:9.3f}  {last:9.3f}")


if __name__ == "__main__":
    main()
