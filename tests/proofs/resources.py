"""The permissions behind a call: IAM action and resource ARNs, from AWS's own offline table."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from awslab.actions import IAM_OF_TAGS
from awslab.services.identity import ACCOUNT
from policy_sentry.querying.actions import get_action_data

PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
# Parameters that are called otherwise than the placeholder of the ARN.
ALIASES = {
    "Alias": ("AliasName",),
    "BucketName": ("Bucket",),
    "ClusterName": ("ClusterIdentifier", "SnapshotClusterIdentifier"),
    "KeyId": ("TargetKeyId",),
    "ObjectName": ("Key",),
    "ParameterNameWithoutLeadingSlash": ("Name",),
    "RoleNameWithPath": ("RoleName",),
    "SnapshotName": ("SnapshotIdentifier",),
    "TopicName": ("Name", "TopicArn"),
    "TrailName": ("Name",),
}
# Actions that hand a role to a service, although AWS's table does not say so.
PASSING = {"cloudtrail:CreateTrail", "cloudtrail:UpdateTrail"}
ROLE = re.compile(r"(Execution)?Role(Arn)?$|^RoleARN$|^ServiceRole$|^JobFlowRole$")


class UnknownAction(Exception):
    """AWS's table does not have the action: the name is wrong, or the mapping lacks it."""


@cache
def table_rows(action: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """(ARN format, dependent actions) for each resource type of an action."""
    service, _, name = action.partition(":")
    data = get_action_data(service, name)
    if not data:
        raise UnknownAction(action)
    return tuple(
        (row["resource_arn_format"], tuple(row["dependent_actions"])) for row in data[service]
    )


def dependents(action: str) -> list[str]:
    """What AWS lists as "dependent actions"; which of them a call needs, the table does not say."""
    return sorted({name for _, names in table_rows(action) for name in names})


def resources_of(
    action: str, operation: str, arguments: dict[str, Any], region: str
) -> Iterator[tuple[str, str]]:
    """(action, ARN) pairs that a policy must allow for one call.

    An ARN is filled from the arguments of the same name; the id of what the call creates is `*`.

    Raises:
        UnknownAction: AWS's table does not have the action.
    """
    found = []
    for arn_format, _ in table_rows(action):
        names = [n for n in PLACEHOLDER.findall(arn_format) if n not in WHERE]
        if not names:
            continue
        choices = [
            [part_of(arn_format, name, value) for value in values_of(name, operation, arguments)]
            for name in names
        ]
        if all(choices):
            found += fill(arn_format, names, choices, region)
    if action == "lambda:InvokeFunction" and "Qualifier" in arguments:
        found = [f"{arn}:{arguments['Qualifier']}" for arn in found]  # of the version or alias
    arns = list(dict.fromkeys(found or ["*"]))
    yield from ((action, arn) for arn in arns)
    if arguments.get("Tags") and action in IAM_OF_TAGS:
        yield from ((IAM_OF_TAGS[action], arn) for arn in arns)
    if "TagSpecifications" in arguments and "ec2:CreateTags" in dependents(action):
        for tagged in arguments["TagSpecifications"]:
            yield "ec2:CreateTags", f"arn:aws:ec2:{region}:{ACCOUNT}:{tagged['ResourceType']}/*"
    for role in roles_in(arguments):
        if "iam:PassRole" in dependents(action) or action in PASSING:
            yield "iam:PassRole", role


WHERE = {"Partition", "Region", "Account"}


def values_of(name: str, operation: str, arguments: dict[str, Any]) -> list[str]:
    """The values for one placeholder: `VpcId` from VpcId, VpcIds, AddVpcIds, RemoveVpcIds."""
    wanted = {
        (prefix + spelling + plural).lower()  # CloudWatch Logs begins with a small letter
        for spelling in (name, *ALIASES.get(name, ()))
        for prefix in ("", "Add", "Remove")
        for plural in ("", "s")
    }
    values = [
        item
        for key, value in arguments.items()
        if key.lower() in wanted
        for item in (value if isinstance(value, list) else [value])
    ]
    if name == "ObjectName":
        values += [found["Key"] for found in objects_in(arguments)]
    if name == "KeyId" and "AliasName" in arguments:
        values = values or ["*"]  # the key behind the alias
    created = operation.removeprefix("Create")
    return values or (["*"] if operation != created and name in (created + "Id", created) else [])


def objects_in(arguments: dict[str, Any]) -> list[dict[str, str]]:
    """The objects that a DeleteObjects names."""
    found: list[dict[str, str]] = arguments.get("Delete", {}).get("Objects", [])
    return found


def part_of(arn_format: str, name: str, value: str) -> str:
    """What stands for a placeholder, if the value is a whole ARN or begins as the ARN's end does:
    `logs` of `alias/logs`."""
    if name == "KeyId" and value.startswith("alias/"):
        return "*"  # no policy can name a key by its alias
    if name == "ParameterNameWithoutLeadingSlash" and not value.startswith("arn:"):
        return value.removeprefix("/").partition(":")[0]  # without the version, `name:3`
    form = re.sub(r"\\\$\\{(\w+)\\}", r"(?P<\1>.+?)", re.escape(arn_format))
    whole = re.fullmatch(form, value)
    before = arn_format.partition(f"${{{name}}}")[0].rpartition(":")[2]
    return whole[name] if whole else value.removeprefix(before)


def fill(arn_format: str, names: list[str], choices: list[list[str]], region: str) -> list[str]:
    arns = [
        arn_format.replace("${Partition}", "aws")
        .replace("${Region}", region)
        .replace("${Account}", ACCOUNT)
    ]
    for name, values in zip(names, choices, strict=True):
        arns = [arn.replace(f"${{{name}}}", value) for arn in arns for value in values]
    # "This version of the ARN includes a trailing :* … Use this version to refer to the ARN in IAM
    # policies" (API reference, LogGroup)
    return [f"{arn}:*" if ":log-group:" in arn else arn for arn in arns]


def roles_in(value: Any) -> Iterator[str]:
    """Role ARNs anywhere in the arguments: handing one to a service needs iam:PassRole."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, str) and ROLE.search(key) and inner.startswith("arn:"):
                yield inner
            else:
                yield from roles_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from roles_in(inner)
