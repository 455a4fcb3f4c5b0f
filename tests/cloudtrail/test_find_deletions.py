import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

ACCOUNT, REGION = "111122223333", "ap-northeast-1"
NAME = "amzn-s3-demo-data"


def count(events: int, deletions: int) -> str:
    return f"events about {NAME}: {events}, deletions: {deletions}\n"


def test_who_deleted_a_bucket(
    run: Callable[..., Any], s3: Any, make_bucket: Callable[[str], str]
) -> None:
    make_bucket(NAME)
    make_bucket("amzn-s3-demo-other")
    s3.delete_bucket(Bucket=NAME)
    s3.delete_bucket(Bucket="amzn-s3-demo-other")
    result = run("find_deletions", "--resource", NAME)
    assert (result.status, result.errors) == (0, "")
    line, last = result.output.splitlines(keepends=True)
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ  DeleteBucket  "
        rf"by arn:aws:iam::{ACCOUNT}:user/lab  from 192\.0\.2\.1  in {REGION}\n",
        line,
    )
    assert last == count(2, 1)


def test_a_deletion_that_was_refused_is_told(
    run: Callable[..., Any], s3: Any, make_bucket: Callable[[str], str]
) -> None:
    make_bucket(NAME)
    s3.put_object(Bucket=NAME, Key="a", Body=b"")
    with pytest.raises(s3.exceptions.ClientError):
        s3.delete_bucket(Bucket=NAME)
    result = run("find_deletions", "--resource", NAME)
    assert result.output.splitlines()[0].endswith(f"  in {REGION}, refused: BucketNotEmpty")


def test_what_nobody_deleted(run: Callable[..., Any], make_bucket: Callable[[str], str]) -> None:
    make_bucket(NAME)
    assert run("find_deletions", "--resource", NAME).output == count(1, 0)
    assert run("find_deletions", "--resource", "x").output == "events about x: 0, deletions: 0\n"


def test_another_region_has_its_own_history(
    run: Callable[..., Any], client: Callable[..., Any]
) -> None:
    topic = client("sns", "us-west-2").create_topic(Name="t")["TopicArn"]
    client("sns", "us-west-2").delete_topic(TopicArn=topic)
    here = run("find_deletions", "--resource", topic)
    there = run("find_deletions", "--resource", topic, AWS_DEFAULT_REGION="us-west-2")
    assert here.output.endswith(": 0, deletions: 0\n")
    assert there.output.endswith("deletions: 1\n")
    assert "  in us-west-2\n" in there.output


def test_all_pages_are_read(
    run: Callable[..., Any], s3: Any, make_bucket: Callable[[str], str]
) -> None:
    make_bucket(NAME)
    for _ in range(60):
        s3.put_bucket_tagging(Bucket=NAME, Tagging={"TagSet": []})
    s3.delete_bucket(Bucket=NAME)
    assert run("find_deletions", "--resource", NAME).output.endswith(count(62, 1))


def test_the_request_asks_for_one_attribute_and_the_time(
    example: Callable[[str], Any], cloudtrail: Any
) -> None:
    asked: list[dict[str, Any]] = []
    cloudtrail.meta.events.register(
        "provide-client-params.cloudtrail.LookupEvents", lambda params, **_: asked.append(params)
    )
    assert list(example("find_deletions").find_events(cloudtrail, NAME, 7)) == []
    (request,) = asked
    assert request["LookupAttributes"] == [{"AttributeKey": "ResourceName", "AttributeValue": NAME}]
    assert request["MaxResults"] == 50
    since = datetime.now(UTC) - request["StartTime"]
    assert timedelta(days=7) <= since < timedelta(days=7, minutes=5)


def test_the_client_repeats_what_was_throttled(example: Callable[[str], Any]) -> None:
    assert example("find_deletions").RETRIES.retries == {"mode": "adaptive", "max_attempts": 10}


@pytest.mark.parametrize(
    ("days", "said"),
    [
        ("0", "0 is not 1 to 90"),
        ("91", "91 is not 1 to 90"),
        ("-1", "-1 is not 1 to 90"),
        ("x", "invalid int value: 'x'"),
    ],
)
def test_more_days_than_the_history_has(run: Callable[..., Any], days: str, said: str) -> None:
    result = run("find_deletions", "--resource", NAME, "--days", days)
    assert (result.status, result.output) == (2, "")
    assert result.errors.splitlines()[-1].endswith(f"error: argument --days: {said}")


@pytest.mark.parametrize("days", ["1", "90"])
def test_the_first_and_the_last_number_of_days(run: Callable[..., Any], days: str) -> None:
    assert run("find_deletions", "--resource", NAME, "--days", days).status == 0


def test_an_error_of_aws(run: Callable[..., Any], refuse: Callable[..., Any]) -> None:
    with refuse("LookupEvents"):
        result = run("find_deletions", "--resource", NAME)
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        "An error occurred (AccessDenied) when calling the LookupEvents operation: no. "
        "Check AWS_DEFAULT_REGION, credentials and network.\n"
    )
