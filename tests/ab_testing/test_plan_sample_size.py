import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from awslab.scenarios import EXAMPLES

Load = Callable[[str], ModuleType]
Run = Callable[..., Any]
FIGURES = json.loads((EXAMPLES / "ab_testing/plan_sample_size.figures.json").read_text())


@pytest.mark.parametrize(
    ("base", "effect", "power", "size"),
    [  # R: power.prop.test(p1, p2, power), n for each of two equal groups
        (0.50, 0.25, 0.90, 77),  # 76.65, the example of its manual
        (0.20, 0.05, 0.80, 1094),  # 1093.74
    ],
)
def test_known_sizes(example: Load, base: float, effect: float, power: float, size: int) -> None:
    assert example("plan_sample_size").sample_size(base, effect, 0.5, 0.05, power) == (size, size)


def test_a_fall_needs_as_many_as_the_same_rise_from_below(example: Load) -> None:
    sample_size = example("plan_sample_size").sample_size
    assert sample_size(0.88, -0.05, 0.5, 0.05, 0.8) == sample_size(0.83, 0.05, 0.5, 0.05, 0.8)


@pytest.mark.parametrize("share", [0.5, 0.2])
@pytest.mark.parametrize(("effect", "expected"), [(0.05, 0.8), (0.0, 0.05)])
def test_simulated_tests_of_this_size_have_the_power(
    example: Load, share: float, effect: float, expected: float
) -> None:
    """Another way to the same: draw tests, and count those that show a difference."""
    old, new = example("plan_sample_size").sample_size(0.83, 0.05, share, 0.05, 0.8)
    random = np.random.default_rng(3)
    a, b = random.binomial(old, 0.83, 40_000), random.binomial(new, 0.83 + effect, 40_000)
    pooled = (a + b) / (old + new)
    z = (b / new - a / old) / np.sqrt(pooled * (1 - pooled) * (1 / old + 1 / new))
    assert (np.abs(z) > 1.959964).mean() == pytest.approx(expected, abs=0.012)


def test_output_and_figures(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "sizes.json"
    result = run("plan_sample_size", "--base", "0.9", "--effect", "0.05", "--json", str(file))
    assert (result.status, result.errors) == (0, "")
    lines = result.output.splitlines()
    assert lines[0] == "from 0.9 to 0.95: 870 requests"
    assert lines[1] == "present variant 435, new variant 435 (50% of the traffic)"
    table = json.loads(file.read_text())
    assert table["columns"] == ["effect", "share_0.5", "share_0.2", "share_0.1"]
    assert [row[0] for row in table["rows"]] == [0.01, 0.02, 0.03, 0.05, 0.07]  # 0.9 + 0.1 is 1
    assert [[float(cell) for cell in line.split()] for line in lines[3:]] == table["rows"]
    assert table["rows"][3][1] == 870


def test_the_page_says_what_the_figures_say() -> None:
    rows = {row[0]: row[1:] for row in FIGURES["rows"]}
    assert rows[0.05] == [1556, 2507, 4495]
    assert rows[0.01][0] == 43254
    assert rows[0.01][0] / rows[0.05][0] == pytest.approx(28, abs=0.3)


@pytest.mark.parametrize(
    "options",
    [
        ["--base", "0.98", "--effect", "0.05"],
        ["--base", "0", "--effect", "0.05"],
        ["--base", "0.5", "--effect", "0"],
        ["--base", "0.5", "--effect", "1e-300"],
        ["--base", "0.5", "--effect", "0.1", "--share", "1"],
        ["--base", "0.5", "--effect", "0.1", "--power", "1"],
        ["--base", "0.5", "--effect", "0.1", "--alpha", "0"],
        ["--base", "nan", "--effect", "0.1"],
    ],
)
def test_bad_options(run: Run, options: list[str]) -> None:
    result = run("plan_sample_size", *options)
    assert (result.status, result.output) == (2, "")
    assert "all rates, and --base + --effect, lie between 0 and 1" in result.errors


def test_a_file_that_cannot_be_written(run: Run) -> None:
    result = run("plan_sample_size", "--base", "0.8", "--effect", "0.1", "--json", "missing/x.json")
    assert result.status == 1
    assert result.errors == (
        "Cannot write missing/x.json: No such file or directory. Name another file.\n"
    )


def test_a_very_small_alpha(example: Load) -> None:
    sizes = [example("plan_sample_size").sample_size(0.5, 0.1, 0.5, a, 0.8) for a in (1e-9, 1e-20)]
    assert 0 < sum(sizes[0]) < sum(sizes[1])
