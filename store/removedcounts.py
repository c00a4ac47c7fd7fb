"""Counts of what was removed, so that statistics stay true: verdicts and breaches that are alike, by month of the due day.

Imports store.models and store.tallies.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from rules.model import Outcome
from store.models import BreachRow, RemovedCountRow, VerdictRow
from store.sql import Bulk, chunks
from store.tallies import EARLIER, EDGES, MISSING, NO_DAY, days_after, done_by_a_day

_AT_ONCE = 500
_BULK = Bulk(RemovedCountRow, without=("id",))
_SAME = (
    "kind", "policy", "rule", "severity", "team", "office", "month", "status", "verdict", "cause", "days", "days_late", "condition",
    "review",
)  # fmt: skip
_TOLD = (Outcome.UNKNOWN.value, Outcome.NOT_APPLICABLE.value)


def count_verdicts(session: Session, cases: Collection[str]) -> None:
    """Counts the verdicts of cases that are about to go."""
    found: Counter[tuple[Any, ...]] = Counter()
    days = days_after(session).label("days")
    for some in chunks(sorted(cases), _AT_ONCE):
        chosen = select(
            VerdictRow.policy, VerdictRow.rule, VerdictRow.severity, VerdictRow.team, VerdictRow.office, VerdictRow.due_on,
            VerdictRow.status, VerdictRow.verdict, VerdictRow.reason, VerdictRow.days_late, done_by_a_day().label("done"), days,
        ).where(VerdictRow.case_id.in_(some))  # fmt: skip
        for row in session.execute(chosen):
            month = NO_DAY if row.due_on is None else row.due_on[:7]
            cause = _cause(row.verdict, row.reason)
            gap = int(row.days) if row.done else None
            same = ("verdict", row.policy, row.rule, row.severity, row.team, row.office, month, row.status)
            found[(*same, row.verdict, cause, gap, row.days_late, None, None)] += 1
    _keep(session, found)


def count_breaches(session: Session, cases: Collection[str]) -> None:
    """Counts the breaches of cases that are about to go."""
    found: Counter[tuple[Any, ...]] = Counter()
    for some in chunks(sorted(cases), _AT_ONCE):
        for row in session.scalars(select(BreachRow).where(BreachRow.case_id.in_(some))):
            month = NO_DAY if row.due_on is None else row.due_on[:7]
            same = ("breach", row.policy, row.rule, row.severity, row.team, row.office, month)
            found[(*same, None, None, None, None, None, row.condition, row.review)] += 1
    _keep(session, found)


def together(session: Session) -> None:
    """Puts rows that are alike together, so that nothing tells what was removed at one time."""
    columns = [getattr(RemovedCountRow, name) for name in _SAME]
    rows = session.execute(select(*columns, func.sum(RemovedCountRow.number)).group_by(*columns)).all()
    session.execute(delete(RemovedCountRow))
    _keep(session, Counter({tuple(row[:-1]): int(row[-1]) for row in rows}))


def alike(session: Session, *, first_month: str) -> list[dict[str, Any]]:
    """The removed verdicts as ``store.tallies.count`` gives those on record."""
    found: Counter[tuple[Any, ...]] = Counter()
    for row in session.scalars(select(RemovedCountRow).where(RemovedCountRow.kind == "verdict")):
        span = row.month if row.month == NO_DAY or row.month >= first_month else EARLIER
        timing = None if row.days is None else next((place - 5 for place, edge in enumerate(EDGES) if row.days < edge), 5)
        same = (row.policy, row.rule, row.severity, row.status, row.team, row.office, span, row.verdict, row.cause, timing)
        found[same] += row.number
    names = ("policy", "rule", "severity", "status", "team", "office", "span", "verdict", "cause", "timing")
    return [{**dict(zip(names, same, strict=True)), "number": number} for same, number in found.items()]


def _cause(verdict: str, reason: str | None) -> str:
    if verdict not in _TOLD:
        return ""
    return MISSING if (reason or "").startswith("missing") else reason or ""


def _keep(session: Session, found: Counter[tuple[Any, ...]]) -> None:
    _BULK.write(session, [{**dict(zip(_SAME, same, strict=True)), "number": number} for same, number in found.items()])
