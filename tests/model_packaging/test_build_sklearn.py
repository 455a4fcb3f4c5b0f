"""The archive of scikit-learn: model, script, and the script's handlers."""

import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest


def test_model_and_script_that_predicts(
    run: Callable[..., Any], example: Callable[[str], Any], table: Path, tmp_path: Path
) -> None:
    path = tmp_path / "out.tar.gz"
    result = run("build_sklearn", "--train", str(table), "--archive", str(path))
    assert (result.status, result.errors) == (0, "")
    assert result.output == f"{path}: code/inference.py, model.joblib\n"
    with tarfile.open(path, "r:gz") as packed:
        assert packed.getnames() == ["code/inference.py", "model.joblib"]
        packed.extractall(tmp_path / "model", filter="data")
    script = example("build_sklearn")
    own = Path(script.__file__).read_bytes()
    assert (tmp_path / "model/code/inference.py").read_bytes() == own
    model = script.model_fn(str(tmp_path / "model"))
    rows = np.loadtxt(table, delimiter=",")
    body = "\n".join(",".join(f"{cell:g}" for cell in row) for row in rows[:, 1:])
    scores = script.predict_fn(script.input_fn(body, "text/csv"), model)
    assert scores.shape == (60,)
    assert ((scores > 0.5) == rows[:, 0]).mean() > 0.9


def test_handlers(example: Callable[[str], Any]) -> None:
    script = example("build_sklearn")
    assert script.input_fn("1,2", "text/csv").tolist() == [[1.0, 2.0]]
    assert script.output_fn(np.array([0.25, 0.5]), "text/csv") == ("0.250000,0.500000", "text/csv")
    assert script.output_fn(np.array([0.25]), "*/*") == ("[0.25]", "application/json")
    with pytest.raises(ValueError, match="application/json is not supported: send text/csv"):
        script.input_fn("[[1]]", "application/json")


@pytest.mark.parametrize("content", ["", "1,0.5\n1,0.6\n", "1,x\n"])
def test_what_cannot_be_learned_leaves_no_archive(
    run: Callable[..., Any], tmp_path: Path, content: str
) -> None:
    table, path = tmp_path / "bad.csv", tmp_path / "out.tar.gz"
    table.write_text(content)
    result = run("build_sklearn", "--train", str(table), "--archive", str(path))
    assert (result.status, result.output) == (1, "")
    assert "Give a CSV file of write_data.py" in result.errors
    assert not path.exists()
