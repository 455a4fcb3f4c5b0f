"""Schedules as AWS writes them: `cron(…)` of six fields, `at(…)`, `rate(…)`."""

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import product

MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]  # 1 to 7
FIRST_YEAR, LAST_YEAR = 1970, 2199
AT = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)")
CRON = re.compile(r"cron\(([^()]*)\)")
RATE = re.compile(r"rate\((\d{1,6}) hours?\)")


class BadSchedule(Exception):
    """An expression that means nothing; the message says why."""


@dataclass(frozen=True)
class Cron:
    """minute, hour, day of month, month, day of week, year; in UTC."""

    fields: tuple[str, str, str, str, str, str]

    @classmethod
    def parse(cls, text: str) -> "Cron":
        """Raises BadSchedule."""
        fields = text.upper().split()
        if len(fields) != 6:
            raise BadSchedule("A cron expression has six fields.")
        found = cls((fields[0], fields[1], fields[2], fields[3], fields[4], fields[5]))
        if (fields[2] == "?") == (fields[4] == "?"):
            raise BadSchedule("Exactly one of day of month and day of week must be `?`.")
        if not (found.minutes and found.hours and found.months and found.years):
            raise BadSchedule("A field of the cron expression has no value.")
        found.days(2028, 2)
        return found

    @cached_property
    def minutes(self) -> list[int]:
        return numbers(self.fields[0], 0, 59)

    @cached_property
    def hours(self) -> list[int]:
        return numbers(self.fields[1], 0, 23)

    @cached_property
    def months(self) -> list[int]:
        return numbers(self.fields[3], 1, 12, MONTHS)

    @cached_property
    def years(self) -> list[int]:
        return numbers(self.fields[5], FIRST_YEAR, LAST_YEAR)

    def days(self, year: int, month: int) -> list[int]:
        """The days of a month on which something happens."""
        last = calendar.monthrange(year, month)[1]
        if self.fields[4] == "?":
            return days_of_month(self.fields[2], year, month, last)
        return days_of_week(self.fields[4], year, month, last)

    def after(self, moment: datetime) -> Iterator[datetime]:
        """The moments after this one, in order."""
        for year in self.years:
            if year < moment.year:
                continue
            for month in self.months:
                if (year, month) < (moment.year, moment.month):
                    continue
                for day, hour, minute in product(self.days(year, month), self.hours, self.minutes):
                    found = datetime(year, month, day, hour, minute, tzinfo=UTC)
                    if found > moment:
                        yield found


def numbers(field: str, least: int, most: int, names: list[str] | None = None) -> list[int]:
    """What `*`, `1,2`, `1-5`, `0/15` and names stand for, in order.

    Raises:
        BadSchedule: the field means nothing.
    """
    found: set[int] = set()
    for part in field.split(","):
        span, slash, step = part.partition("/")
        first, dash, last = span.partition("-")
        if span == "*":
            low, high = least, most
        else:
            low = number(first, names)
            high = number(last, names) if dash else (most if slash else low)
        stride = number(step, None) if slash else 1
        if not (least <= low <= high <= most and stride > 0):
            raise BadSchedule(f"`{field}` is not a valid field of a cron expression.")
        found |= set(range(low, high + 1, stride))
    return sorted(found)


def number(text: str, names: list[str] | None) -> int:
    if names and text in names:
        return names.index(text) + 1
    if not re.fullmatch(r"[0-9]{1,4}", text):
        raise BadSchedule(f"`{text}` is not a number.")
    return int(text)


def days_of_month(field: str, year: int, month: int, last: int) -> list[int]:
    if field == "L":
        return [last]
    if re.fullmatch(r"[0-9]{1,2}W", field):  # the weekday nearest to a day, in the same month
        day = min(number(field[:-1], None), last)
        weekday = calendar.weekday(year, month, max(day, 1))
        shift = {5: -1 if day > 1 else 2, 6: 1 if day < last else -2}.get(weekday, 0)
        return [max(day, 1) + shift]
    return [day for day in numbers(field, 1, 31) if day <= last]


def days_of_week(field: str, year: int, month: int, last: int) -> list[int]:
    nth = re.fullmatch(r"(\w+)#([1-5])", field)
    final = re.fullmatch(r"(\w+)L", field)
    wanted = nth[1] if nth else final[1] if final else "7" if field == "L" else field
    weekdays = numbers(wanted, 1, 7, WEEKDAYS)
    days = [
        day
        for day in range(1, last + 1)
        if (calendar.weekday(year, month, day) + 1) % 7 + 1 in weekdays
    ]
    if nth:
        return days[int(nth[2]) - 1 : int(nth[2])]
    return days[-1:] if final else days


@dataclass(frozen=True)
class At:
    """Once."""

    moment: datetime

    def after(self, moment: datetime) -> Iterator[datetime]:
        if self.moment > moment:
            yield self.moment


@dataclass(frozen=True)
class Rate:
    """Every so many hours since the beginning of time, so that it needs no memory."""

    hours: int

    def after(self, moment: datetime) -> Iterator[datetime]:
        step = timedelta(hours=self.hours)
        found = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)
        found += ((moment - found) // step + 1) * step
        while found.year < LAST_YEAR:
            yield found
            found += step


Schedule = Cron | At | Rate


def of_action(text: str) -> Schedule:
    """The schedule of a scheduled action: `at(…)` or `cron(…)`.

    Raises:
        BadSchedule: it is neither.
    """
    once = AT.fullmatch(text)
    if once:
        try:
            return At(datetime.fromisoformat(once[1]).replace(tzinfo=UTC))
        except ValueError as error:
            raise BadSchedule(f"{text} is no moment.") from error
    cron = CRON.fullmatch(text)
    if cron:
        return Cron.parse(cron[1])
    raise BadSchedule("The schedule must be in at() or cron() format.")


def of_snapshots(text: str) -> Schedule:
    """A definition of a snapshot schedule: `rate(12 hours)` or `cron(30 12 *)`, where the fields
    are minute, hour and day of week.

    Raises:
        BadSchedule: it is neither.
    """
    rate = RATE.fullmatch(text)
    if rate:
        if not 1 <= int(rate[1]) <= 24:
            raise BadSchedule("The rate of a snapshot schedule must be between 1 and 24 hours.")
        return Rate(int(rate[1]))
    cron = CRON.fullmatch(text)
    fields = cron[1].split() if cron else []
    if len(fields) != 3:
        raise BadSchedule(
            "A snapshot schedule must be rate(n hours) or cron(minute hour day-of-week)."
        )
    return Cron.parse(f"{fields[0]} {fields[1]} ? * {fields[2]} *")
