import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest

ACCOUNT, REGION = "111122223333", "ap-northeast-1"
ARN = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/audit"
ADVICE = (
    "Delivery of the trail audit is not proven. "
    "Check the bucket policy, AWS_DEFAULT_REGION, credentials and network.\n"
)


def test_the_newest_file_is_shown(run: Callable[..., Any], trail: Any, s3: Any) -> None:
    result = run("check_delivery", "--trail-name", "audit")
    assert (result.status, result.errors) == (0, "")
    first, second = result.output.splitlines()
    assert first == "trail audit: logging, no delivery error"
    shown = re.fullmatch(rf"newest file: s3://{trail.bucket}/(.+)", second)
    assert shown
    assert re.fullmatch(
        rf"AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/\d{{4}}/\d\d/\d\d/"
        rf"{ACCOUNT}_CloudTrail_{REGION}_\d{{8}}T\d{{4}}Z_\w{{16}}\.json\.gz",
        shown[1],
    )
    assert s3.head_object(Bucket=trail.bucket, Key=shown[1])


def test_of_several_files_the_newest_is_shown(
    example: Callable[[str], Any], make_bucket: Callable[[str], str], s3: Any
) -> None:
    bucket = make_bucket("amzn-s3-demo-other")
    for key in ("logs/b", "logs/a", "other/z"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    newest = example("check_delivery").newest_file
    assert newest(s3, bucket, "logs/") == "logs/a"
    assert newest(s3, bucket, "none/") is None


def test_a_trail_that_does_not_log(run: Callable[..., Any], trail: Any, cloudtrail: Any) -> None:
    cloudtrail.stop_logging(Name="audit")
    result = run("check_delivery", "--trail-name", "audit")
    assert (result.status, result.output) == (1, "")
    assert result.errors == f"The trail does not log: call cloudtrail:StartLogging. {ADVICE}"


def test_a_bucket_that_refuses_the_files(run: Callable[..., Any], trail: Any, s3: Any) -> None:
    s3.delete_bucket_policy(Bucket=trail.bucket)
    result = run("check_delivery", "--trail-name", "audit")
    assert (result.status, result.output) == (1, "")
    assert result.errors == f"S3 refuses the log files: AccessDenied. {ADVICE}"


def test_a_trail_that_does_not_exist(run: Callable[..., Any]) -> None:
    result = run("check_delivery", "--trail-name", "audit")
    assert result.status == 1
    assert "(TrailNotFoundException)" in result.errors
    assert result.errors.endswith(ADVICE)


def answering(*statuses: dict[str, Any]) -> Any:
    """A client of CloudTrail whose trail goes through these states."""
    left = list(statuses)
    return SimpleNamespace(get_trail_status=lambda Name: {"IsLogging": True, **left.pop(0)})  # noqa: N803


AT = datetime(2026, 11, 20, 5, 0, tzinfo=timezone(timedelta(hours=9)))


@pytest.mark.parametrize(
    ("prefix", "folder"),
    [
        (None, f"AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/2026/11/19/"),
        ("team", f"team/AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/2026/11/19/"),
    ],
)
def test_it_waits_and_looks_into_the_day_of_utc(
    example: Callable[[str], Any],
    monkeypatch: pytest.MonkeyPatch,
    prefix: str | None,
    folder: str,
) -> None:
    module = example("check_delivery")
    asked: list[str] = []
    waited: list[int] = []

    def newest_file(s3: Any, bucket: str, key: str) -> str:
        asked.append(key)
        return "file"

    monkeypatch.setattr(module.time, "sleep", waited.append)
    monkeypatch.setattr(module, "newest_file", newest_file)
    trail = {"TrailARN": ARN, "HomeRegion": REGION, "S3BucketName": "b"}
    if prefix:
        trail["S3KeyPrefix"] = prefix
    client = answering({}, {}, {"LatestDeliveryTime": AT})
    assert module.wait_for_file(client, None, trail) == "file"
    assert asked == [folder]
    assert waited == [0, 60, 60]


def test_it_gives_up(example: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    module = example("check_delivery")
    monkeypatch.setattr(module.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(module, "newest_file", lambda s3, bucket, key: None)
    trail = {"TrailARN": ARN, "HomeRegion": REGION, "S3BucketName": "b"}
    states: list[dict[str, Any]] = [{}] * 10 + [{"LatestDeliveryTime": AT}] * 10
    assert module.wait_for_file(answering(*states), None, trail) is None


def test_an_interrupted_wait_is_told_in_one_line(
    run: Callable[..., Any], trail: Any, refuse_delivery: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[int] = []

    def interrupt(seconds: int) -> None:
        waited.append(seconds)
        if seconds:
            raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", interrupt)
    result = run("check_delivery", "--trail-name", "audit")
    assert waited[-1] == 60
    assert (result.status, result.output) == (1, "")
    assert result.errors == f"Interrupted. {ADVICE}"


def test_without_a_file_the_program_fails(
    run: Callable[..., Any], trail: Any, log_bucket: str, refuse_delivery: None
) -> None:
    result = run("check_delivery", "--trail-name", "audit")
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        "The trail audit logs, but no file of its home Region has come: run it again.\n"
    )


@pytest.fixture
def refuse_delivery(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing happens that the trail could record."""
    monkeypatch.setattr("awslab.services.cloudtrail.delivery.deliver", lambda: None)
