"""Calendars of a policy package: the whole-day public holidays of a place.  Imports rules.clock, rules.errors and rules.yamlsource.

A calendar that is read loosely would take holidays away without a word, so every key and every date is held against what a
calendar may say.
"""

from __future__ import annotations

import datetime as dt
import difflib
from typing import Any

from rules.clock import Calendar, zone
from rules.errors import Fault, PolicyError
from rules.faultwords import unknown_key
from rules.yamlsource import Key, Source

_KEYS = ("calendar", "version", "zone", "holidays")


def calendar_of(source: Source, name: str) -> Calendar:
    """The calendar in a YAML text.  Raises PolicyError with every fault and its place.

    ``holidays`` maps each day (2026-01-26) to its name; ``zone``, where it is given, is the place's time zone.
    """
    faults: list[Fault] = []

    def fault(path: tuple[Key, ...], message: str, *, key: bool = False) -> None:
        faults.append(source.fault(path, "P006", message, key=key))

    data = source.data
    if not isinstance(data, dict):
        raise PolicyError(
            [source.fault((), "P006", "a calendar is a mapping with a list of its holidays: holidays: {2026-01-26: Australia Day}")]
        )
    for key in data:
        if key not in _KEYS:
            fault((key,), f"{key}: {unknown_key(key, _KEYS)}", key=True)
    _zone(data.get("zone"), fault)
    days = _days(data, fault)
    if faults:
        raise PolicyError(faults)
    return Calendar(name, frozenset(days))


def _zone(name: Any, fault: Any) -> None:
    if name is None:
        return
    try:
        zone(str(name))
    except ValueError as error:
        fault(("zone",), f"zone: {error}")


def _days(data: dict[str, Any], fault: Any) -> list[int]:
    holidays = data.get("holidays")
    if "holidays" not in data:
        near = difflib.get_close_matches("holidays", list(data), 1)
        if not near:
            fault((), "holidays is missing: a calendar lists its days, holidays: {2026-01-26: Australia Day}")
        return []
    if not isinstance(holidays, dict):
        fault(("holidays",), "holidays must be a mapping of days to their names, such as {2026-01-26: Australia Day}")
        return []
    found: list[int] = []
    for text, called in holidays.items():
        day = real_day(text)
        if day is None:
            fault(("holidays", text), f"{text!r} is not a day of any year: write it like 2026-01-31", key=True)
        elif not isinstance(called, str) or not called.strip():
            fault(("holidays", text), f"the holiday of {text} has no name")
        else:
            found.append(day)
    return found


def real_day(text: str) -> int | None:
    """The day of a date written like 2026-01-31; None where there is no such day or it is written otherwise."""
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        return None
    return day.toordinal() if day.isoformat() == text else None
