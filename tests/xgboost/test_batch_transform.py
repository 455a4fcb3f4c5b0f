from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost

Run = Callable[..., Any]
BUCKET = "amzn-s3-demo-bucket-111122223333"
IMAGE = "354813040037.dkr.ecr.ap-northeast-1.amazonaws.com/sagemaker-xgboost:3.2-0"
ROLE = "arn:aws:iam::111122223333:role/sagemaker-training"


@pytest.fixture
def data(run: Run, tmp_path: Path) -> Path:
    """Data in the bucket too, and a model learned from them."""
    run("write_data", "--folder", str(tmp_path / "data"), "--rows", "200")
    data = tmp_path / "data" / "binary"
    run("create_bucket", "--bucket", BUCKET, "--folder", str(data))
    run("upload_model", "--train", str(data / "train.csv"), "--bucket", BUCKET)
    return data


def transform(run: Run, *options: str) -> Any:
    given = ("--image", IMAGE, "--bucket", BUCKET, "--role-arn", ROLE)
    return run("batch_transform", "--name", "nightly", *given, *options)


def test_labels_and_predictions_stand_side_by_side(
    run: Run, client: Callable[..., Any], data: Path
) -> None:
    result = transform(run)
    assert (result.status, result.errors) == (0, "")
    key = "predictions/validation.csv.out"
    body = client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read().decode()
    first, *lines = result.output.splitlines()
    assert first == f"s3://{BUCKET}/{key}  50 lines: label, prediction"
    assert [line.strip() for line in lines] == body.splitlines()[:3]
    found = np.loadtxt(body.splitlines(), delimiter=",")
    table = np.loadtxt(data / "train.csv", delimiter=",")
    settings = {"objective": "binary:logistic", "max_depth": 4, "eta": 0.3, "nthread": 1}
    model = xgboost.train(settings, xgboost.DMatrix(table[:, 1:], label=table[:, 0]), 20)
    asked = np.loadtxt(data / "validation.csv", delimiter=",")
    scores = model.predict(xgboost.DMatrix(asked[:, 1:]))
    assert found == pytest.approx(np.column_stack([asked[:, 0], scores]))
    sagemaker = client("sagemaker")
    job = sagemaker.describe_transform_job(TransformJobName="nightly")
    assert (job["TransformJobStatus"], job["ModelName"]) == ("Completed", "nightly")
    assert job["DataProcessing"]["JoinSource"] == "Input"
    assert sagemaker.list_models()["Models"] == []


def test_a_header_line_fails_the_job_and_its_model_goes(
    run: Run, client: Callable[..., Any], data: Path
) -> None:
    body = b"label,a,b,c,d,e,f,g,h\n1,1,2,3,4,5,6,7,8\n"
    client("s3").put_object(Bucket=BUCKET, Key="validation/header.csv", Body=body)
    result = transform(run, "--file", "validation/header.csv")
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith(
        f"ClientError: s3://{BUCKET}/validation/header.csv: the model answered 415: Loading csv "
        "data failed with Exception, please ensure data is in csv format: <class 'ValueError'> "
        "could not convert string to float: "
    )
    assert f". The job nightly has ended, its model is deleted; see predictions/ in {BUCKET}." in (
        result.errors
    )
    sagemaker = client("sagemaker")
    assert sagemaker.list_models()["Models"] == []
    job = sagemaker.describe_transform_job(TransformJobName="nightly")
    assert job["TransformJobStatus"] == "Failed"


def test_an_empty_line_between_rows_fails_the_job(
    run: Run, client: Callable[..., Any], data: Path
) -> None:
    body = b"1,1,2,3,4,5,6,7,8\n\n1,1,2,3,4,5,6,7,8\n"
    client("s3").put_object(Bucket=BUCKET, Key="validation/gap.csv", Body=body)
    result = transform(run, "--file", "validation/gap.csv")
    assert "the model answered 415" in result.errors
    job = client("sagemaker").describe_transform_job(TransformJobName="nightly")
    assert job["TransformJobStatus"] == "Failed"
    assert "415" in job["FailureReason"]


def test_an_empty_file(run: Run, client: Callable[..., Any], data: Path) -> None:
    client("s3").put_object(Bucket=BUCKET, Key="validation/none.csv", Body=b"")
    result = transform(run, "--file", "validation/none.csv")
    assert (result.status, result.output) == (1, "")
    assert "The job nightly has ended, its model is deleted" in result.errors


def test_the_model_of_another(run: Run, client: Callable[..., Any], data: Path) -> None:
    sagemaker = client("sagemaker")
    sagemaker.create_model(
        ModelName="nightly", PrimaryContainer={"Image": IMAGE}, ExecutionRoleArn=ROLE
    )
    result = transform(run)
    assert (result.status, result.output) == (1, "")
    assert "Nothing was made. If a model nightly is there already, choose another --name." in (
        result.errors
    )
    assert len(sagemaker.list_models()["Models"]) == 1
    assert sagemaker.list_transform_jobs()["TransformJobSummaries"] == []


def test_the_image_of_another_region(run: Run, client: Callable[..., Any], data: Path) -> None:
    image = IMAGE.replace("ap-northeast-1", "us-east-1")
    result = transform(run, "--image", image)
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith(f"{image} is not in ap-northeast-1: give --image the image of ")
    assert client("sagemaker").list_models()["Models"] == []


def test_the_name_of_an_earlier_job(run: Run, client: Callable[..., Any], data: Path) -> None:
    assert transform(run).status == 0
    result = transform(run)
    assert (result.status, result.output) == (1, "")
    assert "Job name must be unique within an AWS account and region" in result.errors
    assert client("sagemaker").list_models()["Models"] == []
