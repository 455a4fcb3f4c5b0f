import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


@pytest.fixture
def folder(run: Run, tmp_path: Path) -> Path:
    run("write_data", "--folder", str(tmp_path), "--rows", "200")
    return tmp_path / "binary"


def test_the_best_round_is_that_of_the_curve(run: Run, folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "curves.json"
    result = run(
        "stop_early",
        "--folder",
        str(folder),
        "--rounds",
        "45",
        "--patience",
        "5",
        "--json",
        str(file),
    )
    assert (result.status, result.errors) == (0, "")
    table = json.loads(file.read_text())
    assert table["columns"] == ["round", "train", "validation"]
    assert [row[0] for row in table["rows"]] == list(range(45))
    losses = [row[2] for row in table["rows"]]
    ran = next(n for n in range(45) if n - losses.index(min(losses[: n + 1])) == 5) + 1
    best = losses.index(min(losses[:ran]))
    assert 0 < best < 39
    score = f"best_iteration {best}, best_score {losses[best]:.4f}"
    lines = result.output.splitlines()
    assert lines[:3] == [
        f"all rounds:   45 trees, last score {losses[-1]:.4f}",
        f"stopped:      {ran} rounds ran; {best + 1} trees, {score}",
        f"all trees:    {ran} trees, {score}",
    ]
    assert lines[3] == "predict by stopped: up to 0.0000 from that of the best round"
    assert float(lines[4].split()[6]) > 0.001


def test_the_curve_has_few_points(run: Run, folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "curves.json"
    run("stop_early", "--folder", str(folder), "--rounds", "150", "--json", str(file))
    assert [row[0] for row in json.loads(file.read_text())["rows"]] == list(range(0, 150, 2))


@pytest.mark.parametrize("content", ["", "\n\n", "1\n0\n", "5,1\n7,2\n", "nan,1\n", "0,inf\n1,1\n"])
def test_tables_that_cannot_be_learned(run: Run, tmp_path: Path, content: str) -> None:
    for name in ("train", "validation"):
        (tmp_path / f"{name}.csv").write_text(content)
    result = run("stop_early", "--folder", str(tmp_path), "--json", str(tmp_path / "curves.json"))
    assert (result.status, result.output, result.errors.count("\n")) == (1, "", 1)
    said = "no rows, no features, or labels other than 0 and 1"
    assert (said if "inf" not in content else "Input data contains `inf`") in result.errors
    assert ".cc" not in result.errors


def test_a_file_that_cannot_be_written(run: Run, folder: Path, tmp_path: Path) -> None:
    result = run("stop_early", "--folder", str(folder), "--rounds", "2", "--json", str(tmp_path))
    assert (result.status, result.output) == (1, "")
    assert result.errors == f"Cannot write {tmp_path}: Is a directory. Name another file: --json.\n"


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--rounds", "0"], 2, "--rounds and --patience: 1 or more\n"),
        (["--patience", "0"], 2, "--rounds and --patience: 1 or more\n"),
        ([], 1, "train.csv not found. Write the data with write_data.py.\n"),
    ],
)
def test_wrong_input(
    run: Run, tmp_path: Path, arguments: list[str], status: int, said: str
) -> None:
    file = tmp_path / "curves.json"
    result = run("stop_early", "--folder", str(tmp_path), "--json", str(file), *arguments)
    assert (result.status, result.output) == (status, "")
    assert result.errors.endswith(said)
    assert not file.exists()
