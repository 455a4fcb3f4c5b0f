"""What batch transform does to records on their way: split, batch, filter, join, assemble."""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

STEP = re.compile(
    r"\.(\w+)|\[['\"]([^'\"]+)['\"]\]|\[(-?\d+)\]|\[(-?\d*):(-?\d*)\]|\[([-\d,\s]+)\]"
)


class Unreadable(Exception):
    """A record, or a filter, that cannot be read; the message says why."""


def split(content: bytes, split_type: str) -> list[bytes]:
    """The records of an object; without a split it is one record."""
    return content.splitlines() if split_type == "Line" else [content]


def batches(records: Iterable[bytes], together: bool, most: int) -> Iterator[list[bytes]]:
    """Records in the requests that carry them.

    together: as many as fit into `most` bytes, line by line; otherwise one per request.

    Raises:
        Unreadable: a record is larger than that.
    """
    batch: list[bytes] = []
    size = 0
    for record in records:
        if len(record) > most:
            raise Unreadable(f"A record of {len(record)} bytes is larger than MaxPayloadInMB.")
        if batch and (not together or size + len(record) + 1 > most):
            yield batch
            batch, size = [], 0
        batch.append(record)
        size += len(record) + 1
    if batch:
        yield batch


def steps(path: str) -> list[Any]:
    """The steps of a JSONPath: names, numbers, lists of numbers, and slices.

    Raises:
        Unreadable: it has a step that the lab does not know.
    """
    if not path.startswith("$"):
        raise Unreadable(f"The filter {path} does not begin with $.")
    found: list[Any] = []
    rest = path[1:]
    while rest:
        step = STEP.match(rest)
        if step is None:
            raise Unreadable(f"The lab cannot apply the filter {path}.")
        name, quoted, number, first, last, several = step.groups()
        if name or quoted:
            found.append(name or quoted)
        elif number:
            found.append(int(number))
        elif several:
            found.append([int(each) for each in several.split(",") if each.strip()])
        else:
            found.append(slice(int(first) if first else None, int(last) if last else None))
        rest = rest[step.end() :]
    return found


def filtered(record: Any, path: str) -> Any:
    """The part of a record (a list of columns, or decoded JSON) that a JSONPath names.

    Raises:
        Unreadable: the record has no such part.
    """
    for step in steps(path):
        try:
            record = [record[each] for each in step] if isinstance(step, list) else record[step]
        except (LookupError, TypeError):
            raise Unreadable(f"The record has nothing at {path}.") from None
    return record


def read(record: bytes, content_type: str) -> Any:
    """A record as columns (CSV) or as decoded JSON.

    Raises:
        Unreadable: it is neither.
    """
    try:
        text = record.decode("utf-8")
        if "json" in content_type:
            return json.loads(text)
        if "csv" in content_type or not content_type:
            return next(csv.reader([text]), [])
    except (ValueError, csv.Error) as error:
        raise Unreadable(f"A record cannot be read as {content_type}: {error}") from None
    raise Unreadable(f"Filters and joins need CSV or JSON, not {content_type}.")


def write(record: Any, content_type: str) -> bytes:
    if "json" in content_type:
        return json.dumps(record).encode()
    columns = record if isinstance(record, list) else [record]
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(columns)
    return text.getvalue().encode()


def joined(given: Any, answered: Any) -> Any:
    """An input record with its prediction, as JoinSource=Input puts them together."""
    if isinstance(given, list) and not isinstance(answered, dict):
        return [*given, *(answered if isinstance(answered, list) else [answered])]
    if isinstance(given, dict):
        return given | {"SageMakerOutput": answered}
    return {"SageMakerInput": given, "SageMakerOutput": answered}
