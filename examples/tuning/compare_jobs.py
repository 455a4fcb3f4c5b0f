"""Compare what tuning jobs of two strategies had found after the same number of training jobs."""

import argparse
import json
import sys
from pathlib import Path

import numpy as np


# [start: best]
def best_so_far(paths: list[Path]) -> np.ndarray:
    """The lowest objective after each training job: an array of shape (files, training jobs).

    Raises OSError; ValueError: the budgets differ, or nothing was trained; another error: a file is
    not one of read_tuning_job.py, or an objective is missing.
    """
    curves = []
    for path in paths:
        table = json.loads(path.read_text(encoding="utf-8"))
        place = table["columns"].index("objective")
        curves.append([float(row[place]) for row in table["rows"]])
    if len({len(curve) for curve in curves}) > 1:
        raise ValueError("the tuning jobs have different numbers of training jobs")
    if not curves[0]:
        raise ValueError("the tuning jobs have no training jobs")
    return np.minimum.accumulate(curves, axis=1)


# [end: best]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bayesian", type=Path, nargs="+", required=True)
    parser.add_argument("--random", type=Path, nargs="+", required=True, help="of the same seeds")
    parser.add_argument("--json", type=Path, required=True, help="file for the curves")
    given = parser.parse_args()
    if len(given.bayesian) != len(given.random):
        parser.error("--bayesian and --random: name as many files each")
    try:
        found = best_so_far([*given.bayesian, *given.random])
    except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
        sys.exit(
            f"{type(error).__name__}: {error}. Write each file with read_tuning_job.py --json."
        )
    bayesian, random = np.split(found, 2)
    print("job  Bayesian  Random  (mean of the best so far)")
    rows = []
    for number in range(found.shape[1]):
        means = [round(float(part[:, number].mean()), 5) for part in (bayesian, random)]
        rows.append([number + 1, *means])
        print(f"{number + 1:3}  {means[0]:8.4f}  {means[1]:6.4f}")
    for seed, (one, other) in enumerate(zip(bayesian[:, -1], random[:, -1], strict=True), 1):
        print(f"seed {seed}: Bayesian {one:.4f}, Random {other:.4f}")
    table = {"columns": ["job", "bayesian", "random"], "rows": rows}
    try:
        given.json.write_text(json.dumps(table) + "\n", encoding="utf-8")
    except OSError as error:
        sys.exit(f"Cannot write {given.json}: {error.strerror}. Name another file: --json.")


if __name__ == "__main__":
    main()
