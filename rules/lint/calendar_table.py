"""A holiday table that does not fit the policy: it begins too late, ends too soon, leaves a year out, or is of another place."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from rules.calendars import real_day
from rules.errors import PolicyError
from rules.lint.base import WARNING, Check, Found, Subject, days_of
from rules.lint.no_calendar import counted_in_business_days
from rules.yamlsource import Source

_AHEAD = 366


def run(subject: Subject) -> Iterator[Found]:
    policy = subject.policy
    counted = list(counted_in_business_days(subject))
    longest = max((days_of(period, policy.values) or 0 for _, period in counted), default=0)
    zones = {policy.zone_name, *policy.zones.values(), *(office.zone for office in policy.offices.values() if office.zone)}
    for name in policy.calendars:
        try:
            source = subject.read.open_file(f"calendars/{name}.yaml")
        except PolicyError:
            continue
        yield from _table(subject, source, name, counts=bool(counted), longest=longest)
        data = source.data
        if "zone" in data and data["zone"] not in zones:
            yield (
                ("zone",),
                f"these are the holidays of {data['zone']}, and the policy's days are those of {', '.join(sorted(zones))}",
                source,
            )
        if "calendar" in data and data["calendar"] != name:
            yield ("calendar",), f"the file is named {name}.yaml, and the calendar calls itself {data['calendar']}", source


def _table(subject: Subject, source: Source, name: str, *, counts: bool, longest: int) -> Iterator[Found]:
    days = sorted(day for text in source.data["holidays"] if (day := real_day(text)) is not None)
    if not days:
        yield ("holidays",), f"calendar {name} lists no holiday", source
        return
    years = [dt.date.fromordinal(day).year for day in days]
    gaps = sorted(set(range(years[0], years[-1])) - set(years))
    if gaps:
        yield ("holidays",), f"calendar {name} lists no holiday in {', '.join(map(str, gaps))}", source
    if not counts:
        return
    effective = dt.date.fromordinal(subject.policy.effective)
    if effective.year < years[0]:
        yield ("holidays",), f"calendar {name} begins in {years[0]}, and the policy holds from {effective.isoformat()}", source
    end = dt.date(years[-1], 12, 31)
    if effective > end:
        yield ("holidays",), f"calendar {name} ends with {years[-1]}, before the policy begins on {effective.isoformat()}", source
    elif subject.today is not None and subject.today + longest + _AHEAD > end.toordinal():
        yield (
            ("holidays",),
            f"calendar {name} ends with {years[-1]}: within a year, business days will be counted as if there were no holidays",
            source,
        )


CHECK = Check(
    "L122",
    WARNING,
    "A holiday table begins after the policy does, ends within a year, leaves a year out, or belongs to another place.",
    run,
    "Add the missing days to the calendar and give it a new version. (That it ends too soon is told where today's date is known.)",
    whole=True,
)
