"""Train two versions of a model for the servers: v1 with a few rounds, v2 with more."""

import argparse
import sys
from pathlib import Path

import numpy as np
import xgboost

ROUNDS = {"v1": 5, "v2": 40}


def read_table(path: Path) -> xgboost.DMatrix:
    """A CSV without header, label first; raises ValueError: text, or rows of different length."""
    table = np.loadtxt(path, delimiter=",", ndmin=2)
    return xgboost.DMatrix(table[:, 1:], table[:, 0], nthread=1)


# [start: train]
def train_versions(train: xgboost.DMatrix, folder: Path) -> dict[str, Path]:
    """Write `<version>.json` for each version into the folder; raises OSError: it cannot."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = {"objective": "binary:logistic", "max_depth": 4, "seed": 0, "nthread": 1}
    paths = {version: folder / f"{version}.json" for version in ROUNDS}
    for version, path in paths.items():
        xgboost.train(settings, train, ROUNDS[version]).save_model(path)
    return paths


# [end: train]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="with train and validation.csv")
    parser.add_argument("--folder", type=Path, required=True, help="for the two models")
    arguments = parser.parse_args()
    try:
        train, validation = (
            read_table(arguments.data / f"{name}.csv") for name in ("train", "validation")
        )
        paths = train_versions(train, arguments.folder)
    except (OSError, ValueError, xgboost.core.XGBoostError) as error:
        reason = str(error).splitlines()[0]
        sys.exit(f"Cannot train: {reason}. Choose --data with labels first, and another --folder.")
    for version, path in paths.items():
        likely = xgboost.Booster(model_file=path).predict(validation) >= 0.5
        right = np.mean(likely == validation.get_label())
        print(f"{path}  {ROUNDS[version]:2d} rounds, right in validation: {right:.3f}")


if __name__ == "__main__":
    main()
