"""Programs that start with XGBoost imported: `python fork_server.py FD`, started by work.py.

Importing XGBoost costs a third of a second, longer than most programs of a container need for their
work. This process imports it once and forks for each program that is asked for over the socket FD:
a message `{"command": […], "folder": …, "environment": {…}}` with three descriptors, the program's
output, its errors, and a connection to its keeper. Once the keeper has sent a byte over it the
program starts, and the keeper gets the process number, then the exit code. Nothing of the lab is
imported. When the lab ends, in whatever way, FD closes, and this process ends with all that it has
forked. Linux only.
"""

import contextlib
import ctypes
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
import time
import traceback
from pathlib import Path
from typing import Any, NoReturn

PR_SET_PDEATHSIG = 1
LONGEST = 1 << 20  # bytes of a request


def preload() -> None:
    """XGBoost without its interface to scikit-learn, as the container's programs import it."""
    sys.modules["sklearn"] = None  # type: ignore[assignment]
    try:
        importlib.import_module("xgboost")
    finally:
        del sys.modules["sklearn"]


def fork(parent: int) -> int:
    """Like os.fork; the child dies with its parent, whose process number is given."""
    child = os.fork()
    if child == 0:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(128 + signal.SIGKILL)
    return child


def attend(request: dict[str, Any], output: int, errors: int, keeper: socket.socket) -> int | None:
    """Fork the program and tell its keeper how it ends; returns None in the program itself."""
    if not keeper.recv(1):
        return 0  # no keeper was started, or it has been killed
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    led, leads = os.pipe()  # closed once the program leads a group, which can then be killed
    child = fork(os.getpid())
    if child == 0:
        os.setsid()
        os.close(led)
        os.close(leads)
        keeper.close()
        become(request, output, errors)
        return None
    for descriptor in (output, errors, leads):
        os.close(descriptor)
    os.read(led, 1)
    os.close(led)
    keeper.sendall(f"{child}\n".encode())
    ended = os.pidfd_open(child)
    ready, _, _ = select.select([ended, keeper.fileno()], [], [])
    if ended not in ready:  # the keeper is gone
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with contextlib.suppress(OSError):
        keeper.sendall(f"{code if code >= 0 else 128 - code}\n".encode())
    return 0


def become(request: dict[str, Any], output: int, errors: int) -> None:
    """Make this process what a new one of this command would be."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (output, 1), (errors, 2)):
        os.dup2(source, target)
        os.close(source)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()
    sys.modules["numpy"].random.seed()  # the state at hand is the same in every fork


def run(command: list[str]) -> NoReturn:
    """Run a script as `python [-P] script …` does."""
    sys.argv = command[1:] if command[0] == "-P" else command
    script = sys.argv[0]
    if command[0] != "-P":
        sys.path.insert(0, str(Path(script).parent))
    try:
        runpy.run_path(script, run_name="__main__")
    except Exception as error:
        trace = error.__traceback__
        while trace and trace.tb_frame.f_code.co_filename != script:
            trace = trace.tb_next
        traceback.print_exception(error.with_traceback(trace or error.__traceback__))
        sys.exit(1)
    sys.exit(0)


def main(lab: socket.socket) -> int | list[str]:
    """Serve until the lab ends. What returns a command is a fork, and is to run it."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those who attend
    preload()
    me = os.getpid()
    while True:
        message, given, _, _ = socket.recv_fds(lab, LONGEST, 3)
        if not message:
            return 0
        if fork(me) == 0:
            lab.close()
            request = json.loads(message)
            output, errors, connection = given
            code = attend(request, output, errors, socket.socket(fileno=connection))
            return list(request["command"]) if code is None else code
        for descriptor in given:
            os.close(descriptor)


if __name__ == "__main__":
    # Interrupts at the terminal are for the lab, which then closes the socket.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    found = main(socket.socket(fileno=int(sys.argv[1])))
    if isinstance(found, list):
        signal.signal(signal.SIGINT, signal.default_int_handler)
        run(found)
    os._exit(found)
