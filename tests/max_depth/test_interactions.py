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
NAME = "max_depth/interactions"
TOLERANCE = scenario(NAME).tolerance
FIGURES = json.loads((EXAMPLES / f"{NAME}.figures.json").read_text())


@pytest.fixture
def features() -> Any:
    return np.random.default_rng(1).uniform(-1, 1, size=(300, 5))


def test_depth_1_is_a_sum_and_depth_2_is_not(example: Load, features: Any) -> None:
    module = example("interactions")
    values = features[:, 0] * features[:, 1]
    single, pairs = (module.train(values, features, depth, 30, 1) for depth in (1, 2))
    assert module.largest_interaction(single, features) == pytest.approx(0, abs=1e-5)
    assert module.largest_interaction(pairs, features) > 1


def test_the_interaction_of_the_formula_itself(example: Load, features: Any) -> None:
    class Formula:
        def inplace_predict(self, rows: Any) -> Any:
            return rows[:, 0] * rows[:, 1] + rows[:, 2] ** 2

    assert example("interactions").largest_interaction(Formula(), features) == pytest.approx(3.24)


def test_explained(example: Load, features: Any) -> None:
    class Mean:
        def inplace_predict(self, rows: Any) -> Any:
            return np.full(len(rows), rows[:, 0].mean())

    class All:
        def inplace_predict(self, rows: Any) -> Any:
            return rows[:, 0]

    explained = example("interactions").explained
    assert explained(Mean(), features, features[:, 0]) == pytest.approx(0)
    assert explained(All(), features, features[:, 0]) == 1


def test_another_number_of_threads_gives_the_same(example: Load, features: Any) -> None:
    module = example("interactions")
    values = features[:, 0] * features[:, 1]
    one, two = (module.train(values, features, 3, 4, threads) for threads in (1, 2))
    assert two.inplace_predict(features) == pytest.approx(
        one.inplace_predict(features), abs=TOLERANCE
    )


def test_the_page_says_what_the_figures_say() -> None:
    rows = {row[0]: dict(zip(FIGURES["columns"], row, strict=True)) for row in FIGURES["rows"]}
    assert rows[1]["additive"] > 0.98
    assert (rows[1]["pair"], rows[1]["triple"]) == pytest.approx((0, 0), abs=0.01)
    assert rows[1]["interaction"] == 0
    assert rows[2]["pair"] > 0.9
    assert rows[2]["interaction"] == pytest.approx(3.24, rel=0.1)
    assert rows[2]["triple"] < 0 < rows[3]["triple"] < rows[4]["triple"] < rows[6]["triple"] < 0.9


def test_output(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "interactions.json"
    result = run("interactions", "--rounds", "3", "--json", str(file))
    assert (result.status, result.errors) == (0, "")
    rows = json.loads(file.read_text())["rows"]
    assert [[float(cell) for cell in line.split()] for line in result.output.splitlines()[2:]] == [
        pytest.approx(row, abs=0.0051) for row in rows
    ]


def test_bad_options(run: Run) -> None:
    result = run("interactions", "--rounds", "0", "--json", "x.json")
    assert result.status == 2
    assert "--rounds and --threads: 1 or more" in result.errors
    result = run("interactions", "--rounds", "1", "--json", "missing/x.json")
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        "Cannot write missing/x.json: No such file or directory. Name another file.\n"
    )
