from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
BUCKET = "amzn-s3-demo-bucket-111122223333"
IMAGE = "354813040037.dkr.ecr.ap-northeast-1.amazonaws.com/sagemaker-xgboost:3.2-0"
ROLE = "arn:aws:iam::111122223333:role/sagemaker-training"
MODEL = f"s3://{BUCKET}/models/model.tar.gz"


@pytest.fixture
def deploy(run: Run, client: Callable[..., Any], tmp_path: Path) -> Run:
    """Deploy as `name` a model that lies in the bucket."""
    place = {"LocationConstraint": "ap-northeast-1"}
    client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)
    run("write_data", "--folder", str(tmp_path / "data"), "--rows", "40")
    table = str(tmp_path / "data" / "binary" / "train.csv")
    run("upload_model", "--train", table, "--bucket", BUCKET, "--rounds", "1")

    def start(name: str, *options: str) -> Any:
        given = ("--image", IMAGE, "--model-data", MODEL, "--role-arn", ROLE)
        return run("deploy_model", "--name", name, *given, *options)

    return start


def test_what_it_makes(deploy: Run, client: Callable[..., Any]) -> None:
    result = deploy("shop", "--instance-type", "ml.m5.xlarge")
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        "shop  in service on 1 x ml.m5.xlarge\n"
        "billed with and without requests, until delete_endpoint.py deletes it\n"
    )
    sagemaker = client("sagemaker")
    model = sagemaker.describe_model(ModelName="shop")
    assert model["ExecutionRoleArn"] == ROLE
    assert model["PrimaryContainer"]["Image"] == IMAGE
    assert model["PrimaryContainer"]["ModelDataUrl"] == MODEL
    configuration = sagemaker.describe_endpoint_config(EndpointConfigName="shop")
    (variant,) = configuration["ProductionVariants"]
    assert (variant["InstanceType"], variant["InitialInstanceCount"]) == ("ml.m5.xlarge", 1)
    endpoint = sagemaker.describe_endpoint(EndpointName="shop")
    assert (endpoint["EndpointStatus"], endpoint["EndpointConfigName"]) == ("InService", "shop")


def test_a_name_that_is_taken(deploy: Run, client: Callable[..., Any]) -> None:
    sagemaker = client("sagemaker")
    container = {"Image": IMAGE, "ModelDataUrl": MODEL}
    sagemaker.create_model(ModelName="shop", PrimaryContainer=container, ExecutionRoleArn=ROLE)
    result = deploy("shop")
    assert (result.status, result.output) == (1, "")
    assert "Cannot create already existing model" in result.errors
    assert result.errors.endswith(
        ". Nothing was made. If a model shop is there already, choose another --name. "
        "Check the options, AWS_DEFAULT_REGION, credentials and network.\n"
    )
    assert sagemaker.list_endpoints()["Endpoints"] == []


def test_a_model_that_the_container_cannot_load(deploy: Run, client: Callable[..., Any]) -> None:
    client("s3").put_object(Bucket=BUCKET, Key="models/model.tar.gz", Body=b"no archive")
    result = deploy("shop")
    assert (result.status, result.output) == (1, "")
    endpoint = client("sagemaker").describe_endpoint(EndpointName="shop")
    assert endpoint["EndpointStatus"] == "Failed"
    reason = " ".join(endpoint["FailureReason"].split()).rstrip(".")
    assert result.errors.startswith(f"{reason}. A part of shop was made; ")
    assert "an endpoint is billed: delete_endpoint.py deletes all." in result.errors
