from collections.abc import Callable
from typing import Any

import pytest

Run = Callable[..., Any]
BUCKET = "amzn-s3-demo-bucket-111122223333"
PLACE = {"LocationConstraint": "ap-northeast-1"}
TAGS = {"TagSet": [{"Key": "made-by", "Value": "create_bucket.py"}]}


@pytest.fixture
def s3(client: Any) -> Any:
    s3 = client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=PLACE)
    return s3


def test_all_versions_go_even_more_than_a_page(run: Run, s3: Any) -> None:
    s3.put_bucket_tagging(Bucket=BUCKET, Tagging=TAGS)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    for number in range(1001):
        s3.put_object(Bucket=BUCKET, Key=f"{number}", Body=b"")
    s3.delete_object(Bucket=BUCKET, Key="1")
    result = run("remove_bucket", "--bucket", BUCKET)
    assert (result.status, result.errors) == (0, "")
    assert result.output == f"deleted {BUCKET} with 1002 objects\n"
    assert s3.list_buckets()["Buckets"] == []


@pytest.mark.parametrize("key", [None, "precious"])
@pytest.mark.parametrize("tags", [None, {"TagSet": [{"Key": "made-by", "Value": "hand"}]}])
def test_what_others_made_stays_even_if_it_is_empty(
    run: Run, s3: Any, tags: Any, key: str | None
) -> None:
    if tags:
        s3.put_bucket_tagging(Bucket=BUCKET, Tagging=tags)
    if key:
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"1")
    result = run("remove_bucket", "--bucket", BUCKET)
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith(
        f"{BUCKET} is not tagged by create_bucket.py. Nothing was deleted. Check the name"
    )
    assert s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == (1 if key else 0)


def test_a_tagged_bucket_without_objects_goes(run: Run, s3: Any) -> None:
    s3.put_bucket_tagging(Bucket=BUCKET, Tagging=TAGS)
    assert run("remove_bucket", "--bucket", BUCKET).output == f"deleted {BUCKET} with 0 objects\n"
    assert s3.list_buckets()["Buckets"] == []


def test_an_object_that_cannot_be_deleted_is_named(
    run: Run, s3: Any, example: Callable[[str], Any]
) -> None:
    class Locked:
        def __init__(self) -> None:
            self.meta = s3.meta

        def __getattr__(self, name: str) -> Any:
            return getattr(s3, name)

        def delete_objects(self, **request: Any) -> dict[str, Any]:
            return {"Errors": [{"Code": "AccessDenied", "Message": "locked", "Key": "kept"}]}

    s3.put_bucket_tagging(Bucket=BUCKET, Tagging=TAGS)
    s3.put_object(Bucket=BUCKET, Key="kept", Body=b"1")
    with pytest.raises(RuntimeError, match="AccessDenied: locked: kept"):
        example("remove_bucket").empty(Locked(), BUCKET)
