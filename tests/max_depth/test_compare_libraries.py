from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
import sklearn.ensemble
import sklearn.tree
import xgboost
from awslab.scenarios import EXAMPLES, scenario
from proofs.figures import alike

Load = Callable[[str], ModuleType]
Run = Callable[..., Any]
TOLERANCE = scenario("max_depth/compare_libraries").tolerance


def test_defaults_are_those_of_the_libraries(run: Run) -> None:
    result = run("compare_libraries")
    assert (result.status, result.errors) == (0, "")
    recorded = (EXAMPLES / "max_depth" / "compare_libraries.out").read_text()
    assert alike(result.output, recorded.partition("\n")[2], TOLERANCE)
    found = {line.split()[0]: line.split()[1:] for line in result.output.splitlines()[2:]}
    for name, (depth, leaves, deepest, most) in found.items():
        if name == "XGBoost":
            assert (depth, leaves) == ("6", "0")
            continue
        module = sklearn.tree if name == "DecisionTree" else sklearn.ensemble
        settings = getattr(module, f"{name}Classifier")().get_params()
        assert (depth, leaves) == (str(settings["max_depth"]), str(settings["max_leaf_nodes"]))
        assert depth == "None" or int(deepest) <= int(depth)
        assert leaves == "None" or int(most) <= int(leaves)


def test_a_setting_is_seen(example: Load) -> None:
    module = example("compare_libraries")
    features, labels = module.make_data()
    rows = xgboost.DMatrix(features[:200], labels[:200])
    settings = {"max_depth": 2, "max_leaves": 3, "nthread": 1}
    booster = xgboost.train(settings, rows, 1)
    assert module.xgboost_default(booster) == (2, 3)
    assert module.grown_xgboost(booster) == (2, 3)
    forest = sklearn.ensemble.RandomForestClassifier(n_estimators=2, max_depth=2, random_state=0)
    assert module.library_default(forest) == (2, None)
    assert module.grown(forest.fit(features, labels)) == (2, 4)


def test_bad_options(run: Run) -> None:
    result = run("compare_libraries", "--threads", "0")
    assert (result.status, result.output) == (2, "")
    assert "--threads: 1 or more" in result.errors


def test_two_threads_give_the_same(example: Load) -> None:
    module = example("compare_libraries")
    features, labels = module.make_data()
    model = sklearn.ensemble.HistGradientBoostingClassifier(max_iter=2, random_state=0)
    found = []
    for threads in (1, 2):
        with module.threadpool_limits(threads):
            found.append(module.grown(model.fit(features, labels)))
    assert found[0] == pytest.approx(found[1], rel=0.02)
