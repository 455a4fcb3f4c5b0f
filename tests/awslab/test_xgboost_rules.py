"""What the built-in XGBoost algorithm accepts, in the words of its container."""

import re

import pytest
from awslab.services.sagemaker.xgboost_rules import (
    METRICS,
    UserError,
    check,
    check_channels,
    format_of,
    metric_definitions,
    validated,
)

CSV = {
    "ContentType": "text/csv",
    "TrainingInputMode": "File",
    "S3DistributionType": "FullyReplicated",
    "RecordWrapperType": "None",
}


def refusal(**hyperparameters: str) -> str:
    with pytest.raises(UserError) as refused:
        validated({"num_round": "10"} | hyperparameters)
    return str(refused.value)


# --- hyperparameters ------------------------------------------------------------------------------


def test_values_are_read_as_what_they_are() -> None:
    texts = {
        "num_round": "100",
        "eta": "0.2",
        "objective": "binary:logistic",
        "eval_metric": "auc,error@0.7",
        "monotone_constraints": "(1, 0, -1)",
        "interaction_constraints": "[[1, 2], [3]]",
        "tree_method": "hist",
        "updater": "grow_colmaker,prune",
        "_kfold": "5",
        "_num_cv_round": "2",
        "_tuning_objective_metric": "validation:f1",
        "save_model_on_termination": "true",
    }
    assert validated(texts) == {
        "num_round": 100,
        "eta": 0.2,
        "objective": "binary:logistic",
        "eval_metric": ["auc", "error@0.7"],
        "monotone_constraints": (1, 0, -1),
        "interaction_constraints": [[1, 2], [3]],
        "tree_method": "hist",
        "updater": ["grow_colmaker", "prune"],
        "_kfold": 5,
        "_num_cv_round": 2,
        "_tuning_objective_metric": "validation:f1",
        "save_model_on_termination": "true",
    }


def test_aliases_stand_for_the_algorithms_own_names() -> None:
    texts = {"learning_rate": "0.1", "min_split_loss": "1", "reg_lambda": "2", "reg_alpha": "3"}
    assert validated({"num_round": "1"} | texts) == {
        "num_round": 1,
        "eta": 0.1,
        "gamma": 1.0,
        "lambda": 2.0,
        "alpha": 3.0,
    }


def test_texts_that_the_sdk_has_quoted_are_read() -> None:
    quoted = {"num_round": '"5"', "objective": '"reg:squarederror"'}
    assert validated(quoted) == {"num_round": 5, "objective": "reg:squarederror"}


def test_the_number_of_rounds_is_required() -> None:
    with pytest.raises(UserError, match=r"^Missing required hyperparameter: num_round$"):
        validated({"eta": "0.1"})


@pytest.mark.parametrize(
    "name", ["silent", "n_estimators", "device", "maxdepth", "single_precision_histogram", ""]
)
def test_unknown_names_are_refused(name: str) -> None:
    assert refusal(**{name: "1"}) == f"Extraneous hyperparameter found: {name}"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("eta", "2", "2.0 is not in [0, 1]"),
        ("max_depth", "-1", "-1 is not in [0, +inf)"),
        ("num_round", "0", "0 is not in [1, +inf)"),
        ("subsample", "0", "0.0 is not in (0, 1]"),
        ("colsample_bynode", "1.5", "1.5 is not in (0, 1]"),
        ("lambda", "-0.1", "-0.1 is not in [0, +inf)"),
        ("verbosity", "4", "4 is not in [0, 3]"),
        ("early_stopping_rounds", "0", "0 is not in [1, +inf)"),
        ("csv_weights", "2", "2 is not in [0, 1]"),
        ("num_class", "1", "1 is not in [2, +inf)"),
        ("tweedie_variance_power", "2", "2.0 is not in (1, 2)"),
        ("seed", "2147483647", "2147483647 is not in (-2147483648, 2147483647)"),
        ("booster", "tree", "tree is not in ['gbtree', 'gblinear', 'dart']"),
        ("save_model_on_termination", "True", "True is not in ['true', 'false']"),
        ("max_depth", "3.5", "could not parse value (caused by ValueError)"),
        ("eta", "fast", "could not parse value (caused by ValueError)"),
        ("monotone_constraints", "(1,", "could not parse value (caused by ValueError)"),
        ("monotone_constraints", "1", "could not parse value (caused by ValueError)"),
        ("monotone_constraints", "(2, 0)", "value (2, 0) not in range [-1, 0, 1]"),
        ("interaction_constraints", "[[0]]", "value [[0]] not in range [1, +inf)"),
        ("interaction_constraints", "[1]", "value [1] not in range [1, +inf)"),
    ],
)
def test_values_out_of_their_range_are_refused(name: str, text: str, message: str) -> None:
    assert refusal(**{name: text}) == f"Hyperparameter {name}: {message}"


@pytest.mark.parametrize("objective", ["reg:quantileerror", "binary", "reg:absoluteerror"])
def test_objectives_that_the_container_does_not_list(objective: str) -> None:
    message = refusal(objective=objective)
    assert message.startswith(f"Hyperparameter objective: {objective} is not in ['aft_loss_")
    assert "'reg:squarederror'" in message


@pytest.mark.parametrize(
    "accepted", [{"tree_method": "gpu_hist"}, {"objective": "reg:linear"}, {"predictor": "auto"}]
)
def test_what_the_validator_still_accepts(accepted: dict[str, str]) -> None:
    assert validated({"num_round": "1"} | accepted) == {"num_round": 1} | accepted


