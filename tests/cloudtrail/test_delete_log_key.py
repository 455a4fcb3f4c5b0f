from collections.abc import Callable
from typing import Any

import pytest
from awslab.clock import now

ALIAS = "alias/audit-logs"
ADVICE = "Check the alias, AWS_DEFAULT_REGION, credentials and network, then run it again.\n"


@pytest.fixture
def key(kms: Any) -> str:
    """The id of a key with the alias."""
    made: str = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName=ALIAS, TargetKeyId=made)
    return made


def aliases(kms: Any) -> set[str]:
    return {found["AliasName"] for found in kms.list_aliases()["Aliases"]}


def test_the_alias_is_gone_and_the_key_waits_seven_days(
    run: Callable[..., Any], kms: Any, key: str
) -> None:
    result = run("delete_log_key", "--alias", ALIAS)
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        f"deleted {ALIAS}\n"
        f"key {key}: PendingDeletion; for 7 days kms:CancelKeyDeletion can save it\n"
    )
    assert ALIAS not in aliases(kms)
    found = kms.describe_key(KeyId=key)["KeyMetadata"]
    assert (found["KeyState"], found["Enabled"]) == ("PendingDeletion", False)
    assert 6.9 < (found["DeletionDate"] - now()).total_seconds() / 86_400 < 7.1


def test_other_keys_stay(run: Callable[..., Any], kms: Any, key: str) -> None:
    other = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/other", TargetKeyId=other)
    run("delete_log_key", "--alias", ALIAS)
    assert kms.describe_key(KeyId="alias/other")["KeyMetadata"]["KeyState"] == "Enabled"


def test_an_alias_that_does_not_exist(run: Callable[..., Any]) -> None:
    result = run("delete_log_key", "--alias", ALIAS)
    assert (result.status, result.output) == (1, "")
    assert "(NotFoundException)" in result.errors
    assert result.errors.endswith(f". Nothing was deleted. {ADVICE}")


def test_after_an_error_a_second_run_ends_it(
    run: Callable[..., Any], kms: Any, key: str, refuse: Callable[..., Any]
) -> None:
    with refuse("DeleteAlias"):
        result = run("delete_log_key", "--alias", ALIAS)
    assert result.errors == (
        "An error occurred (AccessDenied) when calling the DeleteAlias operation: no. "
        f"{ALIAS} is left; its key {key} may already wait for deletion. {ADVICE}"
    )
    assert kms.describe_key(KeyId=ALIAS)["KeyMetadata"]["KeyState"] == "PendingDeletion"
    assert run("delete_log_key", "--alias", ALIAS).status == 0
    assert ALIAS not in aliases(kms)


def test_the_key_stays_usable_if_its_deletion_cannot_be_scheduled(
    run: Callable[..., Any], kms: Any, key: str, refuse: Callable[..., Any]
) -> None:
    with refuse("ScheduleKeyDeletion"):
        assert run("delete_log_key", "--alias", ALIAS).status == 1
    assert kms.describe_key(KeyId=ALIAS)["KeyMetadata"]["KeyState"] == "Enabled"
