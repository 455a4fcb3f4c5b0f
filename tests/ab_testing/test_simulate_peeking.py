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
FIGURES = json.loads((EXAMPLES / "ab_testing/simulate_peeking.figures.json").read_text())


@pytest.mark.parametrize(
    ("looks", "known"),
    # Armitage, McPherson and Rowe 1969: repeated significance tests at 5 per cent
    [(1, 0.05), (2, 0.083), (3, 0.107), (5, 0.142), (10, 0.193), (20, 0.248)],
)
def test_the_shares_are_the_known_ones(example: Load, looks: int, known: float) -> None:
    plain, _ = example("simulate_peeking").false_alarms(0.5, 40_000, looks, 0.05, 100_000, 2)
    assert plain == pytest.approx(known, abs=0.006)


def test_one_look_needs_no_correction(example: Load) -> None:
    plain, corrected = example("simulate_peeking").false_alarms(0.83, 800, 1, 0.05, 5000, 1)
    assert plain == corrected


def test_an_odd_size_is_looked_at_to_the_end(
    example: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the size, the parts between the looks are the whole."""
    module, sizes = example("simulate_peeking"), []

    class Random:
        def binomial(self, n: Any, rate: float, shape: tuple[int, ...]) -> Any:
            sizes.append(n)
            return np.zeros(shape)

    monkeypatch.setattr(module.np.random, "default_rng", lambda seed: Random())
    assert module.false_alarms(0.5, 103, 10, 0.05, 1, 1) == (0.0, 0.0)  # 0 of 0: no difference
    assert sizes[0].sum() == 103 and set(sizes[0]) == {10, 11}


def test_output_and_figures(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "peeking.json"
    given = ("--rate", "0.5", "--size", "100", "--tests", "500", "--json", str(file))
    result = run("simulate_peeking", *given)
    assert (result.status, result.errors) == (0, "")
    table = json.loads(file.read_text())
    assert table["columns"] == ["looks", "plain", "corrected"]
    lines = result.output.splitlines()
    assert lines[0] == "500 A/A tests, 100 requests per variant, alpha 0.05"
    assert [[float(cell) for cell in line.split()] for line in lines[2:]] == table["rows"]
    assert run("simulate_peeking", *given).output == result.output
    assert run("simulate_peeking", *given, "--seed", "2").output != result.output


def test_the_page_says_what_the_figures_say() -> None:
    rows = {looks: (plain, corrected) for looks, plain, corrected in FIGURES["rows"]}
    assert rows[1][0] == pytest.approx(0.05, abs=0.005)
    assert rows[10][0] == pytest.approx(0.194, abs=0.005)
    assert all(corrected <= 0.055 for _, corrected in rows.values())
    assert [rows[n][0] for n in sorted(rows)] == sorted(plain for plain, _ in rows.values())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--rate", "1", "--size", "100"], "--rate and --alpha lie between 0 and 1"),
        (["--rate", "0.5", "--size", "100", "--alpha", "0"], "--rate and --alpha lie between"),
        (["--rate", "0.5", "--size", "19"], "--size: 20 or more"),
        (["--rate", "0.5", "--size", "100", "--tests", "0"], "--tests: 1 or more"),
        (["--rate", "0.5", "--size", "100", "--seed", "-1"], "--seed: not below 0"),
    ],
)
def test_bad_options(run: Run, options: list[str], said: str) -> None:
    result = run("simulate_peeking", *options)
    assert (result.status, result.output) == (2, "")
    assert said in result.errors


def test_a_file_that_cannot_be_written(run: Run) -> None:
    given = ("--rate", "0.5", "--size", "20", "--tests", "1", "--json", "missing/x.json")
    result = run("simulate_peeking", *given)
    assert result.status == 1
    assert result.errors == (
        "Cannot write missing/x.json: No such file or directory. Name another file.\n"
    )
