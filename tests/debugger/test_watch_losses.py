import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from awslab.run import Result

Run = Callable[..., Result]
Example = Callable[[str], ModuleType]


@pytest.fixture
def rules(example: Example) -> ModuleType:
    return example("watch_losses")


@pytest.mark.parametrize(
    ("train", "validation", "settings", "fires"),
    [
        ([1.0], [1.1 + 1e-9], {}, True),
        ([1.0], [1.0999], {}, False),  # the threshold must be exceeded
        ([2.0], [2.5], {"ratio_threshold": 0.25}, False),  # exactly the threshold
        ([1.0, 1.0], [1.2, 1.0], {}, False),  # only the last round counts
        ([1.0, 1.0], [1.0, 1.2], {"patience": 2}, False),
        ([1.0, 1.0], [1.2, 1.2], {"patience": 2}, True),
        ([1.0], [1.2], {"patience": 2}, False),  # not yet two rounds
        ([1.0, 1.0], [1.2, 1.2], {"start_step": 2}, False),
        ([1.0, 1.0, 1.0], [1.2, 1.2, 1.2], {"start_step": 2}, True),
        ([1.0, 1.0, 1.0], [1.2, 1.2, 1.2], {"start_step": 2, "patience": 2}, False),
        ([1.0], [0.5], {}, False),
        ([], [], {}, False),
    ],
)
def test_overfit(
    rules: ModuleType,
    train: list[float],
    validation: list[float],
    settings: dict[str, Any],
    fires: bool,
) -> None:
    assert bool(rules.overfit(train, validation, **settings)) == fires


def test_overfit_says_by_how_much(rules: ModuleType) -> None:
    assert rules.overfit([2.0], [3.0]) == "validation loss is 50% above training loss"


def falling_to(last: float, steps: int = 10) -> list[float]:
    return [1.0] * steps + [last]


@pytest.mark.parametrize(
    ("losses", "settings", "fires"),
    [
        (falling_to(0.9991), {}, True),  # by 0.09 %
        (falling_to(0.9989), {}, False),  # by 0.11 %
        (falling_to(1.0), {}, True),
        (falling_to(1.04), {}, True),  # a rise is no fall
        (falling_to(0.98), {"diff_percent": 3}, True),
        (falling_to(1.0, 9), {}, False),  # ten steps are not over
        (falling_to(1.0, 11), {}, False),  # looks at steps 10, 20, …
        (falling_to(1.0, 20), {}, True),
        (falling_to(1.0, 3), {"num_steps": 3}, True),
        ([1.0], {}, False),
        ([], {}, False),
    ],
)
def test_loss_not_decreasing(
    rules: ModuleType, losses: list[float], settings: dict[str, Any], fires: bool
) -> None:
    assert bool(rules.loss_not_decreasing(losses, **settings)) == fires


def test_defaults_are_those_of_debugger(rules: ModuleType) -> None:
    assert rules.overfit.__defaults__ == (0, 1, 0.1)
    assert rules.loss_not_decreasing.__defaults__ == (10, 0.1)


def test_each_rule_finds_its_fault_and_nothing_else(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "losses.json"
    result = run("watch_losses", "--json", str(file))
    assert (result.status, result.errors) == (0, "")
    found: dict[str, dict[str, int]] = {}
    for line in result.output.splitlines():
        name, _, rest = line.partition(": ")
        if not line.startswith(" "):
            found[name] = current = {}
        elif rest:
            _, number, rule = name.split()
            current[rule] = int(number)
    assert found == {
        "healthy": {},
        "overfit": {"Overfit": 2},
        "no splits": {"LossNotDecreasing": 10},
    }
    tables = json.loads(file.read_text())
    assert list(tables) == list(found)
    for name, table in tables.items():
        assert table["columns"] == ["round", "train", "validation", "fired", "lowest"]
        fired = {row[0]: row[3] for row in table["rows"] if row[3] is not None}
        assert list(fired) == sorted(found[name].values())
        assert len(table["rows"]) <= 60
    # The rule fires long before the round with the best model.
    rows = tables["overfit"]["rows"]
    at, best = (next(row for row in rows if row[marked]) for marked in (3, 4))
    assert best[2] == min(row[2] for row in rows) == pytest.approx(0.4, abs=0.02)
    assert (at[0], best[0] > 30) == (2, True)
    assert at[2] == pytest.approx(0.61, abs=0.02)


def test_losses_that_cannot_be_written(run: Run, tmp_path: Path) -> None:
    result = run("watch_losses", "--json", str(tmp_path / "missing" / "losses.json"))
    assert result.status == 1
    assert result.errors == (
        f"[Errno 2] No such file or directory: '{tmp_path}/missing/losses.json'. "
        "The losses were not kept: choose a --json that can be written.\n"
    )
