"""The integrity check beside the real AWS CLI: the same verdict on the same files, and more."""

import gzip
import json
import re
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from awslab.embedded import environment
from awslab.scenarios import EXAMPLES
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from cloudtrail.sample_records import module

AWS = EXAMPLES.parent / ".venv" / "aws-cli" / "bin" / "aws"
ACCOUNT, REGION, OTHER = "111122223333", "ap-northeast-1", "eu-west-1"
BUCKET = f"amzn-s3-demo-logs-{ACCOUNT}"
ARN = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/audit"
Verdicts = set[tuple[str, str, str]]  # kind, verdict, key
REGIONS = {
    "no digest": re.compile(r"no digest of (.+): were all deleted, or its log files inserted\?"),
    "late": re.compile(r"newest digest of (.+) ends 3 hours ago: was one deleted\?"),
}


class Story:
    """A served lab with a trail that has logged for three hours in two Regions."""

    def __init__(self, address: str, prefix: str = "") -> None:
        self.address, self.prefix = address, prefix
        self.s3, self.cloudtrail = self.client("s3"), self.client("cloudtrail")
        where = {"LocationConstraint": REGION}
        self.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
        service = {"Service": "cloudtrail.amazonaws.com"}
        allow = {"Effect": "Allow", "Principal": service, "Action": "s3:*", "Resource": "*"}
        self.s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps({"Statement": [allow]}))
        self.clock(speed=0)
        self.cloudtrail.create_trail(
            Name="audit",
            S3BucketName=BUCKET,
            S3KeyPrefix=prefix,
            IsMultiRegionTrail=True,
            EnableLogFileValidation=True,
        )
        self.cloudtrail.start_logging(Name="audit")
        self.hour()
        self.hour()
        self.hour()

    def client(self, service: str, region: str = REGION) -> Any:
        own = environment()
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=self.address,
            aws_access_key_id=own["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=own["AWS_SECRET_ACCESS_KEY"],
        )

    def clock(self, **change: Any) -> None:
        data = json.dumps(change).encode()
        kind = {"Content-Type": "application/json"}
        asked = urllib.request.Request(f"{self.address}/_lab/clock", data=data, headers=kind)
        urllib.request.urlopen(asked).close()

    def hour(self) -> None:
        """Calls in both Regions, and an hour that ends with digests."""
        for region in (REGION, OTHER):
            self.client("sagemaker", region).list_models()
        self.clock(advance=3600)

    def keys(self, folder: str, region: str = REGION) -> list[str]:
        """The keys of log files (`CloudTrail`) or digests (`CloudTrail-Digest`)."""
        start = f"{self.prefix}/" if self.prefix else ""
        where = f"{start}AWSLogs/{ACCOUNT}/{folder}/{region}/"
        listed = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=where)
        return [found["Key"] for found in listed.get("Contents", [])]

    def digests(self, region: str = REGION) -> list[str]:
        """The oldest first."""
        return self.keys("CloudTrail-Digest", region)

    def logs_of(self, digest: str) -> list[str]:
        body = self.s3.get_object(Bucket=BUCKET, Key=digest)["Body"].read()
        return [log["s3Object"] for log in json.loads(gzip.decompress(body))["logFiles"]]

    def change(self, key: str, how: Callable[[bytes], bytes]) -> None:
        """Put the object back with another content and its own metadata."""
        found = self.s3.get_object(Bucket=BUCKET, Key=key)
        body = how(found["Body"].read())
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=body, Metadata=found["Metadata"])

    def delete(self, key: str) -> None:
        self.s3.delete_object(Bucket=BUCKET, Key=key)

    def check(self, *arguments: str) -> tuple[int, Verdicts, str]:
        """Exit status, what is named, and the last line or the error."""
        program = EXAMPLES / "cloudtrail" / "validate_integrity.py"
        prefix = ["--prefix", self.prefix] if self.prefix else []
        command = [sys.executable, str(program), "--bucket", BUCKET, *prefix]
        done = self.run([*command, *(arguments or ("--trail-name", "audit"))])
        assert "Traceback" not in done.stderr
        lines = done.stdout.splitlines()
        line = re.compile(rf"(.+) (digest|log) file: s3://{BUCKET}/(.+)")
        named = {(m[2], m[1], m[3]) for each in lines[:-1] if (m := line.fullmatch(each))}
        for said, pattern in REGIONS.items():
            named |= {("Region", said, m[1]) for each in lines if (m := pattern.fullmatch(each))}
        assert len(named) == len(lines[:-1])
        return done.returncode, named, lines[-1] if lines else done.stderr

    def cli(self, region: str = REGION) -> tuple[int, Verdicts, Verdicts]:
        """Exit status, the changed and the valid files of one Region, by the AWS CLI."""
        if not AWS.exists():
            pytest.skip("no AWS CLI: `make .venv/cli` installs it")
        now = datetime.now(UTC)
        times = ((now + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ") for days in (-1, 1))
        start, end = times
        command = [str(AWS), "--region", region, "cloudtrail", "validate-logs", "--verbose"]
        done = self.run([*command, "--trail-arn", ARN, "--start-time", start, "--end-time", end])
        line = re.compile(rf"(Digest|Log) file\ts3://{BUCKET}/(\S+)\t(valid|INVALID: .+)")
        found = line.findall(done.stdout + done.stderr)
        valid = {(kind.lower(), said, key) for kind, key, said in found if said == "valid"}
        bad = {(kind.lower(), said, key) for kind, key, said in found if said != "valid"}
        assert valid or bad, done.stderr
        return done.returncode, bad, valid

    def run(self, command: list[str]) -> Any:
        own = environment(AWS_ENDPOINT_URL=self.address, AWS_PAGER="")
        return subprocess.run(command, env=own, capture_output=True, text=True, check=False)


@pytest.fixture
def story(lab_server: str) -> Iterator[Story]:
    made = Story(lab_server)
    yield made
    made.clock(speed=None)


def in_words(bad: Verdicts) -> Verdicts:
    """The CLI's verdicts in our words."""

    def verdict(said: str) -> str:
        return "deleted" if said == "INVALID: not found" else "modified"

    return {(kind, verdict(said), key) for kind, said, key in bad}


def same(story: Story) -> Verdicts:
    """What both say was changed, after it was compared file by file."""
    status, named, last = story.check()
    changed = {each for each in named if each[1] in ("modified", "deleted")}
    cli = [story.cli(region) for region in (REGION, OTHER)]
    assert changed == in_words(cli[0][1] | cli[1][1])
    assert max(code for code, _, _ in cli) == int(bool(changed)) <= status
    valid = cli[0][2] | cli[1][2]
    for kind in ("digest", "log"):
        good = sum(each[0] == kind for each in valid)
        bad = sum(each[0] == kind for each in changed)
        assert f"{good}/{good + bad} {kind} files valid" in last
    return changed


def rewritten(content: bytes) -> bytes:
    document = json.loads(gzip.decompress(content))
    document["Records"].pop()
    return gzip.compress(json.dumps(document).encode())


def replacing(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    return lambda body: gzip.compress(gzip.decompress(body).replace(old, new))


def test_untouched_files_are_valid(story: Story) -> None:
    assert same(story) == set()
    status, named, last = story.check()
    assert (status, named) == (0, set())
    assert last.startswith("6/6 digest files valid, ")
    assert last.endswith("log files valid, 0 inserted, 0 newer, 0 without digest")


@pytest.mark.parametrize("region", [REGION, OTHER])
def test_a_modified_log_file(story: Story, region: str) -> None:
    key = story.keys("CloudTrail", region)[0]
    story.change(key, rewritten)
    assert same(story) == {("log", "modified", key)}


def test_a_log_file_that_was_compressed_anew_is_not_modified(story: Story) -> None:
    key = story.keys("CloudTrail")[0]
    story.change(key, lambda body: gzip.compress(gzip.decompress(body), compresslevel=1))
    assert same(story) == set()


@pytest.mark.parametrize(
    "how",
    [
        lambda body: b"no gzip",
        lambda body: body[: len(body) // 2],
        lambda body: body + b"more",
        lambda body: body + bytes(8),
        lambda body: body + gzip.compress(b"more"),
        lambda body: b"",
    ],
    ids=["no gzip", "half", "more", "zeros", "second stream", "empty"],
)
def test_a_damaged_log_file(story: Story, how: Callable[[bytes], bytes]) -> None:
    key = story.keys("CloudTrail")[0]
    story.change(key, how)
    assert same(story) == {("log", "modified", key)}


def test_a_deleted_log_file(story: Story) -> None:
    key = story.keys("CloudTrail")[0]
    story.delete(key)
    assert same(story) == {("log", "deleted", key)}


def test_a_deleted_digest_is_a_gap_and_its_log_files_cannot_be_checked(story: Story) -> None:
    key = story.digests()[1]
    logs = story.logs_of(key)
    story.delete(key)
    assert same(story) == {("digest", "deleted", key)}
    status, named, last = story.check()
    assert status == 1
    assert {each for each in named if each[0] == "log"} == {
        ("log", "without digest", log) for log in logs
    }
    assert last.endswith(f"0 inserted, 0 newer, {len(logs)} without digest")


@pytest.mark.parametrize(
    "how",
    [
        lambda body: gzip.compress(
            gzip.decompress(body).replace(b'"hashValue":"', b'"hashValue":"0')
        ),
        lambda body: gzip.compress(b"[]"),
        lambda body: gzip.compress(b"[" * 100_000),
        lambda body: gzip.compress(b"{}"),
        lambda body: b"no gzip",
        lambda body: gzip.compress(
            gzip.decompress(body).replace(b'"digestS3Object":"', b'"digestS3Object":"x/')
        ),
        lambda body: gzip.compress(
            gzip.decompress(body).replace(b'Fingerprint":"', b'Fingerprint":"0')
        ),
    ],
    ids=["hash", "list", "deep", "empty", "no gzip", "moved", "key"],
)
def test_a_modified_digest(story: Story, how: Callable[[bytes], bytes]) -> None:
    key = story.digests()[1]
    story.change(key, how)
    assert same(story) == {("digest", "modified", key)}


def test_a_digest_without_its_signature(story: Story) -> None:
    key = story.digests()[2]
    body = story.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    story.s3.put_object(Bucket=BUCKET, Key=key, Body=body)
    assert same(story) == {("digest", "modified", key)}


def test_everything_at_once(story: Story) -> None:
    logs, digests = story.keys("CloudTrail"), story.digests(OTHER)
    story.change(logs[0], rewritten)
    story.delete(logs[1])
    story.delete(digests[0])
    story.change(digests[2], lambda body: b"")
    assert len(same(story)) == 4


def test_the_cli_says_nothing_of_an_inserted_file(story: Story) -> None:
    folder = story.keys("CloudTrail")[0].rpartition("/")[0]
    keys = [
        f"{folder}/{name}"
        for name in ("anything.json.gz", "x_20200101T0000Z_1234567890123456.json.gz")
    ]
    for key in keys:
        story.s3.put_object(Bucket=BUCKET, Key=key, Body=gzip.compress(b"{}"))
    story.hour()
    assert same(story) == set()
    status, named, last = story.check()
    assert status == 1
    assert named == {("log", "inserted", key) for key in keys}
    assert ", 2 inserted, 0 newer, 0 without digest" in last


def test_a_new_file_is_newer_until_the_next_digest_tells(story: Story) -> None:
    before = set(story.keys("CloudTrail"))
    story.client("sagemaker").list_models()
    story.clock(advance=600)
    status, named, last = story.check()
    assert (status, named) == (0, set())
    new = set(story.keys("CloudTrail")) - before
    assert new
    assert f"0 inserted, {len(new)} newer, 0 without digest" in last
    story.clock(advance=3600)
    assert story.check()[:2] == (0, set())


def test_a_file_put_there_later_under_an_old_name_is_inserted(story: Story) -> None:
    old = story.keys("CloudTrail")[0]
    key = old[: -len("1234567890123456.json.gz")] + "Inserted12345678.json.gz"
    story.s3.put_object(Bucket=BUCKET, Key=key, Body=gzip.compress(b"{}"))
    status, named, _ = story.check()
    assert (status, named) == (1, {("log", "inserted", key)})


def test_files_of_a_time_without_validation_are_not_called_inserted(story: Story) -> None:
    before = set(story.keys("CloudTrail"))
    story.cloudtrail.update_trail(Name="audit", EnableLogFileValidation=False)
    story.hour()
    story.cloudtrail.update_trail(Name="audit", EnableLogFileValidation=True)
    story.hour()
    assert same(story) == set()
    status, named, _ = story.check()
    assert status == 0
    assert {each[:2] for each in named} == {("log", "without digest")}
    assert not {key for _, _, key in named} & before


def test_a_trail_with_a_prefix(lab_server: str) -> None:
    story = Story(lab_server, "logs/all")
    try:
        assert same(story) == set()
        key = story.keys("CloudTrail")[0]
        assert key.startswith("logs/all/AWSLogs/")
        story.delete(key)
        assert same(story) == {("log", "deleted", key)}
        story.prefix = ""
        assert story.check()[0] == 2
    finally:
        story.clock(speed=None)


def test_a_trail_whose_name_begins_alike_is_another_one(story: Story) -> None:
    status, named, said = story.check("--trail-name", "audi")
    assert (status, named) == (2, set())
    assert said == nothing("audi", "")


def nothing(trail: str, folder: str) -> str:
    return (
        f"No digest of the trail {trail} below s3://{BUCKET}/{folder}AWSLogs/: nothing to check. "
        "Is --trail-name or --prefix wrong? Digests come once an hour, and the last one when the "
        "trail stops.\n"
    )


def test_a_wrong_prefix_is_named(story: Story) -> None:
    arguments = ("--trail-name", "audit", "--prefix", "logs/")
    assert story.check(*arguments) == (2, set(), nothing("audit", "logs/"))


def put(story: Story, key: str) -> str:
    story.s3.put_object(Bucket=BUCKET, Key=key, Body=gzip.compress(b"{}"))
    return key


IMPOSSIBLE = ("20261399T9999Z", "00000101T0000Z", "99991231T2359Z", "00010101T0000Z")


def test_log_files_with_impossible_times_are_inserted(story: Story) -> None:
    folder = story.keys("CloudTrail")[0].rpartition("/")[0]
    name = f"{folder}/{ACCOUNT}_CloudTrail_{REGION}"
    keys = [put(story, f"{name}_{time}_Inserted12345678.json.gz") for time in IMPOSSIBLE]
    status, named, last = story.check()
    assert (status, named) == (1, {("log", "inserted", key) for key in keys})
    assert last.endswith(", 4 inserted, 0 newer, 0 without digest")
    story.hour()
    assert story.check()[:2] == (status, named)


def test_digests_with_impossible_times_are_inserted_and_the_rest_is_checked(story: Story) -> None:
    first, _, _ = story.digests()[0].rpartition("_")
    times = ("notatime", "20261399T999999Z", "99991231T235959Z", "00010101T000000Z", "1_backfill")
    keys = {put(story, f"{first}_{time}.json.gz") for time in times}
    log = story.keys("CloudTrail")[0]
    story.change(log, rewritten)
    status, named, last = story.check()
    inserted = {("digest", "inserted", key) for key in keys}
    assert (status, named) == (1, inserted | {("log", "modified", log)})
    assert last.startswith("6/6 digest files valid, ")
    assert last.endswith(", 5 inserted, 0 newer, 0 without digest")
    for key in story.digests():
        if key not in keys:
            story.delete(key)
    for key in story.digests(OTHER):
        story.delete(key)
    status, named, last = story.check()
    assert (status, named) == (1, inserted)
    assert last.startswith("0/0 digest files valid, 0/0 log files valid, 5 inserted")


def test_a_digest_that_was_put_there_with_a_possible_time_is_modified(story: Story) -> None:
    first, _, _ = story.digests()[0].rpartition("_")
    key = put(story, f"{first}_20200101T000000Z.json.gz")
    status, named, _ = story.check()
    assert (status, named) == (1, {("digest", "modified", key)})


def test_a_region_whose_digests_are_all_gone_is_named(story: Story) -> None:
    logs = story.keys("CloudTrail", OTHER)
    for key in story.digests(OTHER):
        story.delete(key)
    story.change(logs[0], rewritten)
    status, named, last = story.check()
    place = f"AWSLogs/{ACCOUNT}/CloudTrail/{OTHER}/"
    without = {("log", "without digest", key) for key in logs}
    assert (status, named) == (1, {("Region", "no digest", place), *without})
    assert last.startswith("3/3 digest files valid, ")


def test_a_file_in_a_region_that_has_no_digest_is_noticed(story: Story) -> None:
    now = datetime.now(UTC)
    place = f"AWSLogs/{ACCOUNT}/CloudTrail/us-west-2/"
    name = f"{ACCOUNT}_CloudTrail_us-west-2_{now:%Y%m%dT%H%MZ}_1234567890123456.json.gz"
    key = put(story, f"{place}{now:%Y/%m/%d}/{name}")
    status, named, _ = story.check()
    assert status == 1
    assert named == {("Region", "no digest", place), ("log", "without digest", key)}


@pytest.mark.parametrize(
    ("minutes", "verdict"), [(9, "newer"), (12, "inserted"), (60 * 24 * 365, "inserted")]
)
def test_a_file_is_not_named_by_a_time_after_it_was_stored(
    story: Story, minutes: int, verdict: str
) -> None:
    old = story.keys("CloudTrail")[0]
    probe = put(story, "probe")
    stored = story.s3.head_object(Bucket=BUCKET, Key=probe)["LastModified"]
    later = stored + timedelta(minutes=minutes)
    name = f"{ACCOUNT}_CloudTrail_{REGION}_{later:%Y%m%dT%H%MZ}_1234567890123456.json.gz"
    key = put(story, f"{old.rpartition('/')[0]}/{name}")
    status, named, last = story.check()
    inserted = verdict == "inserted"
    assert (status, named) == (int(inserted), {("log", "inserted", key)} if inserted else set())
    assert f", {int(inserted)} inserted, {int(not inserted)} newer, " in last


def test_a_deleted_newest_digest_is_noticed_when_its_log_files_are_two_hours_old(
    story: Story,
) -> None:
    place = f"AWSLogs/{ACCOUNT}/CloudTrail/{OTHER}/"
    logs = story.logs_of(story.digests(OTHER)[-1])
    assert logs
    story.delete(story.digests(OTHER)[-1])
    story.cloudtrail.stop_logging(Name="audit")  # writes the last digests
    story.delete(story.digests(OTHER)[-1])
    status, named, last = story.check()
    assert (status, named) == (0, set())
    newer = int(last.split(" newer")[0].rpartition(" ")[2])
    assert newer >= len(logs)
    story.clock(advance=2 * 3600)
    put(story, f"AWSLogs/{ACCOUNT}/CloudTrail/clock")  # the clock of the lab is ahead of ours
    status, named, last = story.check()
    assert (status, named) == (1, {("Region", "late", place)})
    assert f", 0 inserted, {newer} newer, 0 without digest" in last


def test_what_cannot_be_checked_is_told(run: Callable[..., Any]) -> None:
    result = run("validate_integrity", "--bucket", BUCKET, "--trail-name", "audit")
    assert (result.status, result.output) == (2, "")
    assert "NoSuchBucket" in result.errors
    assert result.errors.endswith(
        f". {BUCKET} is not checked to the end. Check the bucket, AWS_DEFAULT_REGION, credentials "
        "and network.\n"
    )


@pytest.mark.parametrize("operation", ["ListObjectsV2", "GetObject"])
def test_only_who_is_refused_is_asked_for_a_permission(
    run: Callable[..., Any],
    trail: Any,
    cloudtrail: Any,
    refuse: Callable[..., Any],
    operation: str,
) -> None:
    cloudtrail.stop_logging(Name="audit")
    with refuse(operation):
        result = run("validate_integrity", "--bucket", BUCKET, "--trail-name", "audit")
    assert result.status == 2
    assert result.errors.endswith(
        f"no. {BUCKET} is not checked to the end. Do you need kms:Decrypt for its key?\n"
    )


def test_a_log_file_that_may_not_be_read_is_not_called_valid(s3: Any) -> None:
    check_log = module("validate_integrity").check_log
    with Stubber(s3) as stub:
        stub.add_client_error("get_object", "AccessDenied", http_status_code=403)
        with pytest.raises(ClientError, match="AccessDenied"):
            check_log(s3, {"s3Bucket": BUCKET, "s3Object": "a", "hashValue": "0"})


def test_a_backfill_digest_lists_files_too(story: Story) -> None:
    """CloudTrail adds such digests later, for files that an hour's digest has missed. The lab
    makes none, so a real digest is taken for one."""
    key = story.digests()[2]
    module_ = module("validate_integrity")
    name = key.removesuffix(".json.gz") + "_backfill.json.gz"
    found = story.s3.get_object(Bucket=BUCKET, Key=key)
    said = module_.time_of(key, found["LastModified"])
    assert module_.time_of(name, found["LastModified"]) == said
    assert f"_{said:%Y%m%dT%H%M%SZ}." in key
    assert said.tzinfo is UTC
    story.s3.put_object(
        Bucket=BUCKET, Key=name, Body=found["Body"].read(), Metadata=found["Metadata"]
    )
    # It says of itself that it lies elsewhere.
    assert ("digest", "modified", name) in story.check()[1]
