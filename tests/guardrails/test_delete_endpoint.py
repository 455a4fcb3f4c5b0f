from pathlib import Path

import boto3
from awslab.state import difference, snapshot
from guardrails.shop import configure, interrupted_after, serving, start, upload
from proofs.trace import Trace, watching


def test_all_in_order_and_nothing_else(lab: None, tmp_path: Path) -> None:
    upload(tmp_path / "data")
    configure("v3")
    before = snapshot()
    configure("v1", "v2")
    start("create_endpoint", "--endpoint", "shop", "--config", "shop-v1")
    with watching(Trace()) as trace:
        result = start("delete_endpoint", "--endpoint", "shop", "--configs", "shop-v1", "shop-v2")
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        "deleted endpoint shop, configuration shop-v1, model shop-v1, configuration shop-v2, "
        "model shop-v2\n"
    )
    assert difference(before, snapshot()) == []
    order = [call.operation for call in trace.calls if call.operation != "DescribeEndpoint"]
    assert order == [
        "DeleteEndpoint",
        "DeleteLogGroup",
        *["DeleteEndpointConfig", "DeleteModel"] * 2,
    ]


def test_what_is_missing_is_no_error(shop: Path) -> None:
    result = start("delete_endpoint", "--configs", "shop-v2", "shop-v0", "shop-v3")
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        "deleted configuration shop-v2, model shop-v2, configuration shop-v3, model shop-v3\n"
    )
    assert serving() == ("InService", "shop-v1")
    boto3.client("sagemaker").delete_endpoint_config(EndpointConfigName="shop-v1")
    rest = start("delete_endpoint", "--endpoint", "shop", "--configs", "shop-v1")
    assert rest.output == "deleted endpoint shop, model shop-v1\n"
    again = start("delete_endpoint", "--endpoint", "shop", "--configs", "shop-v1")
    assert (again.status, again.output) == (1, "")
    assert (
        again.errors == "Nothing is called shop, shop-v1. Check the names and AWS_DEFAULT_REGION.\n"
    )


def test_an_endpoint_that_is_being_updated(shop: Path) -> None:
    sagemaker = boto3.client("sagemaker")
    sagemaker.update_endpoint(EndpointName="shop", EndpointConfigName="shop-v2")
    result = start("delete_endpoint", "--endpoint", "shop", "--configs", "shop-v1")
    assert (result.status, result.output) == (1, "")
    assert "Cannot update in-progress endpoint" in result.errors
    assert ". Of shop, shop-v1 something may still be there; an endpoint is billed" in result.errors
    sagemaker.describe_endpoint_config(EndpointConfigName="shop-v1")  # it is not touched


def test_nothing_is_named(lab: None) -> None:
    result = start("delete_endpoint")
    assert (result.status, result.output) == (2, "")
    assert "nothing to delete: give --endpoint or --configs" in result.errors


def test_interrupted(shop: Path) -> None:
    with watching(interrupted_after("DeleteEndpoint")):
        result = start("delete_endpoint", "--endpoint", "shop", "--configs", "shop-v1")
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith("Interrupted. Of shop, shop-v1 something may still be there;")


def test_a_log_that_outlived_its_endpoint_is_not_called_an_endpoint(lab: None) -> None:
    logs, name = boto3.client("logs"), "/aws/sagemaker/Endpoints/shop"
    logs.create_log_group(logGroupName=name)
    result = start("delete_endpoint", "--endpoint", "shop")
    assert (result.status, result.output) == (0, f"deleted log {name}\n")
    assert logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"] == []
