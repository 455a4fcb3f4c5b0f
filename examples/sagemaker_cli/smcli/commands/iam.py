"""Roles that SageMaker takes on for jobs, models and notebooks."""

import json
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import click

from smcli.calls import AWS
from smcli.command import argument, command, confirm, dry_run_option, option, yes_option
from smcli.ending import Failed, TimedOut
from smcli.language import N_, _, ngettext
from smcli.output import say, show_done, show_list, show_made
from smcli.roles import DEFAULT, NAME, TRUSTED

FULL_ACCESS = "AmazonSageMakerFullAccess"
JOBS = "sagemaker-jobs"  # the inline policy of --least-privilege
LOOKS = 20  # at a new role, a second apart: IAM shows it everywhere within about ten
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": TRUSTED}, "Action": "sts:AssumeRole"}
    ],
}


class RoleName(click.ParamType):
    name = "role"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        if not NAME.fullmatch(value):
            self.fail(
                _(
                    "{value!r}: the name of a role has at most 64 letters, digits and characters "
                    "of + = , . @ - _"
                ).format(value=value),
                param,
                ctx,
            )
        return str(value)


class Bucket(click.ParamType):
    name = "bucket"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", value):
            self.fail(
                _("{value!r} is not the name of a bucket (without s3:// and prefix)").format(
                    value=value
                ),
                param,
                ctx,
            )
        return str(value)


def role_argument() -> Callable[[Any], Any]:
    return argument(
        "role",
        type=RoleName(),
        default=DEFAULT,
        help=N_("Name of the role; default: SageMakerExecutionRole."),
    )


# --- what a role may do ---------------------------------------------------------------------------


def policy(*statements: dict[str, Any]) -> str:
    allowed = [{"Effect": "Allow", **statement} for statement in statements]
    return json.dumps({"Version": "2012-10-17", "Statement": allowed})


def policy_of_bucket(partition: str, bucket: str) -> str:
    """Read and write all that is in a bucket."""
    arn = f"arn:{partition}:s3:::{bucket}"
    return policy(
        {"Action": ["s3:ListBucket", "s3:GetBucketLocation"], "Resource": arn},
        {
            "Action": [
                "s3:GetObject",
                "s3:PutObject",
                "s3:DeleteObject",
                "s3:AbortMultipartUpload",
            ],
            "Resource": f"{arn}/*",
        },
    )


def policy_of_jobs(partition: str) -> str:
    """What a job or an endpoint needs beside its data: its log, its image, metrics and alarms."""
    return policy(
        {
            "Action": [
                "logs:CreateLogGroup",
                "logs:CreateLogStream",
                "logs:DescribeLogStreams",
                "logs:PutLogEvents",
            ],
            "Resource": f"arn:{partition}:logs:*:*:log-group:/aws/sagemaker/*",
        },
        {
            "Action": [
                "ecr:GetAuthorizationToken",
                "ecr:BatchCheckLayerAvailability",
                "ecr:GetDownloadUrlForLayer",
                "ecr:BatchGetImage",
            ],
            "Resource": "*",  # AWS's own registries; GetAuthorizationToken knows no resource
        },
        {
            "Action": ["cloudwatch:PutMetricData", "cloudwatch:DescribeAlarms"],
            "Resource": "*",  # an update of an endpoint looks at its alarms
        },
    )


# --- whom a role trusts ---------------------------------------------------------------------------


def trusted_by(role: dict[str, Any]) -> Iterator[str]:
    """The principals that may take on a role."""
    statements = role["AssumeRolePolicyDocument"].get("Statement", [])
    for statement in statements if isinstance(statements, list) else [statements]:
        principals = statement.get("Principal", {})
        if statement.get("Effect") != "Allow":
            continue
        if isinstance(principals, str):
            yield principals
            continue
        for some in principals.values():
            yield from [some] if isinstance(some, str) else some


