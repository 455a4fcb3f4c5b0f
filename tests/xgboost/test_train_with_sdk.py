"""The import of the SDK takes seconds: everything happens in one test."""

import io
import re
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.timeout(120)]

Run = Callable[..., Any]
BUCKET = "amzn-s3-demo-bucket-111122223333"
ROLE = "arn:aws:iam::111122223333:role/sagemaker-training"


def model(client: Any, job: str) -> bytes:
    key = f"output/{job}/output/model.tar.gz"
    packed = client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        file = archive.extractfile("xgboost-model")
        assert file
        return file.read()


def test_the_sdk_makes_the_job_and_the_model_of_boto3(
    run: Run, client: Any, tmp_path: Path
) -> None:
    run("write_data", "--folder", str(tmp_path), "--rows", "40")
    run("create_bucket", "--bucket", BUCKET, "--folder", str(tmp_path / "binary"))
    run("create_role", "--role", "sagemaker-training", "--bucket", BUCKET)
    where = ("--bucket", BUCKET, "--role-arn", ROLE)
    plain = run("train_job", "--job-name", "plain", *where)
    result = run("train_with_sdk", "--base-name", "sdk", *where)
    assert (result.status, result.errors) == (0, "")
    name = result.output.split()[0]
    assert re.fullmatch(r"sdk-20\d{12}", name)
    assert result.output == plain.output.replace("plain", name)
    assert model(client, name) == model(client, "plain")
    sagemaker = client("sagemaker")
    jobs = [sagemaker.describe_training_job(TrainingJobName=job) for job in (name, "plain")]
    for key in ("HyperParameters", "RoleArn", "StoppingCondition"):
        assert jobs[0][key] == jobs[1][key]
    assert len({job["AlgorithmSpecification"]["TrainingImage"] for job in jobs}) == 1
    # A failed job: there is no data in the channel.
    client("s3").put_object(Bucket=BUCKET, Key="train/train.csv", Body=b"")
    result = run("train_with_sdk", "--base-name", "empty", *where)
    assert (result.status, result.output.split()[1]) == (1, "Failed")
    assert "No data in training channel path /opt/ml/input/data/train" in result.errors
    # Nothing runs: the SDK's own checks refuse a role that is not there, and a session without one.
    for changed, environment in (
        ({"--role-arn": "none"}, {}),
        ({}, {"AWS_DEFAULT_REGION": "", "AWS_REGION": ""}),
    ):
        given = {"--base-name": "no", "--bucket": BUCKET, "--role-arn": ROLE} | changed
        options = [part for option in given.items() for part in option]
        result = run("train_with_sdk", *options, **environment)
        assert (result.status, result.output, result.errors.count("\n")) == (1, "", 1)
        assert result.errors.endswith(". No job was started.\n")
