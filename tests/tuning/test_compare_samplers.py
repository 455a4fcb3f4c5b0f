import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

Run = Callable[..., Any]


def test_both_samplers_have_the_same_budget(run: Run, data: Path, tmp_path: Path) -> None:
    file = tmp_path / "losses.json"
    options = ["--data", str(data), "--trials", "7", "--seeds", "3", "--json", str(file)]
    result = run("compare_samplers", *options)
    assert (result.status, result.errors) == (0, "")
    table = json.loads(file.read_text())
    assert table["columns"] == ["trial", "TPE", "random"]
    trials, tpe, random = (np.array(column) for column in zip(*table["rows"], strict=True))
    assert trials.tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert (np.diff(tpe) <= 0).all()
    assert (np.diff(random) <= 0).all()
    assert tpe[:4].tolist() == random[:4].tolist()  # TPE begins with four random trials
    lines = result.output.splitlines()
    assert f"mean {tpe[-1]:.4f}," in lines[0]
    assert f"mean {random[-1]:.4f}," in lines[1]
    assert lines[2].endswith(" of 3 seeds")


def test_best_so_far_never_rises(example: Callable[[str], ModuleType], data: Path) -> None:
    program = example("compare_samplers")
    tables = [program.read_table(data / f"{name}.csv") for name in ("train", "validation")]
    found = program.compare(tables, trials=3, seeds=2)
    assert {name: losses.shape for name, losses in found.items()} == {
        "TPE": (2, 3),
        "random": (2, 3),
    }
    assert not np.allclose(found["random"][0], found["random"][1])  # the seeds differ


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        (
            ["--data", "/missing"],
            1,
            "No such file or directory: '/missing/train.csv'. Write the data with",
        ),
        (["--data", "/missing", "--seeds", "0"], 2, "--trials and --seeds: 1 or more"),
    ],
)
def test_bad_input(run: Run, tmp_path: Path, options: list[str], status: int, said: str) -> None:
    result = run("compare_samplers", *options, "--json", str(tmp_path / "losses.json"))
    assert (result.status, result.output) == (status, "")
    assert said in result.errors
    assert list(tmp_path.iterdir()) == []


def test_results_that_cannot_be_written(run: Run, data: Path) -> None:
    quick = ["--trials", "2", "--seeds", "1"]
    result = run("compare_samplers", "--data", str(data), *quick, "--json", "/missing/x.json")
    assert result.status == 1
    assert result.errors.startswith("Cannot write /missing/x.json: No such file or directory.")
