from collections.abc import Callable
from typing import Any

import boto3
from blue_green.conftest import POINTER, start


def test_all_its_versions_go(point: Callable[..., None], named: Callable[[], Any]) -> None:
    point("shop-blue", "shop-green")
    result = start("blue_green/delete_pointer")
    assert (result.status, result.errors) == (0, "")
    assert result.output == f"deleted {POINTER}; the endpoints are still there\n"
    assert named() is None
    assert boto3.client("ssm").describe_parameters()["Parameters"] == []
    endpoints = boto3.client("sagemaker").list_endpoints()["Endpoints"]
    assert sorted(e["EndpointName"] for e in endpoints) == ["shop-blue", "shop-green"]


def test_another_one_stays(point: Callable[..., None], named: Callable[[], Any]) -> None:
    point("shop-blue")
    result = start("blue_green/delete_pointer", "--pointer", "/ml/other")
    assert (result.status, result.output) == (1, "")
    assert "Parameter /ml/other not found." in result.errors
    assert "If /ml/other was there, it still is." in result.errors
    assert named() == "shop-blue"
