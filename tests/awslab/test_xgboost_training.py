"""The built-in XGBoost algorithm trains for real, and says what its container says."""

import io
import json
import os
import struct
import tarfile
import time
from functools import cache
from typing import Any

import boto3
import pytest
from awslab.embedded import environment
from awslab.services.sagemaker import training
from botocore.client import BaseClient

ACCOUNT, REGION = "111122223333", "ap-northeast-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/SageMakerExecutionRole"
IMAGE = f"354813040037.dkr.ecr.{REGION}.amazonaws.com/sagemaker-xgboost:3.2-0"
BUCKET = "amzn-s3-demo-bucket"
GROUP = "/aws/sagemaker/TrainingJobs"
START = "AlgorithmError: framework error: \nsagemaker_algorithm_toolkit.exceptions."

# The label is whether x > 4, with one row that says otherwise.
ROWS = [(int(x > 4 or x == 1), x, (x * 7) % 10) for x in range(10)] * 4
BINARY = {"objective": "binary:logistic", "num_round": "4"}

Request = dict[str, Any]


def csv_of(rows: list[Any], delimiter: str = ",") -> bytes:
    return "\n".join(delimiter.join(map(str, row)) for row in rows).encode()


def channel(name: str, content_type: str | None = "text/csv") -> Request:
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/{name}/"}
    data: Request = {"ChannelName": name, "DataSource": {"S3DataSource": source}}
    return data | ({"ContentType": content_type} if content_type else {})


def request(name: str, hyperparameters: dict[str, str], **more: Any) -> Request:
    return {
        "TrainingJobName": name,
        "RoleArn": ROLE,
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "HyperParameters": hyperparameters,
        "InputDataConfig": [channel("train")],
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/output"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
    } | more


@cache
def cached(service: str, endpoint: str | None) -> BaseClient:
    return boto3.client(service, endpoint_url=endpoint)


def aws(service: str) -> BaseClient:
    """A client of the lab that the test uses; one per service, because they take long to make."""
    return cached(service, os.environ.get("AWS_ENDPOINT_URL"))


