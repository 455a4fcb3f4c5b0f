"""Training jobs on the lab: what comes out, and what the algorithm says of wrong input."""

import io
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest
import xgboost
from proofs.trace import Trace, watching

Run = Callable[..., Any]
BUCKET = "amzn-s3-demo-bucket-111122223333"
ROLE = "arn:aws:iam::111122223333:role/sagemaker-training"
START = (
    "job  Failed\n",
    "AlgorithmError: framework error: \nsagemaker_algorithm_toolkit.exceptions.",
)
GOOD = "1,0.5,0.25\n0,0.25,0.5\n" * 10


@pytest.fixture
def put(run: Run, client: Any) -> Callable[..., None]:
    """`put(train=…)`: data into a bucket that the test's job reads."""
    place = {"LocationConstraint": "ap-northeast-1"}
    client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)

    def upload(train: str, validation: str = GOOD) -> None:
        for channel, body in (("train", train), ("validation", validation)):
            client("s3").put_object(Bucket=BUCKET, Key=f"{channel}/data", Body=body.encode())

    return upload


def train(run: Run, *arguments: str) -> Any:
    where = ("--job-name", "job", "--bucket", BUCKET, "--role-arn", ROLE)
    return run("train_job", *where, *arguments)


def reason(run: Run, *arguments: str) -> str:
    """Why the job has failed, without what is common to all errors of the algorithm."""
    result = train(run, "num_round=1", *arguments)
    assert (result.status, result.output) == (1, START[0])
    assert result.errors.startswith(START[1]) and result.errors.endswith(", exit code: 1\n")
    return str(result.errors).removeprefix(START[1]).removesuffix(", exit code: 1\n")


def model(client: Any) -> xgboost.Booster:
    key = "output/job/output/model.tar.gz"
    packed = client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        file = archive.extractfile("xgboost-model")
        assert archive.getnames() == ["xgboost-model"] and file
        return xgboost.Booster(model_file=bytearray(file.read()))


TASKS = {
    "regression": ({"objective": "reg:squarederror"}, "rmse"),
    "binary": ({"objective": "binary:logistic"}, "logloss"),
    "multiclass": ({"objective": "multi:softprob", "num_class": "3"}, "mlogloss"),
}


@pytest.mark.parametrize("task", TASKS)
def test_the_job_makes_the_model_of_plain_xgboost(
    run: Run, client: Any, put: Callable[..., None], tmp_path: Path, task: str
) -> None:
    run("write_data", "--folder", str(tmp_path), "--rows", "200")
    files = {name: tmp_path / task / f"{name}.csv" for name in ("train", "validation")}
    put(**{name: path.read_text() for name, path in files.items()})
    parameters, metric = TASKS[task]
    result = train(run, *(f"{name}={value}" for name, value in parameters.items()), "num_round=9")
    assert (result.status, result.errors) == (0, "")
    tables = {name: numpy.loadtxt(path, delimiter=",") for name, path in files.items()}
    data = {
        name: xgboost.DMatrix(table[:, 1:].astype("f4"), label=table[:, 0], nthread=1)
        for name, table in tables.items()
    }
    found: Any = {}
    expected = xgboost.train(
        {"max_depth": 3, "eta": 0.2, "nthread": 1, **parameters},
        data["train"],
        9,
        evals=[(each, name) for name, each in data.items()],
        evals_result=found,
        verbose_eval=False,
    )
    lines = [f"  {f'{name}:{metric}':20}  {found[name][metric][-1]:.5f}\n" for name in data]
    assert result.output == (
        f"job  Completed\n{''.join(lines)}  s3://{BUCKET}/output/job/output/model.tar.gz\n"
    )
    got = model(client).predict(data["validation"])
    assert got == pytest.approx(expected.predict(data["validation"]), abs=1e-6)
    job = client("sagemaker").describe_training_job(TrainingJobName="job")
    assert job["HyperParameters"] == parameters | {"num_round": "9", "max_depth": "3", "eta": "0.2"}
    assert job["StoppingCondition"]["MaxRuntimeInSeconds"] == 600


def test_weights_are_those_of_plain_xgboost(
    run: Run, client: Any, put: Callable[..., None]
) -> None:
    rows = [(int(x > 4), 1 + 2 * (x > 4), x, (x * 7) % 10) for x in range(10)] * 4
    text = "".join(",".join(map(str, row)) + "\n" for row in rows)
    put(text, text)
    assert train(run, "csv_weights=1", "num_round=3").status == 0
    table = numpy.array(rows, "f4")
    data = xgboost.DMatrix(table[:, 2:], label=table[:, 0], weight=table[:, 1], nthread=1)
    settings = {"objective": "binary:logistic", "max_depth": 3, "eta": 0.2, "nthread": 1}
    expected = xgboost.train(settings, data, 3).predict(data)
    assert model(client).predict(data) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("metric", "trees", "best"), [([], 20, None), (["eval_metric=logloss"], 1, "0")]
)
def test_training_stops_early_if_there_is_a_metric(
    run: Run, client: Any, put: Callable[..., None], metric: list[str], trees: int, best: str | None
) -> None:
    """Without eval_metric the algorithm overlooks early_stopping_rounds."""
    rows = [(int(x > 4), x, (x * 7) % 10) for x in range(10)] * 4
    put(
        "".join(f"{label},{x},{y}\n" for label, x, y in rows),
        "".join(f"{1 - label},{x},{y}\n" for label, x, y in rows),  # ever worse
    )
    assert train(run, "num_round=20", "early_stopping_rounds=3", *metric).status == 0
    assert (model(client).num_boosted_rounds(), model(client).attr("best_iteration")) == (
        trees,
        best,
    )


