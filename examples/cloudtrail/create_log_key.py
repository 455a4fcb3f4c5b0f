"""Create a KMS key, with rotation and an alias, that one trail encrypts its log files with."""

import argparse
import json
import sys
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

CONTEXT = "kms:EncryptionContext:aws:cloudtrail:arn"  # CloudTrail names the trail in each request


def allow(sid: str, principal: dict[str, str], action: str, **condition: Any) -> dict[str, Any]:
    """A statement of the key's policy, where the resource `*` means this key."""
    extra = {"Condition": condition} if condition else {}
    who = {"Sid": sid, "Effect": "Allow", "Principal": principal}
    return {**who, "Action": action, "Resource": "*", **extra}


def key_policy(account: str, trail_arn: str) -> dict[str, Any]:
    """Who may manage the key, encrypt with it and decrypt with it."""
    # [start: policy]
    service, anybody = {"Service": "cloudtrail.amazonaws.com"}, {"AWS": "*"}
    root = {"AWS": f"arn:aws:iam::{account}:root"}
    this_trail, this_account = {"aws:SourceArn": trail_arn}, {"kms:CallerAccount": account}
    trails = {CONTEXT: f"arn:aws:cloudtrail:*:{account}:trail/*"}
    statements = [
        allow("Manage", root, "kms:*"),
        allow(
            "Encrypt", service, "kms:GenerateDataKey*", StringEquals=this_trail, StringLike=trails
        ),
        allow("Describe", service, "kms:DescribeKey", StringEquals=this_trail),
        # Whoever of the account may read the objects; and nothing but files of a trail
        allow("Read", anybody, "kms:Decrypt", StringEquals=this_account, Null={CONTEXT: "false"}),
    ]
    # [end: policy]
    return {"Version": "2012-10-17", "Statement": statements}


def finish_key(kms: BaseClient, key_id: str, alias: str) -> None:
    """Rotate it every year and give it a name (`kms:EnableKeyRotation`, `kms:CreateAlias`)."""
    kms.enable_key_rotation(KeyId=key_id)
    kms.create_alias(AliasName=alias, TargetKeyId=key_id)


def give_up(kms: BaseClient, key_id: str) -> str:
    """Schedule the deletion of a key that did not become ready; says what is left of it."""
    try:
        kms.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
        return f"The new key {key_id} will be deleted in 7 days."
    except (BotoCoreError, ClientError):
        return f"The new key {key_id} is left: schedule its deletion with kms:ScheduleKeyDeletion."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trail-name", required=True, help="the trail need not exist yet")
    parser.add_argument("--alias", required=True, metavar="alias/NAME")
    arguments = parser.parse_args()
    key_id = None
    try:
        account = boto3.client("sts").get_caller_identity()["Account"]
        kms = boto3.client("kms")
        trail = f"arn:aws:cloudtrail:{kms.meta.region_name}:{account}:trail/{arguments.trail_name}"
        key_id = kms.create_key(Policy=json.dumps(key_policy(account, trail)))["KeyMetadata"][
            "KeyId"
        ]
        finish_key(kms, key_id, arguments.alias)
    except (BotoCoreError, ClientError) as error:
        left = give_up(kms, key_id) if key_id else "No key was created."
        advice = "Check the names, AWS_DEFAULT_REGION, credentials and network."
        sys.exit(f"{str(error).rstrip('.')}. {left} {advice}")
    print(f"{arguments.alias}: key {key_id}, rotated every year")
    print(f"encrypts for: {trail}")


if __name__ == "__main__":
    main()