@pytest.fixture
def sagemaker(lab: None) -> BaseClient:
    """A client, and a bucket with data in train/ and validation/."""
    where = {"LocationConstraint": REGION}
    aws("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
    put("train/a.csv", csv_of(ROWS[:20]))
    put("train/deep/b.csv", csv_of(ROWS[20:]))
    put("validation/c.csv", csv_of(ROWS[:10]))
    return aws("sagemaker")


def put(key: str, body: bytes) -> None:
    aws("s3").put_object(Bucket=BUCKET, Key=key, Body=body)


def train(sagemaker: BaseClient, hyperparameters: dict[str, str], **more: Any) -> dict[str, Any]:
    sagemaker.create_training_job(**request("job", hyperparameters, **more))
    return ended(sagemaker)


def ended(sagemaker: BaseClient) -> dict[str, Any]:
    for _ in range(20):
        job = sagemaker.describe_training_job(TrainingJobName="job")
        if job["TrainingJobStatus"] not in ("InProgress", "Stopping"):
            assert isinstance(job, dict)
            return job
    raise AssertionError(job["SecondaryStatus"])


def failed(sagemaker: BaseClient, hyperparameters: dict[str, str], **more: Any) -> str:
    """Why the job has failed, without what is common to all errors of the container."""
    job = train(sagemaker, hyperparameters, **more)
    reason = str(job["FailureReason"])
    assert reason.startswith(START) and reason.endswith(", exit code: 1"), reason
    return reason.removeprefix(START).removesuffix(", exit code: 1")


def metrics(job: dict[str, Any]) -> dict[str, float]:
    return {each["MetricName"]: each["Value"] for each in job["FinalMetricDataList"]}


def lines() -> list[str]:
    logs = aws("logs")
    stream = logs.describe_log_streams(logGroupName=GROUP)["logStreams"][0]["logStreamName"]
    events = logs.get_log_events(logGroupName=GROUP, logStreamName=stream, startFromHead=True)
    return [event["message"] for event in events["events"]]


def matrix() -> str:
    """The shape of the training data, as the container reports it."""
    said = [line.partition("Train matrix has ")[2] for line in lines()]
    return next(shape for shape in said if shape)


def rounds() -> list[str]:
    """The lines of the evaluations."""
    return [line for line in lines() if line.startswith("[") and "#011" in line]


def artifact(key: str = "output/job/output/model.tar.gz") -> dict[str, bytes]:
    body = aws("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as tar:
        return {entry.name: tar.extractfile(entry).read() for entry in tar}  # type: ignore[union-attr]


def booster(model: bytes) -> dict[str, Any]:
    """What is inside of a saved model, read without loading XGBoost into this process."""
    return {"rounds": model.count(b"base_weights"), "binary": b"binary:logistic" in model}


# --- training -------------------------------------------------------------------------------------


def test_a_classifier_is_trained_evaluated_and_stored(sagemaker: BaseClient) -> None:
    job = train(
        sagemaker,
        BINARY | {"eval_metric": "auc,logloss,f1", "max_depth": "3"},
        InputDataConfig=[channel("train"), channel("validation")],
    )
    assert job["TrainingJobStatus"] == "Completed"
    found = metrics(job)
    assert set(found) == {
        f"{data}:{name}" for data in ("train", "validation") for name in ("auc", "logloss", "f1")
    }
    assert found["train:auc"] == 1.0
    assert 0 < found["train:logloss"] < 0.4
    told = lines()
    for text in (
        "Determined delimiter of CSV input is ','",
        "Single node training.",
        "Train matrix has 40 rows and 2 columns",
        "Validation matrix has 10 rows",
    ):
        assert any(line.endswith(f":INFO] {text}") for line in told), text
    assert [line.partition("#011")[0] for line in rounds()] == ["[0]", "[1]", "[2]", "[3]"]
    assert rounds()[-1].startswith("[3]#011train-auc:1.00000#011train-logloss:0.")
    files = artifact()
    assert list(files) == ["xgboost-model"]
    assert booster(files["xgboost-model"]) == {"rounds": 4, "binary": True}


def test_libsvm_is_the_default_and_may_have_weights(sagemaker: BaseClient) -> None:
    rows = [f"{label}:{1 + label} 0:{x} 3:{y}" for label, x, y in ROWS]
    put("svm/a", "\n".join(rows[:20]).encode())
    put("svm/b", "\n".join(rows[20:]).encode())
    data = channel("train", None)
    data["DataSource"]["S3DataSource"]["S3Uri"] = f"s3://{BUCKET}/svm/"
    job = train(sagemaker, BINARY, InputDataConfig=[data])
    assert list(metrics(job)) == ["train:logloss"]
    assert any(line.endswith("Train matrix has 40 rows and 4 columns") for line in lines())


@pytest.mark.parametrize(("code", "sparse"), [("<f4", False), ("<f8", False), ("<f4", True)])
def test_recordio_protobuf_makes_the_model_of_the_csv(
    sagemaker: BaseClient, code: str, sparse: bool
) -> None:
    train(sagemaker, BINARY)
    expected = artifact()
    sagemaker.delete_training_job(TrainingJobName="job")
    for key in ("train/a.csv", "train/deep/b.csv"):
        aws("s3").delete_object(Bucket=BUCKET, Key=key)
    records = [record(label, [x, y], code, sparse) for label, x, y in ROWS]
    put("train/1", b"".join(records[:20]))
    put("train/2", b"".join(records[20:]))
    data = [channel("train", "application/x-recordio-protobuf")]
    train(sagemaker, BINARY, InputDataConfig=data)
    assert matrix() == "40 rows and 2 columns"
    assert artifact() == expected


def record(label: float, features: list[float], code: str, sparse: bool) -> bytes:
    """A frame of recordio-protobuf, by the schema `aialgs.data.Record`."""

    def field(number: int, body: bytes) -> bytes:
        return bytes([number << 3 | 2, len(body)]) + body

    def tensor(numbers: list[float], *more: bytes) -> bytes:
        values = field(1, struct.pack(f"<{len(numbers)}{'f' if code == '<f4' else 'd'}", *numbers))
        value = field({"<f4": 2, "<f8": 3}[code], values + b"".join(more))
        return field(1, b"values") + field(2, value)

    keys = [field(2, bytes(range(len(features)))), field(3, bytes([len(features)]))]
    message = field(1, tensor(features, *(keys if sparse else []))) + field(2, tensor([label]))
    return struct.pack("<II", 0xCED7230A, len(message)) + message + bytes(-len(message) % 4)


def test_recordio_protobuf_that_is_cut_off_is_refused(sagemaker: BaseClient) -> None:
    aws("s3").delete_object(Bucket=BUCKET, Key="train/deep/b.csv")
    message = b"\n\x14\n\x06values\x12\n\x12\x08\n\x06"  # cut off within its numbers
    put("train/a.csv", struct.pack("<II", 0xCED7230A, len(message)) + message + b"\0\0")
    data = [channel("train", "recordio-protobuf")]
    assert failed(sagemaker, BINARY, InputDataConfig=data) == (
        "UserError: Failed to load recordio-protobuf data with exception:\n"
        "A record ends within a field"
    )


def test_parquet_and_regression(sagemaker: BaseClient, tmp_path: Any) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({"y": [float(row[1]) for row in ROWS], "x": [row[1] for row in ROWS]})
    pq.write_table(table, tmp_path / "a")
    put("pq/a", (tmp_path / "a").read_bytes())
    data = channel("train", "application/x-parquet")
    data["DataSource"]["S3DataSource"]["S3Uri"] = f"s3://{BUCKET}/pq/"
    regression = {
        "objective": "reg:squarederror",
        "num_round": "30",
        "learning_rate": "0.5",
        "eval_metric": "rmse,mse,r2",
    }
    found = metrics(train(sagemaker, regression, InputDataConfig=[data]))
    assert found["train:rmse"] < 0.1
    assert found["train:mse"] == pytest.approx(found["train:rmse"] ** 2, abs=1e-4)
    assert lines()[-1].endswith("#011train-r2:0.99999") or "train-r2:1.0000" in lines()[-1]


def test_classes_and_weights_in_a_csv_with_another_delimiter(sagemaker: BaseClient) -> None:
    put("train/a.csv", csv_of([(x % 3, 1.5, x, "") for _, x, _ in ROWS], ";"))
    aws("s3").delete_object(Bucket=BUCKET, Key="train/deep/b.csv")
    hyperparameters = {
        "objective": "multi:softmax",
        "num_class": "3",
        "num_round": "10",
        "csv_weights": "1",
        "_tuning_objective_metric": "validation:accuracy",
        "eval_metric": "merror",
    }
    job = train(sagemaker, hyperparameters)
    found = metrics(job)
    assert found["train:accuracy"] == pytest.approx(1 - found["train:merror"])
    assert matrix() == "40 rows and 1 columns"  # XGBoost does not see the last: it is empty


def test_training_stops_early(sagemaker: BaseClient) -> None:
    put("validation/c.csv", csv_of([(1 - label, x, y) for label, x, y in ROWS]))
    hyperparameters = BINARY | {
        "num_round": "50",
        "early_stopping_rounds": "3",
        "eval_metric": "logloss",
    }
    train(sagemaker, hyperparameters, InputDataConfig=[channel("train"), channel("validation")])
    assert len(rounds()) == 4  # the first was the best
    assert booster(artifact()["xgboost-model"])["rounds"] == 1


def test_folds_are_validated_in_turn(sagemaker: BaseClient) -> None:
    job = train(sagemaker, BINARY | {"_kfold": "2", "_num_cv_round": "2"})
    assert sorted(artifact()) == [f"xgboost-model-{number}" for number in range(4)]
    assert any(
        line.endswith("Run 2-round of 2-fold cross validation with 40 rows") for line in lines()
    )
    assert set(metrics(job)) == {"train:logloss", "validation:logloss"}
    assert rounds()[-1].startswith("[4]#011train-logloss:")
    predictions = artifact("output/job/output/output.tar.gz")["predictions.csv"]
    assert len(predictions.splitlines()) == 40


def test_a_job_with_checkpoints_goes_on_where_it_was(sagemaker: BaseClient) -> None:
    checkpoints = {"S3Uri": f"s3://{BUCKET}/checkpoints"}
    train(sagemaker, BINARY, CheckpointConfig=checkpoints)
    stored = aws("s3").list_objects_v2(Bucket=BUCKET, Prefix="checkpoints/")["Contents"]
    assert [each["Key"] for each in stored] == [
        f"checkpoints/xgboost-checkpoint.{number}" for number in range(4)
    ]
    sagemaker.delete_training_job(TrainingJobName="job")
    aws("logs").delete_log_group(logGroupName=GROUP)
    train(sagemaker, BINARY | {"num_round": "6"}, CheckpointConfig=checkpoints)
    assert [line.partition("#011")[0] for line in rounds()] == ["[4]", "[5]"]
    assert any(line.endswith("Resuming from iteration 4") for line in lines())
    assert booster(artifact()["xgboost-model"])["rounds"] == 6


def test_several_instances_train_the_same_model_of_all_data(sagemaker: BaseClient) -> None:
    train(sagemaker, BINARY)
    data = channel("train")
    data["DataSource"]["S3DataSource"]["S3DataDistributionType"] = "ShardedByS3Key"
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 3, "VolumeSizeInGB": 5}
    # Without a validation channel nothing stops early.
    never = BINARY | {"early_stopping_rounds": "1", "eval_metric": "logloss"}
    sagemaker.create_training_job(
        **request("three", never, InputDataConfig=[data], ResourceConfig=resources)
    )
    waiter = sagemaker.get_waiter("training_job_completed_or_stopped")
    waiter.wait(TrainingJobName="three")
    one, three = artifact(), artifact("output/three/output/model.tar.gz")
    assert booster(three["xgboost-model"]) == booster(one["xgboost-model"])
    assert len(three["xgboost-model"]) > 1000
    assert one == three


def test_a_stopped_job_leaves_the_last_round_if_it_was_asked_to(sagemaker: BaseClient) -> None:
    many = BINARY | {"num_round": "1000000", "save_model_on_termination": "true"}
    sagemaker.create_training_job(**request("job", many))
    job = training.find_job(training.sagemaker_backends[ACCOUNT][REGION], "job")
    until = time.monotonic() + 30
    while not job.run.metrics and time.monotonic() < until:
        job.run.wait(0.1)
    sagemaker.stop_training_job(TrainingJobName="job")
    assert ended(sagemaker)["SecondaryStatus"] == "Stopped"
    assert list(artifact()) == ["xgboost-model"]


@pytest.mark.parametrize("tag", ["1.7-1", "latest", "1.0-1-cpu-py3"])
def test_other_versions_train_as_well(sagemaker: BaseClient, tag: str) -> None:
    image = {"TrainingImage": IMAGE.replace("3.2-0", tag), "TrainingInputMode": "File"}
    refused = {"silent": "1"}  # enough to see that the algorithm was asked
    assert failed(sagemaker, BINARY | refused, AlgorithmSpecification=image) == (
        "UserError: Extraneous hyperparameter found: silent"
    )


# --- what it refuses ------------------------------------------------------------------------------


def test_hyperparameters_and_channels_are_refused_before_any_data(sagemaker: BaseClient) -> None:
    assert failed(sagemaker, {"objective": "binary:logistic"}) == (
        "UserError: Missing required hyperparameter: num_round"
    )
    states = ended(sagemaker)["SecondaryStatusTransitions"]
    assert [each["Status"] for each in states] == [
        *("Starting", "Downloading", "Training", "Uploading", "Failed")
    ]
    assert lines() == [
        "ERROR:sagemaker-containers:Reporting training FAILURE: "
        "sagemaker_algorithm_toolkit.exceptions.UserError: "
        "Missing required hyperparameter: num_round"
    ]
    sagemaker.delete_training_job(TrainingJobName="job")
    assert failed(sagemaker, BINARY, InputDataConfig=[channel("validation")]) == (
        "UserError: Missing required channel: train"
    )


@pytest.mark.parametrize(
    ("body", "content_type", "message"),
    [
        (
            b"1,2,3\n",
            None,
            "First line '1,2,3\n...' of file 'a.csv' is not 'LIBSVM' format. Please ensure the "
            "file is in 'LIBSVM' format.",
        ),
        (b"1:2:3 0:1 1:2\n", "libsvm", "First line '1:2:3 0:1 1:2\n...' of file 'a.csv' is not 'L"),
        (b"1 0:1 1:2\n0 -1:2 1:3\n", "libsvm", "Failed to load libsvm data with exception:\n"),
        (b"abc\n", "text/csv", "Could not determine delimiter on line abc\n:\nCould not determine"),
        (b"1,inf\n", "text/csv", "Failed to load csv data with exception:\n"),
        (b"", "text/csv", "No data in training channel path /opt/ml/input/data/train"),
        (
            b"no parquet",
            "application/x-parquet",
            "Failed to load parquet data with exception:\n",
        ),
        (
            b"1,2,3,4\n",
            "application/x-recordio-protobuf",
            "Failed to load recordio-protobuf data with exception:\nInvalid RecordIO magic at "
            "offset 0",
        ),
    ],
)
def test_data_in_another_format_are_refused(
    sagemaker: BaseClient, body: bytes, content_type: str | None, message: str
) -> None:
    aws("s3").delete_object(Bucket=BUCKET, Key="train/deep/b.csv")
    put("train/a.csv", body)
    reason = failed(sagemaker, BINARY, InputDataConfig=[channel("train", content_type)])
    assert reason.startswith(f"UserError: {message}")


def test_hidden_files_and_empty_validation_are_refused(sagemaker: BaseClient) -> None:
    both = [channel("train"), channel("validation")]
    put("validation/c.csv", b"")
    assert failed(sagemaker, BINARY, InputDataConfig=both) == (
        "UserError: No data in validation channel path /opt/ml/input/data/validation"
    )
    sagemaker.delete_training_job(TrainingJobName="job")
    put("train/.hidden", b"x")
    assert failed(sagemaker, BINARY) == (
        "UserError: Hidden file found in the data path! Remove that before training."
    )


@pytest.mark.parametrize(
    ("first", "shape"),
    [
        (b"label,x,y", "41 rows and 2 columns"),  # a header is a row without values, of the label 0
        (b"1,2", "41 rows and 2 columns"),  # too short: the rest is missing
        (b"1,2,3,4", "41 rows and 3 columns"),  # too long: a column that no other row has
        (b"1,,3", "41 rows and 2 columns"),
        (b"1,word,3", "41 rows and 2 columns"),
        (b",2,3", "41 rows and 2 columns"),
    ],
)
def test_xgboost_takes_a_csv_as_it_is(sagemaker: BaseClient, first: bytes, shape: str) -> None:
    aws("s3").delete_object(Bucket=BUCKET, Key="train/deep/b.csv")
    put("train/a.csv", first + b"\n" + csv_of(ROWS))
    assert train(sagemaker, BINARY)["TrainingJobStatus"] == "Completed"
    assert matrix() == shape


def test_weights_are_in_the_second_column_of_both_channels(sagemaker: BaseClient) -> None:
    put("train/a.csv", csv_of([(label, 1 + label, x, y) for label, x, y in ROWS]))
    aws("s3").delete_object(Bucket=BUCKET, Key="train/deep/b.csv")
    weighted = BINARY | {"csv_weights": "1"}
    both = [channel("train"), channel("validation")]
    put("validation/c.csv", csv_of([(label, 1, x, y) for label, x, y in ROWS]))
    train(sagemaker, weighted, InputDataConfig=both)
    assert matrix() == "40 rows and 2 columns"
    sagemaker.delete_training_job(TrainingJobName="job")
    put("validation/c.csv", csv_of([(label, 1, 1, x, y) for label, x, y in ROWS]))
    reason = failed(sagemaker, weighted, InputDataConfig=both)
    assert reason.startswith("AlgorithmError: XGB train call failed with exception:\n ")


@pytest.mark.parametrize(
    ("first", "objective", "message"),
    [
        ("nan", "binary:logistic", "base_score must be in (0,1) for the logistic loss."),
        ("nan", "reg:squarederror", "Check failed: std::none_of(base_score.cbegin(), "),
        ("-1", "multi:softmax", "label must be discrete values in the range of [0, num_class)."),
        ("2", "multi:softprob", "label must be discrete values in the range of [0, num_class)."),
        ("-1", "binary:logistic", "label must be in (0, 1) for logistic regression"),
    ],
)
def test_labels_that_do_not_fit_fail_in_xgboost(
    sagemaker: BaseClient, first: str, objective: str, message: str
) -> None:
    put("train/a.csv", f"{first},2,3\n".encode() + csv_of(ROWS))
    classes = {"num_class": "2"} if objective.startswith("multi:") else {}
    reason = failed(sagemaker, {"objective": objective, "num_round": "1", **classes})
    assert reason.startswith("AlgorithmError: XGB train call failed with exception:\n [")
    assert message in reason


@pytest.mark.parametrize(
    ("hyperparameters", "message"),
    [
        (
            {"objective": "binary:logistic"},
            "Check failed: is_valid: base_score must be in (0,1) for the logistic loss.",
        ),
        (
            {"objective": "reg:squarederror", "tree_method": "gpu_hist"},
            "AlgorithmError: XGB train call failed with exception:\n Invalid Input: 'gpu_hist', "
            "valid values are: ",
        ),
        (
            {"objective": "reg:squarederror", "use_dask_gpu_training": "true"},
            "UserError: GPU training is not supported on this instance.",
        ),
    ],
)
def test_what_xgboost_itself_refuses(
    sagemaker: BaseClient, hyperparameters: dict[str, str], message: str
) -> None:
    put("train/a.csv", csv_of([(x, x, y) for _, x, y in ROWS]))
    reason = failed(sagemaker, hyperparameters | {"num_round": "1"})
    assert message in reason
    assert "Stack trace" not in reason
    assert reason.startswith(("UserError: ", "AlgorithmError: XGB train call failed"))


# --- over HTTP ------------------------------------------------------------------------------------


def test_over_http(lab_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment(AWS_ENDPOINT_URL=lab_server).items():
        monkeypatch.setenv(name, value)
    where = {"LocationConstraint": REGION}
    aws("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
    put("train/a.csv", csv_of(ROWS))
    client = aws("sagemaker")
    client.create_training_job(**request("job", BINARY))
    client.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName="job")
    job = ended(client)
    assert json.dumps(metrics(job)).startswith('{"train:logloss": 0.')
    assert booster(artifact()["xgboost-model"])["rounds"] == 4
