import asyncio
import json
import os
import shutil
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from awslab.run import Result

Run = Callable[..., Result]
Load = Callable[[str], ModuleType]
Alive = Callable[[int], bool]
NEEDS_NGINX = pytest.mark.skipif(
    shutil.which("nginx") is None, reason="needs nginx on PATH: make system"
)
ROW = "0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8"


@pytest.fixture(scope="module")
def shifts(load: Load) -> ModuleType:
    return load("shift_traffic")


@pytest.fixture(scope="module")
def fleet(load: Load, data: Path) -> Iterator[list[dict[str, Any]]]:
    """Two instances of v1."""
    fleets = load("start_fleet")
    found = fleets.start_fleet(data / "models" / "v1.json", "v1", 2)
    yield found
    fleets.stop_fleet(found)


@pytest.fixture
def ports(fleet: list[dict[str, Any]]) -> dict[str, list[int]]:
    return {"old": [fleet[0]["port"]], "new": [fleet[1]["port"]]}


def served(shifts: ModuleType, fleet: list[dict[str, Any]]) -> list[int]:
    return [json.loads(shifts.ask(i["port"], "GET", "/admin")[1])["invocations"] for i in fleet]


@pytest.mark.parametrize(
    ("share", "split", "fleets"),
    [
        (0, "{ * old; }", {"old"}),
        (12.5, "{ 12.5% new; * old; }", {"old", "new"}),
        (100, "{ * new; }", {"new"}),
    ],
)
def test_the_configuration(shifts: ModuleType, share: float, split: str, fleets: set[str]) -> None:
    text = shifts.make_config(8001, 7, share, {"old": [1, 2], "new": [3]})
    assert f"split_clients $key $fleet {split}" in text
    assert "listen 127.0.0.1:8001;" in text and '"number": 7' in text
    upstreams = {
        "old": "upstream old { server 127.0.0.1:1 max_fails=0; server 127.0.0.1:2 max_fails=0; ",
        "new": "upstream new { server 127.0.0.1:3 max_fails=0; ",
    }
    assert {name for name, start in upstreams.items() if start in text} == fleets


@pytest.mark.parametrize(("share", "empty"), [(0, "old"), (10, "old"), (10, "new"), (100, "new")])
def test_a_fleet_that_gets_requests_has_servers(
    shifts: ModuleType, share: float, empty: str
) -> None:
    with pytest.raises(ValueError, match=f"{share} %: no server of the fleet {empty}"):
        shifts.make_config(1, 1, share, {"old": [1], "new": [2], empty: []})


def test_without_nginx(
    run: Run, options: list[str], monkeypatch: pytest.MonkeyPatch, launched: list[int]
) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    result = run("shift_traffic", *options)
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith("nginx is not on PATH: install it")
    assert result.errors.count("\n") == 1
    assert launched == []


@NEEDS_NGINX
def test_the_split_follows_the_share(
    run: Run, options: list[str], launched: list[int], alive: Alive
) -> None:
    arguments = [*options, "--requests", "150", "--shares", "0", "20", "100"]
    outputs = [run("shift_traffic", *arguments) for _ in range(2)]
    assert outputs[0] == outputs[1]  # the ids decide, not chance
    assert (outputs[0].status, outputs[0].errors) == (0, "")
    head, *lines = outputs[0].output.splitlines()
    assert head.split("  ") == ["share of v2", "answered by v1", "by v2", "failed"]
    rows = [[int(cell) for cell in line.replace("%", "").split()] for line in lines]
    assert rows[0] == [0, 150, 0, 0]
    assert rows[2] == [100, 0, 150, 0]
    share, old, new, failed = rows[1]
    assert (share, old + new, failed) == (20, 150, 0)
    assert 12 < new < 50
    assert launched and not any(map(alive, launched))


@NEEDS_NGINX
def test_no_request_is_lost_while_it_shifts(
    shifts: ModuleType, load: Load, ports: dict[str, list[int]]
) -> None:
    answers: list[dict[str, Any]] = []
    stop = threading.Event()
    with shifts.shifter(ports) as state:
        settings: Any = state["port"], [(ROW, 1)], 150, 1, answers
        go_on = lambda number, due: not stop.is_set() and due < 60  # noqa: E731
        work = load("send_load").send(*settings, go_on, time.monotonic())
        thread = threading.Thread(target=asyncio.run, args=(work,))
        thread.start()
        try:
            for share in (50, 100, 0, 10, 100, 0):
                shifts.shift(state, share, ports)
        finally:
            stop.set()
            thread.join()
    assert len(answers) > 50
    assert Counter(answer["status"] for answer in answers) == {200: len(answers)}


