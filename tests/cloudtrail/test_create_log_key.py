import re
from collections.abc import Callable
from typing import Any

import pytest
from awslab.policy import verdict
from botocore.exceptions import ClientError

ACCOUNT = "111122223333"
BUCKET = "amzn-s3-demo-logs-111122223333"
REGION = "ap-northeast-1"
ALIAS = "alias/audit-logs"
ARGUMENTS = ("--trail-name", "audit", "--alias", ALIAS)
TRAIL = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/audit"
CONTEXT = "kms:EncryptionContext:aws:cloudtrail:arn"
CLOUDTRAIL, READER = "cloudtrail.amazonaws.com", f"arn:aws:iam::{ACCOUNT}:role/reader"
STRANGER = "arn:aws:iam::444455556666:role/reader"
FROM_HERE = {"kms:CallerAccount": ACCOUNT}
ADVICE = "Check the names, AWS_DEFAULT_REGION, credentials and network.\n"


def test_the_key_rotates_and_has_its_alias(run: Callable[..., Any], kms: Any) -> None:
    result = run("create_log_key", *ARGUMENTS)
    key = kms.describe_key(KeyId=ALIAS)["KeyMetadata"]
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        f"{ALIAS}: key {key['KeyId']}, rotated every year\nencrypts for: {TRAIL}\n"
    )
    assert (key["KeyState"], key["KeySpec"]) == ("Enabled", "SYMMETRIC_DEFAULT")
    assert kms.get_key_rotation_status(KeyId=key["KeyId"])["KeyRotationEnabled"] is True


@pytest.mark.parametrize(
    ("principal", "action", "context", "said"),
    [
        (CLOUDTRAIL, "kms:GenerateDataKey", {"aws:SourceArn": TRAIL, CONTEXT: TRAIL}, "allow"),
        (CLOUDTRAIL, "kms:GenerateDataKey", {"aws:SourceArn": TRAIL}, "silent"),
        (CLOUDTRAIL, "kms:GenerateDataKey", {CONTEXT: TRAIL}, "silent"),
        (
            CLOUDTRAIL,
            "kms:GenerateDataKey",
            {"aws:SourceArn": f"{TRAIL}2", CONTEXT: TRAIL},
            "silent",
        ),
        (
            CLOUDTRAIL,
            "kms:GenerateDataKey",
            {"aws:SourceArn": TRAIL, CONTEXT: TRAIL.replace(ACCOUNT, "444455556666")},
            "silent",
        ),
        (CLOUDTRAIL, "kms:DescribeKey", {"aws:SourceArn": TRAIL}, "allow"),
        (CLOUDTRAIL, "kms:DescribeKey", {}, "silent"),
        (CLOUDTRAIL, "kms:Decrypt", {"aws:SourceArn": TRAIL, CONTEXT: TRAIL}, "silent"),
        (STRANGER, "kms:Decrypt", {"kms:CallerAccount": "444455556666", CONTEXT: TRAIL}, "silent"),
        (STRANGER, "kms:PutKeyPolicy", {}, "silent"),
        (READER, "kms:Decrypt", {**FROM_HERE, CONTEXT: TRAIL}, "allow"),
    ],
)
def test_who_may_do_what_with_the_key(
    example: Callable[[str], Any], principal: str, action: str, context: Any, said: str
) -> None:
    policy = example("create_log_key").key_policy(ACCOUNT, TRAIL)
    assert verdict(policy, action, "*", [principal], context) == said


def test_readers_decrypt_files_of_trails_only(example: Callable[[str], Any]) -> None:
    policy = example("create_log_key").key_policy(ACCOUNT, TRAIL)
    (read,) = [each for each in policy["Statement"] if each["Sid"] == "Read"]
    alone = {"Version": "2012-10-17", "Statement": [read]}
    for context, said in ((FROM_HERE, "silent"), ({**FROM_HERE, CONTEXT: TRAIL}, "allow")):
        assert verdict(alone, "kms:Decrypt", "*", [READER], context) == said


def test_a_trail_takes_the_key_and_another_trail_does_not(
    run: Callable[..., Any], cloudtrail: Any, log_bucket: str
) -> None:
    run("create_log_key", *ARGUMENTS)
    with pytest.raises(ClientError, match="InsufficientEncryptionPolicyException"):
        cloudtrail.create_trail(Name="other", S3BucketName=BUCKET, KmsKeyId=ALIAS)
    assert cloudtrail.create_trail(Name="audit", S3BucketName=BUCKET, KmsKeyId=ALIAS)["KmsKeyId"]


def test_an_alias_that_is_taken_leaves_no_second_key(run: Callable[..., Any], kms: Any) -> None:
    run("create_log_key", *ARGUMENTS)
    kept = kms.describe_key(KeyId=ALIAS)["KeyMetadata"]["KeyId"]
    result = run("create_log_key", *ARGUMENTS)
    assert (result.status, result.output) == (1, "")
    assert "AlreadyExistsException" in result.errors
    (new,) = {key["KeyId"] for key in kms.list_keys()["Keys"]} - {kept}
    assert result.errors.endswith(f"The new key {new} will be deleted in 7 days. {ADVICE}")
    assert kms.describe_key(KeyId=new)["KeyMetadata"]["KeyState"] == "PendingDeletion"
    assert kms.describe_key(KeyId=ALIAS)["KeyMetadata"]["KeyId"] == kept


def test_a_key_that_cannot_be_given_up_is_named(
    run: Callable[..., Any], kms: Any, refuse: Callable[..., Any]
) -> None:
    with refuse("EnableKeyRotation", "ScheduleKeyDeletion"):
        result = run("create_log_key", *ARGUMENTS)
    (key,) = kms.list_keys()["Keys"]
    assert re.fullmatch(
        r"An error occurred \(AccessDenied\) when calling the EnableKeyRotation operation: no\. "
        rf"The new key {key['KeyId']} is left: schedule its deletion with "
        rf"kms:ScheduleKeyDeletion\. {ADVICE}",
        result.errors,
    )


def test_an_alias_without_its_prefix(run: Callable[..., Any], kms: Any) -> None:
    result = run("create_log_key", "--trail-name", "audit", "--alias", "audit-logs")
    assert result.status == 1
    assert "will be deleted in 7 days" in result.errors
    assert "audit-logs" not in {found["AliasName"] for found in kms.list_aliases()["Aliases"]}
