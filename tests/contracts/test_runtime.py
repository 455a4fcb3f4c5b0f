"""What bare moto does with invocations: the lab asks real models."""

import json
from typing import Any

import boto3
import moto.sagemaker.urls
import moto.sagemakerruntime.urls
import pytest
from botocore.client import BaseClient
from moto.sns.models import sns_backends

from contracts.gaps import gap

BUCKET = "amzn-s3-demo-bucket"


@pytest.fixture
def runtime(bare_moto: None) -> BaseClient:
    return boto3.client("sagemaker-runtime")


def answer(runtime: BaseClient, endpoint: str = "none", body: bytes = b"1") -> Any:
    return runtime.invoke_endpoint(EndpointName=endpoint, Body=body)["Body"].read()


@gap("sagemaker-runtime:InvokeEndpoint", "answers `body` to every request")
def test_every_request_gets_the_same_answer(runtime: BaseClient) -> None:
    assert answer(runtime, body=b"1") == answer(runtime, body=b"2") == b"body"


@gap("sagemaker-runtime:InvokeEndpoint", "answers for endpoints that do not exist")
def test_no_endpoint_is_needed(runtime: BaseClient) -> None:
    assert boto3.client("sagemaker").list_endpoints()["Endpoints"] == []
    assert answer(runtime) == b"body"


@gap("sagemaker-runtime:InvokeEndpoint", "takes no request whose body is not UTF-8")
def test_bytes_are_taken_for_text(runtime: BaseClient) -> None:
    with pytest.raises(UnicodeDecodeError):
        answer(runtime, body=b"\xff\x00")


@gap("sagemaker-runtime:InvokeEndpointWithResponseStream", "knows no such path")
def test_no_path_leads_to_streams() -> None:
    for module in (moto.sagemakerruntime.urls, moto.sagemaker.urls):
        assert not [path for path in module.url_paths if "response-stream" in path]


def send(runtime: BaseClient, location: str = f"s3://{BUCKET}/none") -> str:
    sent = runtime.invoke_endpoint_async(EndpointName="none", InputLocation=location)
    return str(sent["OutputLocation"])


@gap(
    "sagemaker-runtime:InvokeEndpointAsync",
    "answers for endpoints that do not exist",
    "asks no model",
    "makes a bucket for each result",
)
def test_asynchronous_answers_come_from_nowhere(runtime: BaseClient) -> None:
    first, second = send(runtime), send(runtime, f"s3://{BUCKET}/other")
    s3 = boto3.client("s3")
    assert len(s3.list_buckets()["Buckets"]) == 2
    bucket, _, key = first.removeprefix("s3://").partition("/")
    assert json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read()) == {
        "default": "response"
    }
    assert bucket != second.removeprefix("s3://").partition("/")[0]


@gap("sagemaker-runtime:InvokeEndpointAsync", "notifies nobody")
def test_topics_hear_nothing(runtime: BaseClient) -> None:
    topic = boto3.client("sns").create_topic(Name="done")["TopicArn"]
    sagemaker = boto3.client("sagemaker")
    sagemaker.create_model(ModelName="m", ExecutionRoleArn="arn:aws:iam::111122223333:role/r")
    sagemaker.create_endpoint_config(
        EndpointConfigName="none",
        ProductionVariants=[
            {
                "VariantName": "a",
                "ModelName": "m",
                "InstanceType": "ml.m4.xlarge",
                "InitialInstanceCount": 1,
            }
        ],
        AsyncInferenceConfig={
            "OutputConfig": {
                "S3OutputPath": f"s3://{BUCKET}/out",
                "NotificationConfig": {"SuccessTopic": topic},
            }
        },
    )
    sagemaker.create_endpoint(EndpointName="none", EndpointConfigName="none")
    send(runtime)
    account, region = topic.split(":")[4], topic.split(":")[3]
    assert sns_backends[account][region].topics[topic].sent_notifications == []
