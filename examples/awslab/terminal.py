"""What the lab says in the terminal that it was started in."""

import os
import sys
import threading
import traceback
from pathlib import Path
from typing import TextIO

import moto

from awslab.calls import Call
from awslab.clock import CLOCK
from awslab.embedded import ENVIRONMENT

RED, YELLOW, GREY, PLAIN = "\x1b[31m", "\x1b[33m", "\x1b[90m", "\x1b[0m"


def banner(address: str) -> str:
    """Where the lab is, and what to paste into another terminal."""
    return f"""\
The lab listens on {address} (Ctrl-C ends it). In another terminal:

export AWS_ENDPOINT_URL={address} AWS_DEFAULT_REGION={ENVIRONMENT["AWS_DEFAULT_REGION"]}
export AWS_ACCESS_KEY_ID=testing AWS_SECRET_ACCESS_KEY=testing

What is in the lab: {address}/_lab/
moto {moto.__version__}. {gait_in_words()}
"""


def gait_in_words() -> str:
    if CLOCK.speed is None:
        return "The clock is instant: nothing takes time, each look meets the next state."
    if CLOCK.speed == 0:
        return "The clock is stopped: it moves on the page above, or by POST /_lab/clock."
    return f"The clock runs {CLOCK.speed:g} times as fast as the wall's."


def has_colour(stream: TextIO) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR")


def say(text: str, stream: TextIO) -> bool:
    """Print at once; false if nobody reads any more."""
    try:
        print(text, file=stream, flush=True)
    except ValueError:
        return False
    except OSError:
        # What waits in the buffer would fail once more at the end of the process.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return False
    return True


def last_line(error: Exception) -> str:
    """The end of a traceback, and where in which file it happened."""
    said = traceback.format_exception_only(error)[-1].strip()
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return said
    return f"{said} ({'/'.join(Path(frames[-1].filename).parts[-3:])}:{frames[-1].lineno})"


class Log:
    """One line for each call and each failure of the lab; the threads of the server share it."""

    def __init__(self, calls: TextIO | None = None, failures: TextIO | None = None) -> None:
        """calls: None keeps the log of calls off. failures: None means standard error."""
        self.calls = calls
        self.failures = failures or sys.stderr
        self._colour = calls is not None and has_colour(calls)
        self._lock = threading.Lock()

    def call(self, call: Call) -> None:
        """`09:31:02 sagemaker CreateEndpoint 200 12 ms`, at the lab's time in the local zone."""
        if self.calls is None:
            return
        at = f"{call.at.astimezone():%H:%M:%S}"
        status = f"{call.status} {call.error}".rstrip()
        if self._colour:
            at = f"{GREY}{at}{PLAIN}"
            if call.status >= 400:
                status = f"{RED if call.status >= 500 else YELLOW}{status}{PLAIN}"
        duration = f"{1000 * call.seconds:.0f} ms"
        self._say(
            self.calls, f"{at} {call.service} {call.operation or 'unknown'} {status} {duration}"
        )

    def failure(self, error: Exception) -> None:
        """What went wrong in the lab itself."""
        self._say(self.failures, f"The lab failed: {last_line(error)}")

    def _say(self, stream: TextIO, line: str) -> None:
        with self._lock:
            if not say(line, stream):
                self.calls = None
