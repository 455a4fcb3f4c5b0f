"""Show what instance weights do in XGBoost: as repeated rows, and why not as scale_pos_weight."""

import argparse
import re
import sys
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import xgboost

SETTINGS = {"objective": "binary:logistic", "max_depth": 3, "eta": 0.2, "seed": 0, "nthread": 1}
ROUNDS = 20
FIXED = {"base_score": 0.5}, {"tree_method": "exact"}, {"base_score": 0.5, "tree_method": "exact"}


def read_table(path: Path) -> np.ndarray:
    """A CSV file without a header, the label first.

    Raises ValueError: it holds no row, no feature, or a label other than 0 and 1.
    """
    with warnings.catch_warnings(action="ignore"):  # what an empty file is, the error says
        table = np.loadtxt(path, delimiter=",", ndmin=2)
    if table.shape[1] < 2 or not np.isin(table[:, 0], [0, 1]).all():
        raise ValueError(f"{path}: no rows, no features, or labels other than 0 and 1")
    return table


# [start: formats]
def csv(table: np.ndarray, weights: np.ndarray) -> str:
    """The weight is the second column: for the hyperparameter csv_weights=1."""
    rows = np.column_stack([table[:, 0], weights, table[:, 1:]])
    return "".join(",".join(f"{x:.9g}" for x in row) + "\n" for row in rows)


def libsvm(table: np.ndarray, weights: np.ndarray) -> str:
    """`label:weight index:value …`: no hyperparameter is needed."""
    heads = (f"{row[0]:.9g}:{weight:.9g}" for row, weight in zip(table, weights, strict=True))
    rows = (" ".join(f"{i}:{x:.9g}" for i, x in enumerate(row[1:])) for row in table)
    return "".join(f"{head} {row}\n" for head, row in zip(heads, rows, strict=True))


# [end: formats]


def read(text: str, form: str) -> xgboost.DMatrix:
    """The data by XGBoost's own reader, as SageMaker's container reads them."""
    with TemporaryDirectory() as folder, warnings.catch_warnings(action="ignore"):
        path = Path(folder, "train")
        path.write_text(text, encoding="utf-8")
        return xgboost.DMatrix(f"{path}?{form}", nthread=1)


def matrix(table: np.ndarray, weights: np.ndarray | None = None) -> xgboost.DMatrix:
    """A table of shape (rows, 1 + features), the label first, and one weight per row."""
    return xgboost.DMatrix(table[:, 1:], label=table[:, 0], weight=weights, nthread=1)


def predictions(
    train: np.ndarray, rows: np.ndarray, weight: int, fixed: dict[str, Any]
) -> dict[str, np.ndarray]:
    """By each way to count the rows of class 1 so many times, of validation rows."""
    settings = SETTINGS | fixed
    weights = np.where(train[:, 0] == 1, weight, 1)
    columns = "format=csv&label_column=0&weight_column=1"
    scaled = settings | {"scale_pos_weight": weight}
    ways = {
        "no weights": (settings, matrix(train)),
        "CSV, second column": (settings, read(csv(train, weights), columns)),
        "libsvm, label:weight": (settings, read(libsvm(train, weights), "format=libsvm")),
        "rows repeated": (settings, matrix(np.repeat(train, weights, axis=0))),
        "weights times 10": (settings, matrix(train, weights * 10)),
        "scale_pos_weight": (scaled, matrix(train)),
    }
    models = {way: xgboost.train(*how, num_boost_round=ROUNDS) for way, how in ways.items()}
    return {way: model.predict(matrix(rows)) for way, model in models.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="binary/ of write_data.py")
    parser.add_argument("--weight", type=int, default=3, help="of each row of class 1")
    arguments = parser.parse_args()
    if not 1 <= arguments.weight <= 1000:
        parser.error("--weight: from 1 to 1000, for so often each row is repeated")
    try:
        train, rows = (
            read_table(arguments.folder / f"{name}.csv") for name in ("train", "validation")
        )
        found = predictions(train, rows, arguments.weight, {})
    except (OSError, ValueError) as error:
        said = str(error).partition("\n")[0].rpartition(" : ")[2].rstrip(".")
        said = re.sub(r"^\[[\d:]+\] \S+ (Check failed: )?", "", said)
        sys.exit(f"{said}. Write the data with write_data.py.")
    actual, by_weight = rows[:, 0] == 1, found["CSV, second column"]
    print(f"{'class 1 counts ' + str(arguments.weight):22}  recall  precision  difference")
    for way, scores in found.items():
        hits = (scores > 0.5) & actual
        recall, precision = hits.sum() / actual.sum(), hits.sum() / (scores > 0.5).sum()
        apart = np.abs(scores - by_weight).max()
        print(f"{way:22}  {recall:6.3f}  {precision:9.3f}  {apart:10.3f}")
    print("difference of scale_pos_weight, with")
    for fixed in FIXED:
        found = predictions(train, rows, arguments.weight, fixed)
        apart = np.abs(found["scale_pos_weight"] - found["CSV, second column"]).max()
        setting = ", ".join(f"{name}={value}" for name, value in fixed.items())
        print(f"  {setting:38}  {apart:10.3f}")


if __name__ == "__main__":
    main()
