import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost
from awslab.run import Result, modules_beside
from awslab.scenarios import EXAMPLES

Run = Callable[..., Result]
Ask = Callable[..., tuple[int, str]]
PROGRAM = str(EXAMPLES / "traffic" / "model_server.py")
CSV = {"Content-Type": "text/csv"}


def begin(model: Path, *options: str) -> tuple[subprocess.Popen[str], list[int]]:
    """The process, and the ports that it prints; started as start_fleet.py does."""
    with modules_beside(Path(PROGRAM)):
        light = import_module("start_fleet").PYTHON
    command = [sys.executable, "-c", light, PROGRAM, "--model", str(model), *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    count = int(options[options.index("--instances") + 1]) if "--instances" in options else 1
    lines = [process.stdout.readline() for _ in range(count)]
    return process, [int(line.rpartition(":")[2]) for line in lines]


@pytest.fixture(scope="module")
def server(data: Path) -> Iterator[int]:
    process, ports = begin(data / "models" / "v1.json", "--version", "v1")
    with process:
        yield ports[0]
        process.terminate()
    assert process.returncode == 0


@pytest.fixture
def ask(server: int) -> Iterator[Ask]:
    """Requests on one connection, which stays open; no fault is left on."""
    with closing(http.client.HTTPConnection("127.0.0.1", server, timeout=20)) as connection:

        def request(method: str, path: str, body: str = "", headers: Any = CSV) -> tuple[int, str]:
            connection.request(method, path, body, headers)
            opened = connection.sock
            answer = connection.getresponse()
            assert answer.headers["X-Model-Version"] == "v1"
            text = answer.read().decode()
            assert connection.sock is opened  # not closed by the server
            return answer.status, text

        connection.connect()
        yield request
        request("POST", "/admin/faults", json.dumps({"errors": 0, "slow_ms": 0, "wrong": 0}))


def rows_of(data: Path, count: int) -> tuple[str, Any]:
    """Rows of CSV without label, and what the model says of them."""
    table = np.loadtxt(data / "binary" / "validation.csv", delimiter=",")[:count, 1:]
    text = "\n".join(",".join(map(str, row)) for row in table)
    model = xgboost.Booster({"nthread": 1}, model_file=data / "models" / "v1.json")
    return text, model.predict(xgboost.DMatrix(table))


def test_it_keeps_the_contract_of_the_container(ask: Ask, data: Path) -> None:
    assert ask("GET", "/ping") == (200, "")
    rows, wanted = rows_of(data, 3)
    status, text = ask("POST", "/invocations", rows)
    assert status == 200
    assert [float(line) for line in text.split("\n")] == pytest.approx(wanted, abs=1e-5)
    assert ask("POST", "/invocations", rows, {"Content-Type": "text/csv; charset=utf-8"})[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "wanted"),
    [
        ("POST", "/invocations", "1,2", CSV, (400, "send 8 numbers on each line")),
        ("POST", "/invocations", "1,2,3,4,5,6,7,red", CSV, (400, "send 8 numbers on each line")),
        ("POST", "/invocations", "", CSV, (400, "send 8 numbers on each line")),
        ("POST", "/invocations", "\xff", CSV, (400, "send 8 numbers on each line")),
        ("POST", "/invocations", "1", {}, (415, "no content type is not accepted: send text/csv")),
        ("GET", "/", "", {}, (404, "GET /ping or /admin")),
    ],
)
def test_what_it_refuses(
    ask: Ask, method: str, path: str, body: str, headers: Any, wanted: Any
) -> None:
    assert ask(method, path, body, headers) == wanted


def test_faults_are_switched_while_it_runs(ask: Ask, data: Path) -> None:
    rows, wanted = rows_of(data, 2)

    def switch(**faults: float) -> None:
        status, text = ask("POST", "/admin/faults", json.dumps(faults))
        assert status == 200 and json.loads(text).items() >= faults.items()

    switch(wrong=1)
    text = ask("POST", "/invocations", rows)[1]
    assert [float(line) for line in text.split("\n")] == pytest.approx(1 - wanted, abs=1e-5)
    switch(wrong=0, errors=1)
    assert ask("POST", "/invocations", rows) == (500, "a fault was switched on")
    switch(errors=0.5)
    statuses = [ask("POST", "/invocations", rows)[0] for _ in range(60)]
    assert 15 < statuses.count(500) < 45
    switch(errors=0, slow_ms=150)
    start = time.monotonic()
    assert ask("POST", "/invocations", rows)[0] == 200
    assert time.monotonic() - start >= 0.15
    assert json.loads(ask("GET", "/admin")[1])["faults"] == {
        "errors": 0,
        "slow_ms": 150,
        "wrong": 0,
    }


