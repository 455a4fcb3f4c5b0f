"""Open a model.tar.gz as its container would, and predict: only one of your own, for it runs it."""

import argparse
import importlib.util
import sys
import tarfile
import tempfile
from pathlib import Path
from types import ModuleType

import numpy as np
import xgboost


# [start: script]
def load_script(path: Path) -> ModuleType:
    """Import code/inference.py (this runs it). Raises Exception: whatever the script raises."""
    spec = importlib.util.spec_from_file_location("inference", path)
    assert spec
    assert spec.loader
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


def answer(folder: Path, body: str) -> str:
    """What the endpoint would answer to a body of CSV: the handlers in their order."""
    script = load_script(folder / "code" / "inference.py")
    model = script.model_fn(str(folder))
    prediction = script.predict_fn(script.input_fn(body, "text/csv"), model)
    return script.output_fn(prediction, "text/csv")[0]


# [end: script]


def answer_of_booster(path: Path, body: str) -> str:
    """The same for the built-in XGBoost, which has no script."""
    model = xgboost.Booster({"nthread": 1})
    model.load_model(path.rename(path.with_suffix(".ubj")))
    rows = np.loadtxt(body.splitlines(), delimiter=",", ndmin=2)
    return ",".join(str(score) for score in model.predict(xgboost.DMatrix(rows)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--archive", type=Path, required=True)
    parser.add_argument("--file", type=Path, required=True, help="CSV file, the label first")
    parser.add_argument("--rows", type=int, default=3)
    arguments = parser.parse_args()
    if arguments.rows < 1:
        parser.error("--rows: 1 or more")
    try:
        lines = arguments.file.read_text(encoding="utf-8").splitlines()[: arguments.rows]
        lines = [line for line in lines if line]
        if not lines:
            raise ValueError(f"{arguments.file} has no rows")
        body = "\n".join(line.partition(",")[2] for line in lines)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            # [start: open]
            with tarfile.open(arguments.archive, "r:gz") as packed:
                packed.extractall(folder, filter="data")  # no path and no link leads out of it
            # [end: open]
            booster = folder / "xgboost-model"
            said = answer_of_booster(booster, body) if booster.exists() else answer(folder, body)
        scores = [float(score) for score in said.split(",")]
        if len(scores) != len(lines):
            raise ValueError(f"{len(scores)} predictions for {len(lines)} rows")
    except SystemExit as error:
        sys.exit(
            f"The code/inference.py of {arguments.archive} ended the program, with "
            f"{error.code!r}, before it had answered: take the sys.exit out."
        )
    except Exception as error:  # the script may raise whatever it likes
        said = " ".join(str(error).partition("Stack trace")[0].split()).rstrip(".")
        sys.exit(
            f"{type(error).__name__}: {said}. check_archive.py says what is wrong with "
            f"{arguments.archive}, if it is the archive."
        )
    for line, score in zip(lines, scores, strict=True):
        print(f"label {line.partition(',')[0]}  prediction {score:.4f}")


if __name__ == "__main__":
    main()
