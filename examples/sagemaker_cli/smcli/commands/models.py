"""Models: what an endpoint serves."""

from typing import Any

import click

from smcli.calls import AWS, advising
from smcli.command import argument, command, confirm, dry_run_option, option, yes_option
from smcli.jobs import environment_option, vpc_config, vpc_options
from smcli.language import N_, _
from smcli.output import show_done, show_list, show_made, show_one
from smcli.parameters import Name, S3Uri
from smcli.roles import role_option, with_role


@command(
    "model-create",
    calls=["sagemaker:CreateModel", "iam:GetRole"],
    help=N_("Create a model from an image and an artifact in S3, or from a model package."),
)
@argument("name", type=Name(), help=N_("Name of the model."))
@argument(
    "image",
    required=False,
    help=N_("Image that serves the model; smcli images lists those of AWS."),
)
@argument("artifact", type=S3Uri(".tar.gz"), required=False, help=N_("The model.tar.gz in S3."))
@option(
    "--package",
    metavar="ARN",
    help=N_("Approved model package from the registry, instead of IMAGE and ARTIFACT."),
)
@environment_option()
@vpc_options(N_("Reach your VPC through these subnets, separated by commas."))
@role_option()
@dry_run_option()
def create(
    aws: AWS,
    name: str,
    image: str | None,
    artifact: str | None,
    package: str | None,
    environment: tuple[tuple[str, str], ...],
    subnets: tuple[list[str], ...],
    groups: tuple[list[str], ...],
    role: str | None,
) -> None:
    if package and image:
        raise click.UsageError(
            _(
                "--package and IMAGE cannot be used together: the package names both "
                "image and artifact."
            )
        )
    if not package and not (image and artifact):
        raise click.UsageError(_("Give IMAGE and ARTIFACT, or --package ARN."))
    container = {
        "Image": image,
        "ModelDataUrl": artifact,
        "ModelPackageName": package,
        "Environment": dict(environment),
    }
    request = {
        "ModelName": name,
        "PrimaryContainer": container,
        "VpcConfig": vpc_config(subnets, groups),
    }
    request = with_role(aws, role, "CreateModel", "ExecutionRoleArn", request)
    taken = _("Next: choose another name, or look at this model with {command}.")
    approved = _("Next: see the versions and their approval with smcli model-package-list GROUP.")
    with advising(
        {
            "already existing": taken.format(command=f"smcli model-describe {name}"),
            "ModelPackage": approved,
            "model-package": approved,
        }
    ):
        answer = aws.change("sagemaker", "CreateModel", **request)
    show_made(aws, answer, "ModelArn", f"smcli endpoint-config-create {name}-config {name}")


@command("model-list", calls=["sagemaker:ListModels"], help=N_("List the models, newest first."))
def list_all(aws: AWS) -> None:
    answer = aws.read_all("sagemaker", "ListModels", SortBy="CreationTime", SortOrder="Descending")
    show_list(aws, answer, "Models", {N_("Name"): "ModelName", N_("Created"): "CreationTime"})


@command(
    "model-describe", calls=["sagemaker:DescribeModel"], help=N_("Show what a model consists of.")
)
@argument("name", type=Name(), help=N_("Name of the model."))
def describe(aws: AWS, name: str) -> None:
    show_one(
        aws,
        aws.read("sagemaker", "DescribeModel", ModelName=name),
        {
            N_("Name"): "ModelName",
            N_("Image"): "PrimaryContainer.Image",
            N_("Artifact"): artifact_of,
            N_("Package"): "PrimaryContainer.ModelPackageName",
            N_("Environment"): "PrimaryContainer.Environment",
            N_("Containers"): images_of,
            N_("Role"): "ExecutionRoleArn",
            N_("Subnets"): "VpcConfig.Subnets",
            N_("Security groups"): "VpcConfig.SecurityGroupIds",
            N_("Created"): "CreationTime",
        },
    )


def artifact_of(model: dict[str, Any]) -> str | None:
    """Where the artifact of a model lies, whichever member says it."""
    container = model.get("PrimaryContainer") or {}
    source = (container.get("ModelDataSource") or {}).get("S3DataSource") or {}
    found: str | None = container.get("ModelDataUrl") or source.get("S3Uri")
    return found


def images_of(model: dict[str, Any]) -> list[str]:
    """The containers of an inference pipeline, in their order."""
    containers = model.get("Containers") or []
    return [each.get("Image") or each.get("ModelPackageName") for each in containers]


@command(
    "model-delete",
    calls=["sagemaker:DeleteModel"],
    help=N_("Delete a model; the artifact in S3 stays."),
)
@argument("name", type=Name(), help=N_("Name of the model."))
@yes_option()
@dry_run_option()
def delete(aws: AWS, name: str, yes: bool) -> None:
    confirm(aws, yes, _("Delete the model {name}?").format(name=name))
    aws.change("sagemaker", "DeleteModel", ModelName=name)
    show_done(aws, _("Deleted the model {name}; its artifact in S3 is kept.").format(name=name))
