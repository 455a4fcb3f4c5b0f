"""Run a program and take it along: `python keeper.py COMMAND…`, started by work.py.

The lab holds the other end of this process's standard input. When the lab ends, in whatever way,
the pipe closes and the program's whole process group is killed. Nothing of the lab is imported, so
that the start costs milliseconds.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
from types import FrameType

PR_SET_PDEATHSIG = 1  # Linux: the kernel kills the program if even this keeper is killed


def die_with_keeper() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def end_group(child: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, number)


def main() -> int:
    # Before the child exists: a signal that comes early must not kill the keeper alone.
    early: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: early.append(number))
    try:
        child = subprocess.Popen(
            sys.argv[1:],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=die_with_keeper,
        )
    except OSError as error:
        print(f"{sys.argv[1]}: {error.strerror}", flush=True)
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
    code = child.wait()
    end_group(child, signal.SIGKILL)  # what the program has left running
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    os._exit(main())
