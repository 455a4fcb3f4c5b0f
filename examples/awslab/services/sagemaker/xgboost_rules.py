"""What the built-in XGBoost algorithm accepts: hyperparameters, channels, content types.

The table and the messages are those of the validator inside of the container (version 1.5 and
later); it runs before any data is read.
"""

import ast
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ERROR_CLASS = "sagemaker_algorithm_toolkit.exceptions.UserError"


class UserError(Exception):
    """A request that the algorithm refuses, in the container's words."""


# --- metrics --------------------------------------------------------------------------------------

MAXIMIZED = (
    "accuracy",
    "auc",
    "aucpr",
    "balanced_accuracy",
    "f1",
    "f1_binary",
    "f1_macro",
    "map",
    "ndcg",
    "precision",
    "r2",
    "recall",
    "precision_macro",
    "precision_micro",
    "recall_macro",
    "recall_micro",
)
MINIMIZED = (
    "aft-nloglik",
    "cox-nloglik",
    "error",
    "gamma-deviance",
    "gamma-nloglik",
    "interval-regression-accuracy",
    "logloss",
    "mae",
    "mape",
    "merror",
    "mlogloss",
    "mphe",
    "mse",
    "poisson-nloglik",
    "rmse",
    "rmsle",
    "tweedie-nloglik",
)
METRICS = [*MAXIMIZED, *MINIMIZED]
# Those that the service looks for in the logs; a training job has room for 40 definitions.
REPORTED = (
    "accuracy",
    "auc",
    "aucpr",
    "cox-nloglik",
    "error",
    "f1",
    "f1_binary",
    "gamma-deviance",
    "gamma-nloglik",
    "logloss",
    "mae",
    "map",
    "merror",
    "mlogloss",
    "mse",
    "ndcg",
    "poisson-nloglik",
    "precision",
    "recall",
    "rmse",
)
NUMBER = r"([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)"


def metric_definitions() -> list[dict[str, str]]:
    """What the service itself looks for in the logs of the algorithm."""
    return [
        {"Name": f"{data}:{name}", "Regex": rf".*\[[0-9]+\].*#011{data}-{name}:{NUMBER}.*"}
        for data in ("train", "validation")
        for name in REPORTED
    ]


# --- values ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Interval:
    """The numbers between two bounds; None: there is none on that side."""

    least: float | None = None
    most: float | None = None
    least_open: bool = False
    most_open: bool = False

    def __contains__(self, value: float) -> bool:
        least, most = self.least, self.most
        below = least is not None and (value < least or (self.least_open and value == least))
        above = most is not None and (value > most or (self.most_open and value == most))
        return not (below or above)

    def __str__(self) -> str:
        start = "(-inf" if self.least is None else f"{'(' if self.least_open else '['}{self.least}"
        end = "+inf)" if self.most is None else f"{self.most}{')' if self.most_open else ']'}"
        return f"{start}, {end}"


@dataclass(frozen=True)
class Rule:
    """How one hyperparameter is read, and what it may be.

    read: raises ValueError when the text is no such value.
    several: the value is a list, whose items must be allowed.
    """

    read: Callable[[str], Any]
    allowed: Any
    several: bool = False


def one_of(*values: str) -> Rule:
    return Rule(str, list(values))


def integer(least: int | None = None, most: int | None = None) -> Rule:
    return Rule(int, Interval(least, most))


def number(
    least: float | None = None,
    most: float | None = None,
    *,
    least_open: bool = False,
    most_open: bool = False,
) -> Rule:
    return Rule(float, Interval(least, most, least_open, most_open))


def items_of(text: str) -> list[str]:
    return text.split(",")


def literal(text: str) -> Any:
    """A tuple or list as Python writes it."""
    try:
        value = ast.literal_eval(text)
    except (SyntaxError, MemoryError, RecursionError, TypeError) as error:
        raise ValueError(text) from error
    if not isinstance(value, list | tuple):
        raise ValueError(text)
    return value


class EvalMetrics(list[str]):
    """The names of all metrics; three of them may carry a threshold, as in `error@0.7`."""

    def __contains__(self, metric: object) -> bool:
        name, at, threshold = str(metric).partition("@")
        if not at:
            return super().__contains__(metric)
        if name.strip() not in ("error", "ndcg", "map"):
            raise UserError(
                f"Metric '{metric}' is not supported. Parameter 'eval_metric' with customized "
                "threshold should be one of these options: 'error', 'ndcg', 'map'."
            )
        try:
            float(threshold)
        except ValueError:
            raise UserError(
                f"Threshold value 't' in '{name.strip()}@t' expects float input."
            ) from None
        return True


GROWING = ("grow_colmaker", "distcol", "grow_histmaker", "grow_local_histmaker")
TREE_UPDATERS = (*GROWING, "grow_skmaker", "sync", "refresh", "prune")
LINEAR_UPDATERS = ("shotgun", "coord_descent")

