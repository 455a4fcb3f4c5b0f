from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest

Run = Callable[..., Any]


def test_what_predictions_look_like(run: Run, tmp_path: Path) -> None:
    run("write_data", "--folder", str(tmp_path), "--rows", "200")
    result = run("train_objectives", "--folder", str(tmp_path))
    assert (result.status, result.errors) == (0, "")
    lines = result.output.splitlines()
    heads = [line.split() for line in lines[::2]]
    assert [head[0] for head in heads] == [
        *("reg:squarederror", "binary:logistic", "binary:logitraw", "binary:hinge"),
        *("multi:softmax", "multi:softprob"),
    ]
    shapes = ["(50,)"] * 5 + ["(50,"]
    assert [head[2] for head in heads] == shapes
    first = {head[0]: [float(score.strip("[]")) for score in head[-3:]] for head in heads[:5]}
    raw, probability = (numpy.array(first[f"binary:{name}"]) for name in ("logitraw", "logistic"))
    assert ((raw > 0) == (probability > 0.5)).all()
    assert ((probability > 0) & (probability < 1)).all()
    assert set(first["binary:hinge"]) <= {0, 1}
    assert set(first["multi:softmax"]) <= {0, 1, 2}
    vectors = [[float(x) for x in part.split("]")[0].split()] for part in lines[10].split("[")[1:]]
    assert [sum(vector) for vector in vectors] == pytest.approx([1] * 3, abs=0.002)
    assert [vector.index(max(vector)) for vector in vectors] == first["multi:softmax"]
    assert lines[9].strip() == lines[11].strip().partition(",")[0]


@pytest.mark.parametrize("missing", ["regression", "multiclass"])
def test_without_data(run: Run, tmp_path: Path, missing: str) -> None:
    run("write_data", "--folder", str(tmp_path), "--rows", "40")
    (tmp_path / missing / "train.csv").unlink()
    result = run("train_objectives", "--folder", str(tmp_path))
    assert result.status == 1
    assert result.errors == (
        f"{tmp_path}/{missing}/train.csv not found. Write the data with write_data.py.\n"
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "binary/train.csv: no rows, or no features. Write the data with write_data.py."),
        ("1\n0\n", "binary/train.csv: no rows, or no features. Write the data with write_data.py."),
        (
            "5,1\n7,1\n",
            "binary: is_valid: base_score must be in (0,1) for the logistic loss. Write",
        ),
        ("0,inf\n", "Input data contains `inf` or a value too large, while `missing` is not set"),
    ],
)
def test_data_that_cannot_be_learned(run: Run, tmp_path: Path, content: str, said: str) -> None:
    run("write_data", "--folder", str(tmp_path), "--rows", "40")
    (tmp_path / "binary" / "train.csv").write_text(content)
    result = run("train_objectives", "--folder", str(tmp_path))
    assert (result.status, result.errors.count("\n")) == (1, 1)
    assert said in result.errors and ".cc" not in result.errors
