"""Waivers with the breaches that they are about: what waits, what stands, what is over.  Imports store.models and store.queries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from store.breaches import Breach, as_breach
from store.models import BreachRow, WaiverRow
from store.queries.findings import WAIVERS, Waiver, as_waiver
from store.queries.narrow import EVERYTHING, Scope
from store.queries.paging import DEFAULT_LIMIT, Page


@dataclass(frozen=True, slots=True)
class Asked:
    """A waiver, and the breach as it stands now."""

    waiver: Waiver
    breach: Breach


@dataclass(frozen=True, slots=True)
class Narrowed:
    """Which waivers: of these states and severities (none: of all), and not asked for by ``not_by``."""

    states: tuple[str, ...] = ()
    severities: tuple[str, ...] | None = None
    not_by: str | None = None

    def conditions(self) -> list[Any]:
        given: list[Any] = [WaiverRow.state.in_(self.states)] if self.states else []
        if self.severities is not None:
            given.append(BreachRow.severity.in_(self.severities))
        if self.not_by is not None:
            given.append(WaiverRow.author != self.not_by)
        return given

    def as_json(self) -> Any:
        return [sorted(self.states), None if self.severities is None else sorted(self.severities), self.not_by]


ALL = Narrowed()


def list_asked(
    session: Session,
    *,
    where: Narrowed = ALL,
    scope: Scope = EVERYTHING,
    sort: str | None = None,
    limit: int = DEFAULT_LIMIT,
    cursor: str | None = None,
) -> Page[Asked]:
    """Waivers of breaches that the reader may see, the newest first unless sorted otherwise.  Raises QueryError or CursorError."""
    query = select(WaiverRow, BreachRow).join(BreachRow, BreachRow.id == WaiverRow.breach_id)
    query = query.where(*where.conditions(), *scope.conditions(BreachRow.team, BreachRow.office))
    narrowed = [where.as_json(), scope.as_json()]
    return WAIVERS.page(
        session, query, lambda row: Asked(as_waiver(row[0]), as_breach(row[1])), narrowed=narrowed, sort=sort, limit=limit, cursor=cursor
    )


def count_asked(session: Session, *, where: Narrowed = ALL, scope: Scope = EVERYTHING) -> dict[str, int]:
    """How many waivers there are in each state that occurs."""
    query = select(WaiverRow.state, func.count()).join(BreachRow, BreachRow.id == WaiverRow.breach_id)
    query = query.where(*where.conditions(), *scope.conditions(BreachRow.team, BreachRow.office)).group_by(WaiverRow.state)
    return {row[0]: row[1] for row in session.execute(query)}


def find_asked(session: Session, waiver_id: str, *, scope: Scope = EVERYTHING) -> Asked | None:
    """The waiver of this id; None where there is none that the reader may see."""
    query = select(WaiverRow, BreachRow).join(BreachRow, BreachRow.id == WaiverRow.breach_id)
    row = session.execute(query.where(WaiverRow.id == waiver_id, *scope.conditions(BreachRow.team, BreachRow.office))).first()
    return None if row is None else Asked(as_waiver(row[0]), as_breach(row[1]))
