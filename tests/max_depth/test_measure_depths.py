import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import xgboost
from awslab.scenarios import EXAMPLES, scenario
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

Load = Callable[[str], ModuleType]
Run = Callable[..., Any]
FIGURES = EXAMPLES / "max_depth" / "measure_depths.figures.json"
TOLERANCE = scenario("max_depth/measure_depths").tolerance


def last(depth: int) -> dict[str, float]:
    table = json.loads(FIGURES.read_text())["last"]
    row = next(row for row in table["rows"] if row[0] == depth)
    return dict(zip(table["columns"], row, strict=True))


@pytest.mark.parametrize("depth", [1, 10])
def test_the_recorded_figures_come_again(example: Load, depth: int) -> None:
    module = example("measure_depths")
    found = module.measure(module.make_data()[:2], depth, 60, 1)
    expected = last(depth)
    assert found["train"]["logloss"][-1] == pytest.approx(expected["train"], abs=TOLERANCE)
    assert found["validation"]["logloss"][-1] == pytest.approx(
        expected["validation"], abs=TOLERANCE
    )
    assert found["validation"]["auc"][-1] == pytest.approx(expected["auc"], abs=TOLERANCE)
    assert found["sure"] == pytest.approx(expected["sure"], abs=TOLERANCE)
    assert found["right"] == pytest.approx(expected["right"], abs=TOLERANCE)


def test_another_number_of_threads_gives_the_same(example: Load) -> None:
    module = example("measure_depths")
    data = module.make_data()[:2]
    one, two = (module.measure(data, 6, 4, threads) for threads in (1, 2))
    for part in ("train", "validation"):
        for metric in ("logloss", "auc"):
            assert two[part][metric] == pytest.approx(one[part][metric], abs=TOLERANCE)
    assert two["roc"] == pytest.approx(one["roc"], abs=TOLERANCE)


def test_the_page_says_what_the_figures_say() -> None:
    figures = json.loads(FIGURES.read_text())
    rows = {row[0]: row for row in figures["last"]["rows"]}
    gaps = [row[3] for row in rows.values()]
    assert gaps == sorted(gaps)  # the gap grows with the depth
    assert min(row[4] for row in rows.values()) == rows[1][4]  # the worst AUC is that of depth 1
    assert rows[10][4] > rows[3][4]  # AUC does not collapse
    assert rows[10][2] > rows[6][2]  # yet the loss grows
    assert rows[10][5] - rows[10][6] > 0.03  # more sure than right
    left = next(row for row in figures["roc"]["rows"] if row[0] == 0.05)
    assert left[6] > left[1] > left[7] > left[3]  # at the left end the order is another


def test_wrong_labels_are_15_per_cent(example: Load) -> None:
    train, validation, true = example("measure_depths").make_data()
    assert (train.num_row(), validation.num_row(), train.num_col()) == (1078, 719, 64)
    odd = (load_digits().target % 2).sum()
    flipped = train.get_label().sum() + validation.get_label().sum()
    assert flipped != odd
    assert abs(flipped - odd) < 0.15 * 1797
    assert (true == validation.get_label()).mean() == pytest.approx(0.848, abs=0.001)


def test_roc_starts_and_ends_in_the_corners(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "depths.json"
    result = run("measure_depths", "--rounds", "2", "--json", str(file))
    assert (result.status, result.errors) == (0, "")
    figures = json.loads(file.read_text())
    assert [len(figures[part]["rows"]) for part in ("train", "validation", "roc", "last")] == [
        *(2, 2, 41, 7)
    ]
    curves = [row[1:] for row in figures["roc"]["rows"]]
    assert curves[-1] == [1.0] * 7
    assert all(a <= b for first, then in pairwise(curves) for a, b in zip(first, then, strict=True))
    lines = result.output.splitlines()
    assert lines[0].startswith("log loss after 2 rounds")
    assert [line.split()[0] for line in lines[2:-1]] == ["1", "2", "3", "4", "6", "8", "10"]
    # Nobody who knows the true class ranks the labels better, but by chance.
    assert lines[-1].endswith(": AUC 0.849, right 0.848")
    assert [float(cell) for cell in lines[2].split()] == pytest.approx(
        figures["last"]["rows"][0], abs=0.001
    )


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        (["--rounds", "0"], 2, "--rounds and --threads: 1 or more"),
        (["--threads", "0"], 2, "--rounds and --threads: 1 or more"),
        (
            ["--rounds", "1", "--json", "missing/depths.json"],
            1,
            "Cannot write missing/depths.json: No such file or directory. Name another file.",
        ),
    ],
)
def test_bad_options(run: Run, options: list[str], status: int, said: str) -> None:
    result = run("measure_depths", "--json", "depths.json", *options)
    assert (result.status, result.output) == (status, "")
    assert said in result.errors
    assert not Path("depths.json").exists()


@pytest.mark.parametrize("depth", [1, 3, 10])
def test_without_wrong_labels_the_last_round_is_the_best(example: Load, depth: int) -> None:
    features, digits = load_digits(return_X_y=True)
    true = digits % 2
    parts = train_test_split(features, true, test_size=0.4, random_state=0, stratify=true)
    data = [xgboost.DMatrix(*parts[side::2]) for side in (0, 1)]
    losses = example("measure_depths").measure(data, depth, 60, 1)["validation"]["logloss"]
    assert min(losses) == pytest.approx(losses[-1], abs=0.001)
