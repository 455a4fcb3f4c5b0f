"""Ctrl-C while a program waits: it says what runs on, and prints no traceback."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from proofs.trace import Answer, Call, Trace, watching

Run = Callable[..., Any]
BUCKET = "amzn-s3-demo-bucket-111122223333"
IMAGE = "354813040037.dkr.ecr.ap-northeast-1.amazonaws.com/sagemaker-xgboost:3.2-0"
ROLE = "arn:aws:iam::111122223333:role/sagemaker-training"
WHERE = ["--bucket", BUCKET, "--role-arn", ROLE]


def interrupted_after(operation: str) -> Trace:
    """The first call that follows this operation is interrupted."""

    def interrupt(trace: Trace, call: Call) -> Answer | None:
        if operation in [earlier.operation for earlier in trace.calls[:-1]]:
            raise KeyboardInterrupt
        return None

    return Trace(interrupt)


@pytest.fixture
def data(run: Run, client: Callable[..., Any], tmp_path: Path) -> Path:
    """Data in the bucket too, with a model of them; and the formats in the folder."""
    run("write_data", "--folder", str(tmp_path), "--rows", "40")
    train = str(tmp_path / "binary" / "train.csv")
    run("create_bucket", "--bucket", BUCKET, "--folder", str(tmp_path / "binary"))
    run("upload_model", "--train", train, "--bucket", BUCKET, "--rounds", "1")
    run("write_formats", "--file", train, "--folder", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("name", "arguments", "operation", "left"),
    [
        (
            "train_job",
            ["--job-name", "night", *WHERE, "num_round=1"],
            "CreateTrainingJob",
            "The job night was started and ends within 10 minutes: delete_job.py deletes it",
        ),
        (
            "refuse_hyperparameters",
            ["--name", "night", "--image", IMAGE, *WHERE, "num_round=1"],
            "CreateTrainingJob",
            "The job night-1 ends by itself. Then delete it",
        ),
        (
            "compare_formats",
            [*WHERE, "csv", "--folder", "FOLDER"],
            "CreateTrainingJob",
            "Of the jobs xgb-csv the last may run, for 10 minutes at most: delete_job.py",
        ),
        (
            "batch_transform",
            ["--name", "night", "--image", IMAGE, *WHERE],
            "CreateTransformJob",
            f"The job night writes below predictions/ in {BUCKET} and is billed until its end "
            "(stop-transform-job ends it). The model night may be left: delete_endpoint.py",
        ),
    ],
)
def test_it_says_what_runs_on(
    run: Run, data: Path, name: str, arguments: list[str], operation: str, left: str
) -> None:
    given = [str(data) if argument == "FOLDER" else argument for argument in arguments]
    with watching(interrupted_after(operation)) as trace:
        result = run(name, *given)
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith(f"Interrupted. {left}")
    assert trace.calls[-2].operation == operation  # nothing is called any more


def test_an_endpoint_that_goes(run: Run, data: Path) -> None:
    model = f"s3://{BUCKET}/models/model.tar.gz"
    given = ("--image", IMAGE, "--model-data", model, "--role-arn", ROLE)
    assert run("deploy_model", "--name", "shop", *given).status == 0
    with watching(interrupted_after("DeleteEndpoint")):
        result = run("delete_endpoint", "--name", "shop")
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith("Interrupted. The endpoint shop, its configuration, model or")
