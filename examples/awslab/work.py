"""Real work of the lab: programs in private folders that end with the lab, however it ends."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from awslab.extension import on_reset

KEEPER = Path(__file__).with_name("keeper.py")
COUNTING = threading.Lock()  # held while the set of programs is changed or read
NEVER = threading.Event()  # to wait for, where time.sleep may be patched
GRACE = 120.0  # seconds between SIGTERM and SIGKILL, as SageMaker gives a training job


def home() -> Path:
    """The folder of all labs of this user."""
    return Path(tempfile.gettempdir()) / f"awslab-{os.getuid()}"


def own_folder() -> Path:
    """The folder of this process, private to the user."""
    folder = home() / str(os.getpid())
    while not folder.exists():
        with contextlib.suppress(FileNotFoundError):  # another lab has removed the empty home
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def new_folder(purpose: str) -> Path:
    return Path(tempfile.mkdtemp(prefix=f"{purpose}-", dir=own_folder()))


def sweep() -> None:
    """Remove the folders of labs that were killed; their programs died with them."""
    if not home().exists():
        return
    for folder in home().iterdir():
        if folder.name.isdigit() and not alive(int(folder.name)):
            shutil.rmtree(folder, ignore_errors=True)
    with contextlib.suppress(OSError):  # another lab has its folder there
        home().rmdir()


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


class Work:
    """A program that runs until it ends, is stopped, or the lab ends.

    line: called with each line that the program writes, from a thread of its own.
    """

    running: ClassVar["weakref.WeakSet[Work]"] = weakref.WeakSet()

    def __init__(
        self,
        command: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        line: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.folder = folder
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(KEEPER), *command],
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        self._reader = threading.Thread(target=self._read, args=(line,), daemon=True)
        self._reader.start()
        with COUNTING:
            Work.running.add(self)

    def _read(self, line: Callable[[str], None]) -> None:
        assert self._process.stdout
        with self._process.stdout as output:
            for text in output:
                line(text.rstrip("\n"))

    def wait(self, seconds: float | None = None) -> int | None:
        """The exit code, or None if the program still runs after `seconds`.

        128 + n means: ended by signal n.
        """
        until = time.monotonic() + (float("inf") if seconds is None else seconds)
        while (code := self._process.poll()) is None:
            left = until - time.monotonic()
            if left <= 0:
                return None
            # Its output ends with it. (Popen.wait would poll, and spin where sleep is patched.)
            if self._reader.is_alive():
                self._reader.join(min(left, 1.0))
            else:
                NEVER.wait(min(left, 0.01))
        self._reader.join(5)
        if self._process.stdin:
            self._process.stdin.close()
        return code if code >= 0 else 128 - code  # a signal met the keeper before it began

    @property
    def process_id(self) -> int:
        """Of the keeper; the program is its child."""
        return self._process.pid

    def stop(self, grace: float = GRACE) -> None:
        """Ask the program to end; kill it if it has not done so after `grace` seconds."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            timer = threading.Timer(grace, self.kill)
            timer.daemon = True
            timer.start()

    def kill(self) -> None:
        """End the program and all that it has started, at once."""
        if self._process.stdin and not self._process.stdin.closed:
            self._process.stdin.close()  # the keeper then kills the group


def programs() -> list[Work]:
    """Those that run now."""
    with COUNTING:
        return [work for work in list(Work.running) if work._process.poll() is None]


def end_all() -> None:
    """End every program of this lab and remove its folders."""
    with COUNTING:
        works = list(Work.running)
    for work in works:
        work.kill()
    for work in works:
        work.wait(10)
    Work.running.clear()
    shutil.rmtree(home() / str(os.getpid()), ignore_errors=True)


on_reset(end_all)
