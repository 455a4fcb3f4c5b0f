"""How long each command of smcli takes, as a process of its own, against a lab server."""

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from awslab.embedded import environment
from awslab.masking import Mask
from awslab.scenarios import COMMAND_LINE, Step, working_folder
from proofs.commands import story, tables

from bench.lab import Row, server

LAUNCHER = COMMAND_LINE.parents[1] / "script.sh"
STARTS = 15


def seconds(command: list[str], **settings: str) -> float:
    begun = time.perf_counter()
    subprocess.run(command, env=environment(**settings), capture_output=True, check=False)
    return time.perf_counter() - begun


def start_times() -> Iterator[Row]:
    """`--help`, beside Python alone and its target: three times that, and 200 ms."""
    bare = statistics.median(seconds([sys.executable, "-c", "pass"]) for _ in range(STARTS))
    shown = statistics.median(
        seconds([str(LAUNCHER), "--help"], PYTHON=sys.executable) for _ in range(STARTS)
    )
    yield "python -c pass", f"{bare * 1000:.0f} ms"
    target = (3 * bare + 0.2) * 1000
    yield "smcli --help", f"{shown * 1000:.0f} ms (target: below {target:.0f} ms)"


def run(step: Step, mask: Mask, address: str) -> float:
    """The seconds of a step in the current folder."""
    program = [str(LAUNCHER)] if step.script == COMMAND_LINE else [sys.executable, str(step.script)]
    arguments = [mask.show(argument) for argument in step.arguments]
    settings = {**dict(step.environment), "AWS_ENDPOINT_URL": address, "PYTHON": sys.executable}
    begun = time.perf_counter()
    done = subprocess.run(
        [*program, *arguments],
        env=environment(**settings),
        cwd=Path.cwd(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    mask.hide(done.stdout)
    return time.perf_counter() - begun


def command_times() -> Iterator[Row]:
    """Wall seconds of each command line that the reference shows."""
    yield from start_times()
    for command in tables():
        told = story(command, "en")
        with server() as address, working_folder(told):
            mask = Mask()
            for step in told.before:
                run(step, mask, address)
            times = [run(step, mask, address) for step in told.run]
        shown = ", ".join(f"{taken:.2f}" for taken in times)
        yield f"smcli {command}", f"{shown} s"
