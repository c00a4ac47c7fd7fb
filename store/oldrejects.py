"""Refused records about cases that nobody knows: no case's end ends them, so they go by their age.  Imports store.models.

A record that is about a known case goes with that case, and is never looked at here.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, delete, exists, func, select
from sqlalchemy.orm import Session

from store import removals
from store.models import CaseHoldRow, RejectRow, RemovalRow


def count(session: Session, *, before: int) -> int:
    """How many there are that were refused first before an instant (ms), whatever has become of them."""
    return session.scalar(select(func.count()).select_from(RejectRow).where(*_old(before))) or 0


def remove(session: Session, row: RemovalRow, *, before: int, most: int) -> int:
    """Removes the next of them, ``most`` at a time; how many.  They hold their source back no longer."""
    some = select(RejectRow.id).where(*_old(before)).order_by(RejectRow.id).limit(most)
    gone = len(session.scalars(delete(RejectRow).where(RejectRow.id.in_(some)).returning(RejectRow.id)).all())
    removals.tally(row, {"reject": {"removed": gone}})
    return gone


def _old(before: int) -> tuple[ColumnElement[bool], ...]:
    hold = (CaseHoldRow.source == RejectRow.source, CaseHoldRow.kind == RejectRow.kind, CaseHoldRow.ref == RejectRow.ref)
    return RejectRow.received < before, ~exists().where(*hold)
