"""What filters let pass of the counts of what was removed, to be added to counts of what is on record.  Imports store.models.

Whose cases they were, and who worked on them, is no longer known: a filter that asks for it lets none pass.  A filter by days lets whole
months pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from store.models import RemovedCountRow
from store.queries.narrow import NONE, Scope, Where
from store.tallies import NO_DAY


def verdicts(session: Session, where: Where, scope: Scope) -> Sequence[RemovedCountRow]:
    """The counts of removed verdicts that filters let pass; none where a filter asks for what is no longer known."""
    if where.case or where.worker or where.search or where.reason or where.contested or where.undated:
        return []
    return _chosen(session, "verdict", where, scope, ("policy", "rule", "severity", "status", "verdict", "team", "office"))


def breaches(session: Session, where: Where, scope: Scope) -> Sequence[RemovedCountRow]:
    """The same of removed breaches."""
    if where.case or where.worker or where.search or where.assignee or where.age or where.contested or where.undated:
        return []
    return _chosen(session, "breach", where, scope, ("policy", "rule", "severity", "condition", "review", "team", "office"))


def _chosen(session: Session, kind: str, where: Where, scope: Scope, names: Iterable[str]) -> Sequence[RemovedCountRow]:
    conditions: list[ColumnElement[bool]] = [RemovedCountRow.kind == kind]
    for name in names:
        values, column = getattr(where, name), getattr(RemovedCountRow, name)
        if values:
            conditions.append(or_(column.in_(sorted(values)), *([column.is_(None)] if NONE in values else [])))
    if where.since is not None:
        conditions.append(RemovedCountRow.month >= (where.since[:7] if where.since.endswith("-01") else f"{where.since[:7]}~"))
    if where.until is not None:
        conditions.append(RemovedCountRow.month <= where.until[:7])
    if where.since is not None or where.until is not None:
        conditions.append(RemovedCountRow.month != NO_DAY)
    conditions += scope.conditions(RemovedCountRow.team, RemovedCountRow.office)
    return session.scalars(select(RemovedCountRow).where(*conditions).order_by(RemovedCountRow.id)).all()
