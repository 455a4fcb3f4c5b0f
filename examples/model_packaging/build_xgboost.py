"""Pack an XGBoost model for the built-in algorithm: one file, xgboost-model, at the root."""

import argparse
import sys
import tarfile
import tempfile
import warnings
from pathlib import Path

import numpy as np
import xgboost

SETTINGS = {"objective": "binary:logistic", "max_depth": 4, "eta": 0.3, "seed": 0, "nthread": 1}


def train(table: Path) -> xgboost.Booster:
    """A model of a CSV file without a header, the label (0 or 1) first.

    Raises OSError: no such file; ValueError: a cell is not a number, or a label not 0 or 1.
    """
    with warnings.catch_warnings(action="ignore"):  # what an empty file is, the error says
        rows = np.loadtxt(table, delimiter=",", ndmin=2)
    if rows.shape[1] < 2 or not np.isin(rows[:, 0], [0, 1]).all():
        raise ValueError("no rows, no features, or labels other than 0 and 1")
    return xgboost.train(SETTINGS, xgboost.DMatrix(rows[:, 1:], label=rows[:, 0]), 20)


# [start: layout]
def lay_out(model: xgboost.Booster, folder: Path) -> None:
    """Write what the container finds in /opt/ml/model: this name, no script, no other file."""
    saved = folder / "model.ubj"  # the ending names the format, which is not a pickle
    model.save_model(saved)
    saved.rename(folder / "xgboost-model")


# [end: layout]


# [start: pack]
def pack(folder: Path, archive: Path) -> list[str]:
    """Pack what lies in the folder, not the folder itself; returns the names in the archive."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    with tarfile.open(archive, "w:gz") as packed:
        for file in files:
            packed.add(file, arcname=file.relative_to(folder).as_posix())
    return [file.relative_to(folder).as_posix() for file in files]


# [end: pack]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", type=Path, required=True, help="CSV file, the label first")
    parser.add_argument("--archive", type=Path, required=True, help="model.tar.gz to write")
    arguments = parser.parse_args()
    try:
        model = train(arguments.train)
        with tempfile.TemporaryDirectory() as folder:
            lay_out(model, Path(folder))
            names = pack(Path(folder), arguments.archive)
    except (OSError, ValueError) as error:
        sys.exit(f"{error}. Give a CSV file of write_data.py, and an --archive in a folder.")
    print(f"{arguments.archive}: {', '.join(names)}")


if __name__ == "__main__":
    main()
