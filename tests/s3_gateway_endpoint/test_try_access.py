import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

KEY = "a-key"
UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
ACTIONS = ["s3:PutObject", "s3:GetObject", "s3:ListBucket", "s3:DeleteObject"]
ALLOWED = dict.fromkeys(ACTIONS, "allowed")


@pytest.fixture
def deny(s3: Any, bucket: str) -> Callable[..., None]:
    """`deny("s3:PutObject", …)`: a bucket policy that denies these actions to everybody."""

    def write(*actions: str) -> None:
        statement = {
            "Effect": "Deny",
            "Principal": "*",
            "Action": list(actions),
            "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        }
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))

    return write


def refusal(action: str, bucket: str, key: str = KEY) -> str:
    """S3's words when the bucket policy denies."""
    resource = f"arn:aws:s3:::{bucket}" + ("" if action == "s3:ListBucket" else f"/{key}")
    return (
        f"User: arn:aws:iam::111122223333:user/lab is not authorized to perform: {action} "
        f'on resource: "{resource}" with an explicit deny in a resource-based policy'
    )


def key_in(text: str) -> str:
    """The one key that a program made up and names in its output."""
    (key,) = set(re.findall(rf"access-test-{UUID}\.txt", text))
    return str(key)


def keys(s3: Any, bucket: str) -> list[str]:
    return [found["Key"] for found in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]


def test_without_policies_everything_is_allowed_and_nothing_is_left(
    run: Callable[..., Any], s3: Any, bucket: str
) -> None:
    s3.put_object(Bucket=bucket, Key="kept", Body=b"")
    result = run("try_access", "--bucket", bucket)
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        "s3:PutObject     allowed\n"
        "s3:GetObject     allowed\n"
        "s3:ListBucket    allowed\n"
        "s3:DeleteObject  allowed\n"
    )
    assert keys(s3, bucket) == ["kept"]


def test_each_refusal_is_told_in_the_words_of_s3(
    run: Callable[..., Any], s3: Any, bucket: str, deny: Callable[..., None]
) -> None:
    deny(*ACTIONS)
    result = run("try_access", "--bucket", bucket)
    assert (result.status, result.errors) == (1, "")
    assert result.output.splitlines() == [
        f"{action:16} {refusal(action, bucket, key_in(result.output))}" for action in ACTIONS
    ]


def test_each_run_has_a_key_of_its_own(
    run: Callable[..., Any], bucket: str, deny: Callable[..., None]
) -> None:
    deny("s3:PutObject")
    made = {key_in(run("try_access", "--bucket", bucket).output) for _ in range(2)}
    assert len(made) == 2


def test_an_object_of_the_user_is_not_touched(
    run: Callable[..., Any], s3: Any, bucket: str
) -> None:
    for key in ("access-test.txt", "hello.txt"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"mine")
    assert run("try_access", "--bucket", bucket).status == 0
    assert keys(s3, bucket) == ["access-test.txt", "hello.txt"]
    assert s3.get_object(Bucket=bucket, Key="access-test.txt")["Body"].read() == b"mine"


@pytest.mark.parametrize("action", ["s3:GetObject", "s3:ListBucket"])
def test_one_refused_action_is_told_apart_from_the_others(
    example: Callable[[str], Any],
    s3: Any,
    bucket: str,
    deny: Callable[..., None],
    action: str,
) -> None:
    deny(action)
    said = example("try_access").try_access(s3, bucket, KEY)
    assert said == ALLOWED | {action: refusal(action, bucket)}
    s3.delete_bucket_policy(Bucket=bucket)
    assert keys(s3, bucket) == []


def test_reading_is_allowed_also_where_writing_is_not(
    run: Callable[..., Any], example: Callable[[str], Any], s3: Any, bucket: str, deny: Any
) -> None:
    deny("s3:PutObject")
    said = example("try_access").try_access(s3, bucket, KEY)
    assert said == ALLOWED | {"s3:PutObject": refusal("s3:PutObject", bucket)}
    result = run("try_access", "--bucket", bucket)
    assert (result.status, result.errors) == (1, "")


def test_an_object_that_cannot_be_deleted_is_named(
    run: Callable[..., Any], s3: Any, bucket: str, deny: Callable[..., None]
) -> None:
    deny("s3:DeleteObject")
    result = run("try_access", "--bucket", bucket)
    assert result.status == 1
    (key,) = keys(s3, bucket)
    assert key == key_in(result.output)
    assert result.errors == (
        f"{key} is left in {bucket}: delete it from where s3:DeleteObject is allowed.\n"
    )
    assert result.output == (
        "s3:PutObject     allowed\n"
        "s3:GetObject     allowed\n"
        "s3:ListBucket    allowed\n"
        f"s3:DeleteObject  {refusal('s3:DeleteObject', bucket, key)}\n"
    )


def test_the_path_decides_where_the_bucket_is_restricted(
    run: Callable[..., Any], bucket: str, endpoint: str
) -> None:
    admin = "arn:aws:iam::111122223333:role/bucket-admin"
    chosen = ("--bucket", bucket, "--endpoint-id", endpoint, "--admin-arn", admin)
    assert run("restrict_bucket", *chosen).status == 0
    outside = run("try_access", "--bucket", bucket)
    inside = run("try_access", "--bucket", bucket, AWS_SDK_UA_APP_ID=endpoint)
    assert (outside.status, inside.status) == (1, 0)
    assert outside.output.count("explicit deny in a resource-based policy") == 4
    assert inside.output.count("allowed") == 4


def test_the_endpoint_policy_is_told_as_the_reason(
    run: Callable[..., Any], bucket: str, endpoint: str
) -> None:
    run("restrict_endpoint", "--endpoint-id", endpoint, "--bucket", "amzn-s3-demo-other")
    result = run("try_access", "--bucket", bucket, AWS_SDK_UA_APP_ID=endpoint)
    assert result.status == 1
    assert [line.split("because")[1] for line in result.output.splitlines()] == [
        f" no VPC endpoint policy allows the {action} action" for action in ACTIONS
    ]


def test_every_other_error_is_raised(example: Callable[[str], Any], s3: Any) -> None:
    with pytest.raises(ClientError) as caught:
        example("try_access").try_access(s3, "amzn-s3-demo-bucket-444455556666", KEY)
    assert caught.value.response["Error"]["Code"] == "NoSuchBucket"


def test_a_missing_bucket_is_an_error(run: Callable[..., Any]) -> None:
    name = "amzn-s3-demo-bucket-444455556666"
    result = run("try_access", "--bucket", name)
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        "An error occurred (NoSuchBucket) when calling the PutObject operation: "
        f"The specified bucket does not exist. {key_in(result.errors)} may be left in {name}. "
        "Check the bucket, AWS_DEFAULT_REGION, credentials and network.\n"
    )


def test_the_bucket_of_another_account_is_refused_without_a_reason(
    run: Callable[..., Any], assume: Callable[..., Any]
) -> None:
    name = "amzn-s3-demo-bucket-444455556666"
    where = {"LocationConstraint": "ap-northeast-1"}
    stranger = assume("arn:aws:iam::444455556666:role/owner", "s3")
    stranger.create_bucket(Bucket=name, CreateBucketConfiguration=where)
    result = run("try_access", "--bucket", name)
    assert (result.status, result.errors) == (1, "")
    assert result.output == "".join(f"{action:16} Access Denied\n" for action in ACTIONS)
