"""The program `smcli`: finds the command, and gives every failure a message and an exit code."""

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import NoReturn, TextIO

import click

from smcli import ending, language
from smcli.calls import AWS, hints
from smcli.command import Translated, settings
from smcli.help import Context
from smcli.language import N_, _
from smcli.output import say, silence
from smcli.waiting import Interrupted

# The commands by module of smcli.commands. A module is imported when one of them is used.
GROUPS: dict[str, tuple[str, tuple[str, ...]]] = {
    "terraform": (
        N_("Terraform stack"),
        ("tf-init", "tf-plan", "tf-apply", "tf-destroy", "tf-output"),
    ),
    "training": (
        N_("Training jobs"),
        ("training-create", "training-list", "training-describe", "training-stop", "training-logs"),
    ),
    "processing": (
        N_("Processing jobs"),
        (
            "processing-create",
            "processing-list",
            "processing-describe",
            "processing-stop",
            "processing-logs",
        ),
    ),
    "notebooks": (
        N_("Notebook instances"),
        (
            "notebook-create",
            "notebook-list",
            "notebook-describe",
            "notebook-start",
            "notebook-stop",
            "notebook-delete",
            "notebook-url",
        ),
    ),
    "models": (N_("Models"), ("model-create", "model-list", "model-describe", "model-delete")),
    "endpoints": (
        N_("Endpoints"),
        (
            "endpoint-config-create",
            "endpoint-config-list",
            "endpoint-config-delete",
            "endpoint-create",
            "endpoint-list",
            "endpoint-describe",
            "endpoint-update",
            "endpoint-delete",
            "endpoint-invoke",
        ),
    ),
    "experiments": (
        N_("Experiments (legacy)"),
        (
            "experiment-create",
            "experiment-list",
            "experiment-describe",
            "experiment-delete",
            "trial-create",
            "trial-list",
            "trial-delete",
        ),
    ),
    "registry": (
        N_("Model registry"),
        (
            "model-package-group-create",
            "model-package-group-list",
            "model-package-group-delete",
            "model-package-list",
            "model-package-register",
            "model-package-approve",
            "model-package-reject",
        ),
    ),
    "iam": (N_("Roles"), ("role-create", "role-delete", "role-list")),
    "overview": (N_("Overview"), ("status", "images", "cleanup")),
}
COMPLETION = "_SMCLI_COMPLETE"  # by which a shell asks
MODULE_OF = {name: module for module, (_title, names) in GROUPS.items() for name in names}


class Root(Translated, click.Group):
    """All commands, by group, imported when needed."""

    context_class = Context

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(MODULE_OF)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in MODULE_OF:
            if name.startswith("-"):
                return None
            raise click.NoSuchCommand(name, possibilities=list(MODULE_OF), ctx=ctx)
        module = import_module(f"smcli.commands.{MODULE_OF[name]}")
        found: click.Command = next(
            value
            for value in vars(module).values()
            if isinstance(value, click.Command) and value.name == name
        )
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, names in GROUPS.values():
            found = [(name, self.get_command(ctx, name)) for name in names]
            with formatter.section(_(title)):
                formatter.write_dl([(name, c.get_short_help_str(100)) for name, c in found if c])


@click.group(
    cls=Root,
    params=settings(),
    help=N_(
        "Amazon SageMaker from the command line. Data goes to standard output, "
        "everything else to standard error."
    ),
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option("1.0.0", prog_name="smcli", message="%(prog)s %(version)s")
@click.pass_context
def cli(ctx: click.Context) -> None:
    ctx.ensure_object(AWS)


def fail(text: str, code: int, *more: str) -> int:
    say("\n".join([click.style(_("error:"), fg="red", bold=True) + f" {text}", *more]))
    return code


def notes(error: BaseException) -> list[str]:
    """What a command has added to an error by `add_note`: the next step."""
    return getattr(error, "__notes__", [])


def run(arguments: Sequence[str]) -> int:
    """Run one command line; returns its exit code."""
    language.choose(arguments)
    color = None if "NO_COLOR" not in os.environ else False
    try:
        status = cli.main(list(arguments), "smcli", COMPLETION, standalone_mode=False, color=color)
        return status if isinstance(status, int) else 0
    except SystemExit:  # completion has ended, or Click has met a closed pipe
        if COMPLETION in os.environ:
            raise
        silence(sys.stdout)  # `| head` has read enough
        return 0
    except click.exceptions.NoArgsIsHelpError as error:
        say(error.format_message())
        return ending.USAGE
    except click.UsageError as error:
        if error.ctx is not None:
            say(error.ctx.get_usage())
        return fail(error.format_message(), ending.USAGE)
    except click.ClickException as error:
        return fail(error.format_message(), error.exit_code, *notes(error))
    except Interrupted as error:
        say("\n".join([str(error), *notes(error)]))
        return ending.INTERRUPTED
    except (click.Abort, KeyboardInterrupt) as error:
        say("\n".join([_("Interrupted."), *notes(error.__cause__ or error)]))
        return ending.INTERRUPTED
    except OSError as error:
        return fail(str(error), ending.OTHER_ERROR, *notes(error))
    except Exception as error:
        status = of_aws(error, arguments)
        if status is None:
            raise
        return status


def of_aws(error: Exception, arguments: Sequence[str]) -> int | None:
    """The exit code of an error of boto3 after its message was shown; None: it is no such error."""
    from boto3.exceptions import Boto3Error
    from botocore import exceptions as aws

    if isinstance(error, aws.ClientError):
        code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
        name = next((word for word in arguments if word in MODULE_OF), "")
        advice = notes(error) or hints(code, message, name)
        return fail(f"{code}: {message}", ending.SERVICE_ERROR, *advice)
    told, advice = str(error), notes(error)
    if isinstance(error, aws.ParamValidationError):
        return fail(told, ending.USAGE, *advice)
    if isinstance(error, aws.NoCredentialsError | aws.PartialCredentialsError):
        told = f"{told}. " + _("Set credentials, or give --profile.")
        return fail(told, ending.NO_SETTINGS, *advice)
    if isinstance(error, aws.NoRegionError | aws.ProfileNotFound):
        return fail(told, ending.NO_SETTINGS, *advice)
    if isinstance(error, aws.BotoCoreError | Boto3Error | ValueError):
        return fail(told, ending.OTHER_ERROR, *advice)
    return None


def main() -> NoReturn:
    sys.stdin, sys.stdout, sys.stderr = map(opened, (sys.stdin, sys.stdout, sys.stderr))
    sys.exit(run(sys.argv[1:]))


def opened(stream: TextIO | None) -> TextIO:
    """A stream that whoever has started this program has closed takes and gives nothing."""
    return stream or Path(os.devnull).open("r+", encoding="utf-8")
