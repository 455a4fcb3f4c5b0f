from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from guardrails.shop import interrupted_after, serving
from proofs.trace import watching

Run = Callable[..., Any]
GIVEN = ("--endpoint", "nightly", "--model", "shop-v1")
LEFT = (
    "The endpoint nightly or its configuration may be there: delete_endpoint.py --endpoint nightly "
    "--configs nightly deletes both."
)


def test_what_it_makes(file: Path, go: Run) -> None:
    result = go("create_serverless", *GIVEN, "--memory", "1024", "--concurrency", "3")
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        "nightly  in service, 1024 MB, 3 at a time\n"
        "billed by the time of its requests and their data, not while it waits\n"
    )
    assert serving("nightly") == ("InService", "nightly")
    sagemaker = boto3.client("sagemaker")
    (variant,) = sagemaker.describe_endpoint_config(EndpointConfigName="nightly")[
        "ProductionVariants"
    ]
    assert variant["ServerlessConfig"] == {"MemorySizeInMB": 1024, "MaxConcurrency": 3}
    assert not {"InstanceType", "InitialInstanceCount"} & set(variant)
    runtime = boto3.client("sagemaker-runtime")
    row = file.read_text().partition("\n")[0].partition(",")[2]
    answer = runtime.invoke_endpoint(EndpointName="nightly", ContentType="text/csv", Body=row)
    assert 0 < float(answer["Body"].read()) < 1


def test_no_such_model(lab: None, go: Run) -> None:
    result = go("create_serverless", *GIVEN)
    assert (result.status, result.output) == (1, "")
    assert 'Could not find model "' in result.errors and LEFT in result.errors
    sagemaker = boto3.client("sagemaker")
    assert sagemaker.list_endpoint_configs()["EndpointConfigs"] == []


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (("--concurrency", "0"), "--concurrency: 1 to 200"),
        (("--concurrency", "201"), "--concurrency: 1 to 200"),
        (("--memory", "2000"), "invalid choice: 2000"),
    ],
)
def test_what_sagemaker_does_not_allow(go: Run, option: tuple[str, str], said: str) -> None:
    result = go("create_serverless", *GIVEN, *option)
    assert (result.status, result.output) == (2, "") and said in result.errors


def test_interrupted(file: Path, go: Run) -> None:
    with watching(interrupted_after("CreateEndpoint")):
        result = go("create_serverless", *GIVEN)
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith(f"Interrupted. {LEFT} ")
