"""What the tests of the shadow tests share: models, rows, and the model servers' program."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from awslab.run import run_script
from awslab.scenarios import EXAMPLES

SERVER = str(EXAMPLES / "traffic" / "model_server.py")
STAND_IN = str(Path(__file__).with_name("stand_in.py"))


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data/binary/*.csv, models/v1.json and models/v2.json."""
    folder = tmp_path_factory.mktemp("models")
    data, models = folder / "data", folder / "models"
    steps = {
        "xgboost/write_data.py": ["--folder", str(data), "--rows", "80"],
        "traffic/train_versions.py": ["--data", str(data / "binary"), "--folder", str(models)],
    }
    for program, options in steps.items():
        assert run_script(EXAMPLES / program, options).status == 0
    return folder


@pytest.fixture(scope="session")
def nginx() -> None:
    """Skips the test where nginx is missing."""
    if shutil.which("nginx") is None:
        pytest.skip("needs nginx on PATH: make system")


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary folders are made; it is also the TMPDIR of programs."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def running_in(folder: Path) -> list[str]:
    """The command lines of processes that name the folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = process.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in line:
            found.append(line)
    return found


Interrupt = Callable[..., tuple[int, str, str]]


@pytest.fixture
def interrupt(example_folder: Path, temporary: Path, tmp_path: Path) -> Interrupt:
    """`interrupt("mirror_traffic", options, until)`: Ctrl-C once `until()` holds; all is gone.

    With `group`, as in a terminal, its children get the signal too.
    """

    def press(
        name: str, options: Sequence[str], until: Callable[[], object], group: bool = False
    ) -> tuple[int, str, str]:
        command = [sys.executable, str(example_folder / f"{name}.py"), *options]
        pipe = subprocess.PIPE
        with subprocess.Popen(
            command, cwd=tmp_path, stdout=pipe, stderr=pipe, text=True, start_new_session=True
        ) as program:
            try:
                deadline = time.monotonic() + 30
                while not until() and program.poll() is None and time.monotonic() < deadline:
                    time.sleep(0.02)
                assert until(), program.communicate()
                (os.killpg if group else os.kill)(program.pid, signal.SIGINT)
                said, errors = program.communicate(timeout=20)
            finally:
                program.kill()
        assert list(temporary.iterdir()) == []
        assert running_in(tmp_path) == []
        return program.returncode, said, errors

    return press
