from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest

Run = Callable[..., Any]
TASKS = ("regression", "binary", "multiclass")


def table(path: Path) -> Any:
    return numpy.loadtxt(path, delimiter=",", ndmin=2)


def test_three_tasks_of_the_same_features(run: Run, tmp_path: Path) -> None:
    result = run("write_data", "--folder", str(tmp_path))
    assert (result.status, result.errors) == (0, "")
    assert len(result.output.splitlines()) == 6
    train = {task: table(tmp_path / task / "train.csv") for task in TASKS}
    for task in TASKS:
        assert train[task].shape == (1000, 9)
        assert table(tmp_path / task / "validation.csv").shape == (250, 9)
        assert (train[task][:, 1:] == train["binary"][:, 1:]).all()
        assert (tmp_path / task / "train.csv").stat().st_size < 100_000
    assert set(train["binary"][:, 0]) == {0, 1}
    assert set(train["multiclass"][:, 0]) == {0, 1, 2}
    assert train["binary"][:, 0].mean() == pytest.approx(0.5, abs=0.05)
    # All three say the same: the higher the score, the higher the class.
    order = numpy.argsort(train["regression"][:, 0])
    for task in ("binary", "multiclass"):
        assert (numpy.diff(train[task][order, 0]) >= 0).all()


def test_the_seed_decides(run: Run, tmp_path: Path) -> None:
    for folder, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        run("write_data", "--folder", str(tmp_path / folder), "--rows", "8", "--seed", seed)
    a, b, c = ((tmp_path / f / "binary" / "train.csv").read_text() for f in "abc")
    assert a == b != c
    assert len((tmp_path / "a" / "binary" / "validation.csv").read_text().splitlines()) == 2


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--folder", "{}/new", "--rows", "3"], 2, "--rows: 4 or more, so that validation has a r"),
        (["--folder", "{}"], 1, "{}/binary exists already: choose another --folder."),
        (["--folder", "/proc/data"], 1, "No such file or directory: '/proc/data"),
    ],
)
def test_nothing_is_overwritten(
    run: Run, tmp_path: Path, arguments: list[str], status: int, said: str
) -> None:
    (tmp_path / "binary").mkdir()
    result = run("write_data", *(argument.format(tmp_path) for argument in arguments))
    assert (result.status, result.output) == (status, "")
    assert said.format(tmp_path) in result.errors
    assert [path.name for path in tmp_path.iterdir()] == ["binary"]


@pytest.mark.parametrize("option", ["--rows=3", "--seed=-1"])
def test_bad_options(run: Run, tmp_path: Path, option: str) -> None:
    result = run("write_data", "--folder", str(tmp_path), option)
    assert (result.status, result.output) == (2, "")
    assert "4 or more, so that validation has a row; --seed: 0 or more" in result.errors
    assert list(tmp_path.iterdir()) == []
