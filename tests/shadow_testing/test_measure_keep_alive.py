import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from awslab.run import Result
from awslab.scenarios import EXAMPLES
from shadow_testing.conftest import STAND_IN, Interrupt

Run = Callable[..., Result]
FIGURES = EXAMPLES / "shadow_testing" / "measure_keep_alive.figures.json"
CASES = ["direct", "nginx", "mirror-fast", "mirror-slow", "mirror-slow-close"]
pytestmark = pytest.mark.usefixtures("nginx")


def options(folder: Path, answer: str = "0.5") -> list[str]:
    (folder / "model").write_text(answer)
    (folder / "rows.csv").write_text("1,0.5\n0,0.25\n")
    files = ("--model", "model", "--rows", "rows.csv", "--json", "times.json")
    return ["--server", STAND_IN, "--requests", "16", *files]


@pytest.fixture
def place(tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder; afterwards no temporary folder is left."""
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    assert list(temporary.iterdir()) == []


def test_only_a_kept_connection_waits_for_the_shadow(run: Run, place: Path) -> None:
    result = run("measure_keep_alive", *options(place), "--slow-ms", "300")
    assert (result.status, result.errors) == (0, "")
    table = json.loads((place / "times.json").read_text())
    assert table["columns"] == ["case", "p50_ms", "per_second"]
    assert [row[0] for row in table["rows"]] == CASES
    lines = result.output.splitlines()
    assert lines[0].split() == ["case", "p50", "in", "ms", "requests", "per", "second"]
    assert [line.split() for line in lines[1:]] == [
        [str(cell) for cell in row] for row in table["rows"]
    ]
    times = {name: p50 for name, p50, _ in table["rows"]}
    rates = {name: rate for name, _, rate in table["rows"]}
    assert times.pop("mirror-slow") >= 295
    assert max(times.values()) < 250
    assert rates["mirror-slow"] < 4 / 0.2
    assert min(rates.values()) == rates["mirror-slow"]


def test_the_page_says_what_the_figures_say() -> None:
    rows = json.loads(FIGURES.read_text())["rows"]
    times = {name: p50 for name, p50, _ in rows}
    rates = {name: rate for name, _, rate in rows}
    assert list(times) == CASES
    assert times["mirror-slow"] > 50
    assert max(times, key=lambda name: times[name]) == "mirror-slow"
    assert times["mirror-slow-close"] < 30
    assert times["mirror-fast"] > times["nginx"]  # a fast shadow is not free either
    assert rates["mirror-slow"] < 4 / 0.05 < rates["mirror-slow-close"] < rates["direct"]


def test_a_failing_server_is_not_measured(run: Run, place: Path) -> None:
    result = run("measure_keep_alive", *options(place, "fail"))
    assert result.status == 1
    assert result.errors.startswith("Not measured: a client got status 503. All servers are stop")
    assert not (place / "times.json").exists()


def test_what_is_missing(run: Run, place: Path) -> None:
    good = options(place)
    for option, said in (
        ("--model", "v1 did not start: FileNotFoundError"),
        ("--rows", "No such file or directory: 'missing'"),
        ("--server", "v1 did not start: "),
    ):
        result = run("measure_keep_alive", *good, option, "missing")
        assert result.status == 1
        assert said in result.errors
        assert result.errors.endswith("All servers are stopped: correct it, run it again.\n")
    without = run("measure_keep_alive", *good, PATH=str(place))
    assert without.status == 1
    assert without.errors.startswith("nginx is not on PATH: ")


def test_ctrl_c_stops_everything_at_once(
    interrupt: Interrupt, tmp_path: Path, temporary: Path
) -> None:
    """Also the clients, which have minutes of requests to go."""
    many = [*options(tmp_path), "--requests", "10000", "--slow-ms", "1000"]
    started = 0

    def until() -> bool:
        nonlocal started
        started += any(temporary.glob("*/v2"))
        return started > 25  # half a second later

    status, _, errors = interrupt("measure_keep_alive", many, until)
    assert status == 1
    assert errors == "Interrupted: all servers are stopped, their folder is removed.\n"
    assert not (tmp_path / "times.json").exists()


@pytest.mark.parametrize(
    "bad", [("--requests", "3"), ("--requests", "10001"), ("--slow-ms", "-1"), ("--slow-ms", "nan")]
)
def test_bad_options(run: Run, place: Path, bad: tuple[str, str]) -> None:
    result = run("measure_keep_alive", *options(place), *bad)
    assert result.status == 2
    assert "--requests: 4 to 10000; --slow-ms: 0 to 1000" in result.errors
