"""Data for the searches on this computer, and a lab with a bucket of data and a role."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from awslab.run import Result, run_script
from awslab.scenarios import EXAMPLES

BUCKET = "amzn-s3-demo-bucket-111122223333"
ROLE = "arn:aws:iam::111122223333:role/sagemaker-training"


def prepare(name: str, *arguments: str) -> None:
    result = run_script(EXAMPLES / "xgboost" / f"{name}.py", list(arguments))
    assert result.status == 0, result.errors


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with train.csv and validation.csv, as the examples use them."""
    folder = tmp_path_factory.mktemp("tuning") / "data"
    prepare("write_data", "--folder", str(folder), "--rows", "200")
    return folder / "binary"


@pytest.fixture
def stored(lab: None, data: Path) -> str:
    """The bucket, in a lab that also has the role."""
    prepare("create_bucket", "--bucket", BUCKET, "--folder", str(data))
    prepare("create_role", "--role", "sagemaker-training", "--bucket", BUCKET)
    return BUCKET


@pytest.fixture
def create(run: Callable[..., Result]) -> Callable[..., Result]:
    """`create("bayesian-1", "--jobs", "2")`: start a tuning job of short training jobs."""

    def start(name: str, *options: str) -> Result:
        where = ("--bucket", BUCKET, "--role-arn", ROLE)
        result = run("create_tuning_job", "--name", name, *where, "--rounds", "2", *options)
        assert result.status == 0, result.errors
        return result

    return start


@pytest.fixture
def sagemaker(client: Callable[..., Any]) -> Any:
    return client("sagemaker")
