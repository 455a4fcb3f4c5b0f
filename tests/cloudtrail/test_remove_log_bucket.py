from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from proofs.trace import Answer, Call, Trace, watching

BUCKET = "amzn-s3-demo-logs-111122223333"
ADVICE = (
    "Is a trail still logging to it? See remove_trail.py. "
    "Check the name, AWS_DEFAULT_REGION, credentials and network.\n"
)


def names(s3: Any) -> list[str]:
    return [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]


def test_the_log_files_go_with_the_bucket(run: Callable[..., Any], trail: Any, s3: Any) -> None:
    run("remove_trail", "--trail-name", "audit")
    assert s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] > 1
    result = run("remove_log_bucket", "--bucket", BUCKET)
    assert (result.status, result.errors) == (0, "")
    assert result.output == f"deleted {BUCKET} and its log files\n"
    assert names(s3) == []


def test_an_empty_bucket(run: Callable[..., Any], log_bucket: str, s3: Any) -> None:
    result = run("remove_log_bucket", "--bucket", BUCKET)
    assert (result.status, result.output) == (0, f"deleted {BUCKET}, which was empty\n")
    assert names(s3) == []


def test_all_versions_and_delete_markers_go(
    run: Callable[..., Any], log_bucket: str, s3: Any
) -> None:
    on = {"Status": "Enabled"}
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration=on)
    for body in (b"1", b"2"):
        s3.put_object(Bucket=BUCKET, Key="AWSLogs/a", Body=body)
    s3.delete_object(Bucket=BUCKET, Key="AWSLogs/a")
    assert run("remove_log_bucket", "--bucket", BUCKET).status == 0
    assert names(s3) == []


def test_more_than_one_page(run: Callable[..., Any], log_bucket: str, s3: Any) -> None:
    for number in range(1_002):
        s3.put_object(Bucket=BUCKET, Key=f"AWSLogs/{number}", Body=b"")
    assert run("remove_log_bucket", "--bucket", BUCKET).status == 0
    assert names(s3) == []


@pytest.mark.parametrize("key", ["data.csv", "awslogs/a", "AWSLogs", "x/AWSLogs/a"])
def test_a_bucket_with_anything_else_is_refused(
    run: Callable[..., Any], trail: Any, s3: Any, key: str
) -> None:
    run("remove_trail", "--trail-name", "audit")
    s3.put_object(Bucket=BUCKET, Key=key, Body=b"")
    before = s3.list_objects_v2(Bucket=BUCKET)["KeyCount"]
    result = run("remove_log_bucket", "--bucket", BUCKET)
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        f"{BUCKET} holds {key}, which is no log file. Nothing was deleted. {ADVICE}"
    )
    assert s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == before


def test_an_old_version_of_anything_else_is_seen(
    run: Callable[..., Any], log_bucket: str, s3: Any
) -> None:
    on = {"Status": "Enabled"}
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration=on)
    s3.put_object(Bucket=BUCKET, Key="data.csv", Body=b"")
    s3.delete_object(Bucket=BUCKET, Key="data.csv")
    result = run("remove_log_bucket", "--bucket", BUCKET)
    assert "holds data.csv, which is no log file. Nothing was deleted." in result.errors


def test_a_bucket_that_does_not_exist(run: Callable[..., Any]) -> None:
    result = run("remove_log_bucket", "--bucket", BUCKET)
    assert (result.status, result.output) == (1, "")
    assert "(NoSuchBucket)" in result.errors
    assert result.errors.endswith(f". Nothing was deleted. {ADVICE}")


def test_an_object_that_cannot_be_deleted_is_an_error(
    run: Callable[..., Any], log_bucket: str, s3: Any
) -> None:
    """DeleteObjects answers 200 and lists the refusals in its body."""
    s3.put_object(Bucket=BUCKET, Key="AWSLogs/a", Body=b"")

    def refuse(trace: Trace, call: Call) -> Answer | None:
        if call.operation != "DeleteObjects":
            return None
        errors = [{"Code": "AccessDenied", "Message": "Access Denied", "Key": "AWSLogs/a"}]
        return SimpleNamespace(status_code=200, headers={}), {"Errors": errors}

    with watching(Trace(refuse)):
        result = run("remove_log_bucket", "--bucket", BUCKET)
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        "AccessDenied: Access Denied: AWSLogs/a. "
        f"{BUCKET} may have lost log files and still exists. {ADVICE}"
    )
    assert names(s3) == [BUCKET]
