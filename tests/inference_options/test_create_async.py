from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
from guardrails.shop import BUCKET, interrupted_after, serving
from proofs.trace import watching

Run = Callable[..., Any]
GIVEN = ("--endpoint", "queue", "--model", "shop-v1", "--bucket", BUCKET)
LEFT = (
    "The endpoint queue, which is billed, or its configuration may be there: delete_endpoint.py "
    "--endpoint queue --configs queue deletes both."
)


def test_what_it_makes(file: Path, go: Run) -> None:
    result = go("create_async", *GIVEN, "--instance-type", "ml.m5.xlarge")
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        "queue  in service on 1 x ml.m5.xlarge, answers below async/out\n"
        "billed while it has an instance, until delete_endpoint.py deletes it\n"
    )
    assert serving("queue") == ("InService", "queue")
    found = boto3.client("sagemaker").describe_endpoint(EndpointName="queue")
    assert found["AsyncInferenceConfig"] == {
        "OutputConfig": {
            "S3OutputPath": f"s3://{BUCKET}/async/out",
            "S3FailurePath": f"s3://{BUCKET}/async/failed",
        },
        "ClientConfig": {"MaxConcurrentInvocationsPerInstance": 4},
    }


def test_a_name_that_is_taken(queue: Path, go: Run) -> None:
    result = go("create_async", *GIVEN)
    assert (result.status, result.output) == (1, "")
    assert "Cannot create already existing endpoint configuration" in result.errors
    assert LEFT in result.errors


def test_interrupted(file: Path, go: Run) -> None:
    with watching(interrupted_after("CreateEndpoint")):
        result = go("create_async", *GIVEN)
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith(f"Interrupted. {LEFT} ")
