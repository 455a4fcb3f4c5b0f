"""Judge the labels, predictions and trees of every boosting round by three rules of Debugger."""

from collections.abc import Mapping, Sequence

import numpy as np
import xgboost

# A share of label 1, a feature that gives the label away, hyperparameters.
RUNS = {
    "healthy": (0.5, False, {"max_depth": 4}),
    "label 1 in 40": (1 / 40, False, {"max_depth": 4}),
    "label 1 in 10": (1 / 10, False, {"max_depth": 4}),
    "label 1 in 10, weighted": (1 / 10, False, {"max_depth": 4, "scale_pos_weight": 9}),
    "leaking feature": (0.5, True, {"max_depth": 4}),
    "default max_depth": (0.5, False, {}),
}


# [start: rules]
def class_imbalance(
    labels: np.ndarray,
    predictions: np.ndarray,
    threshold_imbalance: float = 10,
    threshold_misprediction: float = 0.7,
    samples: int = 500,
) -> str | None:
    """What is wrong with the numbers of the classes, or with the predictions of one of them.

    labels, predictions: of shape (rows,), classes from 0. Fewer rows than `samples`: not judged.
    """
    if len(labels) < samples:
        return None
    classes, counts = np.unique(labels, return_counts=True)
    if counts.max() > threshold_imbalance * counts.min():
        return f"one class has {counts.max() / counts.min():.0f} times the rows of another"
    for label in classes:
        wrong = float(np.mean(predictions[labels == label] != label))
        if wrong > threshold_misprediction:
            return f"{wrong:.0%} of class {label:.0f} mispredicted"
    return None


def feature_importance_overweight(
    weights: Mapping[str, float], threshold: float = 0.8, nfeatures: int = 3
) -> str | None:
    """What is wrong if so many features have too large a share of all splits."""
    largest = sorted(weights.values(), reverse=True)[:nfeatures]
    share = sum(largest) / sum(weights.values()) if weights else 0
    return f"{nfeatures} features have {share:.0%} of all splits" if share > threshold else None


def tree_depth(trees: Sequence[str], depth: float = 4) -> str | None:
    """What is wrong if a tree is too deep. A dump has one line per node, indented by its depth."""
    deepest = max(line.count("\t") for tree in trees for line in tree.splitlines())
    return f"a tree of depth {deepest}" if deepest > depth else None


# [end: rules]


# [start: callback]
class Watch(xgboost.callback.TrainingCallback):
    """Keeps in `fired` the first round in which each rule fires, and why."""

    def __init__(self, data: xgboost.DMatrix) -> None:
        self.data = data
        self.fired: dict[str, tuple[int, str]] = {}

    def after_iteration(self, model: xgboost.Booster, epoch: int, evals_log: dict) -> bool:
        newest = model[epoch : epoch + 1]
        found = {
            "ClassImbalance": class_imbalance(
                self.data.get_label(), model.predict(self.data) > 0.5
            ),
            "FeatureImportanceOverweight": feature_importance_overweight(
                model.get_score(importance_type="weight")
            ),
            "TreeDepth": tree_depth(newest.get_dump()),
        }
        for rule, reason in found.items():
            if reason:
                self.fired.setdefault(rule, (epoch, reason))
        return False  # True would end the training


# [end: callback]


def make_data(share: float, leaks: bool, rows: int = 4000) -> xgboost.DMatrix:
    """Eight features with a part in the label, and noise; `share` of the labels is 1."""
    random = np.random.default_rng(0)
    features = random.normal(size=(rows, 8))
    score = features @ [1, -1, 0.8, -0.8, 0.6, -0.6, 0.4, -0.4] + random.normal(size=rows)
    label = score > np.quantile(score, 1 - share)
    if leaks:
        features[:, 0] = label + random.normal(0, 0.1, rows)
    return xgboost.DMatrix(features, label=label, nthread=1)


def main() -> None:
    for name, (share, leaks, chosen) in RUNS.items():
        data = make_data(share, leaks)
        watch = Watch(data)
        parameters = {"objective": "binary:logistic", "nthread": 1, "seed": 0, **chosen}
        xgboost.train(parameters, data, num_boost_round=30, callbacks=[watch])
        print(name if watch.fired else f"{name}: no rule fires")
        for rule, (number, reason) in watch.fired.items():
            print(f"  round {number}  {rule}: {reason}")


if __name__ == "__main__":
    main()
