"""What makes a function a command: help that is translated, arguments, options and settings."""

import sys
from collections.abc import Callable, Sequence
from typing import Any

import click

from smcli.calls import AWS
from smcli.help import Context
from smcli.language import LANGUAGES, N_, _
from smcli.parameters import Query, Region, Seconds, Url


class Translated:
    """The help text is translated whenever it is read."""

    original: str | None

    def read(self) -> str | None:
        return _(self.original) if self.original else self.original

    def write(self, text: str | None) -> None:
        self.original = text

    help = property(read, write)


class Argument(Translated, click.Argument):
    """An argument with a help text."""


class Option(Translated, click.Option):
    """An option with a help text."""


def argument(*names: str, **settings: Any) -> Callable[[Any], Any]:
    return click.argument(*names, cls=Argument, **settings)


def option(*names: str, **settings: Any) -> Callable[[Any], Any]:
    return click.option(*names, cls=Option, **settings)


def with_options(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Several options as one decorator, in this order in the help."""

    def add(command: Any) -> Any:
        for decorate in reversed(options):
            command = decorate(command)
        return command

    return add


def poll_option(seconds: float, told: str) -> Callable[[Any], Any]:
    """--poll, kept in the settings. seconds: unless the reader says otherwise; told: its help."""
    return option(
        "--poll",
        envvar="SMCLI_POLL",
        show_envvar=True,
        type=Seconds(),
        default=seconds,
        show_default=True,
        metavar="SECONDS",
        expose_value=False,
        callback=keep,
        help=told,
    )


class Command(Translated, click.Command):
    """A command with the settings that all commands take.

    calls: every operation of AWS that it may use, as `sagemaker:CreateModel`.
    undoing: those that it uses beside them after a failure, to undo what it has begun.
    """

    context_class = Context

    def __init__(
        self,
        *arguments: Any,
        calls: Sequence[str] = (),
        undoing: Sequence[str] = (),
        **rest: Any,
    ) -> None:
        super().__init__(*arguments, **rest)
        self.own = len(self.params)
        self.params += settings()
        self.calls = tuple(calls)
        self.undoing = tuple(undoing)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options of the command first, then those that all commands take."""
        shared = self.params[self.own :]
        for title, some in (
            (_("Options"), [p for p in self.get_params(ctx) if p not in shared]),
            (_("Common settings"), shared),
        ):
            records = [p.get_help_record(ctx) for p in some if not isinstance(p, click.Argument)]
            with formatter.section(title):
                formatter.write_dl([record for record in records if record])


def command(
    name: str,
    calls: Sequence[str] = (),
    undoing: Sequence[str] = (),
    help: str = "",  # noqa: A002
    cls: type[Command] = Command,
) -> Callable[[Any], Command]:
    """Make a function a command; it gets the AWS object first."""

    def make(function: Any) -> Command:
        return click.command(name, cls=cls, calls=calls, undoing=undoing, help=help)(
            click.pass_obj(function)
        )

    return make


def keep(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    """Take a setting into the AWS object of the context; the one nearest to the command wins."""
    if value is not None:
        assert param.name
        setattr(ctx.ensure_object(AWS), param.name, value)


def settings() -> list[click.Option]:
    """The options that stand before or after the name of a command."""

    def make(*names: str, **rest: Any) -> click.Option:
        return Option(list(names), expose_value=False, callback=keep, **rest)

    return [
        make("--profile", metavar="NAME", help=N_("Profile from the AWS configuration.")),
        make(
            "--region",
            type=Region(),
            metavar="REGION",
            help=N_("AWS Region; default: AWS_REGION, AWS_DEFAULT_REGION or that of the profile."),
        ),
        make(
            "--endpoint-url",
            type=Url(),
            metavar="URL",
            help=N_("Send the calls to this address, such as that of the lab."),
        ),
        make(
            "--output",
            type=click.Choice(["table", "json", "text"]),
            help=N_("Output format; default: table."),
        ),
        make(
            "--query",
            type=Query(),
            metavar="JMESPATH",
            help=N_("Select a part of the JSON response, as in the AWS CLI."),
        ),
        Option(
            ["--lang"],
            type=click.Choice(LANGUAGES),
            expose_value=False,
            help=N_("Language of help and messages; default: that of the locale."),
        ),
    ]


def dry_run_option() -> Callable[[Any], Any]:
    return option(
        "--dry-run",
        is_flag=True,
        default=None,
        expose_value=False,
        callback=keep,
        help=N_("Print the requests that would make changes, and send none of them."),
    )


def yes_option() -> Callable[[Any], Any]:
    return option("--yes", is_flag=True, help=N_("Delete without asking."))


def confirm(aws: AWS, yes: bool, question: str) -> None:
    """Ask before something is destroyed; a pipe cannot be asked.

    Raises:
        click.UsageError: standard input is no terminal and there is no --yes.
        click.Abort: the answer is no.
    """
    if yes or aws.dry_run:
        return
    if not sys.stdin.isatty():
        raise click.UsageError(
            _("{question} Nobody can answer here: add --yes.").format(question=question)
        )
    click.confirm(question, abort=True, err=True)
