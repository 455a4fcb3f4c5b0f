"""Seconds and memory of each example that trains, with what prepares it."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator

from awslab.scenarios import NoSuchExample, other_python, scenario, scripts

from bench.lab import Row

TOPICS = ("xgboost", "max_depth", "tuning", "debugger")
SECONDS, BYTES = 30, 2**30  # what an example may need


def measured(name: str) -> tuple[float, int]:
    """Seconds and bytes of the largest process of one run on an empty lab."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "awslab", "run", name]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, _, usage = os.wait4(process.pid, 0)
    process.returncode = 0  # waited for
    return time.perf_counter() - start, usage.ru_maxrss * 1024


def training_examples() -> Iterator[Row]:
    found: dict[str, tuple[float, int]] = {}
    for name in scripts():
        if name.partition("/")[0] in TOPICS:
            try:
                other_python(scenario(name))
            except NoSuchExample:
                continue  # make test-debugger has not been run
            found[name] = measured(name)
    over = [n for n, (seconds, size) in found.items() if seconds > SECONDS or size > BYTES]
    yield f"examples that train, of {len(found)} over 30 s or 1 GiB", ", ".join(over) or "none"
    for name in sorted(found, key=lambda name: found[name][0], reverse=True)[:3]:
        yield f"slowest, {name}", f"{found[name][0]:.1f} s"
    for name in sorted(found, key=lambda name: found[name][1], reverse=True)[:3]:
        yield f"largest, {name}", f"{found[name][1] / 2**20:.0f} MiB"
