"""A title or finding that names another number of days or weeks than the rule has: the rule was changed, and its words were not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from rules.kinds.nth_occurrence import NthOccurrence
from rules.lint.base import WARNING, Check, Path, Subject, days_of, walk
from rules.periods import Period

_UNITS = {"day": 1, "week": 7, "month": 30, "year": 365}
_SPAN = re.compile(r"\b(\d{1,4})(?: to (\d{1,4}))?[ -](?:business |working |calendar )?(day|week|month|year)s?\b", re.IGNORECASE)
_NTH = re.compile(r"\b(\d{1,3})(?:st|nd|rd|th)\b")


def run(subject: Subject) -> Iterator[tuple[Path, str]]:
    values = subject.policy.values
    yield from _anchors(subject)
    for path, rule in subject.rules():
        periods = [part for clause in rule.clauses for _, part in walk(clause, path) if isinstance(part, Period)]
        anchors = [subject.policy.anchors.get(getattr(clause, "anchor", None) or "") for clause in rule.clauses]
        periods += [anchor.if_within for anchor in anchors if anchor is not None]
        spans = {
            span.count * _UNITS.get(span.unit.rstrip("s").replace("business_day", "day"), 1): str(span)
            for p in periods
            if (span := _span(p, values))
        }
        numbers = {by for clause in rule.clauses if isinstance(clause, NthOccurrence) for by in (clause.by.nth, clause.by.warn_after)}
        for field, text in (("title", rule.title), ("unmet", rule.unmet)):
            for found in _SPAN.finditer(text):
                for number in found.group(1), found.group(2):
                    if number and spans and int(number) * _UNITS[found.group(3).lower()] not in spans:
                        yield (
                            (*path, field),
                            f"{rule.id} says {found.group()!r}, and the rule itself has {', '.join(sorted(set(spans.values())))}",
                        )
                        break
            for found in _NTH.finditer(text):
                if numbers and int(found.group(1)) not in numbers:
                    yield (
                        (*path, field),
                        f"{rule.id} says {found.group()!r}, and the rule itself counts to number {max(n for n in numbers if n)}",
                    )


def _span(period: Period, values: Any) -> Any:
    return None if period.parameter is not None and values.get(period.parameter) is None else period.span(values)


def _anchors(subject: Subject) -> Iterator[tuple[Path, str]]:
    for name, anchor in subject.policy.anchors.items():
        span = _span(anchor.if_within, subject.policy.values)
        for found in _SPAN.finditer(anchor.means):
            days = int(found.group(1)) * _UNITS[found.group(3).lower()]
            if span is not None and days != days_of(anchor.if_within, subject.policy.values):
                yield ("anchors", name, "means"), f"anchor {name} says {found.group()!r}, and itself has {span}"


CHECK = Check(
    "L129",
    WARNING,
    "A title or finding names another number of days, weeks or occurrences than the rule has.",
    run,
    "Correct whichever of the two is wrong.",
)
