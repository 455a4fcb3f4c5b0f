"""Every request is held against its service's model, and remembered."""

import json
import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.error import HTTPError

import boto3
import pytest
from awslab.calls import CALLS
from awslab.embedded import ENVIRONMENT
from botocore.config import Config
from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::111122223333:role/any"


@pytest.fixture
def loose(lab: None) -> Any:
    """A SageMaker client that sends what it is given."""
    return boto3.client("sagemaker", config=Config(parameter_validation=False))


def refusal(call: Callable[..., Any], **arguments: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_missing_member(loose: Any) -> None:
    assert refusal(loose.create_model, ExecutionRoleArn=ROLE) == (
        "ValidationException",
        "1 validation error detected: Value null at 'modelName' failed to satisfy constraint: "
        "Member must not be null",
    )


def test_a_name_against_the_pattern(loose: Any) -> None:
    code, message = refusal(loose.create_model, ModelName="my_model", ExecutionRoleArn=ROLE)
    assert (code, message.split(":")[1]) == (
        "ValidationException",
        " Value 'my_model' at 'modelName' failed to satisfy constraint",
    )
    assert "Member must satisfy regular expression pattern: [a-zA-Z0-9]" in message


def test_all_problems_in_one_message_with_their_paths(loose: Any) -> None:
    variant = {"VariantName": "a", "InitialInstanceCount": 0, "InstanceType": "ml.nowhere"}
    code, message = refusal(
        loose.create_endpoint_config, EndpointConfigName=64 * "a", ProductionVariants=[variant]
    )
    assert code == "ValidationException" and message.startswith("4 validation errors detected: ")
    path = "productionVariants.1.member"
    for part in (
        f"Value '{64 * 'a'}' at 'endpointConfigName' failed to satisfy constraint: "
        "Member must have length less than or equal to 63",
        f"Value '0' at '{path}.initialInstanceCount' failed to satisfy constraint: "
        "Member must have value greater than or equal to 1",
        f"Value 'ml.nowhere' at '{path}.instanceType' failed to satisfy constraint: "
        "Member must satisfy enum value set: [ml.t2.medium, ",
    ):
        assert part in message


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (5, "NUMBER_VALUE can not be converted to a String"),
        (True, "TRUE_VALUE can not be converted to a String"),
        (["a"], "Start of list found where not expected"),
        ({"a": "b"}, "Start of structure or map found where not expected."),
    ],
)
def test_a_value_of_another_type(loose: Any, value: Any, said: str) -> None:
    assert refusal(loose.describe_model, ModelName=value) == ("SerializationException", said)


def test_a_list_that_is_none_over_http(lab_server: str) -> None:
    body = {"EndpointConfigName": "a", "ProductionVariants": "none"}
    status, answer = post(lab_server, "CreateEndpointConfig", json.dumps(body).encode())
    assert (status, answer["__type"]) == (400, "SerializationException")


@pytest.mark.parametrize("body", [b"{", b"[]", b"5", b"\xff"])
def test_a_malformed_body(lab_server: str, body: bytes) -> None:
    status, answer = post(lab_server, "ListModels", body)
    assert (status, answer["__type"]) == (400, "SerializationException")


def test_an_operation_that_the_lab_lacks(client: Callable[..., Any]) -> None:
    assert refusal(client("sagemaker").list_hubs) == (
        "NotImplemented",
        "The lab does not have sagemaker:ListHubs.",
    )


def test_an_operation_that_does_not_exist(lab_server: str) -> None:
    status, answer = post(lab_server, "BrewCoffee", b"{}")
    assert (status, answer["__type"]) == (501, "NotImplemented")


def test_calls_are_remembered_in_order(client: Callable[..., Any]) -> None:
    client("s3").list_buckets()
    with pytest.raises(ClientError):
        client("sagemaker", region="eu-west-1").describe_model(ModelName="none")
    assert [(c.service, c.operation, c.region, c.status) for c in CALLS] == [
        ("s3", "ListBuckets", "ap-northeast-1", 200),
        ("sagemaker", "DescribeModel", "eu-west-1", 400),
    ]
    assert all(c.account == "111122223333" and c.seconds > 0 for c in CALLS)


def post(address: str, operation: str, body: bytes) -> tuple[int, dict[str, Any]]:
    """A request by hand: the SDKs would not send such a body."""
    region = ENVIRONMENT["AWS_DEFAULT_REGION"]
    headers = {
        "X-Amz-Target": f"SageMaker.{operation}",
        "Content-Type": "application/x-amz-json-1.1",
        "Authorization": f"AWS4-HMAC-SHA256 Credential=x/20261121/{region}/sagemaker/aws4_request",
    }
    request = urllib.request.Request(address, body, headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.loads(answer.read())
    except HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def test_a_body_that_is_no_text_is_refused(client: Callable[..., Any]) -> None:
    with pytest.raises(ClientError) as caught:
        client("lambda").invoke(FunctionName="shop", Payload=b"\x80")
    answer = caught.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert answer["Error"]["Code"] == "SerializationException"
