"""Figures that an example measured and a chart shows: JSON, the same in every run but for times.

Numbers under a key, or in a table's column, that ends in `_ms` or `_seconds` are times. They belong
to the machine that recorded them and are never compared. An example may state a tolerance: by so
much, of the number or absolutely, its other numbers may differ on another machine: infinitely, if
its numbers are measurements.
"""

import json
import math
import re
from collections.abc import Iterator
from typing import Any

TIMES = ("_ms", "_seconds")
EXACT = 1e-9  # of a decimal fraction, without a tolerance
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:,\d{3})*(?:\.\d+)?(?:e[+-]?\d+)?(?!\w)")


def close(before: float, after: float, tolerance: float) -> bool:
    return math.isclose(before, after, rel_tol=max(tolerance, EXACT), abs_tol=tolerance)


def alike(before: str, after: str, tolerance: float) -> bool:
    """The same text, but for numbers within the tolerance and the blanks that align them."""
    if not tolerance:
        return before == after
    texts = [re.sub(r" +", " ", NUMBER.sub("#", text)) for text in (before, after)]
    numbers = [
        [float(found.replace(",", "")) for found in NUMBER.findall(text)]
        for text in (before, after)
    ]
    return texts[0] == texts[1] and all(
        close(old, new, tolerance) for old, new in zip(*numbers, strict=True)
    )


def difference(before: str, after: str, tolerance: float = 0) -> str | None:
    """Where two texts of figures differ, or nothing."""
    return next(differences(json.loads(before), json.loads(after), "", tolerance), None)


def differences(before: Any, after: Any, place: str, tolerance: float) -> Iterator[str]:
    if isinstance(before, dict) and isinstance(after, dict):
        if before.keys() != after.keys():
            yield f"{place}: {sorted(before)} and {sorted(after)}"
            return
        times = times_of(before.get("columns"))
        for key, value in before.items():
            if key == "rows" and times:
                yield from differences(
                    without(value, times), without(after[key], times), f"{place}/{key}", tolerance
                )
            elif not key.endswith(TIMES):
                yield from differences(value, after[key], f"{place}/{key}", tolerance)
    elif isinstance(before, list) and isinstance(after, list):
        if len(before) != len(after):
            yield f"{place}: {len(before)} and {len(after)} entries"
            return
        for number, pair in enumerate(zip(before, after, strict=True)):
            yield from differences(*pair, f"{place}/{number}", tolerance)
    elif comparable(before, after, tolerance):
        if not close(before, after, tolerance):
            yield f"{place}: {before} and {after}"
    elif before != after or type(before) is not type(after):
        yield f"{place}: {before!r} and {after!r}"


def comparable(before: Any, after: Any, tolerance: float) -> bool:
    """Decimal fractions always, whole numbers only within a tolerance."""
    kinds = (int, float) if tolerance else (float,)
    return all(isinstance(v, kinds) and not isinstance(v, bool) for v in (before, after))


def is_part(quick: Any, full: Any) -> bool:
    """Whether all keys and columns of a quick run's figures are those of the full run's figures."""
    if isinstance(quick, dict) and isinstance(full, dict):
        return quick.keys() <= full.keys() and all(
            set(value) <= set(full[key]) if key == "columns" else is_part(value, full[key])
            for key, value in quick.items()
        )
    return isinstance(quick, list) == isinstance(full, list)


def lines_missing(quick: str, full: str) -> list[str]:
    """The lines of a quick run's transcript that, but for their numbers, the full run's has not."""

    def bare(text: str) -> list[str]:
        lines = (line for line in text.splitlines() if not line.startswith("$ "))
        return [re.sub(r" +", " ", NUMBER.sub("#", line)) for line in lines]

    known = set(bare(full))
    return [line for line in bare(quick) if line not in known]


def times_of(columns: Any) -> set[int]:
    """The positions of the columns that hold times."""
    names = columns if isinstance(columns, list) else []
    return {i for i, name in enumerate(names) if isinstance(name, str) and name.endswith(TIMES)}


def without(rows: list[list[Any]], places: set[int]) -> list[list[Any]]:
    return [[cell for i, cell in enumerate(row) if i not in places] for row in rows]


def as_text(measured: str) -> str:
    """The figures as they are stored."""
    return json.dumps(json.loads(measured), indent=1, ensure_ascii=False) + "\n"
