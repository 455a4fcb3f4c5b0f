import math
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy
import pytest
import xgboost
from awslab.run import Result

Example = Callable[[str], ModuleType]


@pytest.fixture
def rules(example: Example) -> ModuleType:
    return example("watch_trees")


def labels_of(zeros: int, ones: int) -> Any:
    return numpy.array([0.0] * zeros + [1.0] * ones)


def predictions_of(labels: Any, wrong_ones: int) -> Any:
    """Right but for so many rows of class 1."""
    predictions = labels.copy()
    predictions[len(labels) - wrong_ones :] = 0
    return predictions


@pytest.mark.parametrize(
    ("zeros", "ones", "wrong", "settings", "said"),
    [
        (1000, 100, 0, {}, None),  # 10 : 1 is not above 10
        (1010, 100, 0, {}, "one class has 10 times the rows of another"),
        (1010, 100, 0, {"threshold_imbalance": 11}, None),
        (900, 100, 70, {}, None),  # 70 % is not above 0.7
        (900, 100, 71, {}, "71% of class 1 mispredicted"),
        (900, 100, 71, {"threshold_misprediction": 0.8}, None),
        (400, 99, 99, {}, None),  # fewer than 500 rows
        (400, 100, 100, {}, "100% of class 1 mispredicted"),
        (400, 99, 99, {"samples": 499}, "100% of class 1 mispredicted"),
        (500, 0, 0, {}, None),  # one class alone has nothing to be compared with
    ],
)
def test_class_imbalance(
    rules: ModuleType,
    zeros: int,
    ones: int,
    wrong: int,
    settings: dict[str, Any],
    said: str | None,
) -> None:
    labels = labels_of(zeros, ones)
    assert rules.class_imbalance(labels, predictions_of(labels, wrong), **settings) == said


def test_class_imbalance_of_three_classes(rules: ModuleType) -> None:
    labels = numpy.repeat([0.0, 1.0, 2.0], [1100, 1000, 100])
    assert rules.class_imbalance(labels, labels) == "one class has 11 times the rows of another"


@pytest.mark.parametrize(
    ("weights", "settings", "said"),
    [
        ({"a": 4, "b": 2, "c": 2, "d": 2}, {}, None),  # 0.8 is not above 0.8
        ({"a": 5, "b": 2, "c": 2, "d": 2}, {}, "3 features have 82% of all splits"),
        ({"a": 5, "b": 2, "c": 2, "d": 2}, {"threshold": 0.9}, None),
        ({"a": 9, "b": 1, "c": 1}, {"nfeatures": 1}, "1 features have 82% of all splits"),
        ({"a": 3, "b": 3}, {}, "3 features have 100% of all splits"),
        ({}, {}, None),  # no tree has a split
    ],
)
def test_feature_importance_overweight(
    rules: ModuleType, weights: dict[str, float], settings: dict[str, Any], said: str | None
) -> None:
    assert rules.feature_importance_overweight(weights, **settings) == said


LEAF = "0:leaf=0.1\n"
DEPTH_2 = "0:[f0<1] yes=1,no=2\n\t1:[f1<1] yes=3,no=4\n\t\t3:leaf=0\n\t\t4:leaf=1\n\t2:leaf=2\n"


@pytest.mark.parametrize(
    ("trees", "depth", "said"),
    [
        ([LEAF], 0, None),
        ([DEPTH_2], 2, None),  # as deep as allowed
        ([DEPTH_2], 1, "a tree of depth 2"),
        ([LEAF, DEPTH_2], 1, "a tree of depth 2"),  # the deepest one counts
    ],
)
def test_tree_depth(rules: ModuleType, trees: list[str], depth: float, said: str | None) -> None:
    assert rules.tree_depth(trees, depth) == said


def test_defaults_are_those_of_debugger(rules: ModuleType) -> None:
    assert rules.class_imbalance.__defaults__ == (10, 0.7, 500)
    assert rules.feature_importance_overweight.__defaults__ == (0.8, 3)
    assert rules.tree_depth.__defaults__ == (4,)


def test_each_rule_finds_its_fault_and_nothing_else(run: Callable[..., Result]) -> None:
    result = run("watch_trees")
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        "healthy: no rule fires\n"
        "label 1 in 40\n"
        "  round 0  ClassImbalance: one class has 39 times the rows of another\n"
        "label 1 in 10\n"
        "  round 0  ClassImbalance: 100% of class 1 mispredicted\n"
        "label 1 in 10, weighted: no rule fires\n"
        "leaking feature\n"
        "  round 0  FeatureImportanceOverweight: 3 features have 100% of all splits\n"
        "default max_depth\n"
        "  round 0  TreeDepth: a tree of depth 6\n"
    )


def test_the_largest_node_number_says_more_than_the_depth(rules: ModuleType) -> None:
    """Of a full tree of depth 4, whose rule by node numbers the page warns of."""
    features = numpy.random.default_rng(0).normal(size=(4000, 8))
    data = xgboost.DMatrix(features, label=features.sum(axis=1), nthread=1)
    dump = xgboost.train({"max_depth": 4, "nthread": 1}, data, num_boost_round=1).get_dump()[0]
    numbers = [int(line.strip().partition(":")[0]) for line in dump.splitlines()]
    assert (len(numbers), max(numbers)) == (31, 30)
    assert math.log2(max(numbers)) == pytest.approx(4.9, abs=0.01)
    assert rules.tree_depth([dump], 4) is None
    assert rules.tree_depth([dump], 3) == "a tree of depth 4"


def test_the_largest_node_number_of_31_leaves_is_60_at_any_depth(rules: ModuleType) -> None:
    features = numpy.random.default_rng(0).normal(size=(4000, 8))
    data = xgboost.DMatrix(features, label=numpy.exp(features.sum(axis=1)), nthread=1)
    settings = {"grow_policy": "lossguide", "max_leaves": 31, "max_depth": 0, "nthread": 1}
    dump = xgboost.train(settings, data, num_boost_round=1).get_dump()[0]
    numbers = [int(line.strip().partition(":")[0]) for line in dump.splitlines()]
    assert (len(numbers), max(numbers)) == (61, 60)
    assert math.log2(max(numbers)) == pytest.approx(5.9, abs=0.01)
    assert rules.tree_depth([dump], 6) is not None  # deeper than that number tells
