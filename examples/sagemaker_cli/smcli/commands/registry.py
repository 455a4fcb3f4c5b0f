"""The model registry: groups of model packages, and the approval of their versions."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import click

from smcli.calls import AWS, advising
from smcli.command import argument, command, confirm, dry_run_option, option, yes_option
from smcli.language import N_, _, ngettext
from smcli.output import show_done, show_list, show_made
from smcli.parameters import KeyValue, Name, S3Uri

APPROVALS = ("Approved", "Rejected", "PendingManualApproval")


class NameOrArn(Name):
    """The name of a group, or the ARN of one that another account shares."""

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        return str(value) if value.startswith("arn:") else super().convert(value, param, ctx)


def group_argument(kind: click.ParamType) -> Callable[[Any], Any]:
    return argument("group", type=kind, help=N_("Name of the model package group."))


# --- groups ---------------------------------------------------------------------------------------


@command(
    "model-package-group-create",
    calls=["sagemaker:CreateModelPackageGroup"],
    help=N_("Create a group for the versions of a model."),
)
@group_argument(Name())
@option("--description", metavar="TEXT", help=N_("What the models of the group are for."))
@dry_run_option()
def create_group(aws: AWS, group: str, description: str | None) -> None:
    request = {"ModelPackageGroupName": group, "ModelPackageGroupDescription": description}
    taken = _("Next: choose another name, or see its versions with {command}.").format(
        command=f"smcli model-package-list {group}"
    )
    with advising({"already exists": taken}):
        answer = aws.change("sagemaker", "CreateModelPackageGroup", **request)
    show_made(
        aws,
        answer,
        "ModelPackageGroupArn",
        f"smcli model-package-register {group} IMAGE s3://BUCKET/model.tar.gz",
    )


@command(
    "model-package-group-list",
    calls=["sagemaker:ListModelPackageGroups"],
    help=N_("List the model package groups, newest first."),
)
@option(
    "--cross-account",
    is_flag=True,
    help=N_("List the groups that other accounts share through AWS RAM instead of your own."),
)
def list_groups(aws: AWS, cross_account: bool) -> None:
    whose = {"CrossAccountFilterOption": "CrossAccount"} if cross_account else {}
    answer = aws.read_all(
        "sagemaker",
        "ListModelPackageGroups",
        SortBy="CreationTime",
        SortOrder="Descending",
        **whose,
    )
    name = "ModelPackageGroupArn" if cross_account else "ModelPackageGroupName"
    columns = {
        N_("Name"): name,
        N_("Status"): "ModelPackageGroupStatus",
        N_("Created"): "CreationTime",
    }
    show_list(aws, answer, "ModelPackageGroupSummaryList", columns)


@command(
    "model-package-group-delete",
    calls=[
        "sagemaker:ListModelPackages",
        "sagemaker:DeleteModelPackage",
        "sagemaker:DeleteModelPackageGroup",
    ],
    help=N_("Delete a model package group; artifacts in S3 and models created from it stay."),
)
@group_argument(Name())
@option(
    "--cascade", is_flag=True, help=N_("Delete its versions first; by default, it must be empty.")
)
@yes_option()
@dry_run_option()
def delete_group(aws: AWS, group: str, cascade: bool, yes: bool) -> None:
    versions = versions_of(aws, group) if cascade else []
    count = len(versions)
    confirm(
        aws,
        yes,
        ngettext(
            "Delete the group {group} and its {count} version?",
            "Delete the group {group} and its {count} versions?",
            count,
        ).format(group=group, count=count)
        if versions
        else _("Delete the group {group}?").format(group=group),
    )
    while versions:
        try:
            aws.change(
                "sagemaker", "DeleteModelPackage", ModelPackageName=versions[-1]["ModelPackageArn"]
            )
        except BaseException as error:
            left = ", ".join(str(version["ModelPackageVersion"]) for version in versions)
            text = _("The group {group} stays, with these versions: {left}.")
            error.add_note(text.format(group=group, left=left))
            raise
        versions.pop()
    cascading = _("Next: delete its versions as well: {command}").format(
        command=f"smcli model-package-group-delete {group} --cascade"
    )
    with advising({"ConflictException": cascading}):
        aws.change("sagemaker", "DeleteModelPackageGroup", ModelPackageGroupName=group)
    show_done(
        aws,
        ngettext(
            "Deleted the group {group} and {count} version; artifacts in S3 are kept.",
            "Deleted the group {group} and {count} versions; artifacts in S3 are kept.",
            count,
        ).format(group=group, count=count)
        if cascade
        else _("Deleted the group {group}.").format(group=group),
    )


# --- versions -------------------------------------------------------------------------------------


def versions_of(aws: AWS, group: str) -> list[dict[str, Any]]:
    """All versions of a group, newest first."""
    answer = aws.read_all("sagemaker", "ListModelPackages", **in_order(group))
    return list(answer["ModelPackageSummaryList"])


def see_groups() -> AbstractContextManager[None]:
    """What to do if the group is missing; `hints` would name a command that needs its name."""
    step = _("Next: see the groups with {command}.").format(
        command="smcli model-package-group-list"
    )
    return advising({"ModelPackageGroup": step})


def in_order(group: str) -> dict[str, Any]:
    return {
        "ModelPackageGroupName": group,
        "SortBy": "CreationTime",
        "SortOrder": "Descending",
    }


@command(
    "model-package-list",
    calls=["sagemaker:ListModelPackages"],
    help=N_("List the versions in a model package group, newest first."),
)
@group_argument(NameOrArn())
@option(
    "--status",
    type=click.Choice(APPROVALS, case_sensitive=False),
    metavar="[" + "|".join(APPROVALS) + "]",
    help=N_("Only versions with this approval."),
)
def list_packages(aws: AWS, group: str, status: str | None) -> None:
    request = in_order(group) | ({"ModelApprovalStatus": status} if status else {})
    columns = {
        N_("Version"): "ModelPackageVersion",
        N_("Approval"): "ModelApprovalStatus",
        N_("Status"): "ModelPackageStatus",
        N_("Description"): "ModelPackageDescription",
        N_("Created"): "CreationTime",
    }
    with see_groups():
        answer = aws.read_all("sagemaker", "ListModelPackages", **request)
    show_list(aws, answer, "ModelPackageSummaryList", columns)


@command(
    "model-package-register",
    calls=["sagemaker:CreateModelPackage"],
    help=N_("Register a model as the next version in a group; it then waits for approval."),
)
@group_argument(NameOrArn())
@argument("image", help=N_("Image that serves the model; smcli images lists those of AWS."))
@argument("artifact", type=S3Uri(".tar.gz"), help=N_("The model.tar.gz in S3."))
@option(
    "--content-type",
    "content_types",
    multiple=True,
    default=["text/csv"],
    show_default=True,
    metavar="MIME-TYPE",
    help=N_("Content type that it accepts; may be repeated."),
)
@option(
    "--response-type",
    "response_types",
    multiple=True,
    default=["text/csv"],
    show_default=True,
    metavar="MIME-TYPE",
    help=N_("Content type that it returns; may be repeated."),
)
@option(
    "--instance-type",
    "instance_types",
    multiple=True,
    metavar="TYPE",
    help=N_("Instance type for endpoints and batch transform; may be repeated; default: any."),
)
@option("--description", metavar="TEXT", help=N_("What is new in this version."))
@option(
    "--metadata",
    type=KeyValue(),
    multiple=True,
    metavar="KEY=VALUE",
    help=N_("Metadata, such as a metric, auc=0.86; may be repeated."),
)
@option("--approve", is_flag=True, help=N_("Approve it at once."))
@dry_run_option()
def register(
    aws: AWS,
    group: str,
    image: str,
    artifact: str,
    content_types: tuple[str, ...],
    response_types: tuple[str, ...],
    instance_types: tuple[str, ...],
    description: str | None,
    metadata: tuple[tuple[str, str], ...],
    approve: bool,
) -> None:
    request = {
        "ModelPackageGroupName": group,
        "ModelPackageDescription": description,
        "ModelApprovalStatus": "Approved" if approve else "PendingManualApproval",
        "CustomerMetadataProperties": dict(metadata),
        "InferenceSpecification": {
            "Containers": [{"Image": image, "ModelDataUrl": artifact}],
            "SupportedContentTypes": content_types,
            "SupportedResponseMIMETypes": response_types,
            "SupportedRealtimeInferenceInstanceTypes": instance_types,
            "SupportedTransformInstanceTypes": instance_types,
        },
    }
    with see_groups():
        answer = aws.change("sagemaker", "CreateModelPackage", **request)
    arn = answer.get("ModelPackageArn", "")
    approving = f"smcli model-package-approve {group} {arn.rpartition('/')[2]}"
    show_made(aws, answer, "ModelPackageArn", deploying(arn) if approve else approving)


def deploying(arn: str) -> str:
    """The command that makes a model of an approved version."""
    name = "-".join(arn.split("/")[1:])
    return f"smcli model-create {name} --package {arn}"


def version_argument() -> Callable[[Any], Any]:
    return argument("version", type=click.IntRange(min=1), help=N_("Number of the version."))


def reason_option() -> Callable[[Any], Any]:
    return option("--reason", metavar="TEXT", help=N_("Reason; it is kept as ApprovalDescription."))


@command(
    "model-package-approve",
    calls=["sagemaker:DescribeModelPackage", "sagemaker:UpdateModelPackage"],
    help=N_("Approve a version: models can be created from it, and EventBridge is notified."),
)
@group_argument(NameOrArn())
@version_argument()
@reason_option()
@dry_run_option()
def approve(aws: AWS, group: str, version: int, reason: str | None) -> None:
    done = _("Approved version {version} of {group} (before: {before}).")
    decide(aws, group, version, "Approved", reason, done)


@command(
    "model-package-reject",
    calls=["sagemaker:DescribeModelPackage", "sagemaker:UpdateModelPackage"],
    help=N_(
        "Reject a version: no model can be created from it any more, and EventBridge is notified."
    ),
)
@group_argument(NameOrArn())
@version_argument()
@reason_option()
@dry_run_option()
def reject(aws: AWS, group: str, version: int, reason: str | None) -> None:
    done = _("Rejected version {version} of {group} (before: {before}).")
    decide(aws, group, version, "Rejected", reason, done)


def decide(
    aws: AWS, group: str, version: int, approval: str, reason: str | None, done: str
) -> None:
    """Set the approval of a version and show its ARN.

    done: what to say of it.
    """
    name = f"{group.replace(':model-package-group/', ':model-package/')}/{version}"
    versions = _("Next: see the versions with {command}.").format(
        command=f"smcli model-package-list {group}"
    )
    with advising({"does not exist": versions}):
        found = aws.read("sagemaker", "DescribeModelPackage", ModelPackageName=name)
    arn, before = found["ModelPackageArn"], found["ModelApprovalStatus"]
    answer = aws.change(
        "sagemaker",
        "UpdateModelPackage",
        ModelPackageArn=arn,
        ModelApprovalStatus=approval,
        ApprovalDescription=reason,
    )
    show_done(aws, done.format(version=version, group=group, before=before))
    show_made(aws, answer, "ModelPackageArn", *([deploying(arn)] if approval == "Approved" else []))
