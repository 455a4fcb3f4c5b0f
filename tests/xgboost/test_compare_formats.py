from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from proofs.trace import Trace, watching

Run = Callable[..., Any]
BUCKET = "amzn-s3-demo-bucket-111122223333"
ROLE = "arn:aws:iam::111122223333:role/sagemaker-training"


@pytest.fixture
def compare(run: Run, client: Any, tmp_path: Path) -> Run:
    """Run the example on its data; the bucket holds nothing."""
    place = {"LocationConstraint": "ap-northeast-1"}
    client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)
    run("write_data", "--folder", str(tmp_path / "data"), "--rows", "40")
    file = str(tmp_path / "data" / "binary" / "train.csv")
    run("write_formats", "--file", file, "--folder", str(tmp_path))
    where = ("--folder", str(tmp_path), "--bucket", BUCKET, "--role-arn", ROLE)
    return lambda *formats: run("compare_formats", *where, *formats)


def test_four_jobs_make_one_model(compare: Run, client: Any) -> None:
    result = compare()
    assert (result.status, result.errors) == (0, "")
    lines = [line.split("  ") for line in result.output.splitlines()]
    assert {line[-1] for line in lines} == {"equal to the first: True"}
    assert len({line[-2].strip() for line in lines}) == 1
    types = {
        job["InputDataConfig"][0]["ContentType"]
        for name in ("csv", "libsvm", "parquet", "recordio")
        for job in [client("sagemaker").describe_training_job(TrainingJobName=f"xgb-{name}")]
    }
    assert types == {line[0] for line in lines}
    assert len(types) == 4


def test_the_image_of_another_region(compare: Run, client: Any) -> None:
    image = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.2-0"
    result = compare("--image", image, "csv")
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith(
        f"{image} is not in ap-northeast-1: give --image the image of your Region. No job was "
    )
    assert "Contents" not in client("s3").list_objects_v2(Bucket=BUCKET)


def test_a_job_of_another_is_not_named(compare: Run, client: Any) -> None:
    assert compare("csv").status == 0
    result = compare("csv")
    assert "ResourceInUse" in result.errors
    assert f"No job was started; remove_bucket.py deletes the data and models in {BUCKET}" in (
        result.errors
    )


def test_other_data_make_another_model(compare: Run, tmp_path: Path) -> None:
    path = tmp_path / "libsvm" / "train.libsvm"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[1:]))
    assert [line[-5:] for line in compare("csv", "libsvm").output.splitlines()] == [
        " True",
        "False",
    ]


def test_data_that_the_algorithm_cannot_read(compare: Run, tmp_path: Path) -> None:
    (tmp_path / "recordio" / "train.recordio").write_bytes(b"1,2,3,4,5\n")
    result = compare("recordio")
    assert (result.status, result.output) == (1, "")
    assert "Invalid RecordIO magic" in result.errors or "terminal failure" in result.errors
    assert "Of the jobs xgb-recordio the last may run" in result.errors


def test_formats_that_nobody_knows(compare: Run) -> None:
    with watching(Trace()) as trace:
        result = compare("csv", "json")
    assert result.status == 2
    assert result.errors.endswith("json: choose of csv, libsvm, parquet, recordio\n")
    assert trace.calls == []


def test_without_files_nothing_is_trained(compare: Run, client: Any, tmp_path: Path) -> None:
    (tmp_path / "csv" / "train.csv").unlink()
    result = compare("csv")
    assert result.status == 1
    assert "No such file or directory" in result.errors
    assert "No job was started; " in result.errors
    assert client("sagemaker").list_training_jobs()["TrainingJobSummaries"] == []
