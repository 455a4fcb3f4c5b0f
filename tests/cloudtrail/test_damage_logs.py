"""One log file is damaged, in the way that was asked for; real trails are refused."""

import gzip
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from cloudtrail.sample_records import module


def logs(s3: Any, bucket: str) -> dict[str, bytes]:
    """Key to content of what lies in the folders of log files."""
    listed = s3.list_objects_v2(Bucket=bucket, Prefix="AWSLogs/").get("Contents", [])
    keys = [found["Key"] for found in listed if "/CloudTrail/" in found["Key"]]
    return {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}


@pytest.fixture
def stopped(s3: Any, trail: Any, cloudtrail: Any) -> str:
    """The bucket of a trail that logs no more, so that nothing changes but by the program."""
    cloudtrail.stop_logging(Name=trail.name)
    return str(trail.bucket)


def test_modify_takes_one_event_out(run: Callable[..., Any], s3: Any, stopped: str) -> None:
    before = logs(s3, stopped)
    result = run("damage_logs", "--bucket", stopped, "--modify")
    assert result.status == 0
    after = logs(s3, stopped)
    (key,) = [key for key in before if before[key] != after[key]]
    assert result.output == f"took one event out of {key}\n"
    old, new = (json.loads(gzip.decompress(each[key]))["Records"] for each in (before, after))
    assert new == old[:-1]
    assert after.keys() == before.keys()


def test_delete_deletes_one(run: Callable[..., Any], s3: Any, stopped: str) -> None:
    before = logs(s3, stopped)
    result = run("damage_logs", "--bucket", stopped, "--delete")
    (gone,) = before.keys() - logs(s3, stopped).keys()
    assert (result.status, result.output) == (0, f"deleted {gone}\n")


def test_insert_adds_one_beside_the_others(run: Callable[..., Any], s3: Any, stopped: str) -> None:
    before = logs(s3, stopped)
    result = run("damage_logs", "--bucket", stopped, "--insert")
    after = logs(s3, stopped)
    (new,) = after.keys() - before.keys()
    assert (result.status, result.output) == (0, f"inserted {new}\n")
    assert json.loads(gzip.decompress(after.pop(new))) == {"Records": []}
    assert after == before
    assert new[: -len("Inserted12345678.json.gz")] in {key[:-24] for key in before}


class Later:
    """`datetime`, two days ahead."""

    @staticmethod
    def now(zone: Any) -> datetime:
        return datetime.now(zone) + timedelta(days=2)


def test_a_trail_that_is_older_than_a_day_is_refused(
    s3: Any, stopped: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    damage = module("damage_logs")
    assert damage.find_log(s3, stopped) in logs(s3, stopped)
    monkeypatch.setattr(damage, "datetime", Later)
    with pytest.raises(RuntimeError, match="has log files older than a day: no practice trail"):
        damage.find_log(s3, stopped)


@pytest.mark.parametrize("how", ["--modify", "--delete", "--insert"])
def test_without_log_files_nothing_happens(
    run: Callable[..., Any], s3: Any, make_bucket: Callable[[str], str], how: str
) -> None:
    bucket = make_bucket("amzn-s3-demo-empty")
    s3.put_object(Bucket=bucket, Key="AWSLogs/1/CloudTrail-Digest/a", Body=b"digest")
    result = run("damage_logs", "--bucket", bucket, how)
    assert result.status == 1
    assert f"{bucket} holds no log file yet" in result.errors
    assert f"Nothing in {bucket} was changed." in result.errors


def test_an_unknown_bucket(run: Callable[..., Any]) -> None:
    result = run("damage_logs", "--bucket", "amzn-s3-demo-none", "--delete")
    assert result.status == 1
    assert "NoSuchBucket" in result.errors


@pytest.mark.parametrize("arguments", [[], ["--modify", "--delete"]])
def test_one_kind_of_damage_is_to_be_chosen(run: Callable[..., Any], arguments: list[str]) -> None:
    assert run("damage_logs", "--bucket", "b", *arguments).status == 2
