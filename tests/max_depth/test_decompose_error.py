import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from awslab.scenarios import EXAMPLES, scenario

Load = Callable[[str], ModuleType]
Run = Callable[..., Any]
NAME = "max_depth/decompose_error"
TOLERANCE = scenario(NAME).tolerance
FIGURES = json.loads((EXAMPLES / f"{NAME}.figures.json").read_text())


def test_truth(example: Load) -> None:
    rows = np.array([[2.0, 3.0, 4.0, 9.0], [-1.0, 1.0, 0.0, 9.0]])
    assert example("decompose_error").truth(rows).tolist() == [8.0, -1.0]


def test_another_number_of_threads_gives_the_same(example: Load) -> None:
    decompose = example("decompose_error").decompose
    one, two = (decompose(4, 3, 60, threads) for threads in (1, 2))
    assert two == pytest.approx(one, abs=TOLERANCE)


def test_the_recorded_figures_come_again(example: Load) -> None:
    found = example("decompose_error").decompose(1, 16, 400, 1)
    depth, bias, variance, both, error = FIGURES["rows"][0]
    assert (depth, both) == (1, pytest.approx(bias + variance, abs=0.0002))
    assert found == pytest.approx((bias, variance, error), rel=TOLERANCE)


def test_more_rows_lower_the_variance(example: Load) -> None:
    decompose = example("decompose_error").decompose
    few, many = decompose(3, 6, 100, 1), decompose(3, 6, 1000, 1)
    assert many[1] < few[1] / 2


def test_the_page_says_what_the_figures_say() -> None:
    rows = {row[0]: dict(zip(FIGURES["columns"], row, strict=True)) for row in FIGURES["rows"]}
    variances = [row["variance"] for row in rows.values()]
    assert variances == sorted(variances)
    biases = [rows[depth]["bias"] for depth in (1, 2, 3, 4, 6)]
    assert biases == sorted(biases, reverse=True)
    assert rows[10]["bias"] > rows[6]["bias"]  # deeper than 6 it falls no more
    assert min(rows, key=lambda depth: rows[depth]["both"]) == 4
    for row in rows.values():  # what is left is the noise, of variance 1 in the long run
        assert row["test_error"] - row["both"] == pytest.approx(1, abs=0.1)


def test_output(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "errors.json"
    result = run("decompose_error", "--samples", "2", "--rows", "30", "--json", str(file))
    assert (result.status, result.errors) == (0, "")
    lines = result.output.splitlines()
    assert lines[0] == "2 samples of 30 rows; variance of the noise 1.0"
    rows = json.loads(file.read_text())["rows"]
    assert [[float(cell) for cell in line.split()] for line in lines[2:]] == [
        pytest.approx(row, abs=0.001) for row in rows
    ]


@pytest.mark.parametrize(
    "option", [["--samples", "1"], ["--rows", "0"], ["--threads", "0"]], ids=lambda o: o[0]
)
def test_bad_options(run: Run, option: list[str]) -> None:
    result = run("decompose_error", "--json", "errors.json", *option)
    assert result.status == 2
    assert "--samples: 2 or more; --rows and --threads: 1 or more" in result.errors


def test_a_file_that_cannot_be_written(run: Run) -> None:
    result = run("decompose_error", "--samples", "2", "--rows", "9", "--json", "missing/x.json")
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        "Cannot write missing/x.json: No such file or directory. Name another file.\n"
    )
