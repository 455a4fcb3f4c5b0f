"""Predictions of an opened archive, and archives that cannot be opened."""

import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

SCRIPT = b"""
import pathlib
def model_fn(model_dir):
    return float(pathlib.Path(model_dir, "factor").read_text())
def input_fn(body, content_type):
    assert content_type == "text/csv"
    return [float(line.split(",")[0]) for line in body.splitlines()]
def predict_fn(rows, model):
    return [model * row for row in rows]
def output_fn(scores, accept):
    return ",".join(str(score) for score in scores), accept
"""


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.csv"
    path.write_text("1,0.25,9\n0,0.5,9\n1,2,9\n0,3,9\n")
    return path


def test_the_handlers_are_called_in_their_order(
    run: Callable[..., Any], archive: Callable[..., Path], rows: Path
) -> None:
    path = archive({"factor": b"2", "code/inference.py": SCRIPT})
    result = run("open_archive", "--archive", str(path), "--file", str(rows))
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        "label 1  prediction 0.5000\nlabel 0  prediction 1.0000\nlabel 1  prediction 4.0000\n"
    )


@pytest.mark.parametrize("name", ["build_xgboost", "build_sklearn"])
def test_what_was_built(run: Callable[..., Any], table: Path, tmp_path: Path, name: str) -> None:
    path = tmp_path / "out.tar.gz"
    run(name, "--train", str(table), "--archive", str(path))
    result = run("open_archive", "--archive", str(path), "--file", str(table), "--rows", "60")
    assert (result.status, result.errors) == (0, "")
    lines = [line.split() for line in result.output.splitlines()]
    labels = np.array([float(line[1]) for line in lines])
    scores = np.array([float(line[3]) for line in lines])
    assert len(lines) == 60
    assert ((scores > 0.5) == labels).mean() > 0.9


def test_a_path_that_leads_out_is_not_written(
    run: Callable[..., Any], archive: Callable[..., Path], rows: Path, tmp_path: Path
) -> None:
    before = set(tmp_path.parent.rglob("*"))
    path = archive({"../../escaped": b"x", "code/inference.py": SCRIPT})
    result = run("open_archive", "--archive", str(path), "--file", str(rows))
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith("OutsideDestinationError: ")
    assert set(tmp_path.parent.rglob("*")) - before == {path}
    link = tarfile.TarInfo("link")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    result = run("open_archive", "--archive", str(archive({}, link)), "--file", str(rows))
    assert result.errors.startswith("AbsoluteLinkError: ")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "FileNotFoundError: "),
        ({"code/inference.py": b"1/0"}, "ZeroDivisionError: division by zero. check_archive.py"),
        ({"code/inference.py": b""}, "AttributeError: module 'inference' has no attribute"),
        ({"xgboost-model": b"nothing"}, "XGBoostError: "),
    ],
)
def test_what_cannot_be_opened(
    run: Callable[..., Any],
    archive: Callable[..., Path],
    rows: Path,
    files: dict[str, bytes],
    said: str,
) -> None:
    result = run("open_archive", "--archive", str(archive(files)), "--file", str(rows))
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith(said)
    assert result.errors.count("\n") == 1


@pytest.mark.parametrize("status", ["0", "None", "3", "'done'"])
@pytest.mark.parametrize("where", ["", "def predict_fn(rows, model):\n    "])
def test_a_script_that_ends_the_program_does_not_pass(
    run: Callable[..., Any], archive: Callable[..., Path], rows: Path, where: str, status: str
) -> None:
    script = SCRIPT + f"import sys\n{where}sys.exit({status})\n".encode()
    path = archive({"factor": b"2", "code/inference.py": script})
    result = run("open_archive", "--archive", str(path), "--file", str(rows))
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        f"The code/inference.py of {path} ended the program, with {status}, before it had "
        "answered: take the sys.exit out.\n"
    )


def test_rows(run: Callable[..., Any], tmp_path: Path) -> None:
    result = run("open_archive", "--archive", "x", "--file", "y", "--rows", "0")
    assert result.status == 2
    assert "--rows: 1 or more" in result.errors


def test_blank_lines_are_no_rows(
    run: Callable[..., Any], archive: Callable[..., Path], tmp_path: Path
) -> None:
    path = archive({"factor": b"2", "code/inference.py": SCRIPT})
    gaps, blank = tmp_path / "gaps.csv", tmp_path / "blank.csv"
    gaps.write_text("1,0.25\n\n0,0.5\n")
    blank.write_text("\n\n")
    result = run("open_archive", "--archive", str(path), "--file", str(gaps))
    assert result.output == "label 1  prediction 0.5000\nlabel 0  prediction 1.0000\n"
    none = run("open_archive", "--archive", str(path), "--file", str(blank))
    assert (none.status, none.output) == (1, "")
    assert none.errors.startswith(f"ValueError: {blank} has no rows. ")


@pytest.mark.parametrize(
    ("answer", "said"),
    [("'1,2'", "ValueError: 2 predictions for 4 rows. "), ("'x'", "ValueError: could not convert")],
)
def test_an_answer_of_another_form(
    run: Callable[..., Any], archive: Callable[..., Path], rows: Path, answer: str, said: str
) -> None:
    script = SCRIPT + f"output_fn = lambda scores, accept: ({answer}, accept)\n".encode()
    path = archive({"factor": b"2", "code/inference.py": script})
    result = run("open_archive", "--archive", str(path), "--file", str(rows), "--rows", "4")
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith(said)