def demand_trust(role: dict[str, Any], advice: str) -> None:
    """Raises Failed: others than SageMaker may take on the role, or SageMaker may not."""
    trusted = sorted(set(trusted_by(role)))
    if trusted != [TRUSTED]:
        text = _("The role {role} is not for SageMaker alone; it trusts {trusted}.")
        told = text.format(role=role["RoleName"], trusted=", ".join(trusted) or _("nobody"))
        raise Failed(f"{told} {advice}")


# --- commands -------------------------------------------------------------------------------------


@command(
    "role-create",
    calls=["iam:CreateRole", "iam:AttachRolePolicy", "iam:PutRolePolicy", "iam:GetRole"],
    undoing=["iam:DetachRolePolicy", "iam:DeleteRolePolicy", "iam:DeleteRole"],
    help=N_("Create the role that jobs, models and notebooks assume, or add permissions to it."),
)
@role_argument()
@option(
    "--bucket",
    "buckets",
    type=Bucket(),
    multiple=True,
    metavar="BUCKET",
    help=N_("Allow reading and writing this bucket, whatever its name; may be repeated."),
)
@option(
    "--least-privilege",
    is_flag=True,
    help=N_(
        "Allow only the given buckets, logs, images and metrics, instead of "
        "AmazonSageMakerFullAccess."
    ),
)
@dry_run_option()
def create(aws: AWS, role: str, buckets: tuple[str, ...], least_privilege: bool) -> None:
    if least_privilege and not buckets:
        raise click.UsageError(
            _("With --least-privilege, a job has no data to read: add --bucket BUCKET.")
        )
    partition = aws.client("iam").meta.partition
    inline = {f"bucket-{bucket}": policy_of_bucket(partition, bucket) for bucket in buckets}
    if least_privilege:
        inline[JOBS] = policy_of_jobs(partition)
    full_access = None if least_privilege else f"arn:{partition}:iam::aws:policy/{FULL_ACCESS}"
    made = make_role(aws, role)
    allow(aws, role, full_access, inline, is_new=made)
    if aws.dry_run:
        return
    try:
        answer = look_up(aws, role)
    except BaseException as error:
        error.add_note(_("The role {role} has all its policies.").format(role=role))
        raise
    if not made:
        say(
            _("The role {role} already existed; these permissions were added to it.").format(
                role=role
            )
        )
    show_made(aws, answer, "Role.Arn")
    say(f"export SAGEMAKER_ROLE_ARN={answer['Role']['Arn']}")


def make_role(aws: AWS, role: str) -> bool:
    """Create a role that SageMaker may take on; False: it was there.

    Raises:
        Failed: it is there, and not for SageMaker alone.
    """
    trust, description = json.dumps(TRUST), "Made by smcli role-create"
    try:
        aws.change(
            "iam",
            "CreateRole",
            RoleName=role,
            AssumeRolePolicyDocument=trust,
            Description=description,
        )
    except aws.client("iam").exceptions.EntityAlreadyExistsException:
        found = aws.read("iam", "GetRole", RoleName=role)["Role"]
        demand_trust(found, _("Choose another name."))
        return False
    return True


def allow(
    aws: AWS, role: str, full_access: str | None, inline: dict[str, str], *, is_new: bool
) -> None:
    """Give a role its policies; if that fails, a new role is removed again."""
    put: list[str] = []
    try:
        if full_access:
            aws.change("iam", "AttachRolePolicy", RoleName=role, PolicyArn=full_access)
        for name, document in inline.items():
            put.append(name)
            aws.change(
                "iam", "PutRolePolicy", RoleName=role, PolicyName=name, PolicyDocument=document
            )
    except BaseException as error:
        if is_new:
            error.add_note(undo(aws, role, full_access, put))
        else:
            text = _("The role {role} existed before and is kept. Run this again to add the rest.")
            error.add_note(text.format(role=role))
        raise