RULES: dict[str, Rule] = {
    "num_round": integer(1),
    "csv_weights": integer(0, 1),
    "early_stopping_rounds": integer(1),
    "booster": one_of("gbtree", "gblinear", "dart"),
    "verbosity": integer(0, 3),
    "nthread": integer(1),
    "eta": number(0, 1),
    "gamma": number(0),
    "max_depth": integer(0),
    "min_child_weight": number(0),
    "max_delta_step": number(0),
    "subsample": number(0, 1, least_open=True),
    "colsample_bytree": number(0, 1, least_open=True),
    "colsample_bylevel": number(0, 1, least_open=True),
    "colsample_bynode": number(0, 1, least_open=True),
    "lambda": number(0),
    "alpha": number(0),
    "tree_method": one_of("auto", "exact", "approx", "hist", "gpu_hist"),
    "sketch_eps": number(0, 1, least_open=True, most_open=True),
    "scale_pos_weight": number(0, least_open=True),
    "updater": Rule(items_of, [*TREE_UPDATERS, *LINEAR_UPDATERS], several=True),
    "dsplit": one_of("row", "col"),
    "refresh_leaf": integer(0, 1),
    "process_type": one_of("default", "update"),
    "grow_policy": one_of("depthwise", "lossguide"),
    "max_leaves": integer(0),
    "max_bin": integer(0),
    "predictor": one_of("auto", "cpu_predictor", "gpu_predictor"),
    "monotone_constraints": Rule(literal, [-1, 0, 1], several=True),
    "interaction_constraints": Rule(literal, Interval(1), several=True),
    "sample_type": one_of("uniform", "weighted"),
    "normalize_type": one_of("tree", "forest"),
    "rate_drop": number(0, 1),
    "one_drop": integer(0, 1),
    "skip_drop": number(0, 1),
    "lambda_bias": number(0, 1),
    "tweedie_variance_power": number(1, 2, least_open=True, most_open=True),
    "objective": one_of(
        "aft_loss_distribution",
        "binary:logistic",
        "binary:logitraw",
        "binary:hinge",
        "count:poisson",
        "multi:softmax",
        "multi:softprob",
        "rank:pairwise",
        "rank:ndcg",
        "rank:map",
        "reg:linear",
        "reg:squarederror",
        "reg:logistic",
        "reg:gamma",
        "reg:pseudohubererror",
        "reg:squaredlogerror",
        "reg:tweedie",
        "survival:aft",
        "survival:cox",
    ),
    "num_class": integer(2),
    "base_score": number(0),
    "_kfold": integer(2),
    "_num_cv_round": integer(1),
    "_tuning_objective_metric": one_of(*(f"validation:{metric}" for metric in METRICS)),
    "eval_metric": Rule(items_of, EvalMetrics(METRICS), several=True),
    "seed": Rule(int, Interval(-(2**31), 2**31 - 1, least_open=True, most_open=True)),
    "num_parallel_tree": integer(1),
    "save_model_on_termination": one_of("true", "false"),
    "aft_loss_distribution": one_of("normal", "logistic", "extreme"),
    "aft_loss_distribution_scale": number(0),
    "deterministic_histogram": one_of("true", "false"),
    "sampling_method": one_of("uniform", "gradient_based"),
    "prob_buffer_row": Rule(int, Interval(1.0, None, least_open=True)),
    "use_dask_gpu_training": one_of("true", "false"),
}
REQUIRED = ("num_round",)
ALIASES = {
    "learning_rate": "eta",
    "min_split_loss": "gamma",
    "reg_lambda": "lambda",
    "reg_alpha": "alpha",
}


def validated(hyperparameters: Mapping[str, str]) -> dict[str, Any]:
    """The hyperparameters as values, under the names that the algorithm itself uses.

    Raises:
        UserError: the container would end with this message.
    """
    texts = {ALIASES.get(name, name): plain(text) for name, text in hyperparameters.items()}
    for name in REQUIRED:
        if name not in texts:
            raise UserError(f"Missing required hyperparameter: {name}")
    values = {name: value_of(name, text) for name, text in texts.items()}
    for name, value in values.items():
        check_range(name, value)
    check_together(values)
    return values


def plain(text: str) -> str:
    """The value of a text that the SDK has written as JSON, as it does for own scripts."""
    if text.startswith('"') and text.endswith('"'):
        try:
            return str(json.loads(text))
        except ValueError:
            pass
    return text


def value_of(name: str, text: str) -> Any:
    rule = RULES.get(name)
    if rule is None:
        raise UserError(f"Extraneous hyperparameter found: {name}")
    try:
        return rule.read(text)
    except ValueError:
        raise UserError(
            f"Hyperparameter {name}: could not parse value (caused by ValueError)"
        ) from None


