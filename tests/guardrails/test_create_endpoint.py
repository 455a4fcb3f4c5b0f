from pathlib import Path

import boto3
from guardrails.shop import BUCKET, configure, interrupted_after, serving, start, upload
from proofs.trace import watching

LEFT = (
    "Unless it was there before, shop may be there and is billed: "
    "delete_endpoint.py --endpoint shop --configs shop-v1 deletes it."
)


def test_it_waits_until_it_is_in_service(lab: None, tmp_path: Path) -> None:
    upload(tmp_path / "data")
    configure("v1", instances=3)
    result = start("create_endpoint", "--endpoint", "shop", "--config", "shop-v1")
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        "shop  in service with shop-v1\n"
        "billed with and without requests, until delete_endpoint.py deletes it\n"
    )
    assert serving() == ("InService", "shop-v1")
    found = boto3.client("sagemaker").describe_endpoint(EndpointName="shop")
    assert found["ProductionVariants"][0]["CurrentInstanceCount"] == 3
    again = start("create_endpoint", "--endpoint", "shop", "--config", "shop-v1")
    assert (again.status, again.output) == (1, "")
    assert "Cannot create already existing endpoint" in again.errors
    assert serving() == ("InService", "shop-v1")


def test_a_model_that_does_not_load(lab: None, tmp_path: Path) -> None:
    upload(tmp_path / "data")
    key = "models/v1/model.tar.gz"
    boto3.client("s3").put_object(Bucket=BUCKET, Key=key, Body=b"no archive")
    configure("v1")
    result = start("create_endpoint", "--endpoint", "shop", "--config", "shop-v1")
    assert (result.status, result.output) == (1, "")
    found = boto3.client("sagemaker").describe_endpoint(EndpointName="shop")
    assert found["EndpointStatus"] == "Failed"
    reason = " ".join(found["FailureReason"].split()).rstrip(".")
    assert result.errors.startswith(f"{reason}. {LEFT} ")


def test_no_such_configuration(lab: None) -> None:
    result = start("create_endpoint", "--endpoint", "shop", "--config", "shop-v1")
    assert (result.status, result.output) == (1, "")
    assert 'Could not find endpoint configuration "' in result.errors
    assert boto3.client("sagemaker").list_endpoints()["Endpoints"] == []


def test_interrupted(lab: None, tmp_path: Path) -> None:
    upload(tmp_path / "data")
    configure("v1")
    with watching(interrupted_after("CreateEndpoint")):
        result = start("create_endpoint", "--endpoint", "shop", "--config", "shop-v1")
    assert (result.status, result.output) == (1, "")
    assert result.errors == f"Interrupted. {LEFT}\n"
