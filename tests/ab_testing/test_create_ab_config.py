from collections.abc import Callable
from typing import Any

import pytest
from guardrails.shop import IMAGE, ROLE

Run = Callable[..., Any]
VARIANTS = ("--variants", "v1=shop-v1", "v2=shop-v2")


@pytest.fixture
def sagemaker(client: Callable[..., Any]) -> Any:
    """The models shop-v1 and shop-v2 are there."""
    sagemaker = client("sagemaker")
    for name in ("shop-v1", "shop-v2"):
        sagemaker.create_model(
            ModelName=name, PrimaryContainer={"Image": IMAGE}, ExecutionRoleArn=ROLE
        )
    return sagemaker


def test_what_it_makes(run: Run, sagemaker: Any) -> None:
    options = ("--weights", "3", "1", "--instance-type", "ml.m5.xlarge")
    result = run("create_ab_config", "--name", "shop-ab", *VARIANTS, *options)
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        "v1  shop-v1  weight 3  75% of the requests\n"
        "v2  shop-v2  weight 1  25% of the requests\n"
        "shop-ab  not billed until an endpoint runs: then 2 x ml.m5.xlarge\n"
    )
    found = sagemaker.describe_endpoint_config(EndpointConfigName="shop-ab")
    names = ("VariantName", "ModelName", "InitialVariantWeight", "InstanceType")
    assert [
        (*(variant[name] for name in names), variant["InitialInstanceCount"])
        for variant in found["ProductionVariants"]
    ] == [
        ("v1", "shop-v1", 3.0, "ml.m5.xlarge", 1),
        ("v2", "shop-v2", 1.0, "ml.m5.xlarge", 1),
    ]


def test_an_a_a_test_has_one_model_twice(run: Run, sagemaker: Any) -> None:
    result = run("create_ab_config", "--name", "aa", "--variants", "v1=shop-v1", "again=shop-v1")
    assert result.status == 0
    found = sagemaker.describe_endpoint_config(EndpointConfigName="aa")["ProductionVariants"]
    assert [variant["ModelName"] for variant in found] == ["shop-v1", "shop-v1"]
    assert [variant["InitialVariantWeight"] for variant in found] == [1.0, 1.0]


def test_a_model_that_is_not_there(run: Run, sagemaker: Any) -> None:
    result = run("create_ab_config", "--name", "shop-ab", "--variants", "v1=shop-v1", "v2=shop-v9")
    assert (result.status, result.output) == (1, "")
    assert 'Could not find model "' in result.errors
    assert "The configuration shop-ab was not made" in result.errors
    assert sagemaker.list_endpoint_configs()["EndpointConfigs"] == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--variants", "v1=a", "v1=b"], "--variants: two names, each with its model"),
        (["--variants", "v1", "v2=b"], "--variants: two names, each with its model"),
        (["--variants", "v1=a", "=b"], "--variants: two names, each with its model"),
        ([*VARIANTS, "--weights", "-1", "2"], "--weights: not below 0, and not both 0"),
        ([*VARIANTS, "--weights", "0", "0"], "--weights: not below 0, and not both 0"),
    ],
)
def test_bad_options(run: Run, options: list[str], said: str) -> None:
    result = run("create_ab_config", "--name", "shop-ab", *options)
    assert (result.status, result.output) == (2, "")
    assert said in result.errors
