"""What is deleted of a test, and what only named."""

from collections.abc import Callable
from typing import Any

import pytest

BUCKET = "amzn-s3-demo-bucket-111122223333"
OPTIONS = ("--name", "v2-test", "--endpoint", "shop", "--capture", f"s3://{BUCKET}/capture")


def test_record_and_files_go_and_the_rest_stays(
    shop: Any, testing: Callable[..., Any], run: Callable[..., Any], client: Callable[..., Any]
) -> None:
    testing("--share", "100")
    run("stop_experiment", "--name", "v2-test", "--promote", "--reason", "fine")
    s3 = client("s3")
    for key in ("capture/shop/Shadow/a.jsonl", "capture/shop2/x.jsonl", "models/v1.tar.gz"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"")
    result = run("delete_experiment", *OPTIONS)
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        "v2-test  deleted\n"
        "1 captured files deleted\n"
        "left: configuration v2-test-promoted (delete_endpoint.py --configs)\n"
        "left: configuration v2-test-shadow (delete_endpoint.py --configs)\n"
    )
    assert shop.list_inference_experiments()["InferenceExperiments"] == []
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
    assert keys == ["capture/shop2/x.jsonl", "models/v1.tar.gz"]
    assert shop.describe_endpoint(EndpointName="shop")["EndpointStatus"] == "InService"


def test_a_running_test_is_kept_with_its_files(
    shop: Any, testing: Callable[..., Any], run: Callable[..., Any], client: Callable[..., Any]
) -> None:
    testing()
    client("s3").put_object(Bucket=BUCKET, Key="capture/shop/a.jsonl", Body=b"")
    result = run("delete_experiment", *OPTIONS)
    assert (result.status, result.output) == (1, "")
    assert "(ConflictException)" in result.errors
    assert "End the experiment with stop_experiment.py, then run this again." in result.errors
    assert client("s3").list_objects_v2(Bucket=BUCKET)["KeyCount"] == 1


def test_again_is_no_error(shop: Any, run: Callable[..., Any]) -> None:
    result = run("delete_experiment", *OPTIONS)
    assert (result.status, result.errors) == (0, "")
    assert result.output == "v2-test  is not there\n0 captured files deleted\n"


def test_a_file_that_may_not_be_deleted(example: Callable[[str], Any]) -> None:
    class S3:
        def get_paginator(self, _: str) -> Any:
            return self

        def paginate(self, **_: str) -> list[dict[str, Any]]:
            return [{}, {"Contents": [{"Key": "k"}]}]

        def delete_objects(self, **_: Any) -> dict[str, Any]:
            return {"Errors": [{"Key": "k", "Code": "AccessDenied", "Message": "Access Denied"}]}

    with pytest.raises(RuntimeError, match="k: Access Denied"):
        example("delete_experiment").delete_captures(S3(), "b", "p/")


@pytest.mark.parametrize(
    ("endpoint", "capture"), [("", "s3://amzn-s3-demo-bucket-111122223333"), ("shop", "s3://")]
)
def test_a_whole_bucket_is_never_deleted(
    run: Callable[..., Any], endpoint: str, capture: str
) -> None:
    given = ("--name", "v2-test", "--endpoint", endpoint, "--capture", capture)
    result = run("delete_experiment", *given)
    assert (result.status, result.output) == (2, "")
    assert "--endpoint: a name; --capture: s3://bucket/prefix" in result.errors
