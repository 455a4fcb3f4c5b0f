from collections.abc import Callable
from typing import Any

import pytest

ACCOUNT = "111122223333"
BUCKET = "amzn-s3-demo-logs-111122223333"
REGION = "ap-northeast-1"
ALIAS = "alias/audit-logs"
ARGUMENTS = ("--trail-name", "audit", "--bucket", BUCKET, "--key-alias", ALIAS)
ADVICE = "Check the names, AWS_DEFAULT_REGION, credentials and network.\n"


@pytest.fixture
def prepared(run: Callable[..., Any]) -> None:
    assert run("create_log_bucket", "--bucket", BUCKET, "--trail-name", "audit").status == 0
    assert run("create_log_key", "--trail-name", "audit", "--alias", ALIAS).status == 0


def test_the_trail_has_every_setting_and_logs(
    run: Callable[..., Any], prepared: None, cloudtrail: Any, kms: Any
) -> None:
    result = run("create_trail", *ARGUMENTS)
    key = kms.describe_key(KeyId=ALIAS)["KeyMetadata"]["Arn"]
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        f"trail: audit, home Region {REGION}\nbucket: {BUCKET}\nall Regions: True\n"
        f"global services: True\nlog file validation: True\nencrypted with: {key}\nlogging: True\n"
    )
    trail = cloudtrail.get_trail(Name="audit")["Trail"]
    assert trail["TrailARN"] == f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/audit"
    assert (trail["S3BucketName"], trail["KmsKeyId"]) == (BUCKET, key)
    assert trail["IsMultiRegionTrail"] and trail["LogFileValidationEnabled"]
    assert trail["IncludeGlobalServiceEvents"] and not trail["IsOrganizationTrail"]
    assert cloudtrail.get_trail_status(Name="audit")["IsLogging"] is True


def test_its_files_are_encrypted_with_the_key(
    run: Callable[..., Any], prepared: None, s3: Any, kms: Any
) -> None:
    run("create_trail", *ARGUMENTS)
    key = kms.describe_key(KeyId=ALIAS)["KeyMetadata"]["Arn"]
    files = s3.list_objects_v2(Bucket=BUCKET)["Contents"]
    found = [s3.head_object(Bucket=BUCKET, Key=file["Key"]) for file in files]
    assert {(each["ServerSideEncryption"], each["SSEKMSKeyId"]) for each in found} == {
        ("aws:kms", key)
    }


def test_an_event_of_another_region_is_delivered(
    run: Callable[..., Any], prepared: None, client: Callable[..., Any], s3: Any
) -> None:
    run("create_trail", *ARGUMENTS)
    client("sns", "us-west-2").create_topic(Name="far")
    keys = [file["Key"] for file in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
    assert any(f"/{ACCOUNT}/CloudTrail/us-west-2/" in key for key in keys)


@pytest.mark.parametrize(
    ("option", "value", "code"),
    [
        ("--bucket", "amzn-s3-demo-missing", "S3BucketDoesNotExistException"),
        ("--trail-name", "other", "InsufficientS3BucketPolicyException"),
        ("--trail-name", "a", "InvalidTrailNameException"),
        ("--key-alias", "alias/missing", "KmsKeyNotFoundException"),
    ],
)
def test_what_does_not_fit_makes_no_trail(
    run: Callable[..., Any], prepared: None, cloudtrail: Any, option: str, value: str, code: str
) -> None:
    arguments = list(ARGUMENTS)
    arguments[arguments.index(option) + 1] = value
    result = run("create_trail", *arguments)
    assert (result.status, result.output) == (1, "")
    assert f"({code})" in result.errors
    assert result.errors.endswith(f". No trail was created. {ADVICE}")
    assert len(result.errors.splitlines()) == 1
    assert cloudtrail.describe_trails()["trailList"] == []


def test_a_trail_that_exists_is_left_alone(
    run: Callable[..., Any], prepared: None, cloudtrail: Any
) -> None:
    run("create_trail", *ARGUMENTS)
    result = run("create_trail", *ARGUMENTS)
    assert "(TrailAlreadyExistsException)" in result.errors
    assert "No trail was created." in result.errors
    assert cloudtrail.get_trail_status(Name="audit")["IsLogging"] is True


def test_a_trail_that_does_not_start_is_told_to_exist_and_not_to_log(
    run: Callable[..., Any], prepared: None, cloudtrail: Any, refuse: Callable[..., Any]
) -> None:
    with refuse("StartLogging"):
        result = run("create_trail", *ARGUMENTS)
    assert result.status == 1
    assert result.errors == (
        "An error occurred (AccessDenied) when calling the StartLogging operation: no. "
        "The trail audit exists and does not log: remove it with remove_trail.py and run this "
        f"again. {ADVICE}"
    )
    assert cloudtrail.get_trail_status(Name="audit")["IsLogging"] is False


def test_a_trail_that_cannot_be_read_back_is_told_to_log(
    run: Callable[..., Any], prepared: None, refuse: Callable[..., Any]
) -> None:
    with refuse("GetTrail"):
        result = run("create_trail", *ARGUMENTS)
    assert f"The trail audit exists and logs to {BUCKET}: see remove_trail.py." in result.errors
