"""Measure bias and variance of XGBoost at each max_depth, over many training samples."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import xgboost

DEPTHS = (1, 2, 3, 4, 6, 8, 10)
NOISE = 1.0  # standard deviation of what no feature explains


def truth(features: Any) -> Any:
    """What could be learned of each row: an interaction of two features, and a third one."""
    return features[:, 0] * features[:, 1] + 0.5 * features[:, 2]


# [start: decompose]
def decompose(depth: int, samples: int, rows: int, threads: int) -> tuple[float, float, float]:
    """Squared bias, variance and mean squared error over models of independent samples.

    All models predict the same 1000 rows. Bias: how far their mean is from the truth, without the
    share that the finite number of models adds. Variance: how far they are from their mean.
    """
    rng = np.random.default_rng(0)
    test = rng.normal(size=(1000, 10))
    settings = {"objective": "reg:squarederror", "max_depth": depth, "seed": 0, "nthread": threads}
    settings["tree_method"] = "exact"  # on so few rows the fastest
    predictions = []
    for _ in range(samples):
        features = rng.normal(size=(rows, 10))
        values = truth(features) + rng.normal(scale=NOISE, size=rows)
        booster = xgboost.train(settings, xgboost.DMatrix(features, values), 30)
        predictions.append(booster.inplace_predict(test))
    found = np.array(predictions, dtype=float)
    variance = found.var(axis=0, ddof=1).mean()
    bias = ((found.mean(axis=0) - truth(test)) ** 2).mean() - variance / samples
    observed = truth(test) + rng.normal(scale=NOISE, size=len(test))
    return bias, variance, ((found - observed) ** 2).mean()


# [end: decompose]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=16, help="training samples per depth")
    parser.add_argument("--rows", type=int, default=400, help="rows of a training sample")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path, required=True, help="file for the figures")
    arguments = parser.parse_args()
    if arguments.samples < 2 or min(arguments.rows, arguments.threads) < 1:
        parser.error("--samples: 2 or more; --rows and --threads: 1 or more")
    rows = []
    for depth in DEPTHS:
        bias, variance, error = decompose(
            depth, arguments.samples, arguments.rows, arguments.threads
        )
        parts = bias, variance, bias + variance, error
        rows.append([depth, *(round(float(part), 4) for part in parts)])
    columns = ["depth", "bias", "variance", "both", "test_error"]
    try:
        arguments.json.write_text(json.dumps({"columns": columns, "rows": rows}) + "\n")
    except OSError as error:
        sys.exit(f"Cannot write {arguments.json}: {error.strerror}. Name another file.")
    print(f"{arguments.samples} samples of {arguments.rows} rows; variance of the noise {NOISE**2}")
    print("depth  bias^2  variance    sum  test error")
    for depth, bias, variance, both, error in rows:
        print(f"{depth:5}  {bias:6.3f}  {variance:8.3f}  {both:5.3f}  {error:10.3f}")


if __name__ == "__main__":
    main()
