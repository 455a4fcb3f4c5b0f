from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from awslab.run import Result
from shadow_testing.conftest import Interrupt

Run = Callable[..., Result]
pytestmark = pytest.mark.usefixtures("nginx")


def test_without_a_stub_the_shadow_books_too(
    example: Callable[[str], ModuleType], tmp_path: Path
) -> None:
    told, booked, notes = example("stub_side_effects").shadow_test(tmp_path, 40, stub=False)
    assert told == {str(order) for order in range(1, 18)}  # below 18
    assert sorted(booked, key=int) == sorted(
        [*(str(n) for n in range(1, 18)), *(str(n) for n in range(1, 20))], key=int
    )
    assert notes == []


def test_the_stub_keeps_the_ledger_clean_and_notes_what_it_would_do(
    example: Callable[[str], ModuleType], tmp_path: Path
) -> None:
    told, booked, notes = example("stub_side_effects").shadow_test(tmp_path, 40, stub=True)
    assert booked == sorted(told, key=int)
    assert notes == [str(order) for order in range(1, 20)]


def test_the_program_says_so(run: Run, temporary: Path) -> None:
    result = run("stub_side_effects", "--orders", "40")
    assert (result.status, result.errors) == (0, "")
    numbers = [line.rpartition("  ")[2].strip() for line in result.output.splitlines()]
    assert [line for line in result.output.splitlines() if line.endswith(":")] == [
        "The shadow books:",
        "The shadow has a stub:",
    ]
    assert [int(n.split()[-1]) for n in numbers if n[-1].isdigit()] == [
        *(17, 36, 17, 2),
        *(17, 17, 0, 0, 19, 2),
    ]
    assert list(temporary.iterdir()) == []


def test_missing_nginx_and_bad_options(run: Run, tmp_path: Path) -> None:
    missing = run("stub_side_effects", PATH=str(tmp_path))
    assert missing.status == 1
    assert missing.errors.startswith("nginx is not on PATH: ")
    for bad in ("19", "10001"):
        result = run("stub_side_effects", "--orders", bad)
        assert result.status == 2
        assert "--orders: 20 to 10000" in result.errors


def test_ctrl_c_stops_nginx(interrupt: Interrupt, temporary: Path) -> None:
    def until() -> bool:
        return any(ledger.stat().st_size for ledger in temporary.glob("*/ledger"))

    status, _, errors = interrupt("stub_side_effects", ["--orders", "10000"], until)
    assert status == 1
    assert errors == "Interrupted: nginx is stopped and its folder removed.\n"