# --- wrong input ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["maxdepth=3"], "Extraneous hyperparameter found: maxdepth"),
        (["silent=0"], "Extraneous hyperparameter found: silent"),
        (["n_estimators=10"], "Extraneous hyperparameter found: n_estimators"),
        (["eta=2"], "Hyperparameter eta: 2.0 is not in [0, 1]"),
        (["max_depth=-1"], "Hyperparameter max_depth: -1 is not in [0, +inf)"),
        (
            ["max_depth=3.5"],
            "Hyperparameter max_depth: could not parse value (caused by ValueError)",
        ),
        (["subsample=0"], "Hyperparameter subsample: 0.0 is not in (0, 1]"),
        (["num_round=0"], "Hyperparameter num_round: 0 is not in [1, +inf)"),
        (
            ["objective=multi:softmax"],
            "Require input for parameter 'num_class' for multi-classification",
        ),
        (
            ["objective=reg:squarederror", "eval_metric=auc"],
            "Metric 'auc' can only be applied for classification and ranking problems.",
        ),
        (
            ["--content-type", "application/json"],
            "Channel configuration for 'train' channel is not supported: {'ContentType': "
            "'application/json',",
        ),
    ],
)
def test_hyperparameters_are_refused_before_the_data_are_read(
    run: Run, put: Callable[..., None], given: list[str], message: str
) -> None:
    put("no data")
    assert reason(run, *given).startswith(f"UserError: {message}")


@pytest.mark.parametrize(
    ("train_data", "given", "message"),
    [
        ("", [], "UserError: No data in training channel path /opt/ml/input/data/train"),
        (
            GOOD,
            ["--content-type", "text/libsvm"],
            "UserError: First line '1,0.5,0.25\n...' of file 'data' is not 'LIBSVM' format. "
            "Please ensure the file is in 'LIBSVM' format.",
        ),
        ("label\n", [], "UserError: Could not determine delimiter on line label\n:\n"),
        ("0,inf,1\n" + GOOD, [], "UserError: Failed to load csv data with exception:\n["),
    ],
)
def test_data_that_cannot_be_read(
    run: Run, put: Callable[..., None], train_data: str, given: list[str], message: str
) -> None:
    put(train_data)
    assert reason(run, *given).startswith(message)


NOT_A_CLASS = "SoftmaxMultiClassObj: label must be discrete values in the range of [0, num_class)."
CLASSES = ["objective=multi:softmax", "num_class=2"]


@pytest.mark.parametrize(
    ("first", "given", "message"),
    [
        ("nan,1,2", [], "base_score must be in (0,1) for the logistic loss."),
        ("nan,1,2", ["objective=reg:squarederror"], "Check failed: std::none_of(base_score.cbegin"),
        ("-1,1,2", [], "label must be in (0, 1) for logistic regression"),
        ("-1,1,2", CLASSES, NOT_A_CLASS),
        ("2,1,2", CLASSES, NOT_A_CLASS),
        ("0.5,1,2", CLASSES, NOT_A_CLASS),
        ("1,2,3,4", [], None),  # a row too long: a column more than validation has, which is taken
    ],
)
def test_labels_that_do_not_fit(
    run: Run, put: Callable[..., None], first: str, given: list[str], message: str | None
) -> None:
    put(f"{first}\n{GOOD}")
    if message:
        said = reason(run, *given)
        assert said.startswith("AlgorithmError: XGB train call failed with exception:\n [")
        assert message in said
    else:
        assert train(run, "num_round=1").status == 0


@pytest.mark.parametrize(
    ("first", "twin"),
    [
        ("label,a,b", ["0", "nan", "nan"]),  # a header
        ("1,0.5", ["1", "0.5", "nan"]),  # a column missing
        ("1,0.5,high", ["1", "0.5", "nan"]),
        ("1,,0.5", ["1", "nan", "0.5"]),
        (",0.5,0.5", ["0", "0.5", "0.5"]),  # without a label
    ],
)
def test_what_nobody_refuses(
    run: Run, client: Any, put: Callable[..., None], first: str, twin: list[str]
) -> None:
    """XGBoost reads a field that is no number as a missing value, a label as 0, without a word."""
    put(f"{first}\n{GOOD}")
    assert train(run, "num_round=3").status == 0
    rows = [twin, *(line.split(",") for line in GOOD.splitlines())]
    table = numpy.array(rows).astype("f4")
    data = xgboost.DMatrix(table[:, 1:], label=table[:, 0], nthread=1)
    settings = {"objective": "binary:logistic", "max_depth": 3, "eta": 0.2, "nthread": 1}
    expected = xgboost.train(settings, data, 3).predict(data)
    assert model(client).predict(data) == pytest.approx(expected, abs=1e-6)


# --- of the program -------------------------------------------------------------------------------


def test_a_job_that_cannot_start(run: Run, put: Callable[..., None]) -> None:
    put(GOOD)
    assert train(run, "num_round=1").status == 0
    result = train(run)
    assert (result.status, result.output) == (1, "")
    assert "ResourceInUse" in result.errors
    assert "No job was started. Check the options" in result.errors


def test_the_image_of_another_region(run: Run, lab: None) -> None:
    with watching(Trace()) as trace:
        result = train(run, "--image", "1.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.2-0")
    assert (result.status, result.output, trace.calls) == (1, "", [])
    assert "sagemaker-xgboost:3.2-0 is not in ap-northeast-1: give --image" in result.errors
    assert "No job was started." in result.errors


def test_another_kind_of_text_for_hyperparameters(run: Run, lab: None) -> None:
    with watching(Trace()) as trace:
        result = train(run, "max_depth")
    assert result.status == 2
    assert result.errors.endswith("write hyperparameters as NAME=VALUE, such as max_depth=4\n")
    assert trace.calls == []
