"""The logs of jobs: the lines of all hosts in the order of time, until the job has ended."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from typing import Any

import click

from smcli.calls import AWS
from smcli.command import option, poll_option, with_options
from smcli.ending import Failed
from smcli.language import N_, _
from smcli.output import say, show_json
from smcli.waiting import Interrupted

ENDED = ("Completed", "Failed", "Stopped")
LATE = 60_000  # milliseconds by which lines of one host may arrive behind those of another

Event = dict[str, Any]
Look = Callable[[], tuple[str, str]]


def log_options() -> Callable[[Any], Any]:
    return with_options(
        option(
            "--follow",
            "-f",
            "follows",
            is_flag=True,
            help=N_("Keep showing new lines until the job ends."),
        ),
        option(
            "--tail",
            type=click.IntRange(min=0),
            metavar="NUMBER",
            help=N_("Of the lines so far, show only this many of the last."),
        ),
        poll_option(5, N_("With --follow, seconds between checks.")),
    )


class Log:
    """The lines of a job in CloudWatch Logs.

    group: `/aws/sagemaker/TrainingJobs`; name: of the job. The streams of its hosts begin with
    the name and a slash; without that, job `a` would show the lines of `ab`.
    """

    def __init__(self, aws: AWS, group: str, name: str) -> None:
        self.aws = aws
        self.where = {"logGroupName": group, "logStreamNamePrefix": f"{name}/"}
        self.seen: set[str] = set()
        self.newest = 0

    def read(self) -> dict[str, Any]:
        """The answer of FilterLogEvents with all events since the last look, less the overlap."""
        logs = self.aws.client("logs")
        since = {"startTime": self.newest - LATE} if self.newest > LATE else {}
        try:
            return self.aws.read_all("logs", "FilterLogEvents", **self.where, **since)
        except logs.exceptions.ResourceNotFoundException:  # no job has ever said anything
            return {"events": []}

    def new(self) -> list[Event]:
        """The events that were not seen yet, in the order of time."""
        events = [each for each in self.read()["events"] if each["eventId"] not in self.seen]
        events.sort(key=lambda each: each["timestamp"])
        self.seen.update(each["eventId"] for each in events)
        self.newest = max([self.newest, *(each["timestamp"] for each in events)])
        return events


def line(event: Event, output: str) -> str:
    """Host, time and message; as text, the whole name of the stream and a tab between them."""
    at = datetime.fromtimestamp(event["timestamp"] / 1000, UTC).isoformat(timespec="milliseconds")
    at = at.replace("+00:00", "Z")
    stream, message = event["logStreamName"], event["message"].rstrip("\n")
    if output == "text":
        return f"{stream}\t{at}\t{message}"
    return f"{stream.partition('/')[2]} {at} {message}"


def show_log(aws: AWS, kind: str, name: str, look: Look, tail: int | None, follows: bool) -> None:
    """kind: `training` or `processing`, as in the names of the commands."""
    log = Log(aws, f"/aws/sagemaker/{kind.capitalize()}Jobs", name)
    if follows:
        follow(aws, log, look, tail, name, f"smcli {kind}-logs {name}")
    else:
        show(aws, log, look, tail)


def show(aws: AWS, log: Log, look: Look, tail: int | None) -> None:
    """Show what there is now.

    look: the status of the job and, if it has ended badly, the reason.
    """
    if aws.output == "json" or aws.query is not None:
        answer = log.read()
        answer["events"].sort(key=lambda each: each["timestamp"])
        answer["events"] = last(answer["events"], tail)
        show_json(aws, answer)
        return
    events = log.new()
    if not events:
        say(nothing(look()[0]))
    for event in last(events, tail):
        click.echo(line(event, aws.output))


def follow(aws: AWS, log: Log, look: Look, tail: int | None, name: str, again: str) -> None:
    """Show what there is and what comes, until the job has ended.

    again: the command that shows the lines again, for whoever stops looking.

    Raises:
        click.UsageError: lines that come one by one cannot be one JSON document.
        Failed: the job has failed, with AWS's reason.
        Interrupted: Ctrl-C; the job goes on.
    """
    if aws.output == "json" or aws.query is not None:
        raise click.UsageError(_("--follow shows lines: leave out --output json and --query."))
    from botocore.exceptions import BotoCoreError

    goes_on = _("{name} continues. See its logs with: {again}").format(name=name, again=again)
    try:
        for event in coming(aws, log, look, tail, name):
            click.echo(line(event, aws.output))
    except KeyboardInterrupt:
        raise Interrupted(goes_on) from None
    except BotoCoreError as error:  # no answer
        error.add_note(goes_on)
        raise


def coming(aws: AWS, log: Log, look: Look, tail: int | None, name: str) -> Iterator[Event]:
    """The events that are there, then those that come."""
    for number in count():
        status, reason = look()
        events = log.new()
        if not number:
            if not events:
                say(nothing(status))
            events = last(events, tail)
        yield from events
        if status in ENDED:
            break
        time.sleep(aws.poll)
    if number:  # its last lines may come late
        time.sleep(aws.poll)
        yield from log.new()
    if status == "Failed":
        raise Failed(f"{name}: {status}: {reason}")
    say(f"{name}: {status}")


def nothing(status: str) -> str:
    if status in ENDED:
        return _("There are no logs; the job is {status}.").format(status=status)
    return _("There are no logs yet; the job is {status}.").format(status=status)


def last(events: list[Event], tail: int | None) -> list[Event]:
    return events if tail is None else list(deque(events, maxlen=tail))
