"""The archive of the built-in algorithm: its one file, and what it predicts."""

import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost


def test_one_file_at_the_root_that_predicts(
    run: Callable[..., Any], table: Path, tmp_path: Path
) -> None:
    path = tmp_path / "out.tar.gz"
    result = run("build_xgboost", "--train", str(table), "--archive", str(path))
    assert (result.status, result.errors) == (0, "")
    assert result.output == f"{path}: xgboost-model\n"
    with tarfile.open(path, "r:gz") as packed:
        assert packed.getnames() == ["xgboost-model"]
        packed.extractall(tmp_path, filter="data")
    model = xgboost.Booster()
    model.load_model((tmp_path / "xgboost-model").rename(tmp_path / "m.ubj"))
    rows = np.loadtxt(table, delimiter=",")
    scores = model.predict(xgboost.DMatrix(rows[:, 1:]))
    assert ((scores > 0.5) == rows[:, 0]).all()


def test_folders_keep_their_names_and_the_outermost_has_none(
    example: Callable[[str], Any], tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    (folder / "code").mkdir(parents=True)
    (folder / "code" / "inference.py").write_text("")
    (folder / "a").write_text("")
    names = example("build_xgboost").pack(folder, tmp_path / "x.tar.gz")
    assert names == ["a", "code/inference.py"]
    with tarfile.open(tmp_path / "x.tar.gz") as packed:
        assert packed.getnames() == names


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "no rows, no features, or labels other than 0 and 1"),
        ("2,0.5\n", "no rows, no features, or labels other than 0 and 1"),
        ("1,x\n", "could not convert string 'x' to float64"),
    ],
)
def test_what_cannot_be_learned_leaves_no_archive(
    run: Callable[..., Any], tmp_path: Path, content: str, said: str
) -> None:
    table, path = tmp_path / "bad.csv", tmp_path / "out.tar.gz"
    table.write_text(content)
    result = run("build_xgboost", "--train", str(table), "--archive", str(path))
    assert (result.status, result.output) == (1, "")
    assert said in result.errors
    assert not path.exists()
    missing = run("build_xgboost", "--train", str(tmp_path / "no.csv"), "--archive", str(path))
    assert missing.status == 1
    assert "not found" in missing.errors
