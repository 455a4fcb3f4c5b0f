from collections.abc import Callable
from typing import Any

import boto3
from guardrails.shop import ROLE, interrupted_after, serving
from proofs.trace import watching

Run = Callable[..., Any]
GIVEN = ("--endpoint", "shared", "--role-arn", ROLE)
LEFT = (
    "The endpoint shared, which is billed, or its configuration may be there: delete_components.py "
    "--endpoint shared deletes both."
)


def test_what_it_makes(go: Run) -> None:
    result = go("create_component_endpoint", *GIVEN, "--max", "3")
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        "shared  in service, 0 to 3 x ml.m5.large, without a model\n"
        "billed by its instances, until delete_components.py deletes it\n"
    )
    assert serving("shared") == ("InService", "shared")
    sagemaker = boto3.client("sagemaker")
    config = sagemaker.describe_endpoint_config(EndpointConfigName="shared")
    (variant,) = config["ProductionVariants"]
    assert "ModelName" not in variant and config["ExecutionRoleArn"] == ROLE
    scaling = {"Status": "ENABLED", "MinInstanceCount": 0, "MaxInstanceCount": 3}
    assert variant["ManagedInstanceScaling"] == scaling


def test_a_name_that_is_taken(go: Run) -> None:
    go("create_component_endpoint", *GIVEN)
    result = go("create_component_endpoint", *GIVEN)
    assert (result.status, result.output) == (1, "")
    assert "Cannot create already existing endpoint configuration" in result.errors


def test_no_instances(go: Run) -> None:
    result = go("create_component_endpoint", *GIVEN, "--max", "0")
    assert result.status == 2 and "--max: 1 or more" in result.errors


def test_interrupted(go: Run) -> None:
    with watching(interrupted_after("CreateEndpoint")):
        result = go("create_component_endpoint", *GIVEN)
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith(f"Interrupted. {LEFT} ")
