"""What rates are made of: from the count that is kept (``store.tallies``), and days early or late from the verdicts themselves.

Imports store.models, store.tallies and store.queries.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from store.errors import QueryError
from store.models import VerdictRow, VerdictTallyRow
from store.queries import removed
from store.queries.narrow import EVERYTHING, NONE, UNFILTERED, Scope, Where
from store.tallies import days_after, done_by_a_day

KEPT = ("policy", "rule", "severity", "status", "team", "office", "span", "verdict", "cause", "timing")
"""By what the count that is kept tells verdicts apart."""
MOST_GROUPS = 20_000
MOST_DAYS = 5_000

Counted = tuple[tuple[Any, ...], int]


def counted(session: Session, *, by: Sequence[str], where: Where = UNFILTERED, scope: Scope = EVERYTHING) -> list[Counted]:
    """The kept count, by some of ``KEPT``: each group with its number, in their order, at most 20,000.

    ``where`` may name only what ``KEPT`` names.  Raises QueryError.
    """
    if not by or set(by) - set(KEPT):
        raise QueryError("by", f"must be some of {', '.join(KEPT)}")
    columns: list[Any] = [getattr(VerdictTallyRow, name) for name in by]
    query = select(*columns, func.sum(VerdictTallyRow.number)).where(*_kept(where), *_scope(scope)).group_by(*columns)
    rows = session.execute(query.order_by(*(column.asc().nulls_first() for column in columns)).limit(MOST_GROUPS))
    return [(tuple(row[:-1]), int(row[-1])) for row in rows]


def days_from_due(session: Session, *, where: Where = UNFILTERED, scope: Scope = EVERYTHING) -> dict[int, int]:
    """How many were done so many days after the due day (negative: before it), from the verdicts as they stand now."""
    days = days_after(session).label("days")
    conditions = [done_by_a_day(), *where.of_verdicts(), *scope.conditions(VerdictRow.team, VerdictRow.office)]
    inner = select(days).where(*conditions).subquery()
    rows = session.execute(select(inner.c.days, func.count()).group_by(inner.c.days).order_by(inner.c.days).limit(MOST_DAYS))
    found = {int(row[0]): int(row[1]) for row in rows}
    for gone in removed.verdicts(session, where, scope):
        if gone.days is not None:
            found[gone.days] = found.get(gone.days, 0) + gone.number
    return dict(sorted(found.items()))


def count_stale(session: Session, *, scope: Scope = EVERYTHING) -> int:
    """How many requirements of enforced rules cannot be judged because a source has gone quiet."""
    query = select(func.count()).select_from(VerdictRow).where(VerdictRow.reason == "source_stale", VerdictRow.status == "enforced")
    return session.scalar(query.where(*scope.conditions(VerdictRow.team, VerdictRow.office))) or 0


def count_up_to(session: Session, most: int, *, where: Where = UNFILTERED, scope: Scope = EVERYTHING) -> int:
    """How many verdicts there are, counted no further than ``most``."""
    some = select(VerdictRow.id).where(*where.of_verdicts(), *scope.conditions(VerdictRow.team, VerdictRow.office)).limit(most).subquery()
    return session.scalar(select(func.count()).select_from(some)) or 0


def _kept(where: Where) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    for name in ("policy", "rule", "severity", "status", "verdict", "team", "office"):
        values, column = getattr(where, name), getattr(VerdictTallyRow, name)
        if values:
            none = [column.is_(None)] if NONE in values else []
            conditions.append(or_(column.in_(sorted(values)), *none))
    return conditions


def _scope(scope: Scope) -> list[ColumnElement[bool]]:
    return scope.conditions(VerdictTallyRow.team, VerdictTallyRow.office)
