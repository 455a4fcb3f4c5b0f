"""The built-in XGBoost algorithm: `python train_xgboost.py`, started by training_run.py.

It finds the job in the variables SM_… and in /opt/ml/input/config, as the container's program does,
and it imports nothing of the lab. Hyperparameters and channels have been checked before
(`xgboost_rules.py`); the data are checked here, in the container's words. It trains in one thread.
"""

import csv
import importlib
import json
import logging
import os
import re
import signal
import sys
import tempfile
import warnings
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

CONFIG = Path(os.environ["SM_INPUT_CONFIG_DIR"])
MODEL = Path(os.environ["SM_MODEL_DIR"])
OUTPUT = Path(os.environ["SM_OUTPUT_DIR"])
MODEL_NAME = "xgboost-model"
CHECKPOINT = "xgboost-checkpoint"
KEPT_CHECKPOINTS = 5
UNFINISHED = ".sagemaker-ignore"  # the ending of a file that is not yet whole
DEPTH = 3  # levels of folders in a channel that are read
# Hyperparameters of the container itself; the others are XGBoost's own.
CONTAINER = (
    "num_round",
    "csv_weights",
    "early_stopping_rounds",
    "eval_metric",
    "_kfold",
    "_num_cv_round",
    "_tuning_objective_metric",
    "save_model_on_termination",
    "use_dask_gpu_training",
)
MAXIMIZED = re.compile(
    r"accuracy|balanced_accuracy|auc|aucpr|f1.*|map|ndcg|precision.*|r2|recall.*"
)
# What the container takes for the user's fault, if XGBoost says it; version 3.2 says most of it in
# other words, so that labels which do not fit an objective end as an AlgorithmError.
USER_ERRORS = (
    "label must be in [0,1] for logistic regression",
    "label must be in [0, num_class)",
    "feature_names mismatch",
    "Check failed: preds.size() == info.labels_.size()",
    "Check failed: !auc_error AUC: the dataset only contains pos or neg samples",
    "Check failed: base_score > 0.0f && base_score < 1.0f base_score must be in (0,1) for logistic",
    "Check failed: label_correct PoissonRegression: label must be nonnegative",
    "Check failed: label_correct TweedieRegression: label must be nonnegative",
    "Parameter reg_lambda should be greater equal to 0",
)

log = logging.getLogger("sagemaker_xgboost_container")


class UserError(Exception):
    """What the user can mend; the container's own name for it."""


class AlgorithmError(Exception):
    """What XGBoost itself has raised."""


# --- hyperparameters ------------------------------------------------------------------------------


def plain(text: str) -> str:
    """The value of a text that the SDK has written as JSON, as it does for own scripts."""
    if text.startswith('"') and text.endswith('"'):
        try:
            return str(json.loads(text))
        except ValueError:
            pass
    return text


def metric_names(parameters: dict[str, str]) -> tuple[list[str], str | None]:
    """All metrics to report, and the one that early stopping looks at."""
    asked = parameters["eval_metric"].split(",") if "eval_metric" in parameters else []
    objective = parameters.get("_tuning_objective_metric", "").partition(":")[2]
    if objective:
        return sorted({*asked, objective}), objective
    return asked, asked[-1] if asked else None


OF_NUMBERS = ("mse", "r2")
ADDED = (
    *("accuracy", "balanced_accuracy", "f1", "f1_binary", "f1_macro", "mse", "r2"),
    *("precision", "precision_macro", "precision_micro"),
    *("recall", "recall_macro", "recall_micro"),
)


def scoring(names: Sequence[str], objective: str) -> Callable[[Any, Any], Any] | None:
    """What computes the metrics that XGBoost does not have; None if it has all of these."""
    added = [name for name in names if name in ADDED]

    def score(predictions: Any, data: Any) -> list[tuple[str, float]]:
        labels, found = data.get_label(), classes_of(predictions, objective)
        return [
            (name, of_numbers(name, labels, predictions))
            if name in OF_NUMBERS
            else (name, of_classes(name, labels, found))
            for name in added
        ]

    return score if added else None


