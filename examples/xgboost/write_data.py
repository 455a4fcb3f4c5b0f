"""Write the data of a regression, a binary and a three-class task as CSV for XGBoost."""

import argparse
import sys
from pathlib import Path

import numpy as np

FEATURES = 8
TASKS = ("regression", "binary", "multiclass")


# [start: make]
def make_tasks(rows: int, seed: int) -> dict[str, np.ndarray]:
    """One table per task, of shape (rows, 1 + 8): the label comes first.

    All labels follow from the same score, which only the first four features have a part in.
    """
    random = np.random.default_rng(seed)
    features = random.uniform(-1, 1, (rows, FEATURES)).round(4)
    score = 3 * features[:, 0] + 2 * features[:, 1] * features[:, 2] - 2 * features[:, 3] ** 2
    noisy = score + random.normal(0, 0.5, rows)
    labels = {
        "regression": noisy.round(4),
        "binary": noisy > np.median(score),
        "multiclass": np.digitize(noisy, np.quantile(score, [1 / 3, 2 / 3])),  # 0, 1, 2
    }
    return {task: np.column_stack([labels[task], features]) for task in TASKS}


# [end: make]


def write_tables(folder: Path, rows: int, seed: int) -> None:
    """Write `<task>/train.csv` of so many rows and `<task>/validation.csv` of a quarter of them.

    Raises FileExistsError: the folder of a task is there already.
    """
    for task, table in make_tasks(rows + rows // 4, seed).items():
        label = "%.4f" if task == "regression" else "%d"
        (folder / task).mkdir(parents=True)
        for name, part in (("train", table[:rows]), ("validation", table[rows:])):
            path = folder / task / f"{name}.csv"
            np.savetxt(path, part, delimiter=",", fmt=[label] + ["%.4f"] * FEATURES)
            print(f"{path}  {len(part)} rows, label and {FEATURES} features")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="for the three folders")
    parser.add_argument("--rows", type=int, default=1000, help="for training; a quarter more")
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    if arguments.rows < 4 or arguments.seed < 0:
        parser.error("--rows: 4 or more, so that validation has a row; --seed: 0 or more")
    there = [task for task in TASKS if (arguments.folder / task).exists()]
    if there:
        sys.exit(f"{arguments.folder / there[0]} exists already: choose another --folder.")
    try:
        write_tables(arguments.folder, arguments.rows, arguments.seed)
    except OSError as error:
        sys.exit(f"{error}. Choose a --folder that can be written; it may hold a part of the data.")


if __name__ == "__main__":
    main()
