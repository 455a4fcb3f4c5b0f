"""Waiting for remote work, with a line of progress on standard error.

botocore's waiters look every 30 to 120 seconds, and their time-outs are shorter than many jobs.
"""

import math
import sys
import time
from collections.abc import Callable, Collection
from typing import Any

import click

from smcli.calls import AWS
from smcli.command import keep, option, poll_option, with_options
from smcli.ending import Failed, TimedOut
from smcli.language import N_, _
from smcli.output import say
from smcli.parameters import Seconds


class Interrupted(Exception):
    """Ctrl-C while waiting; the message says that the work goes on, and how to look at it."""


def wait_for(
    aws: AWS,
    what: str,
    look: Callable[[], dict[str, Any]],
    status: str,
    good: Collection[str],
    bad: Collection[str],
    again: str,
) -> dict[str, Any]:
    """Look until a final status is met; returns the last answer.

    what: the name of the work; status: the member of the answer that holds it; again: the
    command that shows the work, for whoever stops waiting.

    Raises:
        Failed: with AWS's reason, if one of `bad` is met.
        TimedOut: no final status within `--timeout`.
        Interrupted: Ctrl-C; the work goes on.
    """
    from botocore.exceptions import BotoCoreError

    begun, told = time.monotonic(), ""
    goes_on = _("Stopped waiting; {what} continues. Check it with: {again}").format(
        what=what, again=again
    )
    try:
        while True:
            answer = look()
            state = answer[status]
            detail = answer.get("SecondaryStatus")
            line = f"{state}/{detail}" if detail and detail != state else str(state)
            told = tell(what, line, told, time.monotonic() - begun)
            if state in good or state in bad:
                break
            left = math.inf if aws.timeout is None else begun + aws.timeout - time.monotonic()
            if left <= 0:
                raise TimedOut(
                    _(
                        "{what} is still {state} after {seconds:g} s. It continues; "
                        "check it with: {again}"
                    ).format(what=what, state=state, seconds=aws.timeout, again=again)
                )
            time.sleep(min(aws.poll, left))
    except KeyboardInterrupt:
        raise Interrupted(goes_on) from None
    except BotoCoreError as error:  # no answer
        error.add_note(goes_on)
        raise
    finally:
        if told and sys.stderr.isatty():
            click.echo(err=True)
    if state in bad:
        reason = answer.get("FailureReason") or answer.get("ExitMessage") or _("AWS gave no reason")
        raise Failed(f"{what}: {state}: {reason}")
    return answer


def tell(what: str, line: str, told: str, seconds: float) -> str:
    """Show the state: one line that changes on a terminal, elsewhere a line for each change."""
    if sys.stderr.isatty():
        minutes, rest = divmod(int(seconds), 60)
        click.echo(f"\r\033[K{what}: {line} {minutes}:{rest:02}", nl=False, err=True)
    elif line != told:
        say(f"{what}: {line}")
    return line


def waiting_options(poll: float = 30, *, always: bool = False) -> Callable[[Any], Any]:
    """--wait, --timeout and --poll of a command that begins remote work.

    poll: seconds between two looks, unless the reader says otherwise.
    always: the command waits in any case, so there is no --wait.
    """
    options = [
        option(
            "--wait/--no-wait",
            expose_value=False,
            callback=keep,
            help=N_("Wait until it ends or is ready; by default, return at once."),
        ),
        option(
            "--timeout",
            type=Seconds(),
            metavar="SECONDS",
            expose_value=False,
            callback=keep,
            help=N_("Stop waiting after this many seconds (exit code 124).")
            if always
            else N_("With --wait, stop waiting after this many seconds (exit code 124)."),
        ),
        poll_option(poll, N_("Seconds between checks.")),
    ]
    return with_options(*options[always:])
