"""The bucket of the made-up logs goes, and no other."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.stub import Stubber
from cloudtrail.sample_records import BUCKET, module


def exists(s3: Any, bucket: str) -> bool:
    return bucket in [found["Name"] for found in s3.list_buckets()["Buckets"]]


def test_logs_and_results_go_with_the_bucket(run: Callable[..., Any], s3: Any) -> None:
    assert run("write_sample_logs", "--bucket", BUCKET, "--days", "1").status == 0
    count = s3.list_objects_v2(Bucket=BUCKET)["KeyCount"]
    s3.put_object(Bucket=BUCKET, Key="athena-results/a.csv", Body=b"")
    result = run("remove_sample_logs", "--bucket", BUCKET)
    assert (result.status, result.output) == (
        0,
        f"deleted {BUCKET} and its {count + 1} objects\n",
    )
    assert not exists(s3, BUCKET)


FOLDER = "AWSLogs/111122223333/CloudTrail/us-east-1/2026/10/01"
NAME = "111122223333_CloudTrail_us-east-1_20261001T2355Z_aaaaaaaaaaaaaaaa.json.gz"


@pytest.mark.parametrize(
    "key",
    [
        "report.csv",
        "AWSLogs/444455556666/CloudTrail/a",
        f"logs/{FOLDER}/{NAME}",
        FOLDER.replace("CloudTrail", "CloudTrail-Digest") + f"/{NAME}",
        FOLDER.replace("/10/", "/11/") + f"/{NAME}",
        FOLDER.replace("2026", "2025") + f"/{NAME}",
        f"{FOLDER}/{NAME.replace('2355', '0105')}",  # a trail delivers at any time of the day
        f"{FOLDER}/notes.txt",
        "AWSLogs/111122223333/a",
    ],
)
def test_a_bucket_with_anything_else_is_refused(
    run: Callable[..., Any], s3: Any, make_bucket: Callable[[str], str], key: str
) -> None:
    make_bucket(BUCKET)
    for each in (f"{FOLDER}/{NAME}", key):
        s3.put_object(Bucket=BUCKET, Key=each, Body=b"")
    result = run("remove_sample_logs", "--bucket", BUCKET)
    assert result.status == 1
    assert (
        f"{BUCKET} holds {key}, which is no made-up log file. Nothing was deleted." in result.errors
    )
    assert s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 2


def test_more_than_a_thousand_objects(
    run: Callable[..., Any], s3: Any, make_bucket: Callable[[str], str]
) -> None:
    make_bucket(BUCKET)
    for number in range(1001):
        s3.put_object(Bucket=BUCKET, Key=f"athena-results/{number}", Body=b"")
    result = run("remove_sample_logs", "--bucket", BUCKET)
    assert result.output == f"deleted {BUCKET} and its 1001 objects\n"
    assert not exists(s3, BUCKET)


def test_an_object_that_s3_keeps_is_told(s3: Any) -> None:
    key = "AWSLogs/111122223333/a"
    error = {"Key": key, "Code": "AccessDenied", "Message": "Access Denied"}
    with Stubber(s3) as stub:
        stub.add_response("delete_objects", {"Errors": [error]})
        with pytest.raises(RuntimeError, match=f"AccessDenied: Access Denied: {key}"):
            module("remove_sample_logs").delete_objects(s3, BUCKET, [key])


def test_an_unknown_bucket(run: Callable[..., Any]) -> None:
    result = run("remove_sample_logs", "--bucket", BUCKET)
    assert result.status == 1
    assert "NoSuchBucket" in result.errors
    assert "Nothing was deleted." in result.errors and "still exists" not in result.errors


def test_the_bucket_of_a_trail_stays(run: Callable[..., Any], s3: Any, trail: Any) -> None:
    before = s3.list_objects_v2(Bucket=trail.bucket)["KeyCount"]
    assert before > 0
    result = run("remove_sample_logs", "--bucket", trail.bucket)
    assert result.status == 1
    assert f"{trail.bucket} holds AWSLogs/111122223333/CloudTrail" in result.errors
    assert s3.list_objects_v2(Bucket=trail.bucket)["KeyCount"] >= before


@pytest.mark.parametrize(
    ("operation", "left"),
    [
        ("ListObjectsV2", "Nothing was deleted."),
        ("DeleteObjects", f"{BUCKET} may have lost objects and still exists: run this again."),
        ("DeleteBucket", f"{BUCKET} is empty and still exists: run this again."),
    ],
)
def test_what_is_left_is_told(
    run: Callable[..., Any], refuse: Callable[..., Any], operation: str, left: str
) -> None:
    assert run("write_sample_logs", "--bucket", BUCKET, "--days", "1").status == 0
    with refuse(operation):
        result = run("remove_sample_logs", "--bucket", BUCKET)
    assert result.status == 1
    assert left in result.errors
    assert run("remove_sample_logs", "--bucket", BUCKET).status == 0