def of_numbers(name: str, labels: Any, predictions: Any) -> float:
    squares = ((labels - predictions) ** 2).mean()
    if name == "mse":
        return float(squares)
    spread = ((labels - labels.mean()) ** 2).mean()
    return float(1 - squares / spread) if spread else 0.0


def of_classes(name: str, labels: Any, found: Any) -> float:
    """Accuracy, precision, recall or F1, in the way that the end of the name says.

    Raises:
        UserError: a metric of two classes, but there are more.
    """
    import numpy

    if name == "accuracy":
        return float((labels == found).mean())
    classes = numpy.union1d(labels, found)
    right = numpy.array([((labels == c) & (found == c)).sum() for c in classes], dtype=float)
    predicted = numpy.array([(found == c).sum() for c in classes], dtype=float)
    actual = numpy.array([(labels == c).sum() for c in classes], dtype=float)
    if name == "balanced_accuracy":
        return float((right[actual > 0] / actual[actual > 0]).mean())
    kind, _, how = name.partition("_")
    if not how:
        how = "macro" if kind == "f1" else "binary"
    if how == "micro":
        right, predicted, actual = (n.sum(keepdims=True) for n in (right, predicted, actual))
    elif how == "binary":
        if classes.max() > 1 or len(classes) > 2:
            raise UserError("Target is multiclass but average='binary'.")
        right, predicted, actual = (n[classes == 1] for n in (right, predicted, actual))
    below = {"precision": predicted, "recall": actual, "f1": (predicted + actual) / 2}[kind]
    values = numpy.divide(right, below, out=numpy.zeros_like(right), where=below > 0)
    return float(values.mean()) if len(values) else 0.0


def classes_of(predictions: Any, objective: str) -> Any:
    if predictions.ndim > 1:
        return predictions.argmax(axis=1)
    if objective == "multi:softmax":
        return predictions
    return (predictions > (0.0 if objective == "binary:logitraw" else 0.5)).astype(float)


# --- data -----------------------------------------------------------------------------------------


def files_of(folder: Path) -> list[Path]:
    """The files of a channel with something in them.

    Raises:
        UserError: a hidden file lies among them.
    """
    paths = [p for p in sorted(folder.rglob("*")) if p.is_file()]
    if any(path.name.startswith(".") for path in paths):
        raise UserError("Hidden file found in the data path! Remove that before training.")
    near = [path for path in paths if len(path.relative_to(folder).parts) <= DEPTH]
    if len(near) < len(paths):
        log.warning("The depth of folder %s exceed the limit %s.", folder, DEPTH)
    return [path for path in near if path.stat().st_size and not path.name.startswith("_")]


def read(folder: Path, kind: str, weights: bool) -> Any:
    """The DMatrix of a channel; None if it holds no data."""
    files = files_of(folder)
    if not files:
        return None
    if kind == "libsvm":
        return read_libsvm(files)
    if kind == "csv":
        return read_csv(files, weights)
    if kind == "parquet":
        return read_parquet(files)
    return read_recordio(files)


def first_line(path: Path) -> str:
    with path.open(errors="ignore") as lines:
        return lines.readline()


def read_csv(files: Sequence[Path], weights: bool) -> Any:
    """The label in the first column, the weight in the second if there are weights.

    XGBoost itself reads the files, as in the container, and refuses next to nothing: a field that
    is no number is a missing value, in the column of labels a zero; so a header is a row as well,
    and a row that is too short has missing values.
    """
    delimiters = [delimiter_of(first_line(path)) for path in files]
    columns = f"format=csv&label_column=0&delimiter={delimiters[0]}"
    return read_texts(files, "csv", columns + ("&weight_column=1" if weights else ""))


