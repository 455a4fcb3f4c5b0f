"""The programs of examples/traffic import each other; what they start is small and ends."""

import os
import subprocess
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from awslab.run import modules_beside, run_script
from awslab.scenarios import EXAMPLES

FOLDER = EXAMPLES / "traffic"


@pytest.fixture(scope="module")
def load() -> Iterator[Callable[[str], ModuleType]]:
    """`load("send_load")`: the program as a module, with those that it imports."""
    with modules_beside(FOLDER / "any.py"):
        yield import_module


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `binary/validation.csv`, `models/v1.json` and `models/v2.json`."""
    folder = tmp_path_factory.mktemp("data")
    write = EXAMPLES / "xgboost" / "write_data.py"
    assert run_script(write, ["--folder", str(folder), "--rows", "400"]).status == 0
    arguments = ["--data", str(folder / "binary"), "--folder", str(folder / "models")]
    assert run_script(FOLDER / "train_versions.py", arguments).status == 0
    return folder


@pytest.fixture
def options(data: Path) -> list[str]:
    """`--models v1 v2 --file validation.csv`."""
    models = [str(data / "models" / f"{version}.json") for version in ("v1", "v2")]
    return ["--models", *models, "--file", str(data / "binary" / "validation.csv")]


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The process ids of all that this process starts during the test."""
    found: list[int] = []
    start = subprocess.Popen.__init__

    def noted(self: Any, *arguments: Any, **settings: Any) -> None:
        start(self, *arguments, **settings)
        found.append(self.pid)

    monkeypatch.setattr(subprocess.Popen, "__init__", noted)
    return found


@pytest.fixture
def alive() -> Callable[[int], bool]:
    """Whether a process is there; one that has ended and was not waited for is not."""

    def check(process: int) -> bool:
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return False
        state = Path(f"/proc/{process}/stat")
        return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"

    return check
