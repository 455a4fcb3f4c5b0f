"""Overfitting and losses that do not fall."""

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from awslab.run import Result

pytest.importorskip("torch", reason="PyTorch: make test-debugger")
pytestmark = pytest.mark.debugger


@pytest.fixture
def rules(example: Callable[[str], ModuleType]) -> ModuleType:
    return example("compare_losses")


@pytest.mark.parametrize(
    ("train", "validation", "options", "fires"),
    [
        ([1.0], [1.5], {"ratio_threshold": 0.5}, False),  # at the ratio, not above
        ([1.0], [1.11], {}, True),
        ([1.0], [0.5], {}, False),
        ([0.01], [0.012], {}, True),  # a small loss makes a small gap large
        ([1.0, 1.0], [1.5, 1.0], {}, False),  # the last steps count
        ([1.0, 1.0], [1.0, 1.5], {"patience": 2}, False),
        ([1.0, 1.0], [1.5, 1.5], {"patience": 2}, True),
        ([1.0], [1.5], {"patience": 2}, False),  # too early to tell
        ([1.0, 1.0], [1.5, 1.5], {"patience": 2, "start_step": 1}, False),
        ([1.0], [1.5], {"ratio_threshold": 0.6}, False),
        ([], [], {}, False),
    ],
)
def test_overfit(
    rules: ModuleType,
    train: list[float],
    validation: list[float],
    options: dict[str, float],
    fires: bool,
) -> None:
    assert rules.is_overfit(train, validation, **options) is fires


@pytest.mark.parametrize(
    ("losses", "options", "fires"),
    [
        ([2.0] * 11, {}, True),
        ([2.0] * 10, {}, False),  # fewer steps than num_steps
        ([2.0] * 12, {}, False),  # between two looks
        ([2.0 - 0.1 * i for i in range(11)], {}, False),
        ([2.0] * 10 + [1.999], {}, True),  # by 0.05 %
        ([2.0] * 10 + [1.997], {}, False),  # by 0.15 %
        ([2.0] * 10 + [2.5], {}, True),
        ([3.0] + [2.0] * 10 + [9.0] * 9 + [2.0], {}, True),  # step 20 against step 10
        ([2.0] * 4, {"num_steps": 3}, True),
        ([2.0] * 10 + [1.9], {"diff_percent": 10}, True),
        ([], {}, False),
    ],
)
def test_not_decreasing(
    rules: ModuleType, losses: list[float], options: dict[str, float], fires: bool
) -> None:
    assert rules.is_not_decreasing(losses, **options) is fires


def test_each_run_gets_its_verdict(run: Callable[..., Result], tmp_path: Path) -> None:
    file = tmp_path / "losses.json"
    result = run("compare_losses", "--json", str(file))
    assert (result.status, result.errors) == (0, "")
    rows = {line[:17].strip(): line[17:].split() for line in result.output.splitlines()[1:]}
    fired = {name: (row[3] != "-", row[4] != "-") for name, row in rows.items()}
    assert fired == {
        "decay": (False, False),
        "no decay": (True, False),
        "few rows": (True, False),
        "12 sigmoid layers": (False, True),
    }
    table = json.loads(file.read_text(encoding="utf-8"))["losses"]
    losses = dict(zip(table["columns"], zip(*table["rows"], strict=True), strict=True))
    assert losses["epoch"] == tuple(range(1, 31)) and len(losses) == 9
    assert rows["few rows"][2] == f"{min(losses['few rows, validation']):.2f}"
    worse = losses["few rows, validation"]
    assert worse[-1] > min(worse) + 0.02 and worse.index(min(worse)) < 20  # it overfits
    assert losses["few rows, training"][-1] < 0.01
    alarm = int(rows["no decay"][3])
    validation = losses["no decay, validation"]
    assert min(validation[alarm:]) < validation[alarm - 1] / 1.5  # it went on getting better
