import signal
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from awslab.run import Result

Run = Callable[..., Result]
Load = Callable[[str], ModuleType]
Alive = Callable[[int], bool]


@pytest.fixture(scope="module")
def fleets(load: Load) -> ModuleType:
    return load("start_fleet")


def test_faults_of_a_fleet(run: Run, data: Path, launched: list[int], alive: Alive) -> None:
    model, file = data / "models" / "v1.json", data / "binary" / "validation.csv"
    result = run("start_fleet", "--model", str(model), "--file", str(file))
    assert (result.status, result.errors) == (0, "")
    lines = result.output.splitlines()
    assert lines[:2] == ["instance 1: GET /ping 200", "instance 2: GET /ping 200"]
    good, wrong, error, slow = (line.rpartition("} ")[2].split() for line in lines[2:])
    assert good[0] == wrong[0] == slow[0] == "200"
    assert float(good[1]) + float(wrong[1]) == pytest.approx(1)
    assert good[1] == slow[1] and (good[2], slow[2]) == ("(fast)", "(slow)")
    assert error[:2] == ["500", "a"]
    assert launched and not any(map(alive, launched))


def test_instances_are_stopped_one_by_one(
    fleets: ModuleType, data: Path, launched: list[int], alive: Alive
) -> None:
    fleet = fleets.start_fleet(data / "models" / "v1.json", "v7", 3, slow_ms=1)
    try:
        assert {fleets.ask(i["port"], "GET", "/ping")[0] for i in fleet} == {200}
        fleets.stop_fleet(fleet[:1])
        assert [alive(instance["process"]) for instance in fleet] == [False, True, True]
        with pytest.raises(OSError, match="refused"):
            fleets.ask(fleet[0]["port"], "GET", "/ping")
        fleets.switch_faults(fleet[1:], errors=1)
        status, _ = fleets.ask(fleet[2]["port"], "POST", "/invocations", "1")
        assert status == 500
        with pytest.raises(RuntimeError, match="/admin/faults with"):
            fleets.switch_faults(fleet[1:], error=1)
    finally:
        fleets.stop_fleet(fleet)
    assert not any(alive(instance["process"]) for instance in fleet)
    assert not any(map(alive, launched))
    fleets.stop_fleet(fleet)  # what is gone is no error


def test_an_instance_that_does_not_end_is_killed(
    fleets: ModuleType, data: Path, monkeypatch: pytest.MonkeyPatch, alive: Alive
) -> None:
    (instance,) = fleets.start_fleet(data / "models" / "v1.json", "v1", 1)
    fleets.os.kill(instance["process"], signal.SIGSTOP)  # SIGTERM waits until it goes on
    monkeypatch.setattr(fleets, "PATIENCE", 0.2)
    fleets.stop_fleet([instance])
    assert not alive(instance["process"])


def test_nothing_is_left_of_a_start_that_fails(
    fleets: ModuleType, tmp_path: Path, data: Path, launched: list[int], alive: Alive
) -> None:
    with pytest.raises(RuntimeError, match=r"^Cannot serve .*none\.json: "):
        fleets.start_fleet(tmp_path / "none.json", "v1", 2)
    with pytest.raises(RuntimeError, match="--slow-ms: from 0"):
        fleets.start_fleet(data / "models" / "v1.json", "v1", 2, slow_ms=-1)
    assert len(launched) == 2 and not any(map(alive, launched))


def test_nothing_is_left_when_it_is_interrupted(
    run: Run, data: Path, launched: list[int], alive: Alive, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    arguments = ["--model", str(data / "models" / "v1.json")]
    arguments += ["--file", str(data / "binary" / "validation.csv")]
    monkeypatch.setattr("http.client.HTTPConnection.request", interrupted)
    result = run("start_fleet", *arguments)
    assert (result.status, result.output) == (1, "")
    assert result.errors == "Interrupted. No instance is left running.\n"
    assert launched and not any(map(alive, launched))


def test_bad_input(run: Run, data: Path, tmp_path: Path) -> None:
    model = str(data / "models" / "v1.json")
    result = run("start_fleet", "--model", model, "--file", str(tmp_path / "none.csv"))
    assert result.status == 1 and "No such file or directory" in result.errors
    (tmp_path / "empty.csv").write_text("")
    result = run("start_fleet", "--model", model, "--file", str(tmp_path / "empty.csv"))
    assert result.status == 1 and result.errors.count("\n") == 1
