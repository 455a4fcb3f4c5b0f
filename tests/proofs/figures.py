"""Figures that an example measured and a chart shows: JSON, the same in every run but for times.

Numbers under a key, or in a table's column, that ends in `_ms` or `_seconds` are times. They belong
to the machine that recorded them and are never compared.
"""

import json
import math
from collections.abc import Iterator
from typing import Any

TIMES = ("_ms", "_seconds")


def difference(before: str, after: str) -> str | None:
    """Where two texts of figures differ, or nothing."""
    return next(differences(json.loads(before), json.loads(after), ""), None)


def differences(before: Any, after: Any, place: str) -> Iterator[str]:
    if isinstance(before, dict) and isinstance(after, dict):
        if before.keys() != after.keys():
            yield f"{place}: {sorted(before)} and {sorted(after)}"
            return
        times = times_of(before.get("columns"))
        for key, value in before.items():
            if key == "rows" and times:
                yield from differences(
                    without(value, times), without(after[key], times), f"{place}/{key}"
                )
            elif not key.endswith(TIMES):
                yield from differences(value, after[key], f"{place}/{key}")
    elif isinstance(before, list) and isinstance(after, list):
        if len(before) != len(after):
            yield f"{place}: {len(before)} and {len(after)} entries"
            return
        for number, pair in enumerate(zip(before, after, strict=True)):
            yield from differences(*pair, f"{place}/{number}")
    elif isinstance(before, float) and isinstance(after, float):
        if not math.isclose(before, after, rel_tol=1e-9):
            yield f"{place}: {before} and {after}"
    elif before != after or type(before) is not type(after):
        yield f"{place}: {before!r} and {after!r}"


def times_of(columns: Any) -> set[int]:
    """The positions of the columns that hold times."""
    names = columns if isinstance(columns, list) else []
    return {i for i, name in enumerate(names) if isinstance(name, str) and name.endswith(TIMES)}


def without(rows: list[list[Any]], places: set[int]) -> list[list[Any]]:
    return [[cell for i, cell in enumerate(row) if i not in places] for row in rows]


def kept(stored: str | None, measured: str) -> str:
    """The text to store: the stored one, with its times, while nothing else has changed."""
    text = json.dumps(json.loads(measured), indent=1, ensure_ascii=False) + "\n"
    return stored if stored and difference(stored, text) is None else text
