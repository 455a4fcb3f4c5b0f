import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


def write(folder: Path, name: str, losses: list[float | None]) -> str:
    rows = [[number, 0.1, loss] for number, loss in enumerate(losses, 1)]
    table = {"columns": ["trial", "eta", "objective"], "rows": rows}
    (folder / name).write_text(json.dumps(table))
    return str(folder / name)


def test_means_of_the_best_so_far(run: Run, tmp_path: Path) -> None:
    bayesian = [
        write(tmp_path, "b1.json", [0.5, 0.6, 0.2]),
        write(tmp_path, "b2.json", [0.7, 0.4, 0.4]),
    ]
    others = [
        write(tmp_path, "r1.json", [0.5, 0.3, 0.9]),
        write(tmp_path, "r2.json", [0.7, 0.8, 0.5]),
    ]
    curves = tmp_path / "curves.json"
    result = run(
        "compare_jobs", "--bayesian", *bayesian, "--random", *others, "--json", str(curves)
    )
    assert (result.status, result.errors) == (0, "")
    assert json.loads(curves.read_text()) == {
        "columns": ["job", "bayesian", "random"],
        "rows": [[1, 0.6, 0.6], [2, 0.45, 0.5], [3, 0.3, 0.4]],
    }
    assert result.output.splitlines()[-2:] == [
        "seed 1: Bayesian 0.2000, Random 0.3000",
        "seed 2: Bayesian 0.4000, Random 0.5000",
    ]


@pytest.mark.parametrize(
    ("losses", "said"),
    [
        ([0.5, 0.6], "the tuning jobs have different numbers of training jobs"),
        ([0.5, 0.6, None], "must be a string or a real number, not 'NoneType'"),
    ],
)
def test_results_that_cannot_be_compared(
    run: Run, tmp_path: Path, losses: list[float | None], said: str
) -> None:
    one, other = write(tmp_path, "b.json", [0.5, 0.6, 0.2]), write(tmp_path, "r.json", losses)
    curves = tmp_path / "curves.json"
    result = run("compare_jobs", "--bayesian", one, "--random", other, "--json", str(curves))
    assert (result.status, result.output) == (1, "")
    assert said in result.errors
    assert result.errors.endswith(". Write each file with read_tuning_job.py --json.\n")
    assert not curves.exists()


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"columns": ["trial", "objective"], "rows": []}, "have no training jobs"),
        ({"columns": ["trial", "objective"], "rows": [[1, 0.5], [2]]}, "IndexError: "),
        ({"columns": None, "rows": []}, "AttributeError: "),
        ([], "TypeError: "),
    ],
)
def test_files_that_hold_no_tuning_job(run: Run, tmp_path: Path, table: Any, said: str) -> None:
    file, curves = tmp_path / "b.json", tmp_path / "curves.json"
    file.write_text(json.dumps(table))
    files = ("--bayesian", str(file), "--random", str(file), "--json", str(curves))
    result = run("compare_jobs", *files)
    assert (result.status, result.output) == (1, "")
    assert said in result.errors
    assert not curves.exists()


def test_curves_that_cannot_be_written(run: Run, tmp_path: Path) -> None:
    file = write(tmp_path, "b.json", [0.5])
    result = run("compare_jobs", "--bayesian", file, "--random", file, "--json", "/missing/x.json")
    assert result.status == 1
    assert result.errors.startswith("Cannot write /missing/x.json: No such file or directory.")


def test_as_many_files_of_each(run: Run, tmp_path: Path) -> None:
    one = write(tmp_path, "b.json", [0.5])
    result = run("compare_jobs", "--bayesian", one, one, "--random", one, "--json", "x.json")
    assert result.status == 2
    assert "--bayesian and --random: name as many files each" in result.errors
