"""What needs somebody today, as counts: open breaches, what is contested, cases put aside.  Imports store.models and store.queries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from store.models import BreachRow, CaseStateRow, DirtyRow
from store.queries.narrow import EVERYTHING, Scope


@dataclass(frozen=True, slots=True)
class OpenWork:
    """Open breaches: those that nobody has reviewed, by severity, and those that are ``assigned`` to who asks."""

    new: Mapping[str, int]
    assigned: int


def open_work(session: Session, *, assignee: str, scope: Scope = EVERYTHING) -> OpenWork:
    """Open breaches, counted in one pass.  ``assignee``: as histories name people, ``user:ID``."""
    columns = (func.count().filter(BreachRow.review == "new"), func.count().filter(BreachRow.assignee == assignee))
    query = select(BreachRow.severity, *columns).where(BreachRow.condition == "open", *_breaches(scope)).group_by(BreachRow.severity)
    rows = session.execute(query).all()
    return OpenWork({row[0]: row[1] for row in rows if row[1]}, sum(row[2] for row in rows))


def count_contested(session: Session, *, scope: Scope = EVERYTHING) -> int:
    """How many contested breaches wait for a reviewer, whatever their condition is now."""
    query = select(func.count()).select_from(BreachRow).where(BreachRow.contested.is_not(None), BreachRow.review == "new")
    return session.scalar(query.where(*_breaches(scope))) or 0


def count_put_aside(session: Session, *, scope: Scope = EVERYTHING) -> int:
    """How many cases could not be judged and were put aside; to a reader with a limited scope, of those judged before.

    ``service.onrecord`` adds those that were not.
    """
    query = select(func.count()).select_from(DirtyRow).where(DirtyRow.quarantined)
    if scope.limited:
        state = select(CaseStateRow.id).where(CaseStateRow.case_id == DirtyRow.case_id)
        query = query.where(state.where(*scope.conditions(CaseStateRow.team, CaseStateRow.office)).exists())
    return session.scalar(query) or 0


def _breaches(scope: Scope) -> list[ColumnElement[bool]]:
    return scope.conditions(BreachRow.team, BreachRow.office)
