"""Notebook instances: one machine with Jupyter, and a volume that outlives each stop."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import click

from smcli.calls import AWS, advising
from smcli.command import argument, command, confirm, dry_run_option, option, yes_option
from smcli.ending import Failed, TimedOut
from smcli.language import N_, _
from smcli.output import say, show_done, show_list, show_made, show_one
from smcli.parameters import Name
from smcli.roles import role_option, with_role
from smcli.waiting import Interrupted, wait_for, waiting_options

STATUS = "NotebookInstanceStatus"
AT_REST = ("Stopped", "Failed")  # only then AWS starts or deletes an instance
DESCRIBE = "sagemaker:DescribeNotebookInstance"


@command(
    "notebook-create",
    calls=["sagemaker:CreateNotebookInstance", DESCRIBE, "iam:GetRole"],
    help=N_("Create and start a notebook instance; it is billed while it runs."),
)
@argument("name", type=Name(), help=N_("Name of the notebook instance."))
@option(
    "--instance-type",
    default="ml.t3.medium",
    show_default=True,
    metavar="TYPE",
    help=N_("Instance type; not every type for jobs is available for notebooks."),
)
@option(
    "--volume-size",
    type=click.IntRange(5, 16384),
    default=5,
    show_default=True,
    metavar="GB",
    help=N_("Size of the volume; it can grow later, but not shrink."),
)
@option(
    "--platform",
    default="notebook-al2023-v1",
    show_default=True,
    metavar="PLATFORM",
    help=N_("Operating system and version of JupyterLab."),
)
@option(
    "--imds",
    type=click.Choice(["1", "2"]),
    default="2",
    show_default=True,
    help=N_("Lowest version of the instance metadata service that is accepted."),
)
@option("--subnet", metavar="ID", help=N_("Subnet of your VPC to connect the instance to."))
@option(
    "--security-groups",
    metavar="ID",
    multiple=True,
    help=N_("Security group in the VPC of the subnet; may be repeated."),
)
@option(
    "--no-internet",
    is_flag=True,
    help=N_("Reach the internet only through the subnet; needs --subnet."),
)
@option(
    "--lifecycle-config",
    type=Name(),
    metavar="NAME",
    help=N_("Lifecycle configuration: scripts that run at creation and at each start."),
)
@option(
    "--git",
    metavar="URL",
    multiple=True,
    help=N_(
        "Git repository to clone: its https URL, or its name in SageMaker. Jupyter "
        "opens in the first; up to three more are allowed."
    ),
)
@role_option()
@waiting_options(poll=15)
@dry_run_option()
def create(
    aws: AWS,
    name: str,
    instance_type: str,
    volume_size: int,
    platform: str,
    imds: str,
    subnet: str | None,
    security_groups: tuple[str, ...],
    no_internet: bool,
    lifecycle_config: str | None,
    git: tuple[str, ...],
    role: str | None,
) -> None:
    if not subnet and (no_internet or security_groups):
        given = "--no-internet" if no_internet else "--security-groups"
        raise click.UsageError(_("{option} needs --subnet as well").format(option=given))
    if len(git) > 4:
        raise click.UsageError(
            _("--git is given {count} times; at most 4 are allowed").format(count=len(git))
        )
    if any("@" in urlsplit(each).netloc for each in git):
        raise click.UsageError(
            _(
                "--git: a password in a URL can be read by everybody who may look at the instance. "
                "Give the name of a repository in SageMaker, which keeps it in Secrets Manager."
            )
        )
    request: dict[str, Any] = {
        "NotebookInstanceName": name,
        "InstanceType": instance_type,
        "VolumeSizeInGB": volume_size,
        "PlatformIdentifier": platform,
        "InstanceMetadataServiceConfiguration": {"MinimumInstanceMetadataServiceVersion": imds},
        "SubnetId": subnet,
        "SecurityGroupIds": security_groups,
        "DirectInternetAccess": "Disabled" if no_internet else None,
        "LifecycleConfigName": lifecycle_config,
        "DefaultCodeRepository": git[0] if git else None,
        "AdditionalCodeRepositories": git[1:],
    }
    request = with_role(aws, role, "CreateNotebookInstance", "RoleArn", request)
    taken = _("Next: choose another name, or see what already has this one with {command}.").format(
        command=f"smcli notebook-describe {name}"
    )
    scripts = _("Next: see the names with {command}.").format(
        command="aws sagemaker list-notebook-instance-lifecycle-configs"
    )
    git_names = _("Next: see the names with {command}.").format(
        command="aws sagemaker list-code-repositories"
    )
    with advising({"duplicate": taken, "Lifecycle Config": scripts, "CodeRepository": git_names}):
        answer = aws.change("sagemaker", "CreateNotebookInstance", **request)
    url = f"smcli notebook-url {name}"
    if aws.dry_run or not aws.wait:
        show_made(aws, answer, "NotebookInstanceArn", f"smcli notebook-describe {name}", url)
        return
    show_made(aws, answer, "NotebookInstanceArn")
    wait_until_runs(aws, name)
    say(_("next: {command}").format(command=url))


@command(
    "notebook-list",
    calls=["sagemaker:ListNotebookInstances"],
    help=N_("List the notebook instances, newest first."),
)
def list_all(aws: AWS) -> None:
    answer = aws.read_all(
        "sagemaker", "ListNotebookInstances", SortBy="CreationTime", SortOrder="Descending"
    )
    show_list(
        aws,
        answer,
        "NotebookInstances",
        {
            N_("Name"): "NotebookInstanceName",
            N_("Status"): STATUS,
            N_("Type"): "InstanceType",
            N_("Created"): "CreationTime",
        },
    )


@command(
    "notebook-describe",
    calls=[DESCRIBE],
    help=N_("Show the status and the settings of a notebook instance."),
)
@argument("name", type=Name(), help=N_("Name of the notebook instance."))
def describe(aws: AWS, name: str) -> None:
    imds = "InstanceMetadataServiceConfiguration.MinimumInstanceMetadataServiceVersion"
    show_one(
        aws,
        look(aws, name),
        {
            N_("Name"): "NotebookInstanceName",
            N_("Status"): STATUS,
            N_("Reason"): "FailureReason",
            N_("Type"): "InstanceType",
            N_("Volume (GB)"): "VolumeSizeInGB",
            N_("Platform"): "PlatformIdentifier",
            N_("IMDS"): imds,
            N_("Subnet"): "SubnetId",
            N_("Security groups"): lambda told: ", ".join(told.get("SecurityGroups", [])),
            N_("Internet access"): "DirectInternetAccess",
            N_("Lifecycle"): "NotebookInstanceLifecycleConfigName",
            N_("Git"): repositories,
            N_("Role"): "RoleArn",
            N_("Address"): "Url",
            N_("Created"): "CreationTime",
        },
    )


@command(
    "notebook-start",
    calls=["sagemaker:StartNotebookInstance", DESCRIBE],
    help=N_("Start a stopped notebook instance; it is billed while it runs."),
)
@argument("name", type=Name(), help=N_("Name of the notebook instance."))
@waiting_options(poll=15)
@dry_run_option()
def start(aws: AWS, name: str) -> None:
    url = f"smcli notebook-url {name}"
    with advising(
        by_status(
            name, InService=_("Next: it is running; open it with {command}.").format(command=url)
        )
    ):
        aws.change("sagemaker", "StartNotebookInstance", NotebookInstanceName=name)
    if aws.dry_run:
        return
    if aws.wait:
        wait_until_runs(aws, name)
    else:
        say(_("The notebook instance {name} is starting.").format(name=name))
        say(_("next: {command}").format(command=f"smcli notebook-describe {name}"))
    say(_("next: {command}").format(command=url))


@command(
    "notebook-stop",
    calls=["sagemaker:StopNotebookInstance", DESCRIBE],
    help=N_("Stop a notebook instance; its volume is kept, and billed."),
)
@argument("name", type=Name(), help=N_("Name of the notebook instance."))
@waiting_options(poll=15)
@dry_run_option()
def stop(aws: AWS, name: str) -> None:
    idle = _("Next: it is not running; delete it with {command}.").format(
        command=f"smcli notebook-delete {name}"
    )
    with advising(by_status(name, Stopped=idle, Failed=idle)):
        aws.change("sagemaker", "StopNotebookInstance", NotebookInstanceName=name)
    if aws.wait and not aws.dry_run:
        wait_until(aws, name, "Stopped")
        say(_("The notebook instance {name} is stopped.").format(name=name))
    else:
        show_done(aws, _("The notebook instance {name} is stopping.").format(name=name))
    show_done(aws, _("Its volume is kept, and billed until the instance is deleted."))


@command(
    "notebook-delete",
    calls=["sagemaker:DeleteNotebookInstance", "sagemaker:StopNotebookInstance", DESCRIBE],
    help=N_("Delete a stopped notebook instance, with everything on its volume."),
)
@argument("name", type=Name(), help=N_("Name of the notebook instance."))
@option(
    "--force",
    is_flag=True,
    help=N_("If it is running, stop it first and wait until it has stopped."),
)
@yes_option()
@waiting_options(poll=15)
@dry_run_option()
def delete(aws: AWS, name: str, force: bool, yes: bool) -> None:
    confirm(
        aws,
        yes,
        _("Delete the notebook instance {name} and everything on its volume?").format(name=name),
    )
    if force:
        stop_first(aws, name)
    running = _("Next: stop it with {command}, or add --force.").format(
        command=f"smcli notebook-stop {name} --wait"
    )
    with advising(by_status(name, InService=running)):
        aws.change("sagemaker", "DeleteNotebookInstance", NotebookInstanceName=name)
    if aws.wait and not aws.dry_run:
        wait_until(aws, name, "Deleted")
        say(_("Deleted the notebook instance {name} and its volume.").format(name=name))
        return
    show_done(
        aws,
        _("The notebook instance {name} and its volume are being deleted.").format(name=name),
    )


@command(
    "notebook-url",
    calls=["sagemaker:CreatePresignedNotebookInstanceUrl"],
    help=N_("Create a URL that opens Jupyter on a notebook instance; it is valid for 5 minutes."),
)
@argument("name", type=Name(), help=N_("Name of the notebook instance."))
@option(
    "--expires",
    type=click.IntRange(1800, 43200),
    default=43200,
    show_default=True,
    metavar="SECONDS",
    help=N_("How long the session lasts once opened."),
)
@dry_run_option()
def url(aws: AWS, name: str, expires: int) -> None:
    begin = _("Next: start it with {command}.").format(
        command=f"smcli notebook-start {name} --wait"
    )
    with advising(by_status(name, Stopped=begin, Failed=begin)):
        answer = aws.change(
            "sagemaker",
            "CreatePresignedNotebookInstanceUrl",
            NotebookInstanceName=name,
            SessionExpirationDurationInSeconds=expires,
        )
    show_made(aws, answer, "AuthorizedUrl")
    show_done(
        aws,
        _("Open it within 5 minutes. Whoever has this URL gets in; do not store or share it."),
    )


def look(aws: AWS, name: str) -> dict[str, Any]:
    return aws.read("sagemaker", "DescribeNotebookInstance", NotebookInstanceName=name)


def repositories(told: dict[str, Any]) -> str:
    first = told.get("DefaultCodeRepository")
    return ", ".join([*([first] if first else []), *told.get("AdditionalCodeRepositories", [])])


def by_status(name: str, **steps: str) -> dict[str, str]:
    """What to do where AWS refuses something because of the status; `steps` by the status."""
    other = _("Next: look at its status with {command}.").format(
        command=f"smcli notebook-describe {name}"
    )
    return {f"Status ({status})": step for status, step in steps.items()} | {"Status (": other}


def wait_until(aws: AWS, name: str, *good: str) -> str:
    """Wait for one of these states, `Deleted` among them; returns the one that was met."""
    from botocore.exceptions import ClientError

    def look_once() -> dict[str, Any]:
        try:
            return look(aws, name)
        except ClientError as error:
            if "Deleted" in good and "RecordNotFound" in error.response["Error"]["Message"]:
                return {STATUS: "Deleted"}
            raise

    bad = {"Failed"} - set(good)
    again = f"smcli notebook-describe {name}"
    return str(wait_for(aws, name, look_once, STATUS, good, bad, again)[STATUS])


def wait_until_runs(aws: AWS, name: str) -> None:
    try:
        wait_until(aws, name, "InService")
    except Failed as failed:
        failed.add_note(
            _("The output of its lifecycle scripts is in the log group {group}.").format(
                group="/aws/sagemaker/NotebookInstances"
            )
        )
        failed.add_note(
            _("Next: start it again with {start}, or delete it with {delete}.").format(
                start=f"smcli notebook-start {name}", delete=f"smcli notebook-delete {name}"
            )
        )
        raise


def stop_first(aws: AWS, name: str) -> None:
    """Bring an instance into a state in which AWS deletes it. A dry run prints the stop only."""
    status = str(look(aws, name)[STATUS])
    if aws.dry_run:
        if status not in AT_REST:
            aws.change("sagemaker", "StopNotebookInstance", NotebookInstanceName=name)
        return
    with not_deleted_yet(name):
        if status not in (*AT_REST, "InService", "Deleting"):
            status = wait_until(aws, name, *AT_REST, "InService", "Deleting")
        if status == "InService":
            with advising(by_status(name)):
                aws.change("sagemaker", "StopNotebookInstance", NotebookInstanceName=name)
            wait_until(aws, name, *AT_REST)


@contextmanager
def not_deleted_yet(name: str) -> Iterator[None]:
    """Whoever stops waiting learns that the instance stays."""
    try:
        yield
    except (Interrupted, TimedOut) as ended:
        ended.add_note(
            _("It is not deleted yet; to delete it, run {command} again.").format(
                command=f"smcli notebook-delete {name} --force"
            )
        )
        raise