def test_metrics_must_be_known() -> None:
    message = refusal(eval_metric="auc,none", objective="binary:logistic")
    assert message == f"Hyperparameter eval_metric: value ['auc', 'none'] not in range {METRICS}"
    assert refusal(eval_metric="auc@1") == (
        "Metric 'auc@1' is not supported. Parameter 'eval_metric' with customized threshold "
        "should be one of these options: 'error', 'ndcg', 'map'."
    )
    assert refusal(eval_metric="error@x") == (
        "Threshold value 't' in 'error@t' expects float input."
    )
    message = refusal(_tuning_objective_metric="train:auc")
    assert message.startswith("Hyperparameter _tuning_objective_metric: train:auc is not in [")


@pytest.mark.parametrize(
    ("hyperparameters", "message"),
    [
        (
            {"objective": "multi:softmax"},
            "Require input for parameter 'num_class' for multi-classification",
        ),
        (
            {"objective": "multi:softprob"},
            "Require input for parameter 'num_class' for multi-classification",
        ),
        (
            {"objective": "reg:squarederror", "eval_metric": "rmse,auc"},
            "Metric 'auc' can only be applied for classification and ranking problems.",
        ),
        (
            {"eval_metric": "auc"},
            "Metric 'auc' can only be applied for classification and ranking problems.",
        ),
        (
            {"objective": "survival:cox", "eval_metric": "aft-nloglik"},
            "Metric 'aft-nloglik' can only be applied for 'survival:aft' objective.",
        ),
        (
            {"monotone_constraints": "(1,)", "tree_method": "approx"},
            "monotone_constraints can be used only when the tree_method parameter is set to "
            "either 'exact' or 'hist'.",
        ),
        (
            {"interaction_constraints": "[[1]]"},
            "interaction_constraints can be used only when the tree_method parameter is set to "
            "either 'exact', 'hist' or 'approx'.",
        ),
        (
            {"booster": "gblinear", "updater": "prune"},
            "Linear updater should be one of these options: 'shotgun', 'coord_descent'.",
        ),
        (
            {"process_type": "update", "updater": "grow_colmaker"},
            "process_type 'update' can only be used with updater 'refresh' and 'prune'",
        ),
        (
            {"updater": "grow_colmaker,grow_histmaker"},
            "Only one tree grow plugin can be selected. Choose one from thefollowing: "
            "'grow_colmaker', 'distcol', 'grow_histmaker', 'grow_local_histmaker', 'grow_skmaker'",
        ),
    ],
)
def test_what_one_asks_of_another(hyperparameters: dict[str, str], message: str) -> None:
    assert refusal(**hyperparameters) == message


def test_updaters_must_fit_the_booster() -> None:
    assert refusal(updater="shotgun").startswith("Tree updater should be selected from these")
    assert refusal(updater="none").startswith("Hyperparameter updater: value ['none'] not in range")
    fitting = {"num_round": "1", "booster": "gblinear", "updater": "shotgun"}
    assert validated(fitting)["updater"] == ["shotgun"]


# --- channels -------------------------------------------------------------------------------------


def test_the_training_channel_is_required() -> None:
    with pytest.raises(UserError, match=r"^Missing required channel: train$"):
        check_channels({"validation": CSV})


def test_other_channels_are_refused() -> None:
    check_channels({"train": CSV, "validation": CSV, "code": {}})
    with pytest.raises(UserError, match=r"^Extraneous channel found: test$"):
        check_channels({"train": CSV, "test": CSV})


def test_other_content_types_are_refused() -> None:
    with pytest.raises(UserError) as refused:
        check_channels({"train": CSV | {"ContentType": "application/json"}})
    assert str(refused.value) == (
        "Channel configuration for 'train' channel is not supported: {'ContentType': "
        "'application/json', 'TrainingInputMode': 'File', 'S3DistributionType': "
        "'FullyReplicated', 'RecordWrapperType': 'None'}"
    )


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [
        ("text/csv", "csv"),
        ("CSV", "csv"),
        ("text/csv; label_size=1; charset=utf8", "csv"),
        ("text/libsvm ;charset=utf8", "libsvm"),
        ("text/x-libsvm", "libsvm"),
        ("application/x-parquet", "parquet"),
        ("application/x-recordio-protobuf", "recordio-protobuf"),
        ("application/json", None),
        ("", None),
    ],
)
def test_content_types_are_read(content_type: str, kind: str | None) -> None:
    assert format_of(content_type) == kind


def test_a_csv_has_one_label() -> None:
    with pytest.raises(UserError) as refused:
        format_of("text/csv;label_size=0")
    assert str(refused.value) == (
        "text/csv;label_size=0 is not an accepted csv ContentType. "
        "Optional parameter label_size must be equal to 1"
    )


def test_a_channel_without_content_type_is_libsvm() -> None:
    check_channels({"train": {"TrainingInputMode": "File"}})


def test_all_is_checked_at_once() -> None:
    assert check({"num_round": "1"}, {"train": CSV}) == {"num_round": 1}
    with pytest.raises(UserError, match="Extraneous hyperparameter"):
        check({"num_round": "1", "silent": "1"}, {})
    with pytest.raises(UserError, match="Missing required channel"):
        check({"num_round": "1"}, {})


# --- metrics --------------------------------------------------------------------------------------


def test_the_services_own_definitions_find_what_the_container_prints() -> None:
    line = "[12]#011train-logloss:0.60123#011validation-logloss:6.1e-05#011validation-auc:1"
    found = {
        definition["Name"]: match[1]
        for definition in metric_definitions()
        if (match := re.search(definition["Regex"], line))
    }
    assert found == {
        "train:logloss": "0.60123",
        "validation:logloss": "6.1e-05",
        "validation:auc": "1",
    }
    assert len(metric_definitions()) == 40
    assert all(len(d["Regex"]) <= 500 for d in metric_definitions())
