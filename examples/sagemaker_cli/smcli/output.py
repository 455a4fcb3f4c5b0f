"""Data on standard output, as a table, JSON or text; everything else on standard error."""

import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TextIO

import click

from smcli.calls import AWS, printable
from smcli.ending import Unreadable
from smcli.language import _, english, ngettext

# The header of a column (marked with N_) and where its value is in an item.
Columns = Mapping[str, str | Callable[[dict[str, Any]], Any]]
NARROWEST = 40  # below this a table is not worth its frame


def say(text: str) -> None:
    """Tell the reader something that is no data. If nobody listens, the work goes on."""
    try:
        click.echo(text, err=True)
    except OSError:
        silence(sys.stderr)


def silence(stream: TextIO) -> None:
    """What is still written to a stream that is broken goes nowhere, at the end of Python too."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def show_list(aws: AWS, answer: dict[str, Any], member: str, columns: Columns) -> None:
    """Show the items of a list answer, and how many they are.

    member: the list in the answer, for example `TrainingJobSummaries`.
    """
    if aws.output == "json" or aws.query is not None:
        show_json(aws, answer)
        return
    with in_language_of(aws):
        rows = [[value_of(item, where) for where in columns.values()] for item in answer[member]]
    if aws.output == "text":
        for row in rows:
            click.echo("\t".join(map(as_text, row)))
        return
    if rows:
        click.echo(as_table(rows, [_(header) for header in columns]))
    count = len(rows)
    say(ngettext("{count} item", "{count} items", count).format(count=count))


def show_one(aws: AWS, answer: dict[str, Any], fields: Columns) -> None:
    """Show one thing: its fields below each other. Those without a value are left out.

    As text, they are a dash, so that each field has its place.
    """
    if aws.output == "json" or aws.query is not None:
        show_json(aws, answer)
        return
    with in_language_of(aws):
        found = {header: value_of(answer, where) for header, where in fields.items()}
    empty: tuple[Any, ...] = (None, "", [], {})
    if aws.output == "text":  # a script counts the fields
        cells = [None if value in empty else value for value in found.values()]
        click.echo("\t".join(map(as_text, cells)))
        return
    rows = [[_(header), value] for header, value in found.items() if value not in empty]
    click.echo(as_table(rows, [], break_words=False))  # an ARN or a URI can be copied


def in_language_of(aws: AWS) -> AbstractContextManager[None]:
    """The language of values: that of the reader, or English for scripts."""
    return english() if aws.output == "text" else nullcontext()


def show_made(aws: AWS, answer: dict[str, Any], member: str, *next_steps: str) -> None:
    """Show the ARN of what was made, and what to do next; nothing after a dry run.

    member: of the answer, or `Outer.Inner`.
    """
    if aws.dry_run:
        return
    if aws.output == "json" or aws.query is not None:
        try:
            show_json(aws, answer)
        except Unreadable as error:
            error.add_note(_("Only the query failed; the command itself succeeded."))
            raise
    else:
        click.echo(value_of(answer, member))
    for step in next_steps:
        say(_("next: {command}").format(command=step))


def show_done(aws: AWS, text: str) -> None:
    """Say that something without an answer was done; nothing after a dry run."""
    if not aws.dry_run:
        say(text)


def show_json(aws: AWS, answer: Any) -> None:
    """Show an answer as JSON, or what `--query` takes of it in the chosen form."""
    plain = json.loads(json.dumps(answer, default=printable))
    if aws.query is None:
        click.echo(json.dumps(plain, indent=4, ensure_ascii=False))
        return
    found = search(aws.query, plain)
    if aws.output == "json":
        click.echo(json.dumps(found, indent=4, ensure_ascii=False))
        return
    rows = found if isinstance(found, list) else [found]
    headers = list(dict.fromkeys(key for row in rows if isinstance(row, dict) for key in row))
    cells = [
        [row.get(key) for key in headers]
        if isinstance(row, dict)
        else (row if isinstance(row, list) else [row])
        for row in rows
    ]
    if aws.output == "text":
        for row in cells:
            click.echo("\t".join(map(as_text, row)))
    elif cells:
        click.echo(as_table(cells, headers))


def search(query: Any, answer: Any) -> Any:
    """Raises Unreadable: the expression does not go with the answer."""
    from jmespath.exceptions import JMESPathError

    try:
        return query.search(answer)
    except JMESPathError as error:
        raise Unreadable(f"--query: {error}") from None


def value_of(item: dict[str, Any], where: str | Callable[[dict[str, Any]], Any]) -> Any:
    """A member by its name, `Outer.Inner` or a function."""
    if callable(where):
        return where(item)
    value: Any = item
    for name in where.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def as_text(value: Any) -> str:
    """A value in one line."""
    if value is None:
        return "-"
    if hasattr(value, "isoformat"):
        return str(value.isoformat(sep=" ", timespec="seconds"))
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=printable)
    return " ".join(str(value).split())


def as_table(
    rows: Sequence[Sequence[Any]], headers: Sequence[str], *, break_words: bool = True
) -> str:
    """A table that fits into the terminal; in a pipe its lines are as long as they need.

    break_words: whether a word that is longer than its column may be cut; an address that readers
        copy may not.
    """
    from tabulate import tabulate

    cells = [[as_text(value) for value in row] for row in rows]
    style = "simple" if headers else "plain"
    table = tabulate(cells, headers, style, disable_numparse=True)
    width = terminal_width()
    if width is None or max(map(wide, table.splitlines())) <= width:
        return str(table)
    count = max(map(len, cells))
    fair = max(NARROWEST, width - 2 * (count - 1)) // count
    longest = [
        max(
            wide(str(row[at])) for row in [*cells, *([headers] if headers else [])] if at < len(row)
        )
        for at in range(count)
    ]
    spare = sum(max(0, fair - size) for size in longest)
    greedy = sum(size > fair for size in longest) or 1
    widths = [min(size, fair + spare // greedy) if size > fair else size for size in longest]
    return str(
        tabulate(
            cells,
            headers,
            style,
            disable_numparse=True,
            maxcolwidths=widths,
            break_long_words=break_words,
            break_on_hyphens=break_words,
        )
    )


def wide(text: str) -> int:
    """The columns that a text takes on a terminal: Japanese characters take two."""
    from wcwidth import wcswidth

    return max(wcswidth(text), 0)


def terminal_width() -> int | None:
    """Characters in a line of the terminal; None: standard output is no terminal."""
    if not sys.stdout.isatty() and "COLUMNS" not in os.environ:
        return None
    return shutil.get_terminal_size().columns
