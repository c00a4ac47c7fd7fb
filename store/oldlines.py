"""Old lines of the access log: they go from the oldest on, without a gap, written down as runs.  Imports store.models."""

from __future__ import annotations

import hashlib

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from store import removals
from store.models import AccessLogRow, RemovalRow
from store.removals import GoneLine
from store.sealed import NUMBERED


def count(session: Session, *, before: int) -> int:
    """How many lines there are from before an instant (ms), up to the first that is not."""
    last = _last(session, before)
    return session.scalar(select(func.count()).select_from(AccessLogRow).where(AccessLogRow.id <= last)) or 0


def remove(session: Session, row: RemovalRow, *, before: int, most: int) -> int:
    """Removes the next of these lines, ``most`` at a time; how many."""
    last = _last(session, before)
    lines = list(NUMBERED["access_log"].lines(session, after=0, upto=last, most=most))
    if not lines:
        return 0
    first, upto = lines[0][0], lines[-1][0]
    root = hashlib.sha256("\n".join(f"{digest} {number}" for number, digest in lines).encode()).hexdigest()
    removals.write_down(session, row, [GoneLine("access_log", f"{first}-{upto}", root, None, number=upto, first=first)])
    session.execute(delete(AccessLogRow).where(AccessLogRow.id <= upto))
    removals.tally(row, {"access_log": {"removed": len(lines)}})
    return len(lines)


def _last(session: Session, before: int) -> int:
    kept = session.scalar(select(func.min(AccessLogRow.id)).where(AccessLogRow.at >= before))
    return (session.scalar(select(func.max(AccessLogRow.id))) or 0) if kept is None else kept - 1
