"""What CloudTrail checks before it takes a trail: may it write, encrypt, publish and log?"""

import json
import re
from collections.abc import Mapping
from typing import Any

from moto.iam.models import iam_backends
from moto.kms.models import kms_backends
from moto.logs.models import logs_backends
from moto.organizations.models import organizations_backends
from moto.sns.models import sns_backends

from awslab.policy import Unsupported, as_list, verdict
from awslab.services.cloudtrail.errors import refuse
from awslab.services.s3 import find_bucket

SERVICE = "cloudtrail.amazonaws.com"
OWNER_CONTROLS = "bucket-owner-full-control"
PREFIX_LIMIT = 200  # characters (CreateTrail)
BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
TRAIL_NAME = re.compile(r"[0-9A-Za-z](?:[._-]?[0-9A-Za-z])*")
ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")
KEY = re.compile(r"arn:aws[\w-]*:kms:([\w-]+):(\d{12}):(?:key|alias)/.+")
ROLE = re.compile(r"arn:aws[\w-]*:iam::(\d{12}):role/.+")
TOPIC = re.compile(r"arn:aws[\w-]*:sns:([\w-]+):(\d{12}):[\w-]+")
GROUP = re.compile(r"arn:aws[\w-]*:logs:([\w-]+):(\d{12}):log-group:([^:*]+)(?::\*)?")


def allows(policy: Any, action: str, resource: str, context: Mapping[str, str]) -> bool:
    """Whether the policy of a resource lets CloudTrail do this."""
    if isinstance(policy, str | bytes):
        policy = json.loads(policy)
    seen = {
        "aws:SecureTransport": "true",
        "aws:PrincipalIsAWSService": "true",
        "aws:PrincipalServiceName": SERVICE,
    }
    try:
        return verdict(policy, action, resource, [SERVICE], {**seen, **context}) == "allow"
    except Unsupported:
        return False


def source(arn: str) -> dict[str, str]:
    """The condition keys by which a policy knows the trail for which CloudTrail acts."""
    return {"aws:SourceArn": arn, "aws:SourceAccount": arn.split(":")[4]}


def check_name(name: str) -> None:
    """Two signs that are no letters must not follow each other, and it must be no address."""
    if not TRAIL_NAME.fullmatch(name) or ADDRESS.fullmatch(name):
        refuse(
            "InvalidTrailNameException",
            "Trail name must start and end with a letter or number, must not have adjacent "
            "periods, underscores or hyphens, and must not be in IP address format.",
        )


def check_bucket(bucket_name: str, prefix: str) -> None:
    if len(prefix) > PREFIX_LIMIT:
        refuse("InvalidS3PrefixException", "The S3 prefix is longer than 200 characters.")
    if not BUCKET_NAME.fullmatch(bucket_name):
        refuse("InvalidS3BucketNameException", f"Bucket name {bucket_name} is not valid.")
    if find_bucket(bucket_name) is None:
        refuse("S3BucketDoesNotExistException", f"S3 bucket {bucket_name} does not exist!")


def check_writing(bucket_name: str, folder: str, arn: str) -> None:
    if not may_write(bucket_name, f"{folder}/", arn):
        refuse(
            "InsufficientS3BucketPolicyException",
            f"Incorrect S3 bucket policy is detected for bucket: {bucket_name}",
        )


def may_write(bucket_name: str, key: str, arn: str) -> bool:
    """Whether the bucket's policy lets CloudTrail read its ACL and put this object into it."""
    bucket = find_bucket(bucket_name)
    if bucket is None or not bucket.policy:
        return False
    context = source(arn)
    acl = {"s3:x-amz-acl": OWNER_CONTROLS}
    return allows(bucket.policy, "s3:GetBucketAcl", bucket.arn, context) and allows(
        bucket.policy, "s3:PutObject", f"{bucket.arn}/{key}", context | acl
    )


