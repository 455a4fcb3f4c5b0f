"""What AWS's models forbid is refused before a call, in sentences."""

from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from smcli.rules import problems


@pytest.fixture(scope="module")
def model() -> Any:
    client = boto3.client(
        "sagemaker", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    return client.meta.service_model


@pytest.mark.parametrize(
    ("operation", "request_", "said"),
    [
        (
            "CreateModel",
            {"ModelName": "a" * 64},
            ["ModelName has 64 characters; the maximum is 63"],
        ),
        (
            "CreateModel",
            {"ModelName": "a b"},
            ["ModelName: 'a b' does not match the pattern [a-zA-Z0-9]"],
        ),
        (
            "CreateEndpointConfig",
            {"ProductionVariants": [{"InstanceType": "ml.m5.tiny"}]},
            ["ProductionVariants[0].InstanceType: 'ml.m5.tiny' is not one of "],
        ),
        (
            "CreateEndpointConfig",
            {"ProductionVariants": []},
            ["ProductionVariants has 0 entries; the minimum is 1"],
        ),
        (
            "CreateTrainingJob",
            {
                "ResourceConfig": {"InstanceCount": -1, "VolumeSizeInGB": 30},
                "HyperParameters": {"k": "v" * 2501},
            },
            [
                "ResourceConfig.InstanceCount is -1; the minimum is 0",
                "HyperParameters.k has 2501 characters; the maximum is 2500",
            ],
        ),
        ("CreateModel", {"ModelName": "a", "Unknown": 1}, []),
    ],
)
def test_each_constraint_is_told_with_its_place(
    model: Any, operation: str, request_: dict[str, Any], said: list[str]
) -> None:
    found = list(problems(request_, model.operation_model(operation).input_shape))
    assert len(found) == len(said)
    for sentence, beginning in zip(found, said, strict=True):
        assert sentence.startswith(beginning)


def test_patterns_that_python_does_not_know_are_left_to_aws() -> None:
    shape = SimpleNamespace(type_name="string", enum=(), metadata={"pattern": r"[\p{L}\p{Z}]*"})
    assert list(problems("ä", shape, "Tag")) == []
