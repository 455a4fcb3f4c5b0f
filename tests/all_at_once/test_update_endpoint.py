from pathlib import Path

import boto3
from awslab.run import Result
from guardrails.shop import serving, start
from proofs.trace import Trace, watching


def update(config: str, endpoint: str = "shop") -> Result:
    return start("all_at_once/update_endpoint", "--endpoint", endpoint, "--config", config)


def test_it_begins_an_update_without_a_policy(shop: Path) -> None:
    with watching(Trace()) as trace:
        result = update("shop-v2")
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        "shop  from shop-v1 to shop-v2  all at once, without a bake and alarms\n"
        "keep shop-v1: roll_back.py goes back to it. watch_update.py tells how this ends\n"
    )
    assert [call.operation for call in trace.calls] == ["DescribeEndpoint", "UpdateEndpoint"]
    sagemaker = boto3.client("sagemaker")
    stages = []
    for _ in range(4):
        found = sagemaker.describe_endpoint(EndpointName="shop")
        pending = found.get("PendingDeploymentSummary", {}).get("ProductionVariants", [])
        happens = [
            s for v in found["ProductionVariants"] + pending for s in v.get("VariantStatus", [])
        ]
        stages.append((found["EndpointStatus"], *[s["Status"] for s in happens]))
    assert stages == [
        ("Updating", "Creating"),
        ("Updating", "ActivatingTraffic"),
        ("Updating", "Deleting"),
        ("InService",),
    ]
    assert "LastDeploymentConfig" not in found
    assert serving() == ("InService", "shop-v2")


def test_a_bad_version_reaches_all_requests_and_stays(shop: Path) -> None:
    assert update("shop-v3").status == 0
    sagemaker, runtime = boto3.client("sagemaker"), boto3.client("sagemaker-runtime")
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="shop")  # says nothing
    rows = [line.partition(",")[2] for line in shop.read_text().splitlines()]
    failed = 0
    for row in rows:
        try:
            runtime.invoke_endpoint(EndpointName="shop", ContentType="text/csv", Body=row)
        except runtime.exceptions.ModelError:
            failed += 1
    assert failed == len(rows) == 10
    assert serving() == ("InService", "shop-v3")


def test_the_number_of_instances_is_kept(shop: Path) -> None:
    sagemaker = boto3.client("sagemaker")
    wanted = [{"VariantName": "AllTraffic", "DesiredInstanceCount": 6}]
    sagemaker.update_endpoint_weights_and_capacities(
        EndpointName="shop", DesiredWeightsAndCapacities=wanted
    )
    waiter = sagemaker.get_waiter("endpoint_in_service")
    waiter.wait(EndpointName="shop")
    update("shop-v2")
    waiter.wait(EndpointName="shop")
    (variant,) = sagemaker.describe_endpoint(EndpointName="shop")["ProductionVariants"]
    assert variant["CurrentInstanceCount"] == 6


def test_the_configuration_that_it_has_already(shop: Path) -> None:
    result = update("shop-v1")
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith("shop serves shop-v1 already. shop is as it was. ")
    assert serving() == ("InService", "shop-v1")


def test_names_that_are_not_there(shop: Path) -> None:
    no_config, no_endpoint = update("shop-v0"), update("shop-v2", "none")
    assert (no_config.status, no_endpoint.status) == (1, 1)
    assert 'Could not find endpoint configuration "' in no_config.errors
    assert 'Could not find endpoint "' in no_endpoint.errors
    assert serving() == ("InService", "shop-v1")


def test_one_update_at_a_time(shop: Path) -> None:
    update("shop-v2")
    second = update("shop-v3")
    assert (second.status, second.output) == (1, "")
    assert "Cannot update in-progress endpoint" in second.errors
    assert second.errors.endswith("no other update may be going on.\n")
