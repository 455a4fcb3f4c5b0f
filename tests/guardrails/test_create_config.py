from typing import Any

import boto3
import pytest
from awslab.run import Result
from guardrails.shop import BUCKET, IMAGE, ROLE, start
from proofs.trace import Answer, Call, Trace, refusal, watching

MODEL = f"s3://{BUCKET}/models/v1/model.tar.gz"


@pytest.fixture
def artifact(lab: None) -> None:
    """SageMaker looks whether there is something; what is in it, it sees at an endpoint."""
    s3 = boto3.client("s3")
    place = {"LocationConstraint": "ap-northeast-1"}
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)
    s3.put_object(Bucket=BUCKET, Key="models/v1/model.tar.gz", Body=b"")


def create(*options: str) -> Result:
    given = ("--name", "shop-v1", "--image", IMAGE, "--model-data", MODEL, "--role-arn", ROLE)
    return start("create_config", *given, *options)


def names() -> tuple[list[str], list[str]]:
    sagemaker = boto3.client("sagemaker")
    models = [found["ModelName"] for found in sagemaker.list_models()["Models"]]
    listed: list[dict[str, Any]] = sagemaker.list_endpoint_configs()["EndpointConfigs"]
    return models, [found["EndpointConfigName"] for found in listed]


def test_a_model_and_a_configuration(artifact: None) -> None:
    result = create("--instance-type", "ml.c5.large", "--instances", "4")
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        "shop-v1  variant AllTraffic  4 x ml.c5.large  not billed until an endpoint runs\n"
    )
    sagemaker = boto3.client("sagemaker")
    model = sagemaker.describe_model(ModelName="shop-v1")
    assert model["ExecutionRoleArn"] == ROLE
    container = model["PrimaryContainer"]
    assert (container["Image"], container["ModelDataUrl"]) == (IMAGE, MODEL)
    found = sagemaker.describe_endpoint_config(EndpointConfigName="shop-v1")
    (variant,) = found["ProductionVariants"]
    assert (variant["VariantName"], variant["ModelName"]) == ("AllTraffic", "shop-v1")
    assert (variant["InstanceType"], variant["InitialInstanceCount"]) == ("ml.c5.large", 4)
    assert sagemaker.list_endpoints()["Endpoints"] == []


def test_a_name_that_is_taken(artifact: None) -> None:
    create()
    result = create()
    assert (result.status, result.output) == (1, "")
    assert "Cannot create already existing model" in result.errors
    assert "Nothing was made. If a model shop-v1 is there already, choose another" in result.errors


def test_a_model_without_a_configuration_is_named(artifact: None) -> None:
    def refuse(trace: Trace, call: Call) -> Answer | None:
        denied = call.operation == "CreateEndpointConfig"
        return refusal("AccessDenied", "Not allowed.", 403) if denied else None

    with watching(Trace(refuse)):
        result = create()
    assert (result.status, result.output) == (1, "")
    assert "The model shop-v1 was made (not billed): delete_endpoint.py --configs shop-v1." in (
        result.errors
    )
    assert names() == (["shop-v1"], [])
    assert start("delete_endpoint", "--configs", "shop-v1").status == 0
    assert names() == ([], [])


@pytest.mark.parametrize("count", ["0", "-1"])
def test_no_instances(lab: None, count: str) -> None:
    result = create("--instances", count)
    assert (result.status, result.output) == (2, "")
    assert "--instances: 1 or more" in result.errors
    assert names() == ([], [])


def test_no_artifact(lab: None) -> None:
    result = create()
    assert (result.status, result.output) == (1, "")
    assert f"Could not find model data at {MODEL}" in result.errors
    assert names() == ([], [])
