from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from awslab.run import Result, run_script
from awslab.scenarios import EXAMPLES, scenario

Load = Callable[[str], ModuleType]
Run = Callable[..., Any]
TOLERANCE = scenario("max_depth/choose_depth").tolerance


def write(path: Path, rows: int, seed: int, *, steps: bool = True) -> str:
    """The label follows from the signs of two features, 10 % wrong; the third says nothing."""
    random = np.random.default_rng(seed)
    features = random.normal(size=(rows, 3))
    labels = features[:, 0] * features[:, 1] > 0
    wrong = random.random(rows) < 0.1
    values = labels ^ wrong if steps else features[:, 0] + features[:, 1]
    np.savetxt(path, np.column_stack([values, features]), delimiter=",", fmt="%.6g")
    return str(path)


@pytest.fixture(scope="module")
def chosen(tmp_path_factory: pytest.TempPathFactory) -> Result:
    folder = tmp_path_factory.mktemp("data")
    train, test = write(folder / "a.csv", 200, 1), write(folder / "b.csv", 100, 2)
    return run_script(EXAMPLES / "max_depth" / "choose_depth.py", [train, test])


def test_the_lowest_depth_within_one_standard_error(chosen: Result) -> None:
    assert (chosen.status, chosen.errors) == (0, "")
    lines = chosen.output.splitlines()
    assert lines[:2] == [
        "logloss of 5-fold cross-validation",
        "depth  rounds  held out  error  learned from",
    ]
    rows = [[float(cell) for cell in line.split()] for line in lines[2:8]]
    assert [row[0] for row in rows] == [1, 2, 3, 4, 6, 8]
    best = min(rows, key=lambda row: row[2])
    within = [row for row in rows if row[2] <= best[2] + best[3] + 0.0005]
    assert lines[9].startswith(f"max_depth {within[0][0]:.0f}, num_round {within[0][1]:.0f}: ")
    assert lines[10].startswith(f"max_depth 6, num_round {rows[4][1]:.0f}: logloss ")
    assert within[0][0] > 1  # depth 1 cannot learn a product
    assert rows[0][2] == pytest.approx(np.log(2), abs=0.02)


def test_the_rule(example: Load) -> None:
    rule = example("choose_depth").lowest_within_error
    rows = [[1, 9, 0.60, 0.01, 0.5], [2, 9, 0.52, 0.01, 0.4], [3, 9, 0.50, 0.02, 0.3]]
    assert rule(rows) == rows[1]
    assert rule([rows[0], [*rows[1][:2], 0.521, 0.01, 0.4], rows[2]])[0] == 3
    assert rule(rows[:1]) == rows[0]


def test_standard_error_is_that_of_the_folds(example: Load, tmp_path: Path) -> None:
    import xgboost
    from sklearn.model_selection import StratifiedKFold

    module = example("choose_depth")
    train = module.read_table(Path(write(tmp_path / "a.csv", 100, 1)), "binary:logistic")
    settings = {"objective": "binary:logistic", "eval_metric": "logloss", "eta": 0.1}
    settings |= {"max_depth": 2, "seed": 0, "nthread": 1}
    rounds, held, error, learned = module.cross_validate(train, settings, "logloss")
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    losses, seen = [], []
    for inside, outside in folds.split(np.zeros(100), train.get_label()):
        part, rest = train.slice(inside), train.slice(outside)
        booster = xgboost.train(settings, part, rounds)
        losses.append(float(booster.eval(rest).rpartition(":")[2]))
        seen.append(float(booster.eval(part).rpartition(":")[2]))
    assert held == pytest.approx(np.mean(losses), abs=0.0002)
    assert error == pytest.approx(np.std(losses, ddof=1) / np.sqrt(5), abs=0.0002)
    assert learned == pytest.approx(np.mean(seen), abs=0.0002)


def test_another_number_of_threads_gives_the_same(example: Load, tmp_path: Path) -> None:
    module = example("choose_depth")
    train = module.read_table(Path(write(tmp_path / "a.csv", 60, 1)), "binary:logistic")
    settings = {"objective": "binary:logistic", "eval_metric": "logloss", "eta": 1}
    one, two = (
        module.cross_validate(train, settings | {"max_depth": 2, "nthread": n}, "logloss")
        for n in (1, 2)
    )
    assert two == pytest.approx(one, abs=TOLERANCE)


def test_regression(run: Run, tmp_path: Path) -> None:
    train = write(tmp_path / "a.csv", 60, 1, steps=False)
    result = run("choose_depth", train, train, "--objective", "reg:squarederror")
    assert (result.status, result.errors) == (0, "")
    assert result.output.startswith("rmse of 5-fold cross-validation\n")


def test_empty_features_are_missing(example: Load, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1,,2\n" * 5 + "0,3, \n" * 5)
    table = example("choose_depth").read_table(tmp_path / "a.csv", "binary:logistic")
    assert (table.num_row(), table.num_col(), table.num_nonmissing()) == (10, 2, 10)


GOOD = "0,1\n" * 5 + "1,2\n" * 5


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("label,x\n" + GOOD, "line 1: text; drop the header, encode categories"),
        (GOOD + "1,red\n", "line 11: text; drop the header, encode categories"),
        (GOOD + "1,2,3\n", "line 11: 3 columns, line 1 has 2"),
        (GOOD + "\n", "line 11: 1 columns, line 1 has 2"),
        (GOOD + ",2\n", "line 11: no label, or an infinite number"),
        (GOOD + "nan,2\n", "line 11: no label, or an infinite number"),
        (GOOD + "1,inf\n", "line 11: no label, or an infinite number"),
        (GOOD + "-1,2\n", "line 11: the label is -1; use 0 and 1"),
        (GOOD + "2,2\n", "line 11: the label is 2; use 0 and 1"),
        ("", "empty, or a label without features"),
        ("1\n0\n", "empty, or a label without features"),
        ("0,1\n" * 20, "10 rows or more are needed, for 0 and 1 at least 5 of each"),
        ("0,1\n1,1\n", "10 rows or more are needed, for 0 and 1 at least 5 of each"),
    ],
)
def test_bad_tables(run: Run, tmp_path: Path, text: str, said: str) -> None:
    bad, good = tmp_path / "bad.csv", tmp_path / "good.csv"
    bad.write_text(text)
    good.write_text(GOOD)
    for files in ((bad, good), (good, bad)):
        result = run("choose_depth", *map(str, files))
        assert (result.status, result.output) == (1, "")
        assert result.errors == f"Cannot use {bad}: {said}.\n"


def test_files_that_do_not_fit(run: Run, tmp_path: Path) -> None:
    good, wide, image = tmp_path / "good.csv", tmp_path / "wide.csv", tmp_path / "image.png"
    good.write_text(GOOD)
    wide.write_text(GOOD.replace("\n", ",0\n"))
    image.write_bytes(b"\x89PNG\r\n")
    result = run("choose_depth", str(good), str(wide))
    assert (result.status, result.errors) == (1, f"{wide} has other columns than {good}.\n")
    result = run("choose_depth", str(good), str(tmp_path / "none.csv"))
    assert result.errors == f"Cannot use {tmp_path / 'none.csv'}: No such file or directory.\n"
    result = run("choose_depth", str(image), str(good))
    assert result.status == 1
    assert result.errors.startswith(f"Cannot use {image}: 'utf-8' codec can't decode")
    result = run("choose_depth", str(good), str(good), "--threads", "0")
    assert result.status == 2
    assert "--threads: 1 or more" in result.errors