def check_key(key_id: str, account: str, region: str, bucket_name: str, arn: str) -> str:
    """The ARN of the KMS key that the files shall be encrypted with; none without a key."""
    if not key_id:
        return ""
    if key_id.startswith("arn:"):
        place = KEY.fullmatch(key_id)
        if place is None:
            refuse("InvalidKmsKeyIdException", f"The KMS key ARN {key_id} is not valid.")
        region, account = place.groups()
    key = find_key(account, region, key_id)
    if key is None:
        refuse("KmsKeyNotFoundException", f"KMS key {key_id} does not exist.")
    if not key.enabled:
        refuse("KmsException", f"The KMS key {key.arn} is disabled.")
    context = source(arn) | {"kms:EncryptionContext:aws:cloudtrail:arn": arn}
    if not allows(key.policy, "kms:GenerateDataKey", key.arn, context):
        refuse(
            "InsufficientEncryptionPolicyException",
            f"Insufficient permissions to access S3 bucket {bucket_name} or KMS key {key.arn}.",
        )
    return str(key.arn)


def find_key(account: str, region: str, key_id: str) -> Any:
    """By its id, its ARN, an alias or the alias's ARN."""
    if region not in kms_backends[account]:
        return None
    backend = kms_backends[account][region]
    name = backend.get_alias_name(key_id)
    if name.startswith("alias/"):
        return backend.keys.get(backend.get_key_id_from_alias(name))
    return backend.keys.get(backend.get_key_id(name))


def check_topic(topic_arn: str | None, arn: str) -> None:
    if topic_arn is None:
        return
    topic = find_topic(topic_arn)
    if topic is None or not allows(topic.policy, "SNS:Publish", topic_arn, source(arn)):
        refuse(
            "InsufficientSnsTopicPolicyException",
            "SNS Topic does not exist or the topic policy is incorrect!",
        )


def find_topic(topic_arn: str) -> Any:
    place = TOPIC.fullmatch(topic_arn)
    if place is None:
        refuse("InvalidSnsTopicNameException", f"SNS topic name {topic_arn} is not valid.")
    region, account = place.groups()
    regions = sns_backends[account]
    return regions[region].topics.get(topic_arn) if region in regions else None


def check_log_group(group_arn: str | None, role_arn: str | None) -> None:
    if not group_arn and not role_arn:
        return
    if not group_arn or not role_arn:
        refuse(
            "InvalidParameterCombinationException",
            "CloudWatch Logs log group ARN and role ARN must be specified together.",
        )
    place = GROUP.fullmatch(group_arn)
    if place is None or not has_group(*place.groups()):
        refuse(
            "InvalidCloudWatchLogsLogGroupArnException",
            "CloudTrail cannot validate the specified log group ARN.",
        )
    if not trusts_cloudtrail(role_arn):
        refuse(
            "InvalidCloudWatchLogsRoleArnException",
            "Access denied. Verify in IAM that the role has adequate trust relationships.",
        )


def has_group(region: str, account: str, name: str) -> bool:
    regions = logs_backends[account]
    return region in regions and name in regions[region].groups


def trusts_cloudtrail(role_arn: str) -> bool:
    place = ROLE.fullmatch(role_arn)
    if place is None:
        return False
    roles = iam_backends[place[1]]["aws"].get_roles()
    role = next((role for role in roles if role.arn == role_arn), None)
    if role is None:
        return False
    statements = as_list(json.loads(role.assume_role_policy_document or "{}").get("Statement", []))
    return any(
        SERVICE in as_list(as_dict(statement.get("Principal")).get("Service", []))
        for statement in statements
        if statement.get("Effect") == "Allow"
    )


def as_dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def check_organization(account: str) -> str:
    """The id of the organization whose management account this is."""
    backend = organizations_backends[account]["aws"]
    if backend.org is None and account in organizations_backends.master_accounts:
        refuse(
            "NotOrganizationMasterAccountException",
            "You must be the management account of the organization to create or update an "
            "organization trail.",
        )
    if backend.org is None:
        refuse(
            "OrganizationsNotInUseException",
            "The account is in no organization, so it cannot have an organization trail.",
        )
    return str(backend.org.id)


def members_of(account: str) -> set[str]:
    """All accounts of the organization that this one manages."""
    return {str(member.id) for member in organizations_backends[account]["aws"].accounts}
