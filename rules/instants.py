"""Instants and days as text: RFC 3339 with a zone, and ISO dates.  Imports nothing of the project.

A time without its zone, a 24:00 or a 30 February means different things to different programs, so none of them is
taken.  Years outside 1900 to 2199 are slips of the keyboard (0001, 9999) in a record of practice, and refused as such.
The messages of the errors never repeat the text: it may have come from the wrong field.
"""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache

MIN_INSTANT = (dt.date(1900, 1, 1).toordinal() - dt.date(1970, 1, 1).toordinal()) * 86_400_000
MAX_INSTANT = (dt.date(2200, 1, 1).toordinal() - dt.date(1970, 1, 1).toordinal()) * 86_400_000 - 1
FIRST_DAY = dt.date(1900, 1, 1).toordinal()
LAST_DAY = dt.date(2199, 12, 31).toordinal()
"""Bounds of a day on which something may have happened; a day that lies ahead (a target) may be as late as 9999-12-31."""

_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_COMMON = re.compile(r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{3})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)", re.ASCII)
"""The commonest ways to write an instant, of which the standard library reads all in the same way."""
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MS = dt.timedelta(milliseconds=1)
_ZONELESS = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_EPOCH_DAY = dt.date(1970, 1, 1).toordinal()


def parse_instant(text: str) -> int:
    """UTC milliseconds of an RFC 3339 instant; what is finer than a millisecond is cut off.

    ``T`` may be a space, as RFC 3339 allows.  Raises ValueError, with a reason fit for the sender, for anything else: no zone,
    no seconds, 24:00, a leap second, a day that does not exist, a year outside 1900 to 2199.
    """
    if _COMMON.fullmatch(text):
        try:
            ms = (dt.datetime.fromisoformat(text) - _EPOCH) // _MS
        except ValueError:  # a day that does not exist
            pass
        else:
            if MIN_INSTANT <= ms <= MAX_INSTANT:
                return ms
    found = _INSTANT.fullmatch(text)
    if found is None:
        raise ValueError(_why_not(text))
    day, hour, minute, second, fraction, zone = found.groups()
    hours, minutes, seconds = int(hour), int(minute), int(second)
    if hours > 23 or minutes > 59 or seconds > 59:
        raise ValueError(_why_not_clock(hours, minutes, seconds))
    ms = ((parse_day(day, last=dt.date.max.toordinal(), first=1) - _EPOCH_DAY) * 86_400 + hours * 3600 + minutes * 60 + seconds) * 1000
    if fraction:
        ms += int((fraction + "00")[:3])
    if zone not in ("Z", "z"):
        off_hours, off_minutes = int(zone[1:3]), int(zone[4:6])
        if off_hours > 23 or off_minutes > 59:
            raise ValueError("its zone is no offset between -23:59 and +23:59")
        offset = (off_hours * 60 + off_minutes) * 60_000
        ms += offset if zone[0] == "-" else -offset
    if not MIN_INSTANT <= ms <= MAX_INSTANT:
        raise ValueError("is outside the years 1900 to 2199")
    return ms


@lru_cache(maxsize=8192)
def parse_day(text: str, *, first: int = FIRST_DAY, last: int = dt.date.max.toordinal()) -> int:
    """Ordinal (``date.toordinal()``) of an ISO date ``YYYY-MM-DD`` from ``first`` to ``last``.  Raises ValueError with a reason."""
    if _DATE.fullmatch(text) is None:
        raise ValueError("is not a date as YYYY-MM-DD")
    try:
        day = dt.date.fromisoformat(text).toordinal()
    except ValueError:
        raise ValueError("is a day that does not exist") from None
    if not first <= day <= last:
        raise ValueError(f"is outside the years {dt.date.fromordinal(first).year} to {dt.date.fromordinal(last).year}")
    return day


def _why_not(text: str) -> str:
    if _ZONELESS.fullmatch(text):
        return "has no zone: end it with Z or an offset such as +09:30"
    if _DATE.fullmatch(text):
        return "is only a day: give the moment, and where only the day is known say so in data.occurred_on"
    return "is not an RFC 3339 instant such as 2026-03-23T15:00:00+09:30"


def _why_not_clock(hours: int, minutes: int, seconds: int) -> str:
    if hours == 24 and not minutes and not seconds:
        return "says 24:00, which RFC 3339 does not have: write 00:00 of the next day"
    if seconds == 60 and hours < 24 and minutes < 60:
        return "has a leap second (:60), which is not taken: write :59"
    return "has a time of day that does not exist"
