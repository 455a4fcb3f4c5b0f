"""The made-up logs: the same on every machine, in CloudTrail's layout, and what queries need."""

import gzip
import hashlib
import ipaddress
import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cloudtrail.sample_records import BUCKET, Record, module

KEY = re.compile(
    r"AWSLogs/111122223333/CloudTrail/(?P<region>[a-z0-9-]+)/(?P<day>2026/10/\d\d)/"
    r"111122223333_CloudTrail_(?P=region)_\d{8}T\d{4}Z_[0-9A-Za-z]{16}\.json\.gz"
)
SHA = "73080e7f20fbae01b84de8643242c5866fbd3ab3e65227432bf04d568764b39f"
DOCUMENTATION = [
    ipaddress.ip_network(net) for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")
]


def files(folder: Path) -> dict[str, list[Record]]:
    return {
        path.relative_to(folder).as_posix(): json.loads(gzip.decompress(path.read_bytes()))[
            "Records"
        ]
        for path in sorted(folder.rglob("*.gz"))
    }


@pytest.fixture
def written(run: Callable[..., Any], tmp_path: Path) -> dict[str, list[Record]]:
    result = run("write_sample_logs", str(tmp_path / "logs"))
    assert (result.status, result.errors) == (0, "")
    found = files(tmp_path / "logs")
    events = sum(map(len, found.values()))
    assert result.output == (
        f"{len(found)} log files with {events} events below {tmp_path}/logs/AWSLogs\n"
    )
    return found


def test_the_content_is_the_same_on_every_machine(written: dict[str, list[Record]]) -> None:
    text = json.dumps(written, sort_keys=True).encode()
    assert hashlib.sha256(text).hexdigest() == SHA


def test_another_seed_makes_other_files(run: Callable[..., Any], tmp_path: Path) -> None:
    for name, arguments in {"a": [], "b": ["--seed", "7"], "c": ["--seed", "8"]}.items():
        assert run("write_sample_logs", str(tmp_path / name), "--days", "2", *arguments).status == 0
    a, b, c = (files(tmp_path / name) for name in "abc")
    assert a == b != c
    assert {key.split("/")[6] for key in a} == {"01", "02"}


def test_each_file_lies_where_cloudtrail_puts_it(written: dict[str, list[Record]]) -> None:
    days = set()
    for key, records in written.items():
        place = KEY.fullmatch(key)
        assert place
        days.add(place["day"])
        for record in records:
            assert record["awsRegion"] == place["region"]
            assert record["eventTime"].startswith(place["day"].replace("/", "-"))
    assert len(days) == 31
    assert len({key.split("/")[3] for key in written}) == 3


def test_a_month_holds_what_the_queries_ask_for(written: dict[str, list[Record]]) -> None:
    records = [record for found in written.values() for record in found]
    assert 2_000 < len(records) < 6_000
    assert len({record["eventID"] for record in records}) == len(records)
    assert {record["eventVersion"] for record in records} == {"1.11"}
    names = Counter(record["eventName"] for record in records)
    assert {"CreateTrainingJob", "UpdateEndpoint", "ConsoleLogin", "DeleteBucket"} <= names.keys()
    assert names["DeleteBucket"] == 1
    errors = {record.get("errorCode") for record in records}
    assert {"AccessDenied", "ThrottlingException"} <= errors
    data = [record for record in records if record["eventCategory"] == "Data"]
    volumes = Counter(record["requestParameters"]["bucketName"] for record in data)
    (_, first), *_, (_, last) = volumes.most_common()
    assert len(volumes) == 3 and first > 10 * last
    kinds = {record["userIdentity"]["type"] for record in records}
    assert kinds == {"IAMUser", "AssumedRole", "Root", "AWSService"}
    sign_ins = [record for record in records if record["eventName"] == "ConsoleLogin"]
    said = {
        (r["userIdentity"]["type"], r["additionalEventData"]["MFAUsed"], result)
        for r in sign_ins
        for result in [r["responseElements"]["ConsoleLogin"]]
    }
    assert said == {
        ("IAMUser", "Yes", "Success"),
        ("IAMUser", "No", "Success"),
        ("IAMUser", "No", "Failure"),
        ("Root", "No", "Success"),
        ("AssumedRole", "No", "Success"),
    }


