"""Read the default limits of a tree in scikit-learn and XGBoost, and measure what they allow."""

import argparse
import json
from typing import Any

import numpy as np
import xgboost
from sklearn.datasets import load_digits
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.tree import DecisionTreeClassifier
from threadpoolctl import threadpool_limits

LIBRARY = {
    "DecisionTree": DecisionTreeClassifier(random_state=0),
    "RandomForest": RandomForestClassifier(n_estimators=10, random_state=0),
    "ExtraTrees": ExtraTreesClassifier(n_estimators=10, random_state=0),
    "GradientBoosting": GradientBoostingClassifier(n_estimators=10, random_state=0),
    "HistGradientBoosting": HistGradientBoostingClassifier(max_iter=10, random_state=0),
}


def make_data() -> tuple[Any, Any]:
    """1797 digits of 8 x 8 pixels, odd (1) or even (0), 15 % of the labels wrong."""
    features, digits = load_digits(return_X_y=True)
    wrong = np.random.RandomState(0).rand(len(digits)) < 0.15
    return features, np.where(wrong, 1 - digits % 2, digits % 2)


# [start: defaults]
def library_default(model: Any) -> tuple[Any, Any]:
    """max_depth and max_leaf_nodes of an estimator of scikit-learn that nobody has set."""
    settings = model.get_params()
    return settings["max_depth"], settings["max_leaf_nodes"]


def xgboost_default(booster: xgboost.Booster) -> tuple[int, int]:
    """max_depth and max_leaves as the trained model itself reports them."""
    trees = json.loads(booster.save_config())["learner"]["gradient_booster"]
    limits = trees["tree_train_param"]
    return int(limits["max_depth"]), int(limits["max_leaves"])


# [end: defaults]


def grown(model: Any) -> tuple[int, int]:
    """The deepest tree and the most leaves of one tree of a fitted estimator of scikit-learn."""
    if isinstance(model, HistGradientBoostingClassifier):
        found = [tree for trees in model._predictors for tree in trees]
        return max(tree.get_max_depth() for tree in found), max(
            tree.get_n_leaf_nodes() for tree in found
        )
    found = np.ravel(getattr(model, "estimators_", model)).tolist()
    return max(tree.get_depth() for tree in found), max(tree.get_n_leaves() for tree in found)


def grown_xgboost(booster: xgboost.Booster) -> tuple[int, int]:
    """The deepest tree and the most leaves of one tree of an XGBoost model."""
    trees = [tree.splitlines() for tree in booster.get_dump()]
    deepest = max(len(node) - len(node.lstrip("\t")) for tree in trees for node in tree)
    return deepest, max(sum("leaf=" in node for node in tree) for tree in trees)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    threads = parser.parse_args().threads
    if threads < 1:
        parser.error("--threads: 1 or more")
    features, labels = make_data()
    rows = []
    for name, model in LIBRARY.items():
        with threadpool_limits(threads):
            rows.append((name, *library_default(model), *grown(model.fit(features, labels))))
    settings = {"objective": "binary:logistic", "seed": 0, "nthread": threads}
    booster = xgboost.train(settings, xgboost.DMatrix(features, labels), 10)
    rows.append(("XGBoost", *xgboost_default(booster), *grown_xgboost(booster)))
    print("                      default          measured, 10 trees")
    print("                      depth  leaves    deepest  most leaves")
    for name, depth, leaves, deepest, most in rows:
        print(f"{name:20}  {depth!s:5}  {leaves!s:6}  {deepest:9}  {most:11}")


if __name__ == "__main__":
    main()
