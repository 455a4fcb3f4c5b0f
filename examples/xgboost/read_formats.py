"""Read the four formats of write_formats.py as the container does, and train on each."""

import argparse
import re
import struct
import sys
import warnings
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import xgboost

SETTINGS = {"objective": "binary:logistic", "max_depth": 3, "eta": 0.2, "seed": 0, "nthread": 1}


def text(path: Path, form: str) -> xgboost.DMatrix:
    """By XGBoost's own reader, which is deprecated since 3.1 and warns of it."""
    with warnings.catch_warnings(action="ignore"):
        return xgboost.DMatrix(f"{path}?{form}", nthread=1)


def matrix(features: np.ndarray, labels: np.ndarray) -> xgboost.DMatrix:
    """Features of shape (rows, columns) and one label per row, as XGBoost holds them."""
    return xgboost.DMatrix(features, label=labels, nthread=1)


def parquet(path: Path) -> xgboost.DMatrix:
    """The columns of a file in their order, the label first."""
    table = np.column_stack([column.to_numpy() for column in pq.read_table(path).columns])
    return matrix(table[:, 1:], table[:, 0])


# [start: recordio]
def number(message: bytes, at: int) -> tuple[int, int]:
    """The varint at a place, and the place behind it."""
    end = next(place for place in range(at, len(message)) if message[place] < 128) + 1
    return sum((byte & 127) << 7 * i for i, byte in enumerate(message[at:end])), end


def find(message: bytes, *path: int) -> np.ndarray:
    """The float32 numbers in the field to which a path of field numbers leads."""
    for wanted in path:
        found = end = 0
        while found != wanted:
            tag, at = number(message, end)
            length, start = number(message, at)
            found, end = tag >> 3, start + length
        message = message[start:end]
    return np.frombuffer(message, "<f4")


def recordio(path: Path) -> xgboost.DMatrix:
    """The rows of a file of frames.

    Raises ValueError where no frame begins; struct.error or StopIteration where one is cut off.
    """
    content, at, features, labels = path.read_bytes(), 0, [], []
    while at < len(content):
        magic, length = struct.unpack_from("<II", content, at)
        if magic != 0xCED7230A:
            raise ValueError(f"{path}: no frame of recordio at byte {at}")
        record = content[at + 8 : at + 8 + length]
        features.append(find(record, 1, 2, 2, 1))
        labels.append(find(record, 2, 2, 2, 1))
        at += 8 + length + -length % 4
    return matrix(np.stack(features), np.concatenate(labels))


# [end: recordio]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="of write_formats.py")
    folder = parser.parse_args().folder
    try:
        data = {
            "csv": text(folder / "csv" / "train.csv", "format=csv&label_column=0"),
            "libsvm": text(folder / "libsvm" / "train.libsvm", "format=libsvm"),
            "parquet": parquet(folder / "parquet" / "train.parquet"),
            "recordio": recordio(folder / "recordio" / "train.recordio"),
        }
        models = {name: xgboost.train(SETTINGS, read, 20).save_raw() for name, read in data.items()}
    except (OSError, ValueError, struct.error, StopIteration) as error:
        said = str(error).partition("\n")[0].rpartition(" : ")[2].rstrip(".")
        said = re.sub(r"^\[[\d:]+\] \S+ (Check failed: )?", "", said) or "A frame is broken"
        sys.exit(f"{said}. Write the files with write_formats.py.")
    values = data["csv"].get_data().toarray()
    for name, read in data.items():
        same = np.array_equal(read.get_data().toarray(), values)
        equal = models[name] == models["csv"]
        print(f"{name:8}  {read.num_row()} x {read.num_col()}  data equal: {same}  model: {equal}")


if __name__ == "__main__":
    main()