def delimiter_of(line: str) -> str:
    try:
        delimiter = csv.Sniffer().sniff(line, ",;\t| ").delimiter
    except csv.Error as error:
        raise UserError(f"Could not determine delimiter on line {line[:50]}:\n{error}") from None
    log.info("Determined delimiter of CSV input is '%s'", delimiter)
    return delimiter


def read_libsvm(files: Sequence[Path]) -> Any:
    for path in files:
        check_libsvm(path)
    return read_texts(files, "libsvm", "format=libsvm")


def check_libsvm(path: Path) -> None:
    """The lines up to the first with two features: `label[:weight] index:value index:value`."""
    with path.open(errors="ignore") as lines:
        for line in lines:
            label, *features = line.split(" ")
            if not is_label(label) or any(":" not in feature for feature in features):
                raise UserError(
                    f"First line '{line[:50]}...' of file '{path.name}' is not 'LIBSVM' format. "
                    "Please ensure the file is in 'LIBSVM' format."
                )
            if len(features) > 1:
                return


def is_label(text: str) -> bool:
    try:
        return len([float(part) for part in text.split(":")]) <= 2
    except ValueError:
        return False


def read_texts(files: Sequence[Path], kind: str, how: str) -> Any:
    """By XGBoost itself, as the container does: all files in one folder."""
    xgboost = load_xgboost()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # XGBoost 3 will give up reading texts
        for number, path in enumerate(files):
            Path(folder, str(number)).symlink_to(path)
        try:
            return xgboost.DMatrix(f"{folder}?{how}", nthread=1)
        except xgboost.core.XGBoostError as error:
            said = without_stack(error)
            raise UserError(f"Failed to load {kind} data with exception:\n{said}") from None


def read_parquet(files: Sequence[Path]) -> Any:
    """The label in the first column, whatever the columns are called."""
    import numpy
    import pyarrow.parquet

    xgboost = load_xgboost()
    try:
        tables = [pyarrow.parquet.read_table(path) for path in files]
        rows = [row for table in tables for row in zip(*table.to_pydict().values(), strict=True)]
        data = numpy.array(rows, dtype=numpy.float32)
        return xgboost.DMatrix(data[:, 1:], label=data[:, 0], nthread=1)
    except (pyarrow.ArrowException, ValueError, TypeError) as error:
        said = without_stack(error)
        raise UserError(f"Failed to load parquet data with exception:\n{said}") from None


def read_recordio(files: Sequence[Path]) -> Any:
    import recordio  # type: ignore[import-not-found]  # lies beside this program

    xgboost = load_xgboost()
    try:
        data = b"".join(path.read_bytes() for path in files)
        features, labels = recordio.matrix_and_labels(data)
        matrix = xgboost.DMatrix(features, label=labels, nthread=1)
    except ValueError as error:
        said = without_stack(error)
        raise UserError(f"Failed to load recordio-protobuf data with exception:\n{said}") from None
    if not matrix.get_label().size:
        raise UserError("Got input data without labels. Please check the input data set.")
    return matrix


@cache
def load_xgboost() -> Any:
    """XGBoost without its interface to scikit-learn, whose import takes most of the time."""
    sys.modules["sklearn"] = None  # type: ignore[assignment]
    try:
        return importlib.import_module("xgboost")
    finally:
        del sys.modules["sklearn"]


# --- training -------------------------------------------------------------------------------------


def main() -> None:
    logging.basicConfig(
        stream=sys.stdout,
        level=logging.INFO,
        format="[%(asctime)s:%(levelname)s] %(message)s",
        datefmt="%Y-%m-%d:%H:%M:%S",
    )
    signal.signal(signal.SIGTERM, leave)
    log.info("Running XGBoost Sagemaker in algorithm mode")
    try:
        train()
    except (UserError, AlgorithmError) as error:
        kind = f"sagemaker_algorithm_toolkit.exceptions.{type(error).__name__}"
        fail(f"framework error: \n{kind}: {error}")


