from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from awslab.state import difference, snapshot
from proofs.trace import Answer, Call, Trace, refusal, watching

Run = Callable[..., Any]
BUCKET = "amzn-s3-demo-bucket-111122223333"
IMAGE = "354813040037.dkr.ecr.ap-northeast-1.amazonaws.com/sagemaker-xgboost:3.2-0"
ROLE = "arn:aws:iam::111122223333:role/sagemaker-training"
MODEL = f"s3://{BUCKET}/models/model.tar.gz"


@pytest.fixture
def table(run: Run, client: Callable[..., Any], tmp_path: Path) -> Path:
    """Data; a model learned from them lies in the bucket."""
    place = {"LocationConstraint": "ap-northeast-1"}
    client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)
    run("write_data", "--folder", str(tmp_path / "data"), "--rows", "40")
    table = tmp_path / "data" / "binary" / "train.csv"
    run("upload_model", "--train", str(table), "--bucket", BUCKET, "--rounds", "1")
    return table


def test_it_deletes_all_even_the_log_and_leaves_others_alone(
    run: Run, client: Callable[..., Any], table: Path
) -> None:
    sagemaker, logs = client("sagemaker"), client("logs")
    container = {"Image": IMAGE, "ModelDataUrl": MODEL}
    sagemaker.create_model(ModelName="other", PrimaryContainer=container, ExecutionRoleArn=ROLE)
    logs.create_log_group(logGroupName="/aws/sagemaker/Endpoints/shop-2")
    before = snapshot()
    given = ("--image", IMAGE, "--model-data", MODEL, "--role-arn", ROLE)
    run("deploy_model", "--name", "shop", *given)
    logs.create_log_group(logGroupName="/aws/sagemaker/Endpoints/shop")
    result = run("delete_endpoint", "--name", "shop")
    assert (result.status, result.errors) == (0, "")
    assert result.output == "deleted shop: endpoint, endpoint configuration, model, log\n"
    assert difference(before, snapshot()) == []


def test_an_endpoint_that_is_not_ready(run: Run, client: Callable[..., Any]) -> None:
    def refuse(trace: Trace, call: Call) -> Answer | None:
        return refusal("ValidationException", "Cannot update in-progress endpoint.", 400)

    with watching(Trace(refuse)):
        result = run("delete_endpoint", "--name", "shop")
    assert (result.status, result.output) == (1, "")
    assert result.errors.endswith(
        "Cannot update in-progress endpoint. The endpoint shop, its configuration, model or log "
        "may still be there, and an endpoint is billed. While its status changes it cannot be "
        "deleted: run this again, in some minutes.\n"
    )


def test_a_part_and_nothing(run: Run, client: Callable[..., Any], table: Path) -> None:
    sagemaker = client("sagemaker")
    container = {"Image": IMAGE, "ModelDataUrl": MODEL}
    sagemaker.create_model(ModelName="shop", PrimaryContainer=container, ExecutionRoleArn=ROLE)
    result = run("delete_endpoint", "--name", "shop")
    assert (result.status, result.output) == (0, "deleted shop: model\n")
    result = run("delete_endpoint", "--name", "shop")
    assert (result.status, result.output) == (1, "")
    assert result.errors == "Nothing is called shop. Check the name and AWS_DEFAULT_REGION.\n"
