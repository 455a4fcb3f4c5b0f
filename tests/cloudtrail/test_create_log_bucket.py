import json
from collections.abc import Callable
from typing import Any

import pytest
from awslab.policy import verdict
from botocore.exceptions import ClientError
from proofs.trace import Trace, watching

ACCOUNT = "111122223333"
BUCKET = "amzn-s3-demo-logs-111122223333"
REGION = "ap-northeast-1"
ARGUMENTS = ("--bucket", BUCKET, "--trail-name", "audit")
TRAIL = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/audit"
ADVICE = "Check the names, AWS_DEFAULT_REGION, credentials and network.\n"


def test_the_bucket_is_private_and_in_the_region(run: Callable[..., Any], s3: Any) -> None:
    result = run("create_log_bucket", *ARGUMENTS)
    assert (result.status, result.errors) == (0, "")
    assert result.output == f"{BUCKET}: no public access\nmay deliver: {TRAIL}\n"
    assert s3.get_bucket_location(Bucket=BUCKET)["LocationConstraint"] == REGION
    blocked = s3.get_public_access_block(Bucket=BUCKET)["PublicAccessBlockConfiguration"]
    assert set(blocked.values()) == {True}
    assert len(blocked) == 4


def test_in_us_east_1_no_location_is_named(run: Callable[..., Any], s3: Any) -> None:
    result = run("create_log_bucket", *ARGUMENTS, AWS_DEFAULT_REGION="us-east-1")
    assert result.output.endswith(f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/audit\n")
    assert s3.get_bucket_location(Bucket=BUCKET)["LocationConstraint"] is None


@pytest.mark.parametrize(
    ("trail", "action", "key", "acl", "said"),
    [
        ("audit", "s3:GetBucketAcl", "", None, "allow"),
        (
            "audit",
            "s3:PutObject",
            f"/AWSLogs/{ACCOUNT}/CloudTrail/x",
            "bucket-owner-full-control",
            "allow",
        ),
        ("audit", "s3:PutObject", f"/AWSLogs/{ACCOUNT}/CloudTrail/x", "private", "silent"),
        ("audit", "s3:PutObject", f"/AWSLogs/{ACCOUNT}/CloudTrail/x", None, "silent"),
        ("audit", "s3:PutObject", "/AWSLogs/444455556666/x", "bucket-owner-full-control", "silent"),
        ("audit", "s3:PutObject", "/other", "bucket-owner-full-control", "silent"),
        ("audit", "s3:GetObject", f"/AWSLogs/{ACCOUNT}/x", None, "silent"),
        ("other", "s3:GetBucketAcl", "", None, "silent"),
        (
            "other",
            "s3:PutObject",
            f"/AWSLogs/{ACCOUNT}/CloudTrail/x",
            "bucket-owner-full-control",
            "silent",
        ),
    ],
)
def test_the_policy_lets_cloudtrail_write_for_this_trail_only(
    example: Callable[[str], Any], trail: str, action: str, key: str, acl: str | None, said: str
) -> None:
    policy = example("create_log_bucket").bucket_policy(BUCKET, ACCOUNT, TRAIL)
    context = {"aws:SourceArn": f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/{trail}"}
    if acl:
        context["s3:x-amz-acl"] = acl
    resource = f"arn:aws:s3:::{BUCKET}{key}"
    assert verdict(policy, action, resource, ["cloudtrail.amazonaws.com"], context) == said
    assert verdict(policy, action, resource, ["config.amazonaws.com"], context) == "silent"


def test_a_trail_of_that_name_can_use_the_bucket_and_another_cannot(
    run: Callable[..., Any], cloudtrail: Any, s3: Any
) -> None:
    run("create_log_bucket", *ARGUMENTS)
    with pytest.raises(ClientError, match="InsufficientS3BucketPolicyException"):
        cloudtrail.create_trail(Name="other", S3BucketName=BUCKET)
    cloudtrail.create_trail(Name="audit", S3BucketName=BUCKET)
    cloudtrail.start_logging(Name="audit")
    cloudtrail.describe_trails()
    assert s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] > 0


def test_a_bucket_that_exists_is_left_alone(
    run: Callable[..., Any], log_bucket: str, s3: Any
) -> None:
    before = s3.get_bucket_policy(Bucket=BUCKET)["Policy"]
    result = run("create_log_bucket", *ARGUMENTS)
    assert (result.status, result.output) == (1, "")
    assert result.errors == f"The bucket {BUCKET} exists already. No bucket was created. {ADVICE}"
    assert s3.get_bucket_policy(Bucket=BUCKET)["Policy"] == before


LONG = "a" * 64


@pytest.mark.parametrize(
    "name",
    ["Bad_Bucket", "bad_bucket", "Bad", "ab", LONG, "-abc", "abc-", ".abc", "a..b", "192.168.5.4"],
)
def test_what_is_no_name_of_a_bucket(run: Callable[..., Any], s3: Any, name: str) -> None:
    with watching(Trace()) as trace:
        result = run("create_log_bucket", f"--bucket={name}", "--trail-name", "audit")
    assert (result.status, result.output, trace.calls) == (1, "", [])
    assert result.errors == (
        f"'{name}' is no name of a bucket: it takes 3 to 63 lowercase letters, digits, hyphens "
        f"and single dots between them. No bucket was created. {ADVICE}"
    )
    assert s3.list_buckets()["Buckets"] == []


@pytest.mark.parametrize(
    "name",
    ["a", "ab", LONG * 2 + "a", "-abc", "abc.", "my-_trail", "my--trail", "trail/a", "192.168.5.4"],
)
def test_what_is_no_name_of_a_trail(run: Callable[..., Any], s3: Any, name: str) -> None:
    with watching(Trace()) as trace:
        result = run("create_log_bucket", "--bucket", BUCKET, f"--trail-name={name}")
    assert (result.status, result.output, trace.calls) == (1, "", [])
    assert result.errors == (
        f"'{name}' is no name of a trail: it takes 3 to 128 letters, digits and single dots, "
        f"hyphens or underscores between them. No bucket was created. {ADVICE}"
    )
    assert s3.list_buckets()["Buckets"] == []


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("bucket", "a-b"),
        ("bucket", "a--b.c"),
        ("bucket", "123"),
        ("bucket", LONG[:63]),
        ("trail", "a.b"),
        ("trail", "My_trail-1"),
        ("trail", LONG * 2),
    ],
)
def test_names_that_aws_accepts(example: Callable[[str], Any], kind: str, name: str) -> None:
    example("create_log_bucket").check_name(kind, name)


def test_a_half_made_bucket_is_named(
    run: Callable[..., Any], s3: Any, refuse: Callable[..., Any]
) -> None:
    with refuse("PutBucketPolicy"):
        result = run("create_log_bucket", *ARGUMENTS)
    assert result.status == 1
    assert result.errors == (
        "An error occurred (AccessDenied) when calling the PutBucketPolicy operation: no. "
        f"{BUCKET} was created and is not ready: delete it with remove_log_bucket.py. {ADVICE}"
    )
    assert s3.head_bucket(Bucket=BUCKET)
    assert run("remove_log_bucket", "--bucket", BUCKET).status == 0


def test_the_policy_that_is_stored_is_the_one_shown(
    run: Callable[..., Any], s3: Any, example: Callable[[str], Any]
) -> None:
    run("create_log_bucket", *ARGUMENTS)
    stored = json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"])
    assert stored == example("create_log_bucket").bucket_policy(BUCKET, ACCOUNT, TRAIL)
    assert [each["Sid"] for each in stored["Statement"]] == ["AclCheck", "Write"]