@NEEDS_NGINX
def test_after_a_shift_the_old_server_has_nothing_left_to_do(
    shifts: ModuleType, load: Load, fleet: list[dict[str, Any]], ports: dict[str, list[int]]
) -> None:
    switch = load("start_fleet").switch_faults
    switch(fleet[:1], slow_ms=800)
    found: list[tuple[int, float]] = []

    def invoke() -> None:
        kind = {"Content-Type": "text/csv"}
        status, _ = shifts.ask(state["port"], "POST", "/invocations", ROW, **kind)
        found.append((status, time.monotonic()))

    try:
        with shifts.shifter(ports) as state:
            thread = threading.Thread(target=invoke)
            thread.start()
            time.sleep(0.3)
            shifts.shift(state, 100, ports)
            returned = time.monotonic()
            thread.join()
            before = served(shifts, fleet)
            counted = shifts.count_versions(state["port"], ROW, 20)
            after = served(shifts, fleet)
    finally:
        switch(fleet[:1], slow_ms=0)
    assert found[0][0] == 200
    assert found[0][1] < returned + 0.1  # the shift waited for the answer
    assert counted["failed"] == 0
    assert [b - a for a, b in zip(before, after, strict=True)] == [0, 20]


@NEEDS_NGINX
def test_requests_without_id_are_split_too(
    shifts: ModuleType, fleet: list[dict[str, Any]], ports: dict[str, list[int]]
) -> None:
    with shifts.shifter(ports, 50) as state:
        before = served(shifts, fleet)
        for _ in range(60):
            kind = {"Content-Type": "text/csv"}
            assert shifts.ask(state["port"], "POST", "/invocations", ROW, **kind)[0] == 200
        got = [b - a for a, b in zip(before, served(shifts, fleet), strict=True)]
    assert sum(got) == 60 and min(got) > 10


@NEEDS_NGINX
def test_an_error_of_a_server_is_shown(
    shifts: ModuleType, ports: dict[str, list[int]], load: Load
) -> None:
    gone = shifts.free_port()
    with shifts.shifter({"old": [gone, *ports["old"]], "new": []}) as state:
        counted = shifts.count_versions(state["port"], ROW, 20)
    assert counted["failed"] == 10  # every second one, not tried again on the other server


@NEEDS_NGINX
def test_a_bad_configuration_is_told_and_nothing_is_left(
    shifts: ModuleType,
    ports: dict[str, list[int]],
    monkeypatch: pytest.MonkeyPatch,
    launched: list[int],
    alive: Alive,
) -> None:
    monkeypatch.setattr(shifts, "PATIENCE", 1)
    folders = []

    def change() -> None:
        with shifts.shifter(ports) as state:
            folders.append(state["folder"])
            monkeypatch.setattr(shifts, "CONFIG", shifts.CONFIG.replace("daemon off", "wrong x"))
            shifts.shift(state, 50, ports)

    for _ in range(2):  # the second time nginx does not even start
        with pytest.raises(RuntimeError, match=r"nginx does not use .* unknown directive .wrong."):
            change()
    assert len(folders) == 1 and not folders[0].exists()
    assert len(launched) == 2 and not any(map(alive, launched))


@NEEDS_NGINX
@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_nothing_is_left_after_an_error(
    shifts: ModuleType, ports: dict[str, list[int]], error: type[BaseException], alive: Alive
) -> None:
    seen: dict[str, Any] = {}

    def fail() -> None:
        with shifts.shifter(ports) as state:
            seen.update(state)
            assert alive(seen["worker"])
            raise error

    with pytest.raises(error):
        fail()
    assert not alive(seen["process"].pid)
    assert not alive(seen["worker"])
    assert not seen["folder"].exists()


def test_bad_input(run: Run, options: list[str], tmp_path: Path) -> None:
    result = run("shift_traffic", *options, "--shares", "101")
    assert result.status == 2 and "--shares: from 0 to 100" in result.errors
    if shutil.which("nginx"):
        options[-1] = str(tmp_path / "none.csv")
        result = run("shift_traffic", *options)
        assert result.status == 1 and "No such file or directory" in result.errors


def test_whether_a_process_is_there(shifts: ModuleType) -> None:
    with subprocess.Popen(["true"]) as ended:
        ended.wait()
    assert shifts.is_process(os.getpid())
    assert shifts.is_process(1)  # of somebody else
    assert not shifts.is_process(ended.pid)
