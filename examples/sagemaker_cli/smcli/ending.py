"""How a command ends other than well: the exit codes of the AWS CLI, and two for remote work."""

import click

FAILED = 1  # the job or the deployment has failed
TIMED_OUT = 124  # as the command `timeout` says it
INTERRUPTED = 130
USAGE = 252
NO_SETTINGS = 253  # no credentials, no Region, no such profile
SERVICE_ERROR = 254
OTHER_ERROR = 255  # AWS was not reached, a file cannot be read


class Failed(click.ClickException):
    """The remote work ended badly, or stands in the way of what was asked."""

    exit_code = FAILED


class TimedOut(click.ClickException):
    """The remote work goes on beyond `--timeout`."""

    exit_code = TIMED_OUT


class NoSettings(click.ClickException):
    """What a call to AWS needs is not set."""

    exit_code = NO_SETTINGS


class Unreadable(click.ClickException):
    """A file or an answer cannot be read or written."""

    exit_code = OTHER_ERROR
