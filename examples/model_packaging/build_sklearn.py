"""Pack a scikit-learn model with its inference script, which is this very file."""

import argparse
import io
import json
import sys
import tarfile
import tempfile
import warnings
from pathlib import Path

import joblib
import numpy as np
from sklearn.linear_model import LogisticRegression


# [start: handlers]
def model_fn(model_dir: str) -> LogisticRegression:
    """Called once, when the container starts: model_dir is where the archive was unpacked."""
    return joblib.load(Path(model_dir, "model.joblib"))


def input_fn(body: str, content_type: str) -> np.ndarray:
    """The rows of a request. What it raises for another type becomes the caller's ModelError."""
    if content_type != "text/csv":
        raise ValueError(f"{content_type} is not supported: send text/csv")
    return np.loadtxt(io.StringIO(body), delimiter=",", ndmin=2)


def predict_fn(rows: np.ndarray, model: LogisticRegression) -> np.ndarray:
    """The probability of class 1 for each row."""
    return model.predict_proba(rows)[:, 1]


def output_fn(scores: np.ndarray, accept: str) -> tuple[str, str]:
    """The body of the answer and its type."""
    if accept == "text/csv":
        return ",".join(f"{score:.6f}" for score in scores), accept
    return json.dumps(scores.tolist()), "application/json"


# [end: handlers]


def train(table: Path) -> LogisticRegression:
    """A model of a CSV file without a header, the label (0 or 1) first.

    Raises OSError: no such file; ValueError: a cell is not a number, or the labels are all alike.
    """
    with warnings.catch_warnings(action="ignore"):  # what an empty file is, the error says
        rows = np.loadtxt(table, delimiter=",", ndmin=2)
    return LogisticRegression().fit(rows[:, 1:], rows[:, 0])


# [start: layout]
def lay_out(model: LogisticRegression, folder: Path) -> None:
    """The model at the root, the script in code/; a requirements.txt would lie beside it."""
    joblib.dump(model, folder / "model.joblib")
    code = folder / "code"
    code.mkdir()
    (code / "inference.py").write_bytes(Path(__file__).read_bytes())


# [end: layout]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", type=Path, required=True, help="CSV file, the label first")
    parser.add_argument("--archive", type=Path, required=True, help="model.tar.gz to write")
    arguments = parser.parse_args()
    try:
        model = train(arguments.train)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            lay_out(model, folder)
            files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
            with tarfile.open(arguments.archive, "w:gz") as packed:
                for file in files:  # what lies in the folder, not the folder itself
                    packed.add(file, arcname=file.relative_to(folder).as_posix())
    except (OSError, ValueError) as error:
        sys.exit(f"{error}. Give a CSV file of write_data.py, and an --archive in a folder.")
    names = [file.relative_to(folder).as_posix() for file in files]
    print(f"{arguments.archive}: {', '.join(names)}")


if __name__ == "__main__":
    main()
