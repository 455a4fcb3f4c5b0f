import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest
import xgboost

Run = Callable[..., Any]
REPEATED = ("CSV, second column", "libsvm, label:weight", "rows repeated")


@pytest.fixture
def folder(run: Run, tmp_path: Path) -> Path:
    run("write_data", "--folder", str(tmp_path), "--rows", "200")
    return tmp_path / "binary"


def test_weights_are_repeated_rows(run: Run, folder: Path) -> None:
    result = run("weight_rows", "--folder", str(folder))
    assert (result.status, result.errors) == (0, "")
    head, *lines, title, start, bins, both = result.output.splitlines()
    assert head == "class 1 counts 3        recall  precision  difference"
    found = {line[:22].strip(): [float(n) for n in line[22:].split()] for line in lines}
    first = found["CSV, second column"]
    for way, numbers in found.items():
        assert (numbers == first) is (way in REPEATED), way
        assert (numbers[2] < 0.001) is (way in REPEATED), way
    assert first[0] >= found["no weights"][0]  # more of class 1 is found, if that is possible
    assert title == "difference of scale_pos_weight, with"
    assert both.split() == ["base_score=0.5,", "tree_method=exact", "0.000"]
    assert [line.split()[0] for line in (start, bins)] == ["base_score=0.5", "tree_method=exact"]
    assert float(start.split()[1]) == 0  # fewer rows than bins: their boundaries are the same
    assert float(bins.split()[1]) > 0.01


def test_with_more_rows_than_bins_weights_move_their_boundaries(
    example: Callable[[str], Any],
) -> None:
    module = example("weight_rows")
    generator = numpy.random.default_rng(0)
    table = generator.normal(size=(1000, 3))
    table[:, 0] = table[:, 1] + generator.normal(size=1000) > 0
    for fixed, equal in zip(module.FIXED, (False, False, True), strict=True):
        found = module.predictions(table, table, 3, fixed)
        apart = abs(found["scale_pos_weight"] - found["rows repeated"]).max()
        assert bool(apart < 1e-6) is equal, fixed


def test_the_first_prediction_is_estimated_otherwise(
    example: Callable[[str], Any], folder: Path
) -> None:
    """From weights, it is their mean; from scale_pos_weight, another number."""
    module = example("weight_rows")
    train = numpy.loadtxt(folder / "train.csv", delimiter=",")
    weights = numpy.where(train[:, 0] == 1, 3, 1)
    ways: list[tuple[dict[str, Any], Any]] = [({}, weights), ({"scale_pos_weight": 3}, None)]
    found = []
    for own, of_rows in ways:
        data = module.matrix(train, of_rows)
        config = json.loads(
            xgboost.train(module.SETTINGS | own, data, num_boost_round=1).save_config()
        )
        score = config["learner"]["learner_model_param"]["base_score"]
        found.append(float(score.strip("[]")))
    assert found[0] == pytest.approx(numpy.average(train[:, 0], weights=weights), rel=1e-5)
    assert abs(found[1] - found[0]) > 0.01


def test_each_way_to_write_weights(example: Callable[[str], Any]) -> None:
    module = example("weight_rows")
    table, weights = numpy.array([[0, 0.25, 4], [1, 0.5, 8]]), numpy.array([1, 2.5])
    assert module.csv(table, weights) == "0,1,0.25,4\n1,2.5,0.5,8\n"
    assert module.libsvm(table, weights) == "0:1 0:0.25 1:4\n1:2.5 0:0.5 1:8\n"
    columns = "format=csv&label_column=0&weight_column=1"
    for text, form in ((module.csv, columns), (module.libsvm, "format=libsvm")):
        read = module.read(text(table, weights), form)
        assert read.get_weight().tolist() == [1, 2.5]
        assert read.get_label().tolist() == [0, 1]
        assert read.get_data().toarray().tolist() == [[0.25, 4], [0.5, 8]]


def test_a_weight_of_one_changes_nothing(example: Callable[[str], Any], folder: Path) -> None:
    train = numpy.loadtxt(folder / "train.csv", delimiter=",")
    found = example("weight_rows").predictions(train, train[:5], 1, {})
    for way, scores in found.items():
        if way != "weights times 10":
            assert (scores == found["no weights"]).all(), way


@pytest.mark.parametrize("content", ["", "\n\n", "1\n0\n", "5,1\n7,2\n", "nan,1\n", "0,inf\n1,1\n"])
def test_tables_that_cannot_be_learned(run: Run, tmp_path: Path, content: str) -> None:
    for name in ("train", "validation"):
        (tmp_path / f"{name}.csv").write_text(content)
    result = run("weight_rows", "--folder", str(tmp_path))
    assert (result.status, result.output, result.errors.count("\n")) == (1, "", 1)
    said = "no rows, no features, or labels other than 0 and 1"
    assert (said if "inf" not in content else "Input data contains `inf`") in result.errors
    assert ".cc" not in result.errors


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--weight", "0"], 2, "--weight: from 1 to 1000, for so often each row is repeated\n"),
        (["--weight", "1000000000"], 2, "each row is repeated\n"),
        ([], 1, "train.csv not found. Write the data with write_data.py.\n"),
    ],
)
def test_wrong_input(
    run: Run, tmp_path: Path, arguments: list[str], status: int, said: str
) -> None:
    result = run("weight_rows", "--folder", str(tmp_path), *arguments)
    assert (result.status, result.output) == (status, "")
    assert result.errors.endswith(said)
