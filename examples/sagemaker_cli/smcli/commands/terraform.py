"""The Terraform stack: Terraform itself does the work, on the files of `tf/`.

Terraform writes to the terminal as it would without this program. Its state, and so what it will
destroy, lies in the folder of the files (unless they say otherwise).
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click

from smcli.calls import AWS
from smcli.command import argument, command, option
from smcli.ending import INTERRUPTED, Failed, Unreadable
from smcli.language import N_, _
from smcli.output import say, show_json, show_one

CHECKOUT = Path(__file__).parents[2] / "tf"  # beside the package, in the repository
INSTALLED = Path(__file__).parents[1] / "tf"  # in the package, once it is installed
STACK_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,41}[a-z0-9]")
ASSIGNED = re.compile(r'^\s*stack_name\s*=\s*"([^"]*)"', re.MULTILINE)


class StackName(click.ParamType):
    """As variables.tf demands it, but known before Terraform starts."""

    name = "stack-name"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        if not STACK_NAME.fullmatch(value):
            self.fail(
                _(
                    "{value!r}: a stack name has 3 to 43 lower-case letters, digits and hyphens, "
                    "and begins and ends with a letter or digit"
                ).format(value=value),
                param,
                ctx,
            )
        return str(value)


def stack_name_argument() -> Callable[[Any], Any]:
    return argument(
        "stack_name",
        type=StackName(),
        help=N_("Name of the stack; all names in it begin with this."),
    )


def folder_option() -> Callable[[Any], Any]:
    return option(
        "--dir",
        "given",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        metavar="FOLDER",
        envvar="SMCLI_TF_DIR",
        show_envvar=True,
        help=N_("Folder of the .tf files; default: tf in this folder, or that of the repository."),
    )


def more_arguments() -> Callable[[Any], Any]:
    return argument(
        "more",
        nargs=-1,
        type=click.UNPROCESSED,
        metavar="[-- TERRAFORM-OPTIONS]",
        help=N_("More arguments for Terraform, such as -- -var create_notebook=true."),
    )


def yes_option() -> Callable[[Any], Any]:
    return option("--yes", is_flag=True, help=N_("Make the changes without asking."))


def folder_of(given: Path | None) -> Path:
    """The folder of the .tf files, and of the state.

    Raises:
        Unreadable: there is none, or only that of the installed package, where the state would be
            lost with the next installation.
    """
    if given:
        if any(given.glob("*.tf")):
            return given
        raise Unreadable(_("There are no .tf files in {folder}.").format(folder=given))
    for folder in (Path("tf"), CHECKOUT):
        if (folder / "sagemaker.tf").exists():  # another project may have a tf, too
            return folder
    raise Unreadable(
        _("The files of the stack are not in ./tf. Copy them: {command}").format(
            command=f"cp -r {INSTALLED} tf"
        )
    )


def program() -> str:
    """Raises Unreadable: Terraform is not installed."""
    found = shutil.which("terraform")
    if found is None:
        raise Unreadable(
            _("Terraform is not installed. Get it from {address}").format(
                address="https://developer.hashicorp.com/terraform/install"
            )
        )
    return found


def environment(aws: AWS) -> dict[str, str]:
    """The environment of Terraform: with the settings of the command line as the provider reads
    them."""
    settings = {"AWS_PROFILE": aws.profile, "AWS_ENDPOINT_URL": aws.endpoint_url}
    return dict(os.environ) | {name: value for name, value in settings.items() if value}


def run(aws: AWS, folder: Path, *arguments: str) -> int:
    """Run Terraform in this terminal; its exit code.

    Ctrl-C reaches Terraform as well, which then ends in order and keeps its state; killing it would
    lose what it has just made. So this program waits.
    """
    interrupts: list[int] = []
    name, *rest = arguments
    call = [program(), f"-chdir={folder}", name, *colour(), *rest]
    sys.stdout.flush()
    before = signal.signal(signal.SIGINT, lambda number, _frame: interrupts.append(number))
    try:
        status = subprocess.call(call, env=environment(aws))
    finally:
        signal.signal(signal.SIGINT, before)
    return INTERRUPTED if interrupts and status else status


def colour() -> list[str]:
    """Terraform colours what it tells even a pipe, and does not know NO_COLOR."""
    return [] if sys.stdout.isatty() and "NO_COLOR" not in os.environ else ["-no-color"]


def ended(status: int, *hints: str) -> None:
    """End as Terraform did.

    hints: what may help when it has failed.
    """
    if status and status != INTERRUPTED:
        for hint in hints:
            say(hint)
    if status:
        click.get_current_context().exit(status)


def outputs(aws: AWS, folder: Path) -> dict[str, Any]:
    """The outputs in the state; none before the first apply."""
    call = [program(), f"-chdir={folder}", "output", "-json", "-no-color"]
    done = subprocess.run(call, env=environment(aws), capture_output=True, text=True, check=False)
    if done.returncode:
        say(done.stderr.rstrip())
        if "terraform init" in done.stderr:
            say(_("next: {command}").format(command="smcli tf-init"))
        click.get_current_context().exit(done.returncode)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def variables(aws: AWS, folder: Path, stack_name: str) -> list[str]:
    """The arguments that say which stack is meant.

    Raises:
        Failed: the state in the folder belongs to another stack, which would be replaced.
    """
    wanted = {"stack_name": stack_name} | ({"region": aws.region} if aws.region else {})
    made = outputs(aws, folder)
    for name, value in wanted.items():
        there = made.get(name, {}).get("value", value)
        if there != value:
            raise Failed(
                _(
                    "The state in {folder} belongs to a stack with {name} = {there}, which would "
                    "be replaced. For another stack, copy the .tf files and name the copy with "
                    "--dir."
                ).format(folder=folder, name=name, there=there)
            )
    for path in assigning(folder):
        for other in ASSIGNED.findall(path.read_text(encoding="utf-8")):
            if other != stack_name:
                say(
                    _("{file} says stack_name = {other}; {name} is used.").format(
                        file=path.name, other=other, name=stack_name
                    )
                )
    return [part for name, value in wanted.items() for part in ("-var", f"{name}={value}")]


def assigning(folder: Path) -> Iterable[Path]:
    """The files of values that Terraform reads by itself."""
    return [path for path in sorted(folder.glob("*.tfvars")) if is_read(path.name)]


def is_read(name: str) -> bool:
    return name == "terraform.tfvars" or name.endswith(".auto.tfvars")


def approval(yes: bool) -> list[str]:
    """Raises click.UsageError: nobody can be asked."""
    if not yes and not sys.stdin.isatty():
        raise click.UsageError(
            _("Terraform asks before it changes anything, and nobody can answer here: add --yes.")
        )
    return ["-auto-approve"] if yes else []


@command("tf-init", help=N_("Prepare the folder of the stack: download the AWS provider."))
@folder_option()
@more_arguments()
def init(aws: AWS, given: Path | None, more: tuple[str, ...]) -> None:
    ended(run(aws, folder_of(given), "init", *more))
    say(_("next: {command}").format(command="smcli tf-plan STACK-NAME"))


@command("tf-plan", help=N_("Show what Terraform would change, and change nothing."))
@stack_name_argument()
@folder_option()
@more_arguments()
def plan(aws: AWS, stack_name: str, given: Path | None, more: tuple[str, ...]) -> None:
    folder = folder_of(given)
    ended(run(aws, folder, "plan", *variables(aws, folder, stack_name), *more))


@command("tf-apply", help=N_("Create the stack, or update it to match the files."))
@stack_name_argument()
@yes_option()
@folder_option()
@more_arguments()
def apply(aws: AWS, stack_name: str, yes: bool, given: Path | None, more: tuple[str, ...]) -> None:
    agreed, folder = approval(yes), folder_of(given)
    ended(run(aws, folder, "apply", *agreed, *variables(aws, folder, stack_name), *more))


@command(
    "tf-destroy", help=N_("Delete the stack; buckets that hold objects only with force_destroy.")
)
@stack_name_argument()
@yes_option()
@folder_option()
@more_arguments()
def destroy(
    aws: AWS, stack_name: str, yes: bool, given: Path | None, more: tuple[str, ...]
) -> None:
    agreed, folder = approval(yes), folder_of(given)
    ended(
        run(aws, folder, "destroy", *agreed, *variables(aws, folder, stack_name), *more),
        _("BucketNotEmpty? To delete all objects as well, first allow it, then destroy again:"),
        f"  smcli tf-apply {stack_name} -- -var force_destroy=true -target=aws_s3_bucket.this",
    )


@command("tf-output", help=N_("Show the outputs of the stack: names, ARNs, addresses."))
@folder_option()
def show_outputs(aws: AWS, given: Path | None) -> None:
    folder = folder_of(given)
    made = outputs(aws, folder)
    if not made:
        raise Failed(
            _("There are no outputs in {folder}: no stack was created from it yet.").format(
                folder=folder
            )
        )
    if aws.output == "json" or aws.query is not None:
        show_json(aws, made)
    else:
        show_one(aws, made, {name: f"{name}.value" for name in made})
