"""The role that jobs, models and notebooks take on."""

import re
from collections.abc import Callable
from typing import Any

import click

from smcli.calls import AWS, given
from smcli.command import option
from smcli.ending import Failed
from smcli.language import N_, _
from smcli.output import say

DEFAULT = "SageMakerExecutionRole"
TRUSTED = "sagemaker.amazonaws.com"
ARN = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+", re.ASCII)
NAME = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)


def role_option() -> Callable[[Any], Any]:
    return option(
        "--role",
        "--role-arn",
        "role",
        metavar="ROLE",
        envvar="SAGEMAKER_ROLE_ARN",
        show_envvar=True,
        help=N_("Name or ARN of the role; default: SageMakerExecutionRole."),
    )


def with_role(
    aws: AWS, role: str | None, operation: str, member: str, request: dict[str, Any]
) -> dict[str, Any]:
    """A request of SageMaker with the ARN of its role, which is asked for if all else is right.

    member: of the request that takes the ARN, for example `ExecutionRoleArn`.

    Raises:
        click.UsageError, Failed: as `AWS.check` and `resolve_role` do.
    """
    request = given(request)
    aws.check(
        "sagemaker", operation, request | {member: f"arn:aws:iam::111122223333:role/{DEFAULT}"}
    )
    return request | {member: resolve_role(aws, role)}


def resolve_role(aws: AWS, role: str | None) -> str:
    """The ARN of a role that is given by its name, its ARN, or not at all.

    A dry run asks nothing, so the account is that of an example, and the reader is told so.

    Raises:
        click.UsageError: it is neither an ARN nor a name of IAM.
        Failed: there is no such role.
    """
    name = role or DEFAULT
    if ARN.fullmatch(name):
        return name
    if not NAME.fullmatch(name):
        raise click.UsageError(
            _("--role: {role!r} is neither the ARN nor the name of a role").format(role=name)
        )
    if aws.dry_run:
        say(_("The role was not looked up: 111122223333 stands for your account."))
        return f"arn:aws:iam::111122223333:role/{name}"
    iam = aws.client("iam")
    try:
        return str(aws.read("iam", "GetRole", RoleName=name)["Role"]["Arn"])
    except iam.exceptions.NoSuchEntityException:
        raise Failed(
            _("There is no role {role}. Create it with: smcli role-create {role}").format(role=name)
        ) from None
