"""Two endpoints of two versions, in a lab that the tests of a module share."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from awslab.embedded import embedded_lab
from awslab.run import Result, run_script
from awslab.scenarios import EXAMPLES

BUCKET = "amzn-s3-demo-bucket-111122223333"
IMAGE = "354813040037.dkr.ecr.ap-northeast-1.amazonaws.com/sagemaker-xgboost:3.2-0"
ROLE = "arn:aws:iam::111122223333:role/sagemaker-training"
POINTER = "/ml/endpoint/current"
VERSION_OF = {"shop-blue": "v1", "shop-green": "v2"}


def start(example: str, *arguments: str) -> Result:
    return run_script(EXAMPLES / f"{example}.py", list(arguments))


def configure(version: str) -> None:
    """The model and the endpoint configuration shop-v1, for v1."""
    artifact = f"s3://{BUCKET}/models/{version}/model.tar.gz"
    where = ("--model-data", artifact, "--role-arn", ROLE, "--image", IMAGE)
    made = start("guardrails/create_config", "--name", f"shop-{version}", *where)
    assert made.status == 0, made.errors


def serve(version_of: dict[str, str]) -> None:
    """Create endpoints together, for each takes some seconds."""
    sagemaker = boto3.client("sagemaker")
    for name, version in version_of.items():
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=f"shop-{version}")
    for name in version_of:
        sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """shop-blue serves v1 and shop-green v2; returns the rows to ask them about."""
    folder = tmp_path_factory.mktemp("shop")
    with embedded_lab():
        start("xgboost/write_data", "--folder", str(folder), "--rows", "200")
        data = folder / "binary"
        start("xgboost/create_bucket", "--bucket", BUCKET, "--folder", str(data))
        train = ("--train", str(data / "train.csv"), "--rounds", "5")
        made = start("guardrails/upload_versions", *train, "--bucket", BUCKET)
        assert made.status == 0, made.errors
        for version in ("v1", "v2", "v3"):
            configure(version)
        serve(VERSION_OF)
        yield data / "validation.csv"


@pytest.fixture
def point(shop: Path) -> Iterator[Callable[..., None]]:
    """`point("shop-blue", "shop-green")`: the pointer names these, one after the other."""
    ssm = boto3.client("ssm")
    ssm.delete_parameters(Names=[POINTER])

    def put(*names: str) -> None:
        for name in names:
            ssm.put_parameter(Name=POINTER, Value=name, Type="String", Overwrite=True)

    yield put
    ssm.delete_parameters(Names=[POINTER])


@pytest.fixture
def named(shop: Path) -> Callable[[], Any]:
    """`named()`: what the pointer names; None if there is none."""

    def read() -> Any:
        found = boto3.client("ssm").get_parameters(Names=[POINTER])["Parameters"]
        return found[0]["Value"] if found else None

    return read
