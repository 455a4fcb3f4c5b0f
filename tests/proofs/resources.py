"""The permissions behind a call: IAM action and resource ARNs, from AWS's own offline table."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from awslab.services.identity import ACCOUNT
from policy_sentry.querying.actions import get_action_data

PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
# Parameters that are called otherwise than the placeholder of the ARN.
ALIASES = {"BucketName": ("Bucket",), "ObjectName": ("Key",)}
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
        choices = [values_of(name, operation, arguments) for name in names]
        if all(choices):
            found += fill(arn_format, names, choices, region)
    yield from ((action, arn) for arn in dict.fromkeys(found or ["*"]))
    if "TagSpecifications" in arguments and "ec2:CreateTags" in dependents(action):
        for tagged in arguments["TagSpecifications"]:
            yield "ec2:CreateTags", f"arn:aws:ec2:{region}:{ACCOUNT}:{tagged['ResourceType']}/*"
    for role in roles_in(arguments):
        if "iam:PassRole" in dependents(action):
            yield "iam:PassRole", role


WHERE = {"Partition", "Region", "Account"}


def values_of(name: str, operation: str, arguments: dict[str, Any]) -> list[str]:
    """The values for one placeholder: `VpcId` from VpcId, VpcIds, AddVpcIds, RemoveVpcIds."""
    wanted = {
        prefix + spelling + plural
        for spelling in (name, *ALIASES.get(name, ()))
        for prefix in ("", "Add", "Remove")
        for plural in ("", "s")
    }
    values = [
        item
        for key, value in arguments.items()
        if key in wanted
        for item in (value if isinstance(value, list) else [value])
    ]
    created = operation.removeprefix("Create")
    return values or (["*"] if operation != created and name in (created + "Id", created) else [])


def fill(arn_format: str, names: list[str], choices: list[list[str]], region: str) -> list[str]:
    arns = [
        arn_format.replace("${Partition}", "aws")
        .replace("${Region}", region)
        .replace("${Account}", ACCOUNT)
    ]
    for name, values in zip(names, choices, strict=True):
        arns = [arn.replace(f"${{{name}}}", value) for arn in arns for value in values]
    return arns


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