def test_nothing_in_them_could_be_real(written: dict[str, list[Record]]) -> None:
    text = json.dumps(written)
    assert set(re.findall(r"(?<![\w-])\d{12}(?!\w)", text)) == {"111122223333"}
    assert not re.search(r"A[KS]IA", text)
    for records in written.values():
        for record in records:
            address = record["sourceIPAddress"]
            if address != "cloudtrail.amazonaws.com":
                assert any(ipaddress.ip_address(address) in net for net in DOCUMENTATION)


def test_the_bucket_gets_the_same_files(run: Callable[..., Any], s3: Any, tmp_path: Path) -> None:
    result = run("write_sample_logs", "--bucket", BUCKET, "--days", "2")
    assert result.status == 0
    assert result.output.endswith(f" events below s3://{BUCKET}/AWSLogs\n")
    listed = [found["Key"] for found in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
    run("write_sample_logs", str(tmp_path), "--days", "2")
    assert listed == list(files(tmp_path))
    for key in listed:
        body = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        assert body == (tmp_path / key).read_bytes()
    region = s3.get_bucket_location(Bucket=BUCKET)["LocationConstraint"]
    assert region == "ap-northeast-1"


def test_the_one_region_that_must_not_be_named(run: Callable[..., Any], s3: Any) -> None:
    result = run(
        "write_sample_logs", "--bucket", BUCKET, "--days", "1", AWS_DEFAULT_REGION="us-east-1"
    )
    assert result.status == 0
    assert s3.get_bucket_location(Bucket=BUCKET)["LocationConstraint"] is None


@pytest.mark.parametrize("region", ["ap-northeast-1", "us-east-1"])
def test_a_bucket_that_exists_stays_as_it_is(
    run: Callable[..., Any], client: Callable[..., Any], region: str
) -> None:
    s3 = client("s3", region)
    where = {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=BUCKET, **({} if region == "us-east-1" else where))
    result = run("write_sample_logs", "--bucket", BUCKET, AWS_DEFAULT_REGION=region)
    assert result.status == 1
    assert f"The bucket {BUCKET} exists already" in result.errors
    assert "remove_sample_logs" not in result.errors
    assert f"0 log files were written below s3://{BUCKET}/AWSLogs" in result.errors
    assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET)


def test_a_bucket_of_its_own_is_left_with_a_hint(
    run: Callable[..., Any], refuse: Callable[..., Any]
) -> None:
    with refuse("PutObject"):
        result = run("write_sample_logs", "--bucket", BUCKET)
    assert result.status == 1
    assert f"remove_sample_logs.py deletes the bucket {BUCKET}." in result.errors


def test_a_bucket_that_was_not_created_has_no_hint(
    run: Callable[..., Any], refuse: Callable[..., Any]
) -> None:
    with refuse("CreateBucket"):
        result = run("write_sample_logs", "--bucket", BUCKET)
    assert result.status == 1
    assert "AccessDenied" in result.errors
    assert "remove_sample_logs" not in result.errors


def test_a_folder_with_logs_stays_as_it_is(run: Callable[..., Any], tmp_path: Path) -> None:
    assert run("write_sample_logs", str(tmp_path), "--days", "1").status == 0
    before = files(tmp_path)
    result = run("write_sample_logs", str(tmp_path), "--days", "1", "--seed", "8")
    assert result.status == 1
    assert f"{tmp_path}/AWSLogs exists already: give another folder. 0 log" in result.errors
    assert files(tmp_path) == before


def test_a_folder_that_cannot_be_written(run: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = run("write_sample_logs", str(tmp_path / "file"))
    assert result.status == 1
    assert "Not a directory" in result.errors
    assert "remove_sample_logs" not in result.errors


@pytest.mark.parametrize(
    "arguments", [[], ["a", "--bucket", "b"], ["a", "--days", "0"], ["a", "--seed", "x"]]
)
def test_bad_arguments(run: Callable[..., Any], arguments: list[str]) -> None:
    assert run("write_sample_logs", *arguments).status == 2


@pytest.mark.parametrize("days", ["0", "32", "40"])
def test_days_that_october_does_not_have(
    run: Callable[..., Any], tmp_path: Path, days: str
) -> None:
    result = run("write_sample_logs", str(tmp_path), "--days", days)
    assert result.status == 2
    assert result.errors.endswith(f"error: --days {days}: give 1 to 31\n")
    assert list(tmp_path.iterdir()) == []


def test_a_weekend_is_quiet_in_the_office() -> None:
    saturday = [r for _, found in module("write_sample_logs").log_files(7, 3) for r in found]
    office = {r["eventTime"][:10] for r in saturday if r["sourceIPAddress"] == "192.0.2.10"}
    assert office == {"2026-10-01", "2026-10-02"}
