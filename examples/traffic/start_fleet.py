"""Start the instances of a model's version, switch faults on and off, and stop them again."""

import argparse
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

SERVER = Path(__file__).with_name("model_server.py")
# As `python model_server.py`, but without two packages that xgboost would import and not need here:
# they take most of the time of a start.
PYTHON = (
    "import runpy, sys; sys.modules.update(sklearn=None, pandas=None); del sys.argv[0]; "
    "runpy.run_path(sys.argv[0], run_name='__main__')"
)
PATIENCE = 30.0  # seconds from SIGTERM to SIGKILL, as SageMaker gives
wait = threading.Event().wait  # seconds


# [start: start]
def start_fleet(model: Path, version: str, count: int, **faults: float) -> list[dict[str, Any]]:
    """Start so many instances: a process with a port of its own stands for each.

    Raises RuntimeError: one did not start; none is left.
    """
    options = [f"--{name.replace('_', '-')}={value}" for name, value in faults.items()]
    options += [f"--model={model}", f"--version={version}", f"--instances={count}"]
    command = [sys.executable, "-c", PYTHON, str(SERVER), *options]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    fleet: list[dict[str, Any]] = []
    try:
        for _ in range(count):
            line = parent.stdout.readline().decode()  # "v1 on http://127.0.0.1:40001"
            if not line:
                said = parent.stderr.read().decode().splitlines() or ["A server did not start."]
                raise RuntimeError(said[-1])
            port = int(line.rpartition(":")[2])
            process = json.loads(ask(port, "GET", "/admin")[1])["process"]
            fleet.append({"port": port, "process": process, "version": version})
            fleet[-1] |= {"parent": parent, "together": fleet}
    except BaseException:
        parent.terminate()
        parent.communicate()
        raise
    return fleet


# [end: start]


def ask(port: int, method: str, path: str, body: str = "", **headers: str) -> tuple[int, str]:
    """Status and text of one request to an instance; raises OSError: it does not answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, body or None, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def switch_faults(fleet: list[dict[str, Any]], **faults: float) -> None:
    """Set the faults of running instances; raises RuntimeError: refused."""
    for instance in fleet:
        status, text = ask(instance["port"], "POST", "/admin/faults", json.dumps(faults))
        if status != 200:
            raise RuntimeError(text)


# [start: stop]
def stop_fleet(fleet: list[dict[str, Any]]) -> None:
    """End the instances with SIGTERM, as SageMaker does, and wait until they are gone."""
    for instance in fleet:
        try:
            os.kill(instance["process"], signal.SIGTERM)
        except ProcessLookupError:
            continue
    deadline = time.monotonic() + PATIENCE
    for instance in fleet:
        while is_running(instance):
            if time.monotonic() > deadline:
                os.kill(instance["process"], signal.SIGKILL)
            wait(0.01)
        parent = instance["parent"]
        if not parent.stdout.closed and not any(map(is_running, instance["together"])):
            parent.communicate(timeout=30)


# [end: stop]


def is_running(instance: dict[str, Any]) -> bool:
    """Whether the process of an instance is still there."""
    if instance["parent"].poll() is not None:
        return False  # it ends with its last instance
    try:
        os.kill(instance["process"], 0)
    except ProcessLookupError:
        return False
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--file", type=Path, required=True, help="CSV, label first: its first row")
    parser.add_argument("--instances", type=int, default=2)
    arguments = parser.parse_args()
    fleet: list[dict[str, Any]] = []
    try:
        row = arguments.file.read_text().splitlines()[0].partition(",")[2]
        fleet = start_fleet(arguments.model, "v1", arguments.instances)
        for number, instance in enumerate(fleet, 1):
            print(f"instance {number}: GET /ping {ask(instance['port'], 'GET', '/ping')[0]}")
        for faults in ({}, {"wrong": 1}, {"errors": 1, "wrong": 0}, {"errors": 0, "slow_ms": 200}):
            switch_faults(fleet, **faults)
            start = time.monotonic()
            path, kind = "/invocations", {"Content-Type": "text/csv"}
            status, text = ask(fleet[0]["port"], "POST", path, row, **kind)
            slow = "slow" if time.monotonic() - start > 0.2 else "fast"
            print(f"{json.dumps(faults):30}{status} {text} ({slow})")
    except (OSError, IndexError, RuntimeError, KeyboardInterrupt) as error:
        sys.exit(f"{str(error) or 'Interrupted.'} No instance is left running.")
    finally:
        stop_fleet(fleet)


if __name__ == "__main__":
    main()
