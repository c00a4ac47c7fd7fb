"""Business days without a calendar: only Saturdays and Sundays are left out."""

from __future__ import annotations

from collections.abc import Iterator

from rules.lint.base import INFO, Check, Path, Subject
from rules.periods import Period


def run(subject: Subject) -> Iterator[tuple[Path, str]]:
    if subject.policy.calendar is not None or any(office.calendar or office.holidays for office in subject.policy.offices.values()):
        return
    for path, _ in counted_in_business_days(subject):
        yield path, "the policy names no calendar, so only Saturdays and Sundays are left out, and no public holiday"


def counted_in_business_days(subject: Subject) -> Iterator[tuple[Path, Period]]:
    """Every period for which it matters which days are holidays."""
    return ((path, period) for path, period in subject.find(Period) if period.business_days is not None or period.roll is not None)


CHECK = Check(
    "L121",
    INFO,
    "Business days are counted, and the policy names no calendar: public holidays count as business days.",
    run,
    "Name a calendar (`calendar: NAME`, a file calendars/NAME.yaml), if holidays are to be left out.",
)
