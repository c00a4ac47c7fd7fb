"""Writes rules/policies/calendars/*.yaml from the `holidays` package: run it by hand, look at the difference, commit it with a new version.

The days are a snapshot on purpose: an upgrade of a library must never change a verdict that was given.  Part-day holidays
(Christmas Eve and New Year's Eve from 7 pm) are business days.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import holidays

YEARS = range(2015, 2036)
VERSION = "1"
FOLDER = Path(__file__).parents[2] / "rules" / "policies" / "calendars"
CALENDARS = {
    "sa": ("SA", "Australia/Adelaide", "South Australia"),
    "nt": ("NT", "Australia/Darwin", "the Northern Territory"),
}
_SPELT = {"Labor Day": "Labour Day"}

_HEADER = """\
# Public holidays of {place}, {first} to {last}: a snapshot, so that no upgrade of a library changes an old verdict.
# Whole days only: the evenings of 24 and 31 December are part-day holidays and count as business days.
# Show days of single towns are not included: an office that keeps one names it in a calendar of its own.
# Made by tests/support/make_calendars.py; give the file a new version when a day is proclaimed or changed.
calendar: {name}
version: "{version}"
zone: {zone}
holidays:
"""


def days(name: str) -> dict[dt.date, str]:
    """The whole-day public holidays of a calendar, by day."""
    subdivision = CALENDARS[name][0]
    found = holidays.country_holidays("AU", subdiv=subdivision, years=YEARS, categories=("public",))
    return {day: "; ".join(_SPELT.get(part, part) for part in title.split("; ")) for day, title in sorted(found.items())}


def text(name: str) -> str:
    """The file's text."""
    _, zone, place = CALENDARS[name]
    header = _HEADER.format(place=place, first=YEARS[0], last=YEARS[-1], name=name, version=VERSION, zone=zone)
    return header + "".join(f'  {day}: "{title}"\n' for day, title in days(name).items())


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for calendar in CALENDARS:
        (FOLDER / f"{calendar}.yaml").write_text(text(calendar), encoding="utf-8")
