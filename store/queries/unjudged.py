"""Cases that were taken in and that no worker has judged yet: they wait for it, or were put aside before.  Imports store.models.

Whose such a case is stands nowhere but in its events, so nothing here is limited to teams and offices: ``service.onrecord`` does that.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from store.models import CaseStateRow, DirtyRow, EventRow
from store.queries.paging import DEFAULT_LIMIT, MAX_LIMIT, Listing, Page, Sort
from store.queries.upkeep import Waiting, as_waiting
from store.sql import chunks

_FIRST = select(func.min(EventRow.position)).where(EventRow.case_id == DirtyRow.case_id).correlate(DirtyRow).scalar_subquery()
_ON_RECORD = select(EventRow.position).where(EventRow.case_id == DirtyRow.case_id).exists()
"""A case may wait of which there are no events: another one speaks of it."""
UNJUDGED = Listing("unjudged", {"arrival": Sort(_FIRST)}, "-arrival", _FIRST, int)
"""The newest first.  A cursor holds the position of a case's first event, and nothing of the case."""


def list_unjudged(
    session: Session,
    *,
    cases: Collection[str] = (),
    quarantined: bool | None = None,
    limit: int = DEFAULT_LIMIT,
    cursor: str | None = None,
) -> Page[Waiting]:
    """Cases with events that were never judged, the last that came first.  ``cases``: only these.  Raises QueryError or CursorError."""
    query = select(DirtyRow).where(*_never(quarantined), _ON_RECORD)
    if cases:
        query = query.where(DirtyRow.case_id.in_(sorted(cases)))
    narrowed = [quarantined, sorted(cases)]
    return UNJUDGED.page(session, query, lambda row: as_waiting(row[0]), narrowed=narrowed, limit=limit, cursor=cursor)


def newest_unjudged(session: Session, *, cases: Collection[str] = (), quarantined: bool | None = None, most: int) -> list[Waiting]:
    """Those that have waited least, at most ``most``; of ``cases`` alone, where some are given."""
    order = (DirtyRow.since.desc(), DirtyRow.case_id.desc())
    query = select(DirtyRow.case_id).where(*_never(quarantined)).order_by(*order).limit(most)
    newest = query.where(DirtyRow.case_id.in_(sorted(cases))) if cases else query
    found = select(DirtyRow).where(DirtyRow.case_id.in_(newest), _ON_RECORD).order_by(*order)
    return [as_waiting(row) for row in session.scalars(found)]


def count_unjudged(session: Session, *, quarantined: bool | None = None, most: int) -> int:
    """How many there are; no more than ``most`` are counted."""
    some = select(DirtyRow.case_id).where(*_never(quarantined)).limit(most)
    return session.scalar(select(func.count()).select_from(DirtyRow).where(DirtyRow.case_id.in_(some), _ON_RECORD)) or 0


def never_judged(session: Session, cases: Collection[str]) -> list[str]:
    """Those of some cases that are on record and were never judged, in order."""
    found: list[str] = []
    for some in chunks(sorted(set(cases)), MAX_LIMIT):
        state = select(CaseStateRow.id).where(CaseStateRow.case_id == EventRow.case_id)
        found += session.scalars(select(EventRow.case_id).where(EventRow.case_id.in_(some), ~state.exists()).distinct())
    return sorted(found)


def _never(quarantined: bool | None) -> Sequence[ColumnElement[bool]]:
    state: Any = select(CaseStateRow.id).where(CaseStateRow.case_id == DirtyRow.case_id)
    aside = [] if quarantined is None else [DirtyRow.quarantined.is_(quarantined)]
    return [*aside, ~state.exists()]