def fail(message: str) -> NoReturn:
    log.error("Reporting training FAILURE")
    log.error("%s", message)
    (OUTPUT / "failure").write_text(message, encoding="utf-8")
    sys.exit(1)


def leave(number: int, frame: Any) -> NoReturn:
    """A model that was saved on the way stays; nothing else is left."""
    for path in MODEL.glob(f"*{UNFINISHED}"):
        path.unlink()
    sys.exit(0)


def train() -> None:
    parameters = {
        name: plain(text)
        for name, text in json.loads((CONFIG / "hyperparameters.json").read_text()).items()
    }
    channels = json.loads((CONFIG / "inputdataconfig.json").read_text())
    if parameters.get("use_dask_gpu_training") == "true":
        raise UserError("GPU training is not supported on this instance.")
    kind = channels["train"].get("ContentType", "libsvm").partition(";")[0].strip().lower()
    kind = re.sub(r".*/(x-)?", "", kind)
    weights = parameters.get("csv_weights") == "1"
    folder = Path(os.environ["SM_CHANNEL_TRAIN"])
    data = read(folder, kind, weights)
    if data is None:
        raise UserError(f"No data in training channel path {folder}")
    validation = None
    if "validation" in channels:
        folder = Path(os.environ["SM_CHANNEL_VALIDATION"])
        validation = read(folder, kind, weights)
        if validation is None:
            raise UserError(f"No data in validation channel path {folder}")
    log.info("Single node training.")
    log.info("Train matrix has %s rows and %s columns", data.num_row(), data.num_col())
    if validation is not None:
        log.info("Validation matrix has %s rows", validation.num_row())
    MODEL.mkdir(parents=True, exist_ok=True)
    try:
        if "_kfold" in parameters:
            cross_validate(parameters, data)
        else:
            save(fit(parameters, data, validation), MODEL / MODEL_NAME)
    except (UserError, AlgorithmError):
        raise
    except Exception as error:
        said = without_stack(error)
        if any(known in said for known in USER_ERRORS):
            raise UserError(said) from None
        raise AlgorithmError(f"XGB train call failed with exception:\n {said}") from None


def without_stack(error: Exception) -> str:
    """XGBoost's message without the addresses in its library."""
    return str(error).partition("\nStack trace")[0].strip()


def fit(parameters: dict[str, str], data: Any, validation: Any, **more: Any) -> Any:
    """Train one booster; a job with checkpoints goes on from the last one."""
    xgboost = load_xgboost()
    names, watched = metric_names(parameters)
    own: dict[str, Any] = {n: value for n, value in parameters.items() if n not in CONTAINER}
    built_in = [name for name in names if name not in ADDED]
    if built_in:
        own["eval_metric"] = built_in
    checkpoints = None if more else checkpoint_folder()
    latest, done = latest_checkpoint(checkpoints)
    if latest:
        log.info("Checkpoint loaded from %s", latest)
        log.info("Resuming from iteration %s", done)
    watchlist = [(data, "train")]
    if validation is not None:
        watchlist.append((validation, "validation"))
    callbacks = [each_round(parameters, checkpoints, done)]
    if validation is not None and watched and "early_stopping_rounds" in parameters:
        callbacks.append(early_stopping(int(parameters["early_stopping_rounds"]), watched))
    return xgboost.train(
        own | {"nthread": 1},
        data,
        num_boost_round=int(parameters["num_round"]) - done,
        evals=watchlist,
        custom_metric=scoring(names, parameters.get("objective", "")),
        xgb_model=str(latest) if latest else None,
        callbacks=callbacks,
        verbose_eval=False,
        **more,
    )