@pytest.mark.parametrize(
    "body",
    [
        "",
        "1",
        "[]",
        "[1]",
        '{"error": 1}',
        '{"errors": 2}',
        '{"errors": null}',
        '{"wrong": -1}',
        '{"slow_ms": -1}',
        '{"slow_ms": "slow"}',
        '{"slow_ms": NaN}',
    ],
)
def test_faults_that_it_refuses(ask: Ask, body: str) -> None:
    before = ask("GET", "/admin")[1]
    status, text = ask("POST", "/admin/faults", body)
    assert status == 400 and "/admin/faults with" in text
    assert ask("GET", "/admin")[1] == before


def test_it_counts_invocations(ask: Ask) -> None:
    counts = []
    for _ in range(2):
        state = json.loads(ask("GET", "/admin")[1])
        counts.append(state["invocations"])
        ask("POST", "/invocations", "1,2,3,4,5,6,7,8")
        ask("GET", "/ping")
    assert counts[1] == counts[0] + 1


def test_what_is_being_answered_is_finished_when_it_is_ended(data: Path) -> None:
    process, (port,) = begin(data / "models" / "v1.json", "--slow-ms", "700")
    found: list[int] = []

    def invoke() -> None:
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
            connection.request("POST", "/invocations", "1,2,3,4,5,6,7,8", CSV)
            found.append(connection.getresponse().status)

    thread = threading.Thread(target=invoke)
    with process:
        thread.start()
        time.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    thread.join()
    assert found == [200]


def test_instances_are_processes_that_end_with_the_first_one(
    data: Path, alive: Callable[[int], bool]
) -> None:
    process, ports = begin(data / "models" / "v1.json", "--instances", "3")
    with process:
        children = []
        for port in ports:
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
                connection.request("GET", "/admin")
                children.append(json.loads(connection.getresponse().read())["process"])
        assert len(set(children)) == len(set(ports)) == 3
        os.kill(children[0], signal.SIGTERM)
        time.sleep(0.5)
        assert process.poll() is None
        assert [alive(child) for child in children] == [False, True, True]
        process.send_signal(signal.SIGINT)  # of the first alone: a terminal sends it to all
        process.terminate()
        process.wait(20)
    deadline = time.monotonic() + 10
    while any(map(alive, children)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(alive, children))


def test_it_ends_with_what_started_it(data: Path, alive: Callable[[int], bool]) -> None:
    options = ["--model", str(data / "models" / "v1.json")]
    command = (
        "import subprocess, sys, time; "
        "p = subprocess.Popen([sys.executable, *sys.argv[1:]], stdout=subprocess.PIPE); "
        "p.stdout.readline(); print(p.pid, flush=True); time.sleep(60)"
    )
    starter = subprocess.Popen(
        [sys.executable, "-c", command, PROGRAM, *options], stdout=subprocess.PIPE, text=True
    )
    assert starter.stdout
    with starter:
        server = int(starter.stdout.readline())
        assert alive(server)
        starter.kill()
    deadline = time.monotonic() + 20
    while alive(server) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(server)


def test_it_ends_when_its_time_is_up(run: Run, data: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    result = run("model_server", "--model", str(data / "models" / "v1.json"), "--seconds", "0.2")
    assert (result.status, result.errors) == (0, "")
    assert result.output.startswith("v1 on http://127.0.0.1:")
    assert signal.getsignal(signal.SIGTERM) is before


def test_bad_input(run: Run, data: Path, server: int, tmp_path: Path) -> None:
    model = str(data / "models" / "v1.json")

    def said(*options: str) -> str:
        result = run("model_server", *options, "--seconds", "0.1")
        assert result.status in (1, 2) and result.output == ""
        return result.errors.splitlines()[-1]

    missing = str(tmp_path / "none.json")
    assert said("--model", missing) == (
        f"Cannot serve {missing}: [Errno 2] No such file or directory: '{missing}'. "
        "Choose another --model or --port."
    )
    (tmp_path / "bad.json").write_text("{}")
    assert said("--model", str(tmp_path / "bad.json")).endswith(
        "bad.json is not a model: name a file that Booster.save_model wrote."
    )
    assert "Address already in use" in said("--model", model, "--port", str(server))
    assert "--model or --port" in said("--model", model, "--port", "70000")
    assert said("--model", model, "--errors", "2").endswith("--slow-ms: from 0 to 60000")
    assert "--instances: 1 or more" in said("--model", model, "--instances", "0")
    assert "--instances: 1 or more" in said("--model", model, "--instances", "2", "--port", "9")
