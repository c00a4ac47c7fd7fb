"""Local days of a time zone, periods, and the calendars of offices.  Pure: it never asks what time it is.

A *day* is a proleptic Gregorian ordinal (``date.toordinal()``); deadlines are whole local days, never N x 24 hours, so
daylight saving moves nothing.
"""

from __future__ import annotations

import bisect
import datetime as dt
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from rules.errors import ParameterError
from rules.model import EPOCH

DAY_MS = 86_400_000
EPOCH_DAY = EPOCH.date().toordinal()
_LAST_DAY = dt.date.max.toordinal()
_MS = dt.timedelta(milliseconds=1)


MAX_NAME = 64
"""Characters of a time zone's name; no zone has a longer one."""


class Zone:
    """An IANA time zone as a map between UTC ms and local days.  Raises ValueError for a name that tzdata does not know."""

    __slots__ = ("_days", "_info", "_starts", "name")

    def __init__(self, name: str) -> None:
        try:
            self._info = ZoneInfo(name[:MAX_NAME])
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"no time zone is called {name!r}") from error
        self.name = name
        self._starts: dict[int, int] = {}
        self._days: dict[int, int] = {}

    def start_of(self, day: int) -> int:
        """First ms of the local day; where midnight does not exist (a leap over it), the first instant that does."""
        start = self._starts.get(day)
        if start is None:
            if 1 < day < _LAST_DAY:
                local = dt.datetime.combine(dt.date.fromordinal(day), dt.time(), self._info)
                start = (local - EPOCH) // _MS
            else:
                start = (day - EPOCH_DAY) * DAY_MS
            self._starts[day] = start
        return start

    def end_of(self, day: int) -> int:
        """First ms after the local day (exclusive end)."""
        return self.start_of(day + 1)

    def day_of(self, ms: int) -> int:
        """The local day in which the instant falls."""
        quarter = ms // 900_000
        day = self._days.get(quarter)
        if day is None:
            day = quarter * 900_000 // DAY_MS + EPOCH_DAY
            while self.start_of(day) > ms:
                day -= 1
            while self.start_of(day + 1) <= ms:
                day += 1
            if self.start_of(day) <= quarter * 900_000 and self.start_of(day + 1) > quarter * 900_000 + 899_999:
                if len(self._days) > 200_000:
                    self._days.clear()
                self._days[quarter] = day
        return day

    def last_ms_of(self, when: int | dt.date) -> int:
        """``when`` itself, or the last ms of the local day where it is a date."""
        return when if isinstance(when, int) else self.end_of(when.toordinal()) - 1

    def local(self, ms: int) -> dt.datetime:
        """The instant as local wall-clock time."""
        return (EPOCH + ms * _MS).astimezone(self._info)


@lru_cache(maxsize=256)
def zone(name: str) -> Zone:
    """The one Zone of that name in this process (its day table is shared)."""
    return Zone(name)


@lru_cache(maxsize=65_536)
def iso(day: int | None) -> str | None:
    """A day as an ISO date."""
    return None if day is None else dt.date.fromordinal(min(day, _LAST_DAY)).isoformat()


def parse_day(text: str) -> int:
    """The day of an ISO date.  Raises ValueError."""
    return dt.date.fromisoformat(text).toordinal()


@dataclass(frozen=True, slots=True)
class Calendar:
    """The working days of an office: Monday to Friday without whole-day public holidays (part-day ones are working days)."""

    name: str = "none"
    holidays: AbstractSet[int] = frozenset()

    def is_business_day(self, day: int) -> bool:
        return dt.date.fromordinal(day).weekday() < 5 and day not in self.holidays

    def roll_forward(self, day: int) -> int:
        """The day itself, or the next business day."""
        while not self.is_business_day(day):
            day += 1
        return day

    def add_business_days(self, day: int, count: int) -> int:
        """The ``count``-th business day after ``day`` (which is not counted)."""
        while count:
            day += 1
            count -= self.is_business_day(day)
        return day


@dataclass(frozen=True, slots=True)
class Span:
    """A period with its number known.  ``unit`` is days, weeks, months or business_days."""

    unit: str
    count: int
    roll: str | None = None

    def after(self, day: int, calendar: Calendar) -> int:
        """The last day of "within this period of ``day``": ``day`` is not counted, the last one is."""
        match self.unit:
            case "days":
                end = day + self.count
            case "weeks":
                end = day + 7 * self.count
            case "months":
                end = _add_months(day, self.count)
            case "business_days":
                end = calendar.add_business_days(day, self.count)
            case _:
                raise ParameterError(f"no period is counted in {self.unit!r}")
        return calendar.roll_forward(end) if self.roll == "forward" else end

    def before(self, day: int) -> int:
        """The day that lies this period before ``day``; business days count as calendar ones here."""
        return _add_months(day, -self.count) if self.unit == "months" else day - self.count * (7 if self.unit == "weeks" else 1)

    def __str__(self) -> str:
        unit = self.unit.replace("_", " ")
        return f"{self.count} {unit[:-1] if self.count == 1 else unit}"


_MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def _add_months(day: int, count: int) -> int:
    date = dt.date.fromordinal(day)
    month = date.year * 12 + date.month - 1 + count
    year, index = divmod(month, 12)
    leap = index == 1 and (year % 4 == 0 and (year % 100 != 0 or year % 400 == 0))
    return dt.date(year, index + 1, min(date.day, _MONTH_DAYS[index] + leap)).toordinal()


def latest_at(days: list[int], day: int) -> int:
    """Index of the last of the sorted ``days`` that is not after ``day``; -1 where all are."""
    return bisect.bisect_right(days, day) - 1