def check_range(name: str, value: Any) -> None:
    rule = RULES[name]
    try:
        if not rule.several:
            fits = value in rule.allowed
        elif name == "interaction_constraints":
            fits = all(item in rule.allowed for group in value for item in group)
        else:
            fits = all(item in rule.allowed for item in value)
    except TypeError:
        fits = False
    if fits:
        return
    if rule.several:
        raise UserError(f"Hyperparameter {name}: value {value} not in range {rule.allowed}")
    raise UserError(f"Hyperparameter {name}: {value} is not in {rule.allowed}")


def check_together(values: Mapping[str, Any]) -> None:
    """What one hyperparameter asks of another."""
    objective, metrics = values.get("objective", ""), values.get("eval_metric", ())
    if objective in ("multi:softmax", "multi:softprob") and "num_class" not in values:
        raise UserError("Require input for parameter 'num_class' for multi-classification")
    if "auc" in metrics and not objective.startswith(("binary:", "rank:")):
        raise UserError("Metric 'auc' can only be applied for classification and ranking problems.")
    if "aft-nloglik" in metrics and objective != "survival:aft":
        raise UserError("Metric 'aft-nloglik' can only be applied for 'survival:aft' objective.")
    method = values.get("tree_method")
    if "monotone_constraints" in values and method not in ("exact", "hist"):
        raise UserError(
            "monotone_constraints can be used only when the tree_method parameter is set to "
            "either 'exact' or 'hist'."
        )
    if "interaction_constraints" in values and method not in ("exact", "hist", "approx"):
        raise UserError(
            "interaction_constraints can be used only when the tree_method parameter is set to "
            "either 'exact', 'hist' or 'approx'."
        )
    if "updater" in values:
        check_updaters(values["updater"], values)


def check_updaters(updaters: Sequence[str], values: Mapping[str, Any]) -> None:
    if values.get("booster") == "gblinear":
        if len(updaters) != 1 or updaters[0] not in LINEAR_UPDATERS:
            raise UserError(
                "Linear updater should be one of these options: 'shotgun', 'coord_descent'."
            )
    elif values.get("process_type") == "update":
        if not set(updaters) <= {"refresh", "prune"}:
            raise UserError(
                "process_type 'update' can only be used with updater 'refresh' and 'prune'"
            )
    elif not set(updaters) <= set(TREE_UPDATERS):
        raise UserError(
            "Tree updater should be selected from these options: 'grow_colmaker', 'distcol', "
            "'grow_histmaker', 'grow_local_histmaker', 'grow_skmaker', 'grow_quantile_histmaker', "
            "'sync', 'refresh', 'prune', 'shortgun', 'coord_descent'."
        )
    elif sum(updater in GROWING for updater in updaters) > 1:
        raise UserError(
            "Only one tree grow plugin can be selected. Choose one from thefollowing: "
            "'grow_colmaker', 'distcol', 'grow_histmaker', 'grow_local_histmaker', 'grow_skmaker'"
        )


# --- channels -------------------------------------------------------------------------------------

CHANNELS = ("train", "validation", "code")
FORMATS = {
    "csv": "csv",
    "text/csv": "csv",
    "libsvm": "libsvm",
    "text/libsvm": "libsvm",
    "text/x-libsvm": "libsvm",
    "parquet": "parquet",
    "application/x-parquet": "parquet",
    "recordio-protobuf": "recordio-protobuf",
    "application/x-recordio-protobuf": "recordio-protobuf",
}


def check_channels(channels: Mapping[str, Mapping[str, str]]) -> None:
    """Hold the channels, as inputdataconfig.json describes them, against the container's list.

    Raises:
        UserError: the container would end with this message.
    """
    if "train" not in channels:
        raise UserError("Missing required channel: train")
    for name, channel in channels.items():
        if name not in CHANNELS:
            raise UserError(f"Extraneous channel found: {name}")
        described = {"ContentType": "text/libsvm", **channel}
        if name != "code" and format_of(described["ContentType"]) is None:
            raise UserError(
                f"Channel configuration for '{name}' channel is not supported: {described}"
            )


def format_of(content_type: str) -> str | None:
    """`csv`, `libsvm`, `parquet` or `recordio-protobuf`; None: the algorithm cannot read it.

    Raises:
        UserError: a CSV must have its label in one column.
    """
    kind, *parameters = (part.strip() for part in content_type.lower().split(";"))
    found = FORMATS.get(kind)
    sizes = [p.removeprefix("label_size=") for p in parameters if p.startswith("label_size=")]
    if found == "csv" and sizes not in ([], ["1"]):
        raise UserError(
            f"{content_type} is not an accepted csv ContentType. "
            "Optional parameter label_size must be equal to 1"
        )
    return found


def check(
    hyperparameters: Mapping[str, str], channels: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    """Hold a training job of the algorithm against all of the above; returns the hyperparameters.

    Raises:
        UserError: the container would end with this message.
    """
    values = validated(hyperparameters)
    check_channels(channels)
    return values