def undo(aws: AWS, role: str, full_access: str | None, put: list[str]) -> str:
    """Remove a role that is not complete; what to tell of it."""
    iam = aws.client("iam")
    try:
        if full_access:
            ignoring_missing(aws, "DetachRolePolicy", RoleName=role, PolicyArn=full_access)
        for name in put:
            ignoring_missing(aws, "DeleteRolePolicy", RoleName=role, PolicyName=name)
        aws.change("iam", "DeleteRole", RoleName=role)
    except iam.exceptions.ClientError as error:
        return _(
            "The role {role} could not be deleted and remains without all its "
            "policies: {error}. Delete it with: {command}"
        ).format(role=role, error=error, command=f"smcli role-delete {role}")
    return _("The unfinished role {role} was deleted.").format(role=role)


def ignoring_missing(aws: AWS, operation: str, **request: str) -> None:
    try:
        aws.change("iam", operation, **request)
    except aws.client("iam").exceptions.NoSuchEntityException:
        pass


def look_up(aws: AWS, role: str) -> dict[str, Any]:
    """The role, once IAM shows it.

    Raises:
        TimedOut: IAM does not.
    """
    for _look in range(LOOKS):
        try:
            return aws.read("iam", "GetRole", RoleName=role)
        except aws.client("iam").exceptions.NoSuchEntityException:
            time.sleep(1)
    text = _("IAM does not show the role {role} yet. Check again with: {command}")
    raise TimedOut(text.format(role=role, command="smcli role-list"))


@command(
    "role-delete",
    calls=[
        "iam:GetRole",
        "iam:ListAttachedRolePolicies",
        "iam:ListRolePolicies",
        "iam:DetachRolePolicy",
        "iam:DeleteRolePolicy",
        "iam:DeleteRole",
    ],
    help=N_("Delete a role that only SageMaker can assume, with its inline policies."),
)
@role_argument()
@yes_option()
@dry_run_option()
def delete(aws: AWS, role: str, yes: bool) -> None:
    found = aws.read("iam", "GetRole", RoleName=role)["Role"]
    demand_trust(found, _("It was left unchanged."))
    attached = aws.read_all("iam", "ListAttachedRolePolicies", RoleName=role)["AttachedPolicies"]
    inline = aws.read_all("iam", "ListRolePolicies", RoleName=role)["PolicyNames"]
    question = _("Delete the role {role}? Jobs and endpoints that use it will no longer reach S3.")
    confirm(aws, yes, question.format(role=role))
    removed: list[str] = []
    try:
        for each in attached:
            aws.change("iam", "DetachRolePolicy", RoleName=role, PolicyArn=each["PolicyArn"])
            removed.append(each["PolicyName"])
        for name in inline:
            aws.change("iam", "DeleteRolePolicy", RoleName=role, PolicyName=name)
            removed.append(name)
        aws.change("iam", "DeleteRole", RoleName=role)
    except BaseException as error:
        text = _("The role {role} is still there, but without these policies: {removed}.")
        if removed:
            error.add_note(text.format(role=role, removed=", ".join(removed)))
        raise
    count = len(removed)
    show_done(
        aws,
        ngettext(
            "Removed {count} policy from the role {role} and deleted the role.",
            "Removed {count} policies from the role {role} and deleted the role.",
            count,
        ).format(role=role, count=count),
    )


@command(
    "role-list",
    calls=["iam:ListRoles"],
    help=N_("List the roles that SageMaker can assume, newest first."),
)
def list_all(aws: AWS) -> None:
    answer = aws.read_all("iam", "ListRoles")
    found = [role for role in answer["Roles"] if TRUSTED in trusted_by(role)]
    answer["Roles"] = sorted(found, key=lambda role: role["CreateDate"], reverse=True)
    columns = {N_("Name"): "RoleName", N_("ARN"): "Arn", N_("Created"): "CreateDate"}
    show_list(aws, answer, "Roles", columns)
