"""Eight clients at once: nothing is lost, and of several equals one is first."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

CLIENTS, CALLS = 8, 200
IMAGE = "354813040037.dkr.ecr.ap-northeast-1.amazonaws.com/sagemaker-xgboost:3.2-0"
ROLE = "arn:aws:iam::111122223333:role/SageMakerExecutionRole"
BUCKET = "amzn-s3-demo-bucket"

Make = Callable[[str], Any]


@pytest.fixture(params=["in process", "over HTTP"])
def make(request: pytest.FixtureRequest) -> Make:
    """Makes clients of an empty lab."""
    if request.param == "in process":
        request.getfixturevalue("lab")
        return lambda service: boto3.client(service)
    address = request.getfixturevalue("lab_server")
    session = boto3.Session("testing", "testing", region_name="ap-northeast-1")
    lock = threading.Lock()

    def client(service: str) -> Any:
        with lock:  # a session is not made for several threads
            return session.client(service, endpoint_url=address)

    return client


@pytest.mark.timeout(300)
def test_nothing_is_lost(make: Make) -> None:
    """Four kinds of calls to three services, fifty of each from each client."""
    where = {"LocationConstraint": "ap-northeast-1"}
    make("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
    tools = [(make("s3"), make("sagemaker"), make("cloudwatch")) for _ in range(CLIENTS)]

    def work(number: int) -> None:
        s3, sagemaker, cloudwatch = tools[number]
        for turn in range(CALLS // 4):
            name = f"model-{number}-{turn}"
            s3.put_object(Bucket=BUCKET, Key=name, Body=b"x")
            sagemaker.create_model(
                ModelName=name, PrimaryContainer={"Image": IMAGE}, ExecutionRoleArn=ROLE
            )
            datum = {"MetricName": "made", "Value": 1}
            cloudwatch.put_metric_data(Namespace="Lab", MetricData=[datum])
            assert sagemaker.describe_model(ModelName=name)["ModelName"] == name

    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(work, range(CLIENTS)))
    expected = {f"model-{n}-{turn}" for n in range(CLIENTS) for turn in range(CALLS // 4)}
    s3, sagemaker, _ = tools[0]
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    assert {found["Key"] for page in pages for found in page["Contents"]} == expected
    pages = sagemaker.get_paginator("list_models").paginate()
    assert Counter(m["ModelName"] for page in pages for m in page["Models"]) == Counter(expected)


@pytest.mark.parametrize(
    ("operation", "request_", "codes"),
    [
        (
            "create_model",
            {
                "ModelName": "one",
                "PrimaryContainer": {"Image": IMAGE},
                "ExecutionRoleArn": ROLE,
            },
            {"ValidationException"},
        ),
        (
            "create_model_package_group",
            {"ModelPackageGroupName": "one"},
            {"ValidationException", "ConflictException"},
        ),
    ],
)
def test_of_equals_one_is_first(
    make: Make, operation: str, request_: dict[str, Any], codes: set[str]
) -> None:
    clients = [make("sagemaker") for _ in range(CLIENTS)]
    together = threading.Barrier(CLIENTS)

    def create(client: Any) -> str:
        together.wait()
        try:
            getattr(client, operation)(**request_)
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return "made"

    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = Counter(pool.map(create, clients))
    assert answers["made"] == 1
    assert set(answers) - {"made"} <= codes and answers.total() == CLIENTS