def each_round(parameters: dict[str, str], checkpoints: Path | None, done: int) -> Any:
    """What is printed and saved after each round.

    `[0]<tab>train-logloss:0.60123<tab>validation-logloss:0.61000`: this is what the service's
    metric definitions look for; the log agent writes a tab as `#011`.
    """

    class Round(load_xgboost().callback.TrainingCallback):  # type: ignore[misc]
        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
            number = done + epoch
            values = [
                f"{data}-{metric}:{found[-1]:.5f}"
                for data, metrics in evals_log.items()
                for metric, found in metrics.items()
            ]
            print("\t".join([f"[{number}]", *values]), flush=True)
            if checkpoints:
                save(model, checkpoints / f"{CHECKPOINT}.{number}")
                old = checkpoints / f"{CHECKPOINT}.{number - KEPT_CHECKPOINTS}"
                old.unlink(missing_ok=True)
            if parameters.get("save_model_on_termination") == "true":
                save(model, MODEL / MODEL_NAME)
            return False

    return Round()


def early_stopping(rounds: int, metric: str) -> Any:
    return load_xgboost().callback.EarlyStopping(
        rounds=rounds,
        data_name="validation",
        metric_name=metric,
        maximize=bool(MAXIMIZED.fullmatch(metric.partition("@")[0])),
        save_best=True,
    )


def save(model: Any, path: Path) -> None:
    """Whole or not at all: the job may be stopped at any moment."""
    unfinished = path.with_name(path.name + UNFINISHED)
    unfinished.write_bytes(model.save_raw())
    unfinished.replace(path)


def checkpoint_folder() -> Path | None:
    config = CONFIG / "checkpointconfig.json"
    return Path(json.loads(config.read_text())["LocalPath"]) if config.exists() else None


def latest_checkpoint(folder: Path | None) -> tuple[Path | None, int]:
    """The newest checkpoint, and how many rounds were done with it."""
    found = [
        (int(path.name.rpartition(".")[2]), path)
        for path in (folder.glob(f"{CHECKPOINT}.*") if folder else ())
        if path.name.rpartition(".")[2].isdigit()
    ]
    if not found:
        return None, 0
    number, path = max(found)
    return path, number + 1


def cross_validate(parameters: dict[str, str], data: Any) -> None:
    """One booster per fold, the mean of their last metrics, and what each row was predicted."""
    import numpy
    from sklearn.model_selection import RepeatedKFold, RepeatedStratifiedKFold

    folds, repeats = int(parameters["_kfold"]), int(parameters.get("_num_cv_round", 1))
    labels, rows = data.get_label(), range(data.num_row())
    log.info("Run %s-round of %s-fold cross validation with %s rows", repeats, folds, len(rows))
    classifies = "num_class" in parameters or parameters.get("objective", "").startswith("binary:")
    how = RepeatedStratifiedKFold if classifies else RepeatedKFold
    splits = how(n_splits=folds, n_repeats=repeats, random_state=int(parameters.get("seed", 0)))
    results: list[dict[str, Any]] = []
    predicted = numpy.zeros(len(rows))
    for number, (inside, outside) in enumerate(splits.split(rows, labels if classifies else None)):
        log.info("Train cross validation fold %s", number % folds + 1)
        result: dict[str, Any] = {}
        held = data.slice(outside)
        booster = fit(parameters, data.slice(inside), held, evals_result=result)
        save(booster, MODEL / f"{MODEL_NAME}-{number}")
        found = booster.predict(held)
        predicted[outside] += found if found.ndim == 1 else found.argmax(axis=1)
        results.append(result)
    told = [f"[{parameters['num_round']}]"]
    for metric in results[0]["train"]:
        for name in ("train", "validation"):
            mean = numpy.mean([result[name][metric][-1] for result in results])
            told.append(f"{name}-{metric}:{mean:.5f}")
    log.info("The overall metrics of %s-round cross validation", repeats)
    print("\t".join(told), flush=True)
    table = numpy.column_stack([labels, predicted / repeats])
    numpy.savetxt(OUTPUT / "data" / "predictions.csv", table, delimiter=",", fmt="%g")


if __name__ == "__main__":
    main()
