import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

Run = Callable[..., Any]


def test_a_linear_scale_spends_nine_tenths_on_the_last_decade(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "shares.json"
    result = run("scale_ranges", "--min", "0.0001", "--max", "1", "--json", str(file))
    assert (result.status, result.errors) == (0, "")
    table = json.loads(file.read_text())
    assert table["columns"] == ["range", "linear", "logarithmic"]
    names, linear, logarithmic = zip(*table["rows"], strict=True)
    assert names == ("0.0001 – 0.001", "0.001 – 0.01", "0.01 – 0.1", "0.1 – 1")
    assert linear == pytest.approx([0.09, 0.9, 9, 90], abs=0.3)
    assert logarithmic == pytest.approx([25] * 4, abs=0.5)
    assert sum(linear) == pytest.approx(100, abs=0.02)
    assert len(result.output.splitlines()) == 5


def test_a_reversed_scale_counts_the_distance_from_1(run: Run) -> None:
    lines = run("scale_ranges", "--min", "0.9", "--max", "0.9999", "--reverse").output.splitlines()
    assert lines[0].split() == ["distance", "from", "1", "Linear", "ReverseLogarithmic"]
    shares = [[float(cell) for cell in line.split()[3::2]] for line in lines[1:]]
    assert [share[0] for share in shares] == pytest.approx([0.9, 9.1, 90], abs=0.3)
    assert [share[1] for share in shares] == pytest.approx([100 / 3] * 3, abs=0.5)


@pytest.mark.parametrize(
    ("low", "high", "edges"),
    [
        (0.0001, 1, [0.0001, 0.001, 0.01, 0.1, 1]),
        (0.05, 0.5, [0.05, 0.1, 0.5]),
        (2, 3, [2, 3]),
        (1, 10, [1, 10]),
        (0.5, 200, [0.5, 1, 10, 100, 200]),
    ],
)
def test_decades_begin_and_end_with_the_range(
    example: Callable[[str], ModuleType], low: float, high: float, edges: list[float]
) -> None:
    assert example("scale_ranges").decades(low, high) == pytest.approx(edges)


def test_shares_that_cannot_be_written(run: Run) -> None:
    result = run("scale_ranges", "--min", "1", "--max", "2", "--json", "/missing/x.json")
    assert result.status == 1
    assert result.errors.startswith("Cannot write /missing/x.json: No such file or directory.")


@pytest.mark.parametrize("scale", ["Linear", "Logarithmic", "ReverseLogarithmic"])
def test_draws_stay_inside_of_the_range(example: Callable[[str], ModuleType], scale: str) -> None:
    values = example("scale_ranges").draw(scale, 0.2, 0.9, 1000, seed=3)
    assert len(values) == 1000
    assert values.min() >= 0.2
    assert values.max() <= 0.9


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--min", "0", "--max", "1"], "Logarithmic needs 0 < --min < --max"),
        (["--min", "2", "--max", "1"], "Logarithmic needs 0 < --min < --max"),
        (["--min", "0.1", "--max", "inf"], "Logarithmic needs 0 < --min < --max"),
        (["--min", "0.1", "--max", "nan"], "Logarithmic needs 0 < --min < --max"),
        (["--min", "0.1", "--max", "1", "--reverse"], "ReverseLogarithmic needs 0 <= --min < "),
        (["--min", "0.1", "--max", "0.9999999999", "--reverse"], "and 1e-9 between them"),
        (["--min", "0", "--max", "1e-13", "--reverse"], "and 1e-9 between them"),
        (["--min", "0.1", "--max", "1", "--draws", "0"], "--draws: 1 to 10,000,000"),
        (["--min", "0.1", "--max", "1", "--draws", "99999999999999"], "--draws: 1 to 10,000,000"),
    ],
)
def test_ranges_that_a_scale_does_not_allow(run: Run, options: list[str], said: str) -> None:
    result = run("scale_ranges", *options)
    assert (result.status, result.output) == (2, "")
    assert said in result.errors
