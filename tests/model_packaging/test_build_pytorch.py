"""The archive of PyTorch: weights, script, and what goes wrong without the class."""

import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch: Any = pytest.importorskip("torch", reason="PyTorch: make test-debugger")
pytestmark = pytest.mark.debugger


@pytest.fixture
def folder(run: Callable[..., Any], table: Path, tmp_path: Path) -> Path:
    """Where the container would unpack the archive."""
    path = tmp_path / "out.tar.gz"
    result = run("build_pytorch", "--train", str(table), "--archive", str(path))
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        f"{path}: code/inference.py, model.pth\nloaded again, it predicts the same\n"
    )
    with tarfile.open(path, "r:gz") as packed:
        assert sorted(packed.getnames()) == ["code/inference.py", "model.pth"]
        packed.extractall(tmp_path / "model", filter="data")
    return tmp_path / "model"


def test_the_loaded_model_predicts(
    folder: Path, example: Callable[[str], Any], table: Path
) -> None:
    script = example("build_pytorch")
    model = script.model_fn(str(folder))
    assert not model.training
    rows = np.loadtxt(table, delimiter=",")
    body = "\n".join(",".join(f"{cell:g}" for cell in row) for row in rows[:, 1:])
    scores = script.predict_fn(script.input_fn(body, "text/csv"), model)
    assert ((scores.numpy() > 0.5) == rows[:, 0]).mean() > 0.9
    assert not scores.requires_grad


def test_other_weights_predict_something_else(folder: Path, example: Callable[[str], Any]) -> None:
    script = example("build_pytorch")
    assert script.same_predictions(script.model_fn(str(folder)), str(folder))
    assert not script.same_predictions(script.build_model().eval(), str(folder))


def test_weights_alone_are_no_model(folder: Path) -> None:
    weights = torch.load(folder / "model.pth", weights_only=True)
    with pytest.raises(TypeError, match=r"'collections\.OrderedDict' object is not callable"):
        weights(torch.zeros(1, 8))


def test_a_pickled_model_is_refused(tmp_path: Path, example: Callable[[str], Any]) -> None:
    torch.save(example("build_pytorch").build_model(), tmp_path / "model.pth")
    with pytest.raises(Exception, match="Weights only load failed"):
        example("build_pytorch").model_fn(str(tmp_path))


def test_handlers(example: Callable[[str], Any]) -> None:
    script = example("build_pytorch")
    rows = script.input_fn('{"data": [[1, 2]]}', "application/json")
    assert rows.dtype == torch.float32
    assert rows.tolist() == [[1.0, 2.0]]
    scores = torch.tensor([0.25, 0.5])
    assert script.output_fn(scores, "text/csv") == ("0.250000,0.500000", "text/csv")
    assert script.output_fn(scores, "application/json") == ("[0.25, 0.5]", "application/json")
    with pytest.raises(ValueError, match="image/png is not supported"):
        script.output_fn(scores, "image/png")
    with pytest.raises(ValueError, match="image/png is not supported"):
        script.input_fn("", "image/png")


def test_another_table_leaves_no_archive(run: Callable[..., Any], tmp_path: Path) -> None:
    table, path = tmp_path / "bad.csv", tmp_path / "out.tar.gz"
    table.write_text("1,0.5\n")
    result = run("build_pytorch", "--train", str(table), "--archive", str(path))
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith("not a label and 8 features in each row. ")
    assert not path.exists()
