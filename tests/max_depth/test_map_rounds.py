import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from awslab.scenarios import EXAMPLES, scenario

Load = Callable[[str], ModuleType]
Run = Callable[..., Any]
NAME = "max_depth/map_rounds"
TOLERANCE = scenario(NAME).tolerance
FIGURES = json.loads((EXAMPLES / f"{NAME}.figures.json").read_text())


def test_one_training_holds_all_smaller_numbers_of_rounds(example: Load) -> None:
    module = example("map_rounds")
    data = module.make_data()
    long, short = (module.losses(data, 6, rounds, 1) for rounds in (25, 10))
    assert long[:10] == pytest.approx(short)
    recorded = {(depth, rounds): loss for depth, rounds, loss in FIGURES["map"]["rows"]}
    for rounds in (5, 10, 25):
        assert long[rounds - 1] == pytest.approx(recorded[6, rounds], abs=TOLERANCE)


def test_another_number_of_threads_gives_the_same(example: Load) -> None:
    module = example("map_rounds")
    data = module.make_data()
    one, two = (module.losses(data, 4, 4, threads) for threads in (1, 2))
    assert two == pytest.approx(one, abs=TOLERANCE)


def test_the_page_says_what_the_figures_say() -> None:
    assert [row[:2] for row in FIGURES["map"]["rows"]] == [
        [depth, rounds] for rounds in (5, 10, 25, 50, 100, 200) for depth in (1, 2, 3, 4, 6, 8, 10)
    ]
    best = {depth: rest for depth, *rest in FIGURES["best"]["rows"]}
    assert best[1][0] == 200  # still falling
    stops = [best[depth][0] for depth in (1, 2, 3, 4, 6, 8, 10)]
    assert stops == sorted(stops, reverse=True)  # the deeper, the sooner
    deep = [best[depth] for depth in (2, 3, 4, 6, 8, 10)]
    at_best, at_end = ([row[place] for row in deep] for place in (1, 2))
    assert max(at_best) - min(at_best) < 0.02
    assert max(at_end) - min(at_end) > 0.09


def test_fewer_rounds_give_fewer_cells(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "map.json"
    result = run("map_rounds", "--most", "6", "--json", str(file))
    assert (result.status, result.errors) == (0, "")
    figures = json.loads(file.read_text())
    assert {row[1] for row in figures["map"]["rows"]} == {5}
    assert len(figures["map"]["rows"]) == 7
    lines = result.output.splitlines()
    assert lines[0] == "validation log loss of 6 rounds"
    assert [float(cell) for cell in lines[-1].split()] == pytest.approx(
        figures["best"]["rows"][-1], abs=0.001
    )


def test_bad_options(run: Run) -> None:
    result = run("map_rounds", "--most", "4", "--json", "map.json")
    assert result.status == 2
    assert "--most: 5 or more; --threads: 1 or more" in result.errors
    result = run("map_rounds", "--most", "5", "--json", "missing/map.json")
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        "Cannot write missing/map.json: No such file or directory. Name another file.\n"
    )
