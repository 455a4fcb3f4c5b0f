import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from awslab.scenarios import EXAMPLES, scenario

Load = Callable[[str], ModuleType]
Run = Callable[..., Any]
NAME = "max_depth/vary_neighbours"
TOLERANCE = scenario(NAME).tolerance
FIGURES = json.loads((EXAMPLES / f"{NAME}.figures.json").read_text())
LOSSES = {(setting, depth): loss for setting, depth, loss in FIGURES["rows"]}


def test_the_recorded_figures_come_again(example: Load) -> None:
    module = example("vary_neighbours")
    settings = {"gamma": 2, "max_depth": 3, "nthread": 1}
    found = [module.loss(settings, split, 60) for split in module.make_splits(3)]
    assert sum(found) / 3 == pytest.approx(LOSSES["gamma 2", 3], abs=TOLERANCE)
    assert len(set(found)) == 3  # each split validates other rows


@pytest.mark.parametrize("name", ["default", "subsample 0.5", "colsample_bytree 0.5"])
def test_another_number_of_threads_gives_the_same(example: Load, name: str) -> None:
    module = example("vary_neighbours")
    (split,) = module.make_splits(1)
    settings = module.SETTINGS[name] | {"max_depth": 6}
    one, two = (module.loss(settings | {"nthread": n}, split, 3) for n in (1, 2))
    assert two == pytest.approx(one, abs=TOLERANCE)


def test_the_page_says_what_the_figures_say() -> None:
    def spread(setting: str) -> float:
        found = [LOSSES[setting, depth] for depth in (2, 3, 6, 10)]
        return max(found) - min(found)

    assert spread("default") > 0.1
    assert all(spread(name) < 0.02 for name in ("gamma 2", "lambda 20", "alpha 3"))
    assert LOSSES["eta 0.1", 10] < LOSSES["default", 10] - 0.1
    assert LOSSES["eta 0.1", 2] > LOSSES["default", 2]
    for depth in (2, 3, 6):  # less rows for each tree, alone, makes it worse
        assert LOSSES["subsample 0.5", depth] > LOSSES["default", depth] + 0.02
    assert LOSSES["subsample 0.5", 10] == pytest.approx(LOSSES["default", 10], abs=0.01)
    assert LOSSES["eta 0.1, subsample 0.5", 10] < LOSSES["eta 0.1", 10] - 0.02
    assert LOSSES["eta 0.1, subsample 0.5", 6] > LOSSES["eta 0.1", 6]
    for depth in (2, 3, 6, 10):
        assert LOSSES["colsample_bytree 0.5", depth] < LOSSES["default", depth]


def test_output(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "neighbours.json"
    result = run("vary_neighbours", "--rounds", "1", "--splits", "1", "--json", str(file))
    assert (result.status, result.errors) == (0, "")
    rows = json.loads(file.read_text())["rows"]
    lines = result.output.splitlines()
    assert lines[0] == "validation log loss after 1 rounds, mean of 1 splits"
    assert lines[1].split() == ["max_depth", "2", "3", "6", "10"]
    shown = [(line[:22].strip(), *map(float, line[22:].split())) for line in lines[2:]]
    names = list(dict.fromkeys(row[0] for row in rows))
    assert [name for name, *_ in shown] == names
    assert [loss for _, *losses in shown for loss in losses] == pytest.approx(
        [row[2] for row in rows], abs=0.00051
    )


def test_bad_options(run: Run) -> None:
    result = run("vary_neighbours", "--splits", "0", "--json", "x.json")
    assert result.status == 2
    assert "--rounds, --splits and --threads: 1 or more" in result.errors
    few = ["--rounds", "1", "--splits", "1"]
    result = run("vary_neighbours", *few, "--json", "missing/x.json")
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        "Cannot write missing/x.json: No such file or directory. Name another file.\n"
    )
