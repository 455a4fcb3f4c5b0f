"""Requests with ids, what of them is captured, and what a refusal looks like."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

BUCKET = "amzn-s3-demo-bucket-111122223333"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "rows.csv"
    path.write_text("1,0.25,7\n0,0.50,8\n1,0.75,9\n")
    return path


def captured(client: Callable[..., Any], variant: str) -> dict[str, tuple[str, str]]:
    """Input and output by inference id."""
    s3 = client("s3")
    found = {}
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix=f"capture/shop/{variant}/")
    for item in listed.get("Contents", []):
        body = s3.get_object(Bucket=BUCKET, Key=item["Key"])["Body"].read()
        record = json.loads(body)
        data = record["captureData"]
        sides = (data["endpointInput"]["data"], data["endpointOutput"]["data"])
        found[record["eventMetadata"]["inferenceId"]] = sides
    return found


def test_both_variants_are_captured_and_production_answers(
    shadowed: Callable[[str], None],
    run: Callable[..., Any],
    client: Callable[..., Any],
    file: Path,
) -> None:
    shadowed("shop-v2")
    result = run(
        "send_requests", "--endpoint", "shop", "--file", str(file), "--prefix", "m", "--rows", "2"
    )
    assert (result.status, result.errors) == (0, "")
    assert result.output == "2 requests, answered: 2 by AllTraffic\n"
    assert captured(client, "AllTraffic") == {
        "m-0001": ("0.25,7", "0.25"),
        "m-0002": ("0.50,8", "0.50"),
    }
    assert captured(client, "Shadow") == {
        "m-0001": ("0.25,7", "0.45"),
        "m-0002": ("0.50,8", "0.70"),
    }


def test_a_shadow_that_refuses_is_not_noticed_and_not_captured(
    shadowed: Callable[[str], None],
    run: Callable[..., Any],
    client: Callable[..., Any],
    file: Path,
) -> None:
    shadowed("shop-v3")
    result = run("send_requests", "--endpoint", "shop", "--file", str(file), "--prefix", "m")
    assert (result.status, result.output) == (0, "3 requests, answered: 3 by AllTraffic\n")
    assert len(captured(client, "AllTraffic")) == 3
    assert captured(client, "Shadow") == {}


def test_failures_are_counted_and_the_first_is_told(
    shop: Any, run: Callable[..., Any], tmp_path: Path
) -> None:
    [variant] = shop.describe_endpoint_config(EndpointConfigName="shop-v1")["ProductionVariants"]
    shop.create_endpoint_config(
        EndpointConfigName="bad", ProductionVariants=[variant | {"ModelName": "shop-v3"}]
    )
    shop.update_endpoint(EndpointName="shop", EndpointConfigName="bad")
    shop.get_waiter("endpoint_in_service").wait(EndpointName="shop")
    file = tmp_path / "rows.csv"
    file.write_text("1,0.25\n0,0.5\n")
    result = run("send_requests", "--endpoint", "shop", "--file", str(file), "--prefix", "m")
    assert (result.status, result.output) == (1, "2 requests, answered: none\n")
    assert result.errors.startswith("2 failed. An error occurred (ModelError)")
    assert "Received client error (400) from primary" in result.errors


def test_what_cannot_be_sent(shop: Any, run: Callable[..., Any], tmp_path: Path) -> None:
    empty = tmp_path / "empty.csv"
    empty.touch()
    options = ("--endpoint", "shop", "--prefix", "m")
    nothing = run("send_requests", *options, "--file", str(empty))
    assert (nothing.status, nothing.output) == (1, "0 requests, answered: none\n")
    assert nothing.errors.startswith(f"0 failed. {empty} has no rows.")
    missing = run("send_requests", *options, "--file", str(tmp_path / "missing.csv"))
    assert missing.status == 1
    assert "No such file or directory" in missing.errors
    for bad in (("--rows", "0"), ("--prefix", "x" * 51), ("--prefix", "")):
        refused = run("send_requests", *options, "--file", str(empty), *bad)
        assert refused.status == 2
        assert "--rows: 1 or more; --prefix: 1 to 50 characters" in refused.errors
