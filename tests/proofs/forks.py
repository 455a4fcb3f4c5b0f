"""Run a task in a fork of this process, which keeps nothing of what the task does.

The lab that this process has prepared is there in the fork. What a fork starts ends with it, and
what this process has started it leaves alone.
"""

import ctypes
import gc
import os
import pickle
import shutil
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import NoReturn, TypeVar

from awslab import work
from awslab.keeper import die_with_keeper
from awslab.services.sagemaker.container import QUEUE
from awslab.services.sagemaker.hosting import ModelServer
from awslab.services.sagemaker.runtime import IN_FLIGHT

T = TypeVar("T")
POOLS = ("lab-job", "mirror", "async")  # the names of threads for which the lab has pools
TASKS = Path("/proc/self/task")  # of Linux
LONGEST = 60.0  # seconds that a task may take


class Lost(Exception):
    """The task did not come to its end."""


class Threads:
    """Those of this process at some moment. None of them is there in a fork: what needs one, or
    holds a lock in one, cannot go on there."""

    def __init__(self) -> None:
        self._here = set(threading.enumerate())
        self._foreign = self._count_foreign()

    @staticmethod
    def _count_foreign() -> int:
        """Threads that Python has not started, such as those of an engine of DuckDB."""
        return len(list(TASKS.iterdir())) - threading.active_count()

    def are_all(self) -> bool:
        """Whether no others have come since, but those that do nothing, or only read what a model
        server prints, of which a fork starts its own."""
        readers = {
            container.work.reader
            for server in ModelServer.running
            for container in server.containers
            if container.work and server.ready(0)
        }
        others = set(threading.enumerate()) - self._here - readers
        pools = {thread for thread in others if thread.name.startswith(POOLS)}
        idle = pools if QUEUE.idle and not IN_FLIGHT else set()
        return others <= idle and self._count_foreign() <= self._foreign


def in_fork(task: Callable[[], T], seconds: float = LONGEST) -> T:
    """What the task returns. What it raises is raised here.

    Raises:
        Lost: it takes too long, ends the process, raises or returns what cannot be sent, or an
            exception is lost in it, in a thread or where an object goes.
    """
    ours, theirs = Pipe(duplex=False)
    ctypes.CDLL(None)  # loaded here, where other threads may go on
    gc.disable()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of a fork beside other threads
        child = os.fork()
    if child == 0:
        attend(task, theirs)
    gc.enable()
    theirs.close()
    ended: int | None = None
    try:
        if not ours.poll(seconds):
            raise Lost(f"no end after {seconds:g} seconds")
        result, error = pickle.loads(ours.recv_bytes())
    except EOFError:
        ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        raise Lost(f"the process of the task has ended with {ended}") from None
    finally:
        ours.close()
        if ended is None:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        shutil.rmtree(work.home() / str(child), ignore_errors=True)
    if error:
        raise error
    return result


def attend(task: Callable[[], T], parent: Connection) -> NoReturn:
    """Send the result of the task and end, without what Python does at its end."""
    try:
        # Garbage of the parent stays: to free what an engine holds may take the engine's threads.
        gc.freeze()
        gc.enable()
        die_with_keeper()
        lost: list[str] = []
        threading.excepthook = lambda lot: lost.append(f"{lot.thread}: {lot.exc_value!r}")
        sys.unraisablehook = lambda lot: lost.append(f"{lot.object!r}: {lot.exc_value!r}")
        try:
            answer = message(task(), None)
        except BaseException as error:
            answer = message(None, error)
        work.end_all()
        parent.send_bytes(message(None, Lost("; ".join(lost))) if lost else answer)
    finally:
        os._exit(0)


def message(result: object, error: BaseException | None) -> bytes:
    try:
        sent = pickle.dumps((result, error))
        pickle.loads(sent)
    except Exception:
        return pickle.dumps((None, Lost(traceback.format_exc())))
    return sent
