"""What is still to be done, counted by day and by who it falls to.  Imports store.models and store.queries.

Open is what an enforced rule asks for, is not done, and whose day is not over; some of it has no day yet ("by the end of the 3rd visit",
before that visit).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from rules.model import Outcome
from store.models import VerdictRow
from store.queries.narrow import EVERYTHING, UNFILTERED, Scope, Where

OPEN = (Outcome.DUE_SOON.value, Outcome.PENDING.value)
MOST_GROUPS = 5_000


@dataclass(frozen=True, slots=True)
class DueGroup:
    """So many open requirements of one rule fall due on one day (ISO)."""

    day: str
    policy: str
    rule: str
    severity: str
    number: int


@dataclass(frozen=True, slots=True)
class DueOwner:
    """What falls to one worker of one team: ``within`` holds a number for each period that was asked for; ``undated`` has no day yet."""

    team: str | None
    worker: str | None
    within: tuple[int, ...]
    undated: int


def due_by_day(
    session: Session, *, since: str, until: str, where: Where = UNFILTERED, scope: Scope = EVERYTHING, limit: int = MOST_GROUPS
) -> list[DueGroup]:
    """Open requirements that fall due from ``since`` to ``until`` (ISO, inclusive), by day and rule; at most ``limit`` groups."""
    columns = (VerdictRow.due_key, VerdictRow.policy, VerdictRow.rule, VerdictRow.severity)
    conditions = [*_open(where, scope), _within((since, until))]
    query = select(*columns, func.count()).where(*conditions).group_by(*columns).order_by(*columns).limit(limit)
    return [DueGroup(*row) for row in session.execute(query)]


def due_by_owner(
    session: Session, periods: Sequence[tuple[str, str]], *, where: Where = UNFILTERED, scope: Scope = EVERYTHING, limit: int = MOST_GROUPS
) -> list[DueOwner]:
    """Open requirements by team and worker: how many fall due in each of ``periods`` (ISO, inclusive); those who have any, in order."""
    last = max(until for _, until in periods)
    rows: Any = session.execute(
        select(
            VerdictRow.team,
            VerdictRow.worker,
            *(func.count().filter(_within(period)) for period in periods),
            func.count().filter(_undated()),
        )
        .where(*_open(where, scope), (VerdictRow.due_key <= last) | _undated())
        .group_by(VerdictRow.team, VerdictRow.worker)
        .order_by(VerdictRow.team.asc().nulls_last(), VerdictRow.worker.asc().nulls_last())
        .limit(limit)
    )
    found = [DueOwner(row[0], row[1], tuple(row[2:-1]), row[-1]) for row in rows]
    return [one for one in found if any(one.within) or one.undated]


def count_due(session: Session, periods: Sequence[tuple[str, str]], *, scope: Scope = EVERYTHING) -> tuple[list[int], int]:
    """How many open requirements fall due in each of ``periods`` (ISO, inclusive), and how many in their warning window have no day."""
    last = max(until for _, until in periods)
    columns = [*(func.count().filter(_within(period)) for period in periods), func.count().filter(_undated())]
    row = session.execute(select(*columns).where(*_open(UNFILTERED, scope), (VerdictRow.due_key <= last) | _undated())).one()
    return [*row[:-1]], row[-1]


def _within(period: tuple[str, str]) -> ColumnElement[bool]:
    """Due in it.  Not BETWEEN: PostgreSQL reads no collation of a parameter there."""
    return (VerdictRow.due_key >= period[0]) & (VerdictRow.due_key <= period[1])


def _undated() -> ColumnElement[bool]:
    """In its warning window, without a day."""
    return (VerdictRow.verdict == Outcome.DUE_SOON.value) & VerdictRow.due_on.is_(None)


def _open(where: Where, scope: Scope) -> list[Any]:
    narrowed = [*where.of_verdicts(), *scope.conditions(VerdictRow.team, VerdictRow.office)]
    return [VerdictRow.verdict.in_(OPEN), VerdictRow.status == "enforced", *narrowed]
