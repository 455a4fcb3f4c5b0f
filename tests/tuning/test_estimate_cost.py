from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

Run = Callable[..., Any]


@pytest.mark.parametrize(
    ("arguments", "hours", "longest", "at_once"),
    [
        ((20, 3, 1, 1), 1, 1, 1),
        ((20, 3, 1, 10), 1, 0.1, 10),
        ((20, 3, 1, 7), 1, 0.15, 7),  # 7, 7 and 6 training jobs
        ((20, 3, 2, 10), 2, 0.1, 20),
        ((3, 60, 1, 10), 3, 1, 3),
    ],
)
def test_estimate(
    example: Callable[[str], ModuleType],
    arguments: tuple[int, float, int, int],
    hours: float,
    longest: float,
    at_once: int,
) -> None:
    found = example("estimate_cost").estimate(*arguments)
    assert found["instance_hours"] == pytest.approx(hours)
    assert found["hours"] == pytest.approx(longest)
    assert found["instances_at_once"] == at_once


def test_a_price_is_only_that_of_the_reader(run: Run) -> None:
    result = run("estimate_cost", "--jobs", "10", "--minutes", "6", "--price", "2")
    assert (result.status, result.errors) == (0, "")
    assert result.output.splitlines() == [
        "parallel  instance hours  hours at least  instances at once",
        "       1            1.00            1.00                  1",
        "at 2 an hour: 2.00",
    ]


@pytest.mark.parametrize(
    "options",
    [
        ["--jobs", "0", "--minutes", "3"],
        ["--jobs", "1", "--minutes", "-3"],
        ["--jobs", "1", "--minutes", "3", "--parallel", "1", "0"],
        ["--jobs", "1", "--minutes", "3", "--instances", "0"],
        ["--jobs", "1", "--minutes", "3", "--price", "-1"],
        ["--jobs", "1", "--minutes", "3", "--price", "nan"],
        ["--jobs", "1", "--minutes", "nan"],
        ["--jobs", "1", "--minutes", "inf"],
        ["--jobs", "1" + "0" * 400, "--minutes", "3"],
    ],
)
def test_amounts_that_make_no_sense(run: Run, options: list[str]) -> None:
    result = run("estimate_cost", *options)
    assert (result.status, result.output) == (2, "")
    assert result.errors.endswith(": above 0; price: 0 or more; each 1e9 at most\n")
