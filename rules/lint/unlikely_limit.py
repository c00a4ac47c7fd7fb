"""A limit that nobody can keep or that nobody means: a recurrence of no days, a limit of decades."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rules.kinds.recurrence import Recurrence
from rules.lint.base import WARNING, Check, Path, Subject, days_of

_LONG = 3653


def run(subject: Subject) -> Iterator[tuple[Path, str]]:
    values = subject.policy.values
    for path, rule, clause in subject.clauses():
        for field in ("within", "every", "warn", "warn_from"):
            period: Any = getattr(clause, field, None)
            days = days_of(period, values)
            if days is None:
                continue
            source = f" ({period.parameter} is set to it)" if period.parameter else ""
            if days == 0 and field == "every" and isinstance(clause, Recurrence):
                yield (*path, field), f"{rule.id}: nothing can be done again within 0 days{source}"
            elif days > _LONG:
                yield (*path, field), f"{rule.id}: {field} is more than {days // 365} years{source}"
    for name, anchor in subject.policy.anchors.items():
        days = days_of(anchor.if_within, values)
        if days is not None and days > _LONG:
            yield ("anchors", name, "if_within"), f"anchor {name}: if_within is more than {days // 365} years"


CHECK = Check("L124", WARNING, "A limit is 0 where something must recur, or longer than ten years.", run, "Check the number and its unit.")
