"""A training script that stops by a rule of its own."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from awslab.run import Result

torch: Any = pytest.importorskip("torch", reason="PyTorch: make test-debugger")
pytestmark = pytest.mark.debugger


@pytest.mark.parametrize(
    ("value", "explodes"), [(1e30, False), (float("inf"), True), (float("nan"), True)]
)
def test_only_what_is_not_finite_explodes(
    example: Callable[[str], ModuleType], value: float, explodes: bool
) -> None:
    tensors = [("fine", torch.ones(2)), ("doubtful", torch.tensor([1.0, value]))]
    assert example("stop_torch_training").find_exploding(tensors) == ["doubtful"] * explodes


def test_an_exploding_run_stops_and_keeps_finite_weights(
    run: Callable[..., Result], tmp_path: Path
) -> None:
    result = run("stop_torch_training", "--spread", "1", "--folder", str(tmp_path))
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith("ExplodingTensor at step 5 of 60: gradient of ")
    reason = (tmp_path / "output" / "failure").read_text(encoding="utf-8")
    assert result.errors.startswith(reason) and len(reason) < 1024
    weights = torch.load(tmp_path / "checkpoints" / "last.pt", weights_only=True)
    assert all(torch.isfinite(tensor).all() for tensor in weights.values())
    assert not (tmp_path / "model" / "model.pt").exists()


def test_a_good_run_ends(run: Callable[..., Result], tmp_path: Path) -> None:
    result = run("stop_torch_training", "--folder", str(tmp_path))
    assert (result.status, result.errors) == (0, "")
    assert result.output.startswith("60 steps done, accuracy 0.9")
    assert not (tmp_path / "output" / "failure").exists()
    assert (tmp_path / "model" / "model.pt").exists()


def test_a_folder_that_cannot_be_made(run: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "model").write_text("a file", encoding="utf-8")
    result = run("stop_torch_training", "--folder", str(tmp_path))
    assert result.status == 1
    assert "Choose a --folder that can be written." in result.errors
    assert "Traceback" not in result.errors
