import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from awslab.scenarios import EXAMPLES

Load = Callable[[str], ModuleType]
Run = Callable[..., Any]
FIGURES = json.loads((EXAMPLES / "autoscaling/compute_target.figures.json").read_text())


@pytest.mark.parametrize(
    ("max_rps", "factor", "target"), [(20, 0.5, 600), (40, 0.5, 1200), (1.5, 1, 90)]
)
def test_the_formula_of_aws(example: Load, max_rps: float, factor: float, target: float) -> None:
    assert example("compute_target").target_value(max_rps, factor) == target


@pytest.mark.parametrize(
    ("rps", "count"),
    [(0, 2), (19.9, 2), (20, 2), (20.1, 2), (40, 2), (40.1, 3), (200, 10), (1000, 10)],
)
def test_as_few_instances_as_keep_the_target(example: Load, rps: float, count: int) -> None:
    module = example("compute_target")
    assert module.instances_for(rps, 1200, 2, 10) == count
    if 2 < count < 10 or rps == 40:
        assert rps * 60 / count <= 1200 < rps * 60 / (count - 1)


def test_a_sum_of_floats_needs_no_further_instance(example: Load) -> None:
    assert example("compute_target").instances_for(0.1 * 3, 6.0, 1, 10) == 3


def test_output_and_figures(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "instances.json"
    given = ("--max-rps", "40", "--loads", "300", "50", "--max", "10", "--json", str(file))
    result = run("compute_target", *given)
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        "TargetValue 1200 = 40 x 0.5 x 60\n"
        "load a second  a minute  instances  each a second  of MAX_RPS\n"
        "           50      3000          3           16.7         42%\n"
        "          300     18000         10           30.0         75%\n"
        "10 instances are not enough for 300 a second at this target\n"
        "a TargetValue of 70 would be 1.17 requests a second and instance, not 70 %\n"
    )
    assert json.loads(file.read_text()) == {
        "columns": ["load", "instances", "each", "part"],
        "rows": [[50.0, 3, 50 / 3, 50 / 3 / 40], [300.0, 10, 30.0, 0.75]],
    }


def test_enough_instances_are_not_complained_about(run: Run) -> None:
    result = run("compute_target", "--max-rps", "40", "--loads", "200", "--max", "10")
    assert "not enough" not in result.output


def test_the_page_says_what_the_figures_say() -> None:
    assert [(row[0], row[1]) for row in FIGURES["rows"]] == [
        (20, 2),
        (40, 2),
        (50, 3),
        (100, 5),
        (200, 10),
        (300, 10),
    ]
    assert [row[3] for row in FIGURES["rows"]][-2:] == [0.5, 0.75]


@pytest.mark.parametrize(
    "options",
    [
        ["--max-rps", "0", "--loads", "1"],
        ["--max-rps", "5", "--loads", "-1"],
        ["--max-rps", "5", "--loads", "inf"],
        ["--max-rps", "nan", "--loads", "1"],
        ["--max-rps", "1e308", "--loads", "1"],
        ["--max-rps", "5", "--loads", "1", "--safety-factor", "0"],
        ["--max-rps", "5", "--loads", "1", "--safety-factor", "1.1"],
        ["--max-rps", "5", "--loads", "1", "--min", "0"],
        ["--max-rps", "5", "--loads", "1", "--min", "4", "--max", "3"],
    ],
)
def test_bad_options(run: Run, options: list[str]) -> None:
    result = run("compute_target", *options)
    assert (result.status, result.output) == (2, "")
    assert "--m" in result.errors


def test_a_file_that_cannot_be_written(run: Run) -> None:
    result = run("compute_target", "--max-rps", "4", "--loads", "1", "--json", "missing/x.json")
    assert result.status == 1
    assert result.errors == (
        "Cannot write missing/x.json: No such file or directory. Name another file.\n"
    )
