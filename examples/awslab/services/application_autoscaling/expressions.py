"""Schedules: `at(2026-12-01T09:00:00)`, `rate(5 minutes)`, `cron(0 9 ? * MON-FRI *)`."""

import calendar
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
DAYS = {name: number for number, name in enumerate(WEEKDAYS, 1)}
MINUTE = timedelta(minutes=1)


class BadSchedule(Exception):
    """No schedule of Application Auto Scaling."""


class Cron(NamedTuple):
    """The fields of a cron expression; a day of the month of 0 means the last one, and a weekday
    may be `(weekday, 2)`, the second of the month, or `(weekday, 0)`, the last."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int] | None
    months: frozenset[int]
    weekdays: frozenset[int | tuple[int, int]] | None
    years: frozenset[int]

    def on(self, day: date) -> bool:
        if day.month not in self.months or day.year not in self.years:
            return False
        length = calendar.monthrange(day.year, day.month)[1]
        if self.days is not None:
            return day.day in self.days or (0 in self.days and day.day == length)
        assert self.weekdays is not None
        weekday, turn = day.isoweekday() % 7 + 1, (day.day - 1) // 7 + 1
        last = (weekday, 0) in self.weekdays and day.day + 7 > length
        return last or weekday in self.weekdays or (weekday, turn) in self.weekdays


def zone_of(name: str | None) -> tzinfo:
    """A time zone; UTC without a name.

    Raises:
        BadSchedule: there is no such zone.
    """
    try:
        return ZoneInfo(name) if name else UTC
    except (OSError, ValueError, LookupError) as error:  # ZoneInfoNotFoundError is a LookupError
        raise BadSchedule(f"Invalid timezone: {name}") from error


def occurs(schedule: str, zone: tzinfo, begin: datetime, after: datetime, until: datetime) -> bool:
    """Whether a schedule has a time after `after` and not after `until` (UTC, without zone).

    begin: when its first interval begins.

    Raises:
        BadSchedule: it is none.
    """
    kind, _, inside = schedule.strip().rstrip(")").partition("(")
    if not schedule.strip().endswith(")") or kind not in ("at", "rate", "cron"):
        raise BadSchedule(f"Invalid schedule expression: {schedule}")
    if kind == "at":
        return after < moment(inside, zone) <= until
    if kind == "rate":
        length = interval(inside)
        return (until - begin) // length > max((after - begin) // length, -1)
    cron = parsed(inside)
    return any(True for _ in times(cron, zone, after, until))


def moment(text: str, zone: tzinfo) -> datetime:
    try:
        local = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=zone)
        return local.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError) as error:
        raise BadSchedule(f"Invalid schedule expression: at({text})") from error


def interval(text: str) -> timedelta:
    found = re.fullmatch(r"(\d{1,6}) (minute|hour|day)s?", text)
    if found is None or not int(found[1]):
        raise BadSchedule(f"Invalid schedule expression: rate({text})")
    return int(found[1]) * UNITS[found[2]]


def times(cron: Cron, zone: tzinfo, after: datetime, until: datetime) -> Iterator[datetime]:
    """The times of a cron expression; whole days that have none are skipped."""
    at = (after + MINUTE).replace(second=0, microsecond=0)
    while at <= until:
        local = at.replace(tzinfo=UTC).astimezone(zone)
        if not cron.on(local.date()):
            rest = timedelta(hours=23 - local.hour, minutes=60 - local.minute)
            at += max(MINUTE, rest - timedelta(hours=2))  # clocks may be put forward
            continue
        if local.minute in cron.minutes and local.hour in cron.hours:
            yield at
        at += MINUTE


@cache
def parsed(text: str) -> Cron:
    fields = text.upper().split()
    if len(fields) != 6 or (fields[2] == "?") == (fields[4] == "?"):
        raise BadSchedule(f"Invalid schedule expression: cron({text})")
    minutes, hours, days, months, weekdays, years = fields
    try:
        return Cron(
            numbers(minutes, 0, 59),
            numbers(hours, 0, 23),
            None if days == "?" else days_of(days),
            numbers(months, 1, 12, MONTHS),
            None if weekdays == "?" else weekdays_of(weekdays),
            numbers(years, 1970, 2199),
        )
    except (ValueError, KeyError) as error:
        raise BadSchedule(f"Invalid schedule expression: cron({text})") from error


def days_of(field: str) -> frozenset[int]:
    return frozenset({0}) if field == "L" else numbers(field, 1, 31)


def weekdays_of(field: str) -> frozenset[int | tuple[int, int]]:
    found = re.fullmatch(r"(\w+?)(?:#([1-5])|L)", field)
    if found and found[1] != "":
        (day,) = numbers(found[1], 1, 7, DAYS)
        return frozenset({(day, int(found[2] or 0))})
    return frozenset(numbers(field, 1, 7, DAYS))


def numbers(
    field: str, least: int, most: int, names: dict[str, int] | None = None
) -> frozenset[int]:
    """What a field stands for: `*`, `5`, `1-5`, `MON,WED`, `0/15`.

    Raises:
        ValueError, KeyError: it stands for nothing.
    """
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, dash, last = span.partition("-")
        begin = least if span == "*" else number(first, names)
        end = number(last, names) if dash else most if step or span == "*" else begin
        if not least <= begin <= end <= most:
            raise ValueError(field)
        found.update(range(begin, end + 1, int(step or 1)))
    return frozenset(found)


def number(text: str, names: dict[str, int] | None) -> int:
    return int(text) if text.isascii() and text.isdigit() else (names or {})[text]
