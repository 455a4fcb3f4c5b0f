"""smdebug's hook writes tensors."""

from collections.abc import Callable
from pathlib import Path

import pytest
from awslab.run import Result

pytest.importorskip("smdebug", reason="smdebug: make test-debugger")
pytestmark = pytest.mark.debugger


def test_every_tenth_step_is_saved(run: Callable[..., Result], tmp_path: Path) -> None:
    folder = tmp_path / "tensors"
    arguments = ["--folder", str(folder), "--interval", "10", "--steps", "25"]
    result = run("write_tensors", *arguments, SMDEBUG_LOG_LEVEL="error")
    assert (result.status, result.output) == (0, f"25 steps, 3 of them saved in {folder}\n")
    steps = sorted(int(path.name) for path in (folder / "events").iterdir())
    assert steps == [0, 10, 20]


def test_the_default_interval_saves_the_first_step_alone(
    run: Callable[..., Result], tmp_path: Path
) -> None:
    folder = tmp_path / "tensors"
    result = run("write_tensors", "--folder", str(folder), SMDEBUG_LOG_LEVEL="error")
    assert result.output == f"30 steps, 1 of them saved in {folder}\n"


def test_a_folder_that_exists_is_refused(run: Callable[..., Result], tmp_path: Path) -> None:
    result = run("write_tensors", "--folder", str(tmp_path))
    assert result.status == 1
    assert result.errors == f"{tmp_path} exists: the hook writes into a new folder only.\n"


def test_an_interval_is_positive(run: Callable[..., Result], tmp_path: Path) -> None:
    result = run("write_tensors", "--folder", str(tmp_path / "new"), "--interval", "0")
    assert result.status == 1
    assert "1 or more" in result.errors
    assert not (tmp_path / "new").exists()
