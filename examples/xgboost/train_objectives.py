"""Train XGBoost with each kind of objective and show what its predictions look like."""

import argparse
import re
import sys
import warnings
from pathlib import Path

import numpy as np
import xgboost

SETTINGS = {"max_depth": 3, "eta": 0.2, "seed": 0, "nthread": 1}
ROUNDS = 50
# [start: objectives]
OBJECTIVES = {
    "reg:squarederror": ("regression", {}),
    "binary:logistic": ("binary", {}),
    "binary:logitraw": ("binary", {}),
    "binary:hinge": ("binary", {}),
    "multi:softmax": ("multiclass", {"num_class": 3}),
    "multi:softprob": ("multiclass", {"num_class": 3}),
}
# [end: objectives]


def load(path: Path) -> tuple[xgboost.DMatrix, np.ndarray]:
    """The data of a CSV file without a header, and its first column, the labels."""
    with warnings.catch_warnings(action="ignore"):  # what an empty file is, the error says
        table = np.loadtxt(path, delimiter=",", ndmin=2)
    if table.shape[1] < 2:
        raise ValueError(f"{path}: no rows, or no features")
    return xgboost.DMatrix(table[:, 1:], label=table[:, 0], nthread=1), table[:, 0]


def quality(objective: str, scores: np.ndarray, labels: np.ndarray) -> str:
    """How the predictions of an objective become decisions, and how good these are."""
    if objective.startswith("reg:"):
        return f"RMSE {np.sqrt(np.mean((scores - labels) ** 2)):.4f}"
    if scores.ndim == 2:
        return f"accuracy {np.mean(scores.argmax(axis=1) == labels):.4f}, of the likeliest class"
    if objective == "multi:softmax":
        return f"accuracy {np.mean(scores == labels):.4f}"
    limit = 0.0 if objective == "binary:logitraw" else 0.5
    return f"accuracy {np.mean((scores > limit) == labels):.4f}, of scores above {limit}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="of write_data.py")
    folder = parser.parse_args().folder
    for objective, (task, more) in OBJECTIVES.items():
        try:
            train, _ = load(folder / task / "train.csv")
            rows, labels = load(folder / task / "validation.csv")
            settings = SETTINGS | {"objective": objective} | more
            scores = xgboost.train(settings, train, num_boost_round=ROUNDS).predict(rows)
        except (OSError, ValueError) as error:
            said = str(error).partition("\n")[0].rpartition(" : ")[2].rstrip(".")
            said = re.sub(r"^\[[\d:]+\] \S+ (Check failed: )?", f"{folder / task}: ", said)
            sys.exit(f"{said}. Write the data with write_data.py.")
        first = [np.array2string(score, precision=3, floatmode="fixed") for score in scores[:3]]
        print(f"{objective:16}  shape {scores.shape!s:8}  {' '.join(first)}")
        print(f"{'':16}  {quality(objective, scores, labels)}")


if __name__ == "__main__":
    main()
