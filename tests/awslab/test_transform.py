"""Batch transform: splitting, batching, filtering, joining, and a real model at the end."""

import contextlib
import io
import tarfile
from collections.abc import Callable
from typing import Any

import pytest
from awslab.services.sagemaker import hosting, transform_data
from awslab.services.sagemaker.transform_data import Unreadable
from awslab.state import difference, snapshot
from botocore.exceptions import ClientError, WaiterError

BUCKET = "amzn-s3-demo-bucket"
ROLE = "arn:aws:iam::111122223333:role/SageMakerExecutionRole"
IMAGE = "354813040037.dkr.ecr.ap-northeast-1.amazonaws.com/sagemaker-xgboost:3.2-0"


class SumServer:
    """Answers the sum of each line of CSV; a line with a text is an error of the client."""

    asked: list[bytes]
    failure: str | None = None

    def __init__(self, backend: Any, model_name: str, environment: Any = None) -> None:
        SumServer.asked = []

    def ready(self, seconds: float) -> bool:
        return True

    def attach_logs(self, group: str, stream: str) -> None:
        pass

    def invoke(self, body: bytes, content_type: str, accept: str) -> hosting.Answer:
        SumServer.asked.append(body)
        try:
            sums = [str(sum(map(int, line.split(b",")))) for line in body.splitlines()]
        except ValueError:
            return hosting.Answer(400, b"no number", "text/plain", 1.0)
        return hosting.Answer(200, "\n".join(sums).encode() + b"\n", "text/csv", 1.0)

    def end(self) -> None:
        pass


@pytest.fixture
def s3(client: Callable[..., Any]) -> Any:
    s3 = client("s3")
    where = {"LocationConstraint": "ap-northeast-1"}
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
    s3.put_object(Bucket=BUCKET, Key="in/a.csv", Body=b"1,2\n3,4\n5,6\n")
    s3.put_object(Bucket=BUCKET, Key="in/deep/b.csv", Body=b"7,8\n")
    s3.put_object(Bucket=BUCKET, Key="model.tar.gz", Body=b"no archive")
    return s3


@pytest.fixture
def sagemaker(s3: Any, client: Callable[..., Any]) -> Any:
    sagemaker = client("sagemaker")
    container = {"Image": IMAGE, "ModelDataUrl": f"s3://{BUCKET}/model.tar.gz"}
    sagemaker.create_model(ModelName="sum", PrimaryContainer=container, ExecutionRoleArn=ROLE)
    return sagemaker


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosting, "ModelServer", SumServer)


def transform(sagemaker: Any, **changes: Any) -> dict[str, Any]:
    """Run a job to its end; `changes` go into the request, also into its input and output."""
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/in/"}}
    request: dict[str, Any] = {
        "TransformJobName": "predict",
        "ModelName": "sum",
        "TransformInput": {"DataSource": source, "ContentType": "text/csv", "SplitType": "Line"},
        "TransformOutput": {"S3OutputPath": f"s3://{BUCKET}/out", "AssembleWith": "Line"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    }
    for name in ("TransformInput", "TransformOutput"):
        request[name] |= changes.pop(name, {})
    sagemaker.create_transform_job(**request | changes)
    with contextlib.suppress(WaiterError):  # the job has failed
        sagemaker.get_waiter("transform_job_completed_or_stopped").wait(TransformJobName="predict")
    job = sagemaker.describe_transform_job(TransformJobName="predict")
    assert isinstance(job, dict)
    return job


def outputs(s3: Any) -> dict[str, bytes]:
    found = s3.list_objects_v2(Bucket=BUCKET, Prefix="out/").get("Contents", [])
    return {
        each["Key"]: s3.get_object(Bucket=BUCKET, Key=each["Key"])["Body"].read() for each in found
    }


def test_each_object_gets_an_output_of_its_name(sagemaker: Any, s3: Any, fake: None) -> None:
    job = transform(sagemaker)
    assert job["TransformJobStatus"] == "Completed"
    assert job["CreationTime"] <= job["TransformStartTime"] <= job["TransformEndTime"]
    assert outputs(s3) == {"out/a.csv.out": b"3\n7\n11\n", "out/deep/b.csv.out": b"15\n"}


def test_records_travel_together_or_alone(sagemaker: Any, fake: None) -> None:
    transform(sagemaker, BatchStrategy="SingleRecord")
    assert sorted(SumServer.asked) == [b"1,2", b"3,4", b"5,6", b"7,8"]


def test_together_is_the_default(sagemaker: Any, fake: None) -> None:
    assert transform(sagemaker)["BatchStrategy"] == "MultiRecord"
    assert sorted(SumServer.asked) == [b"1,2\n3,4\n5,6", b"7,8"]


def test_input_filter_join_and_output_filter(sagemaker: Any, s3: Any, fake: None) -> None:
    rules = {"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"}
    transform(sagemaker, DataProcessing=rules)
    assert sorted(SumServer.asked) == [b"2\n4\n6", b"8"]
    assert outputs(s3)["out/a.csv.out"] == b"1,2\n3,4\n5,6\n"


def test_what_the_model_refuses_fails_the_job(sagemaker: Any, s3: Any, fake: None) -> None:
    s3.put_object(Bucket=BUCKET, Key="in/a.csv", Body=b"id,amount\n")
    job = transform(sagemaker)
    assert (job["TransformJobStatus"], job["FailureReason"]) == (
        "Failed",
        f"ClientError: s3://{BUCKET}/in/a.csv: the model answered 400: no number",
    )


def test_no_objects(sagemaker: Any, fake: None) -> None:
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/none/"}}
    job = transform(sagemaker, TransformInput={"DataSource": source})
    assert job["FailureReason"] == (
        f'ClientError: Data download failed:No S3 objects found under S3 URL "s3://{BUCKET}/none/"'
    )


def test_a_model_that_does_not_load(sagemaker: Any) -> None:
    job = transform(sagemaker)
    assert job["TransformJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("AlgorithmError: ")


def refusal(call: Callable[..., Any], *given: Any, **arguments: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(*given, **arguments)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def test_names_are_unique(sagemaker: Any, fake: None) -> None:
    transform(sagemaker)
    assert refusal(transform, sagemaker)[0] == "ResourceInUse"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"ModelName": "none"}, "Could not find model "),
        (
            {"MaxConcurrentTransforms": 20},
            "MaxConcurrentTransforms * MaxPayloadInMB must be less than or equal to 100 MB.",
        ),
        (
            {"TransformInput": {"SplitType": "RecordIO"}},
            "The lab cannot split records by RecordIO.",
        ),
        (
            {"DataProcessing": {"InputFilter": "$..price"}},
            "The lab cannot apply the filter $..price.",
        ),
    ],
)
def test_requests_that_are_refused(
    sagemaker: Any, fake: None, changes: dict[str, Any], said: str
) -> None:
    code, message = refusal(transform, sagemaker, **changes)
    assert (code, message[: len(said)]) == ("ValidationException", said)


