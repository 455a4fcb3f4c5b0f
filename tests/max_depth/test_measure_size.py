import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import xgboost
from awslab.scenarios import EXAMPLES, scenario

Load = Callable[[str], ModuleType]
Run = Callable[..., Any]
NAME = "max_depth/measure_size"
TOLERANCE = scenario(NAME).tolerance
FIGURES = json.loads((EXAMPLES / f"{NAME}.figures.json").read_text())


def test_sizes_are_those_of_the_trees_as_a_table(example: Load) -> None:
    """`trees_to_dataframe` is another way to the same trees."""
    module = example("measure_size")
    features, labels = module.make_data()
    settings = {"max_depth": 5, "seed": 0, "nthread": 1}
    booster = xgboost.train(settings, xgboost.DMatrix(features, labels), 3)
    table = booster.trees_to_dataframe()
    expected = []
    for _, tree in table.groupby("Tree"):
        above = {
            child: node
            for _, row in tree.iterrows()
            for child, node in ((row["Yes"], row["ID"]), (row["No"], row["ID"]))
            if isinstance(child, str)
        }

        def depth(node: str, above: dict[str, str] = above) -> int:
            return depth(above[node]) + 1 if node in above else 0

        expected.append(((tree["Feature"] == "Leaf").sum(), max(map(depth, tree["ID"]))))
    assert module.tree_sizes(booster) == expected


def test_a_tree_without_split_has_one_leaf(example: Load) -> None:
    booster = xgboost.train({"nthread": 1}, xgboost.DMatrix(np.zeros((4, 1)), np.ones(4)), 1)
    assert example("measure_size").tree_sizes(booster) == [(1, 0)]


def test_the_recorded_figures_come_again_with_two_threads(example: Load) -> None:
    module = example("measure_size")
    data = module.make_data()
    one, two = (module.measure(data, 10, 3, threads) for threads in (1, 2))
    assert two[:-1] == pytest.approx(one[:-1], rel=TOLERANCE)
    assert one[-1] > 0
    recorded = module.measure(data, 3, 60, 1)
    assert recorded[:-1] == pytest.approx(FIGURES["rows"][2][:-1], rel=TOLERANCE)


def test_the_page_says_what_the_figures_say() -> None:
    rows = {row[0]: dict(zip(FIGURES["columns"], row, strict=True)) for row in FIGURES["rows"]}
    for name in ("leaves", "bytes"):
        values = [row[name] for row in rows.values()]
        assert values == sorted(values)
    assert all(row["leaves"] <= 60 * 2**depth for depth, row in rows.items())
    assert rows[10]["leaves"] < 0.1 * 60 * 2**10  # far from the bound
    assert all(row["deepest"] == depth for depth, row in rows.items())
    assert rows[15]["at_limit"] < rows[12]["at_limit"] < rows[10]["at_limit"] == 60
    assert rows[15]["per_1000_rows_ms"] > rows[1]["per_1000_rows_ms"]


def test_the_output_holds_no_times(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "sizes.json"
    result = run("measure_size", "--rounds", "1", "--json", str(file))
    assert (result.status, result.errors) == (0, "")
    rows = json.loads(file.read_text())["rows"]
    lines = result.output.splitlines()
    assert lines[0] == f"1 trees; the times are in {file}"
    assert [[int(cell) for cell in line.split()] for line in lines[2:]] == [
        row[:-1] for row in rows
    ]


def test_bad_options(run: Run) -> None:
    result = run("measure_size", "--rounds", "0", "--json", "sizes.json")
    assert result.status == 2
    assert "--rounds and --threads: 1 or more" in result.errors
    result = run("measure_size", "--rounds", "1", "--json", "missing/sizes.json")
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        "Cannot write missing/sizes.json: No such file or directory. Name another file.\n"
    )
