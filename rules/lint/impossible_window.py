"""A warning window that opens after the due day, or before there is anything to warn of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rules.lint.base import ERROR, Check, Path, Subject, days_of


def run(subject: Subject) -> Iterator[tuple[Path, str]]:
    values = subject.policy.values
    for path, _, clause in subject.clauses():
        limit = getattr(clause, "within", None) or getattr(clause, "every", None)
        warn, warn_from = getattr(clause, "warn", None), getattr(clause, "warn_from", None)
        if warn is not None and warn_from is not None:
            yield (*path, "warn"), "warn and warn_from both say when the warning window opens"
        days = days_of(limit, values)
        if days is None:
            continue
        if (before := days_of(warn, values)) is not None and before > days:
            yield (*path, "warn"), f"the warning window would open {before - days} days before the rule is activated"
        if (after := days_of(warn_from, values)) is not None and after > days:
            yield (*path, "warn_from"), f"the warning window would open {after - days} days after the due day"
    for path, _, clause in subject.clauses():
        by: Any = getattr(clause, "by", None)
        nth, warn_after = getattr(by, "nth", None), getattr(by, "warn_after", None)
        if isinstance(nth, int) and isinstance(warn_after, int) and warn_after >= nth:
            yield (*path, "by", "warn_after"), f"the warning window would open with number {warn_after}, and the limit is number {nth}"


CHECK = Check(
    "L103",
    ERROR,
    "A warning window lies outside the time between activation and due day.",
    run,
    "Make `warn` shorter than the limit, or let `warn_from` begin before it ends.",
)
