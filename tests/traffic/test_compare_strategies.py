import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from awslab.run import Result

Run = Callable[..., Result]
Load = Callable[[str], ModuleType]


@pytest.fixture(scope="module")
def compares(load: Load) -> ModuleType:
    return load("compare_strategies")


def result(strategy: str, seed: int, saw_bad: int, case: str = "errors") -> dict[str, Any]:
    return {
        "strategy": strategy,
        "case": case,
        "seed": seed,
        "requests": 1000,
        "failed": saw_bad // 2,
        "saw_bad": saw_bad,
        "detect_seconds": None if case == "none" else 0.5,
        "roll_back_seconds": None if case == "none" else 0.1,
        "finish_seconds": 3.25 if case == "none" else None,
        "extra_instance_seconds": 12.04,
        "p50_ms": 2.0,
        "p99_ms": 9.06,
        "answers": [{"due": 0.6, "status": 200, "version": "v2"}],
    }


def test_the_table_has_the_means_of_the_seeds(compares: ModuleType) -> None:
    results = [result("canary", 1, 10), result("canary", 2, 20), result("canary", 1, 0, "none")]
    head, none, errors = compares.table(results, ["canary"], ["none", "errors"])
    assert [line[:23].split() for line in (none, errors)] == [
        ["none", "canary"],
        ["errors", "canary"],
    ]
    assert head[23:] == "".join(f"{name:>9}" for name in compares.COLUMNS)
    assert errors.split()[2:] == ["1000", "8", "15", "0.50", "0.10", "-", "12.0", "2.0", "9.1"]
    assert none.split()[2:] == ["1000", "0", "0", "-", "-", "3.25", "12.0", "2.0", "9.1"]
    assert len({len(line) for line in (head, none, errors)}) == 1


def test_the_order_of_each_seed_is_compared_with_the_first(compares: ModuleType) -> None:
    results = [result("canary", 1, 10), result("linear", 1, 20), result("linear", 2, 9)]
    results += [result("canary", 2, 30), result("canary", 3, 1), result("linear", 3, 2)]
    assert compares.rank(results[:2]) == ["canary", "linear"]
    assert compares.agreement(results, "errors") == (2, 3)
    assert compares.agreement(results[:2], "errors") == (1, 1)


def test_a_healthy_switch_that_loses_a_request_is_told(compares: ModuleType) -> None:
    good = result("canary", 1, 0, "none")
    assert compares.broken_promises([good, result("canary", 1, 99)]) == []
    for bad in (good | {"failed": 1}, good | {"finish_seconds": None}):
        (told,) = compares.broken_promises([good, bad])
        assert told.startswith(f"canary lost {bad['failed']} requests or did not finish")


def test_figures_for_charts(compares: ModuleType) -> None:
    results = [result("canary", 1, 10), result("canary", 2, 20), result("canary", 1, 0, "none")]
    found = compares.figures(results, ["canary"], ["none", "errors"])
    assert found["saw_bad"] == {
        "columns": ["strategy", "none", "errors"],
        "rows": [["canary", 0, 15]],
    }
    assert found["detect_seconds"]["rows"] == [["canary", None, 0.5]]
    assert found.keys() >= {"roll_back_seconds", "extra_instance_seconds", "errors"}
    assert found["errors"].keys() == {"canary"}
    assert found["errors"]["canary"]["rows"][2] == [0.125, 0, 4, 0]
    json.dumps(found, allow_nan=False)


def test_each_case_is_one_that_can_be_run(compares: ModuleType, load: Load) -> None:
    rolls = load("roll_out")
    assert {case["fault"] for case in compares.CASES.values()} == rolls.FAULTS.keys()
    assert compares.CASES["late"]["fault_at"] > rolls.BAKE * rolls.PERIOD  # blue/green is over


def test_the_order_differs(
    run: Run, options: list[str], monkeypatch: pytest.MonkeyPatch, load: Load
) -> None:
    """The program itself, with measurements that are given."""
    numbers = iter([10, 20, 20, 10])

    def measured(strategy: str, *, seed: int, **_: Any) -> dict[str, Any]:
        return result(strategy, seed, next(numbers))

    program = load("compare_strategies")
    monkeypatch.setattr(program, "roll_out", measured)
    monkeypatch.setattr(program, "find_nginx", lambda: "echo")
    words = ["x", *options, "--cases", "errors", "--strategies", "canary", "linear", "--seeds"]
    monkeypatch.setattr("sys.argv", [*words, "1", "2"])
    with pytest.raises(SystemExit, match="errors: the order differs from seed to seed"):
        program.main()


@pytest.mark.skipif(shutil.which("nginx") is None, reason="needs nginx on PATH: make system")
def test_fewer_requests_reach_a_bad_version_through_a_canary(
    run: Run, options: list[str], tmp_path: Path, launched: list[int], alive: Callable[[int], bool]
) -> None:
    arguments = [*options, "--cases", "errors", "--strategies", "all-at-once", "canary"]
    arguments += ["--seeds", "1", "--rate", "100", "--json", str(tmp_path / "compared.json")]
    found = run("compare_strategies", *arguments)
    assert (found.status, found.errors) == (0, "")
    _, bad, good, order, last = found.output.splitlines()
    assert bad.split()[:2] == ["errors", "all-at-once"]
    assert good.split()[:2] == ["errors", "canary"]
    assert float(good.split()[4]) < float(bad.split()[4]) / 4
    assert order == "errors: the same order by `saw bad` in 1 of 1 seeds"
    assert last.startswith("2 runs at 100 requests a second took ")
    figures = json.loads((tmp_path / "compared.json").read_text())
    assert [row[0] for row in figures["saw_bad"]["rows"]] == ["all-at-once", "canary"]
    assert figures["errors"].keys() == {"all-at-once", "canary"}
    assert launched and not any(map(alive, launched))


def test_without_nginx(
    run: Run, options: list[str], monkeypatch: pytest.MonkeyPatch, launched: list[int]
) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    found = run("compare_strategies", *options)
    assert (found.status, found.output) == (1, "")
    assert found.errors.startswith("nginx is not on PATH: install it")
    assert launched == []


def test_bad_input(run: Run, options: list[str]) -> None:
    for wrong, said in (
        (["--rate", "3000"], "--rate: up to 2000"),
        (["--cases", "fire"], "invalid choice: 'fire'"),
        (["--strategies", "hope"], "invalid choice: 'hope'"),
    ):
        found = run("compare_strategies", *options, *wrong)
        assert found.status == 2 and said in found.errors
