"""Real work of the lab: programs in private folders that end with the lab, however it ends."""

import atexit
import contextlib
import json
import os
import shutil
import signal
import socket
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
FORK_SERVER = Path(__file__).with_name("fork_server.py")
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


def remove_folder(folder: Path) -> None:
    """Give its disk space back, unless this process is a fork and the folder is its parent's."""
    if folder.resolve().is_relative_to((home() / str(os.getpid())).resolve()):
        shutil.rmtree(folder, ignore_errors=True)


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


class ForkServer:
    """The process from which programs with XGBoost imported are forked, once one is needed."""

    # What the imported libraries have read already: a program that wants another cannot be forked.
    SETTINGS: ClassVar = {"OMP_NUM_THREADS": "1"}

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None

    def ask(
        self, command: Sequence[str], folder: Path, environment: Mapping[str, str], output: int
    ) -> socket.socket | None:
        """Ask for a program of this Python; returns the connection that its keeper needs.

        None: it cannot be forked, here or in such an environment.
        """
        if sys.platform != "linux" or not self.SETTINGS.items() <= environment.items():
            return None
        request = {"command": command[1:], "folder": str(folder), "environment": dict(environment)}
        ours, theirs = socket.socketpair()
        try:
            with theirs, self._lock:
                descriptors = [output, output, theirs.fileno()]
                socket.send_fds(self._connected(), [json.dumps(request).encode()], descriptors)
        except OSError:  # too long, or the server has been killed: the next one gets another
            ours.close()
            self.end()
            return None
        return ours

    def _connected(self) -> socket.socket:
        if self._socket is None:
            self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
            with theirs:
                self._process = subprocess.Popen(
                    [sys.executable, "-P", "-u", str(FORK_SERVER), str(theirs.fileno())],
                    cwd="/",
                    env={**kept, **self.SETTINGS, "LANG": "C.UTF-8"},
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    pass_fds=[theirs.fileno()],
                )
        return self._socket

    def end(self) -> None:
        with self._lock:
            if self._socket and self._process:
                self._socket.close()  # it notices, and takes its forks along
                self._process.wait()
            self._socket = self._process = None


FORKS = ForkServer()
atexit.register(FORKS.end)


class Work:
    """A program that runs until it ends, is stopped, or the lab ends.

    A fork of the lab's process inherits the programs that run. It can talk to them, but does not
    end them, for its parent and other forks do so too: it only takes them for ended.

    line: called with each line that the program writes, from a thread of its own.
    with_xgboost: a script of this Python that imports XGBoost, and may find it imported.
    """

    running: ClassVar["weakref.WeakSet[Work]"] = weakref.WeakSet()

    def __init__(
        self,
        command: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        line: Callable[[str], None] = lambda text: None,
        *,
        with_xgboost: bool = False,
    ) -> None:
        self.folder = folder
        self._lab = os.getpid()
        self._taken_for_ended: int | None = None  # in a fork: the exit code
        read, write = os.pipe()
        self._output = os.fdopen(read, encoding="utf-8", errors="replace")
        fork = FORKS.ask(command, folder, environment, write) if with_xgboost else None
        with contextlib.closing(fork) if fork else contextlib.nullcontext():
            descriptors = [fork.fileno()] if fork else []
            connection = str(descriptors[0]) if descriptors else "-"
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-I", "-S", str(KEEPER), connection, *command],
                    cwd=folder,
                    env=dict(environment),
                    stdin=subprocess.PIPE,
                    stdout=write,
                    stderr=subprocess.STDOUT,
                    pass_fds=descriptors,
                )
            except BaseException:
                self._output.close()
                raise
            finally:
                os.close(write)
        self.reader = threading.Thread(target=self._read, args=(line,), daemon=True)
        self.reader.start()
        with COUNTING:
            Work.running.add(self)

    def _read(self, line: Callable[[str], None]) -> None:
        with self._output:
            for text in self._output:
                line(text.rstrip("\n"))

    @property
    def is_inherited(self) -> bool:
        return self._lab != os.getpid()

    def _poll(self) -> int | None:
        return self._taken_for_ended if self.is_inherited else self._process.poll()

    def wait(self, seconds: float | None = None) -> int | None:
        """The exit code, or None if the program still runs after `seconds`.

        128 + n means: ended by signal n.
        """
        until = time.monotonic() + (float("inf") if seconds is None else seconds)
        while (code := self._poll()) is None:
            left = until - time.monotonic()
            if left <= 0:
                return None
            # Its output ends with it. (Popen.wait would poll, and spin where sleep is patched.)
            if self.reader.is_alive():
                self.reader.join(min(left, 1.0))
            else:
                NEVER.wait(min(left, 0.01))
        self.reader.join(5)
        if self._process.stdin:
            self._process.stdin.close()
        return code if code >= 0 else 128 - code  # a signal met the keeper before it began

    @property
    def process_id(self) -> int:
        """Of the keeper; the program is its child."""
        return self._process.pid

    def stop(self, grace: float = GRACE) -> None:
        """Ask the program to end; kill it if it has not done so after `grace` seconds."""
        if self.is_inherited:
            self._taken_for_ended = 128 + signal.SIGTERM
        elif self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            timer = threading.Timer(grace, self.kill)
            timer.daemon = True
            timer.start()

    def kill(self) -> None:
        """End the program and all that it has started, at once."""
        if self.is_inherited:
            self._taken_for_ended = 128 + signal.SIGKILL
        elif self._process.stdin and not self._process.stdin.closed:
            self._process.stdin.close()  # the keeper then kills the group


def programs() -> list[Work]:
    """Those that run now."""
    with COUNTING:
        return [work for work in list(Work.running) if work._poll() is None]


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
