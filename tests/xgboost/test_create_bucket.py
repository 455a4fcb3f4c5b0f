from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from proofs.trace import Answer, Call, Trace, refusal, watching

Run = Callable[..., Any]
BUCKET = "amzn-s3-demo-bucket-111122223333"
ADVICE = "Check the options, AWS_DEFAULT_REGION, credentials and network.\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("train", "validation"):
        (tmp_path / f"{name}.csv").write_text(f"1,2,{len(name)}\n")
    return tmp_path


@pytest.mark.parametrize(
    ("region", "place"), [("ap-northeast-1", "ap-northeast-1"), ("us-east-1", None)]
)
def test_a_tagged_bucket_with_a_prefix_per_channel(
    run: Run, client: Any, folder: Path, region: str, place: str | None
) -> None:
    result = run(
        "create_bucket", "--bucket", BUCKET, "--folder", str(folder), AWS_DEFAULT_REGION=region
    )
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        f"s3://{BUCKET}/train/train.csv  6 bytes\n"
        f"s3://{BUCKET}/validation/validation.csv  7 bytes\n"
    )
    s3 = client("s3")
    assert s3.get_bucket_location(Bucket=BUCKET)["LocationConstraint"] == place
    tags = s3.get_bucket_tagging(Bucket=BUCKET)["TagSet"]
    assert tags == [{"Key": "made-by", "Value": "create_bucket.py"}]
    found = s3.get_object(Bucket=BUCKET, Key="train/train.csv")
    assert found["Body"].read() == (folder / "train.csv").read_bytes()


def test_a_bucket_that_exists_is_left_alone(run: Run, client: Any, folder: Path) -> None:
    s3 = client("s3", region="us-east-1")
    s3.create_bucket(Bucket=BUCKET)
    result = run(
        "create_bucket", "--bucket", BUCKET, "--folder", str(folder), AWS_DEFAULT_REGION="us-east-1"
    )
    assert (result.status, result.output) == (1, "")
    assert result.errors == f"The bucket {BUCKET} exists already. No bucket was created. {ADVICE}"
    assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET)


@pytest.mark.parametrize(
    ("action", "left"),
    [
        ("s3:PutBucketTagging", f"{BUCKET} was created, empty and without its tag: aws s3 rb"),
        ("s3:PutObject", f"{BUCKET} was created and is not ready: delete it with remove_bucket"),
    ],
)
def test_a_call_that_fails_says_what_is_left(
    run: Run, client: Any, folder: Path, action: str, left: str
) -> None:
    def refuse(trace: Trace, call: Call) -> Answer | None:
        return refusal("AccessDenied", "No.", 403) if action in call.actions else None

    with watching(Trace(refuse)):
        result = run("create_bucket", "--bucket", BUCKET, "--folder", str(folder))
    assert (result.status, result.output) == (1, "")
    assert f"operation: No. {left}" in result.errors
    assert [bucket["Name"] for bucket in client("s3").list_buckets()["Buckets"]] == [BUCKET]


def test_without_data_no_bucket_is_created(run: Run, client: Any, folder: Path) -> None:
    (folder / "validation.csv").unlink()
    result = run("create_bucket", "--bucket", BUCKET, "--folder", str(folder))
    assert result.status == 1
    assert "No such file or directory" in result.errors
    assert result.errors.endswith(f"No bucket was created. {ADVICE}")
    assert client("s3").list_buckets()["Buckets"] == []


def test_without_a_region_no_bucket_is_created(
    run: Run, client: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    result = run("create_bucket", "--bucket", BUCKET, "--folder", str(folder))
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith("No Region is set: set AWS_DEFAULT_REGION. No bucket was ")
    assert client("s3").list_buckets()["Buckets"] == []