def test_a_job_is_stopped_and_an_unknown_one_is_not(sagemaker: Any, fake: None) -> None:
    transform(sagemaker)
    sagemaker.stop_transform_job(TransformJobName="predict")
    job = sagemaker.describe_transform_job(TransformJobName="predict")
    assert job["TransformJobStatus"] == "Completed"
    assert refusal(sagemaker.stop_transform_job, TransformJobName="none") == (
        "ResourceNotFound",
        "Could not find requested job with name: none",
    )


def test_a_real_model_predicts(sagemaker: Any, s3: Any) -> None:
    import numpy
    import xgboost

    rows = numpy.array([[0.0, 1.0], [1.0, 0.0]] * 20)
    data = xgboost.DMatrix(rows, rows[:, 0])
    model = xgboost.train({"objective": "binary:logistic", "nthread": 1}, data, 5)
    content = bytes(model.save_raw("ubj"))
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        entry = tarfile.TarInfo("xgboost-model")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    s3.put_object(Bucket=BUCKET, Key="model.tar.gz", Body=packed.getvalue())
    s3.delete_object(Bucket=BUCKET, Key="in/deep/b.csv")
    s3.put_object(Bucket=BUCKET, Key="in/a.csv", Body=b"0,1\n1,0\n")
    assert transform(sagemaker)["TransformJobStatus"] == "Completed"
    low, high = map(float, outputs(s3)["out/a.csv.out"].split())
    assert low < 0.2 and high > 0.8


# --- the records themselves ----------------------------------------------------------------------


def test_batches_hold_what_fits() -> None:
    records = [b"aaaa", b"bb", b"cc", b"dddd"]
    assert list(transform_data.batches(records, True, 8)) == [[b"aaaa", b"bb"], [b"cc", b"dddd"]]
    assert list(transform_data.batches([], True, 8)) == []
    with pytest.raises(Unreadable, match="A record of 9 bytes"):
        list(transform_data.batches([b"123456789"], True, 8))


@pytest.mark.parametrize(
    ("path", "record", "part"),
    [
        ("$", ["1", "2"], ["1", "2"]),
        ("$[0]", ["1", "2", "3"], "1"),
        ("$[-1]", ["1", "2", "3"], "3"),
        ("$[1:]", ["1", "2", "3"], ["2", "3"]),
        ("$[:-1]", ["1", "2", "3"], ["1", "2"]),
        ("$[0,2]", ["1", "2", "3"], ["1", "3"]),
        ("$.features", {"features": [1], "id": 5}, [1]),
        ("$['SageMakerOutput'].score", {"SageMakerOutput": {"score": 0.5}}, 0.5),
    ],
)
def test_filters(path: str, record: Any, part: Any) -> None:
    assert transform_data.filtered(record, path) == part


@pytest.mark.parametrize("path", ["features", "$.", "$[", "$[*]", "$[?(@.a)]"])
def test_filters_that_the_lab_does_not_know(path: str) -> None:
    with pytest.raises(Unreadable):
        transform_data.steps(path)


def test_a_filter_that_meets_nothing() -> None:
    with pytest.raises(Unreadable, match=r"The record has nothing at \$\[5\]"):
        transform_data.filtered(["1"], "$[5]")


@pytest.mark.parametrize(
    ("given", "answered", "together"),
    [
        (["1", "2"], ["0.5"], ["1", "2", "0.5"]),
        ({"id": 1}, {"score": 0.5}, {"id": 1, "SageMakerOutput": {"score": 0.5}}),
        (["1"], {"score": 0.5}, {"SageMakerInput": ["1"], "SageMakerOutput": {"score": 0.5}}),
    ],
)
def test_inputs_and_predictions_join(given: Any, answered: Any, together: Any) -> None:
    assert transform_data.joined(given, answered) == together


def test_an_ended_job_counts_as_gone(sagemaker: Any, fake: None) -> None:
    """SageMaker has no call that deletes a transform job."""
    before = snapshot()
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/in/"}}
    sagemaker.create_transform_job(
        TransformJobName="predict",
        ModelName="sum",
        TransformInput={"DataSource": source, "ContentType": "text/csv", "SplitType": "Line"},
        TransformOutput={"S3OutputPath": f"s3://{BUCKET}/out"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )

    def seen() -> bool:
        return any("/transform_jobs/predict" in line for line in difference(before, snapshot()))

    assert seen()  # it runs, and costs
    sagemaker.get_waiter("transform_job_completed_or_stopped").wait(TransformJobName="predict")
    assert not seen()
