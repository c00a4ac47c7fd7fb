"""The teams and offices that the cases on record name.  Imports store.models and store.queries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from store.models import CaseStateRow
from store.queries.casework import count_withdrawn
from store.queries.narrow import EVERYTHING, Scope
from store.queries.paging import MAX_LIMIT

Kind = Literal["team", "office"]


@dataclass(frozen=True, slots=True)
class Place:
    """A team or an office, with the cases that are its own now; None: cases that name none."""

    code: str | None
    cases: int
    open_breaches: int


def places(session: Session, kind: Kind, *, scope: Scope = EVERYTHING) -> list[Place]:
    """The teams, or the offices, of the cases that the reader may see, by code; at most 1000, and what names none first."""
    column = CaseStateRow.team if kind == "team" else CaseStateRow.office
    counted = (
        select(column, func.count(), func.coalesce(func.sum(CaseStateRow.open_breaches), 0))
        .where(*scope.conditions(CaseStateRow.team, CaseStateRow.office))
        .group_by(column)
        .order_by(column.is_not(None), column)
        .limit(MAX_LIMIT)
    )
    found = [Place(code, cases, int(breaches)) for code, cases, breaches in session.execute(counted)]
    if found and found[0].code is None and not scope.limited:  # cases of which nothing stands name none, and are none
        rest = found[0].cases - count_withdrawn(session)
        found[0:1] = [Place(None, rest, found[0].open_breaches)] if rest else []
    return found
