"""Tensors that Debugger has saved are read and judged."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from awslab.run import Result

pytest.importorskip("smdebug", reason="smdebug: make test-debugger")
pytestmark = pytest.mark.debugger


@pytest.fixture
def tensors(run: Callable[..., Result], tmp_path: Path) -> str:
    folder = str(tmp_path / "tensors")
    arguments = ["--folder", folder, "--interval", "20"]
    assert run("write_tensors", *arguments, SMDEBUG_LOG_LEVEL="error").status == 0
    return folder


def test_tensors_and_rule(
    run: Callable[..., Result], example: Callable[[str], ModuleType], tensors: str
) -> None:
    result = run("read_tensors", "--path", tensors)
    assert (result.status, result.errors) == (0, "")
    *lines, verdict = result.output.splitlines()
    assert [line.split()[0] for line in lines] == [
        f"gradient/Sequential_{layer}.{kind}" for layer in "02" for kind in ("bias", "weight")
    ]
    assert [word for word in lines[0].split() if word.endswith(":")] == ["0:", "20:"]
    assert verdict == "SmallGradient: no issue found"

    result = run("read_tensors", "--path", tensors, "--threshold", "1")
    assert result.output.splitlines()[-1] == "SmallGradient: fired at step 0"

    result = run("read_tensors", "--path", tensors, "--collection", "losses")
    assert result.output.startswith("CrossEntropyLoss_output_0 ")

    module = example("read_tensors")
    trial: Any = module.create_trial(tensors)
    with pytest.raises(Exception, match="Tensor weights was not saved"):
        trial.tensor("weights")  # the name of a collection
    with pytest.raises(TypeError, match="action_str"):
        module.SmallGradient.__mro__[1].__init__(object.__new__(module.SmallGradient), trial)


def test_a_collection_without_tensors(run: Callable[..., Result], tensors: str) -> None:
    result = run("read_tensors", "--path", tensors, "--collection", "weight")
    assert result.status == 1
    wanted = "No tensor in the collection weight. Try gradients, losses, weights.\n"
    assert result.errors == wanted


@pytest.mark.parametrize("name", ["nothing", "."])
def test_a_folder_without_tensors(run: Callable[..., Result], tmp_path: Path, name: str) -> None:
    result = run("read_tensors", "--path", str(tmp_path / name))
    assert result.status == 1
    assert "holds no tensors" in result.errors
