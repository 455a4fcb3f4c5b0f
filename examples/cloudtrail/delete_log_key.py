"""Take a KMS key out of use: schedule its deletion in 7 days, then delete its alias."""

import argparse
import sys
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError


def find_key(kms: BaseClient, key: str) -> dict[str, Any]:
    """Id and state of a key, by its id or alias (`kms:DescribeKey`).

    Raises ClientError with code NotFoundException.
    """
    return kms.describe_key(KeyId=key)["KeyMetadata"]


def delete_key(kms: BaseClient, key: dict[str, Any], alias: str) -> None:
    """Schedule the deletion and delete the alias (`kms:ScheduleKeyDeletion`, `kms:DeleteAlias`).

    The alias comes last: as long as it is there, this program finds the key again.
    """
    # [start: delete]
    if key["KeyState"] != "PendingDeletion":
        kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)  # no less is possible
    kms.delete_alias(AliasName=alias)
    # [end: delete]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alias", required=True, metavar="alias/NAME")
    alias, left = parser.parse_args().alias, "Nothing was deleted."
    try:
        kms = boto3.client("kms")
        key = find_key(kms, alias)
        left = f"{alias} is left; its key {key['KeyId']} may already wait for deletion."
        delete_key(kms, key, alias)
        left = f"{alias} was deleted; its key {key['KeyId']} waits for deletion."
        state = find_key(kms, key["KeyId"])["KeyState"]
    except (BotoCoreError, ClientError) as error:
        advice = "Check the alias, AWS_DEFAULT_REGION, credentials and network, then run it again."
        sys.exit(f"{str(error).rstrip('.')}. {left} {advice}")
    print(f"deleted {alias}")
    print(f"key {key['KeyId']}: {state}; for 7 days kms:CancelKeyDeletion can save it")


if __name__ == "__main__":
    main()
