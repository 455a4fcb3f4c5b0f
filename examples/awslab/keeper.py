"""Run a program and take it along: `python keeper.py FD COMMAND…`, started by work.py.

The lab holds the other end of this process's standard input. When the lab ends, in whatever way,
the pipe closes and the program's whole process group is killed. FD is `-`, or a connection to the
fork server, which has been asked for the program; if it has not started it, this process does.
Nothing of the lab is imported, so that the start costs milliseconds.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from types import FrameType

PR_SET_PDEATHSIG = 1  # Linux: the kernel kills the program if even this keeper is killed


def die_with_keeper() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def end_group(child: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, number)


def start(command: list[str]) -> tuple[int, Callable[[], int]]:
    """The process number of the program, and how to wait for its exit code."""
    child = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=die_with_keeper
    )
    return child.pid, child.wait


def meet(connection: int) -> tuple[int, Callable[[], int]] | None:
    """The same of a program that the fork server has started; None if it has not."""
    with contextlib.suppress(BrokenPipeError):
        os.write(connection, b"!")  # it may start: from here on no signal is lost
    lines = os.fdopen(connection, encoding="ascii")
    number = lines.readline()
    # Without a code the fork server has died, and taken the program along.
    return (int(number), lambda: int(lines.readline() or -signal.SIGKILL)) if number else None


def main() -> int:
    # Before the child exists: a signal that comes early must not kill the keeper alone.
    early: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: early.append(number))
    connection, *command = sys.argv[1:]
    try:
        forked = meet(int(connection)) if connection != "-" else None
        child, wait = forked or start(command)
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", flush=True)
        return 127  # as a shell says it

    def pass_on(number: int, frame: FrameType | None) -> None:
        end_group(child, number)

    signal.signal(signal.SIGTERM, pass_on)
    for number in early:
        end_group(child, number)

    def watch_the_lab() -> None:
        while os.read(0, 1024):
            pass
        end_group(child, signal.SIGKILL)

    threading.Thread(target=watch_the_lab, daemon=True).start()
    code = wait()
    end_group(child, signal.SIGKILL)  # what the program has left running
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    os._exit(main())
