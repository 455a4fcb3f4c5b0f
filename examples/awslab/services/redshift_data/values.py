"""Values of DuckDB as Redshift writes them."""

import csv
import io
import json
import math
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

FRACTION = 6  # digits of a second


def text(value: Any) -> str:
    """A value as a text; NULL is not one."""
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return clock(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, float):
        return number(value)
    if isinstance(value, bytes | bytearray):
        return value.hex()
    if isinstance(value, list | dict | tuple):
        return json.dumps(value, default=text, ensure_ascii=False, separators=(",", ":"))
    if isinstance(value, timedelta):
        return duration(value)
    return str(value)


def number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return repr(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def fraction(microsecond: int) -> str:
    return f".{microsecond:06d}".rstrip("0") if microsecond else ""


def moment(value: datetime) -> str:
    shown = f"{value:%Y-%m-%d %H:%M:%S}".rjust(19, "0") + fraction(value.microsecond)
    if value.tzinfo is None:
        return shown
    offset = value.utcoffset() or timedelta()
    minutes = int(offset.total_seconds() // 60)
    sign = "-" if minutes < 0 else "+"
    hours, rest = divmod(abs(minutes), 60)
    return f"{shown}{sign}{hours:02d}" + (f":{rest:02d}" if rest else "")


def clock(value: time) -> str:
    shown = f"{value:%H:%M:%S}" + fraction(value.microsecond)
    return shown if value.tzinfo is None else f"{shown}+00"


def duration(value: timedelta) -> str:
    days, seconds = value.days, value.seconds
    hours, rest = divmod(seconds, 3600)
    shown = f"{hours:02d}:{rest // 60:02d}:{rest % 60:02d}" + fraction(value.microseconds)
    return f"{days} days {shown}" if days else shown


def field(value: Any) -> dict[str, Any]:
    """A value as the Data API answers it."""
    if value is None:
        return {"isNull": True}
    if isinstance(value, bool):
        return {"booleanValue": value}
    if isinstance(value, int):
        # Numbers that a long cannot hold are texts, as NUMERIC is.
        fits = -(2**63) <= value < 2**63
        return {"longValue": value} if fits else {"stringValue": str(value)}
    if isinstance(value, float):
        finite = math.isfinite(value)
        return {"doubleValue": value} if finite else {"stringValue": number(value)}
    if isinstance(value, bytes | bytearray):
        return {"blobValue": bytes(value)}
    return {"stringValue": text(value)}


def size(value: Any) -> int:
    """Bytes of a value in a result."""
    return 0 if value is None else len(text(value).encode())


def csv_text(rows: Iterable[Sequence[Any]], header: Sequence[str] | None = None) -> str:
    """Lines of a CSV result; NULL is an empty field."""
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\r\n")
    if header is not None:
        writer.writerow(header)
    for row in rows:
        writer.writerow(["" if value is None else text(value) for value in row])
    return lines.getvalue()
