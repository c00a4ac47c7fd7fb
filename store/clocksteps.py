"""What was written while the clock was ahead, made good once it has been set back.  Imports store.models and store.queue.

A lease, a rest or a waiting case dated in the future would otherwise hold something up for as long as the clock was ahead, and a case
that was judged in the future would stand as it will be, not as it is.  Nothing of this is found while clocks are right.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.orm import DeclarativeBase, Session

from store.models import (
    AuditChunkRow,
    AuditScheduleRow,
    BacktestChunkRow,
    CaseStateRow,
    DirtyRow,
    NoticeRow,
    OutboxRow,
    ReceiverRow,
    SourceRow,
    TallyStateRow,
    UserRow,
    WebSessionRow,
)
from store.queue import mark_dirty

SLACK = 60_000
"""ms by which clocks of several machines may differ without anything being done about it."""
DAY = 86_400_000
_MOST_CASES = 5_000


def make_good(session: Session, now: int, *, lease_ms: int) -> dict[str, int]:
    """Rows by table that were dated in the future, and are so no longer.  ``lease_ms``: of waiting cases and chunks.

    ``case_state``: cases judged in the future, which wait to be judged again.  ``audit_schedule``: those that fired in the future; they
    are only counted, as their next time is the service's to say.
    """
    ahead, leased = now + SLACK, now + lease_ms + 3 * SLACK
    free = {"claimed_until": None, "token": None}
    done: dict[str, int] = {}

    def put(table: type[DeclarativeBase], late: ColumnElement[bool], values: Mapping[str, Any]) -> None:
        key = table.__mapper__.primary_key[0]
        found = len(session.execute(update(table).where(late).values(**values).returning(key)).all())
        if found:
            done[table.__tablename__] = done.get(table.__tablename__, 0) + found

    put(DirtyRow, DirtyRow.claimed_until > leased, free | {"claimed_by": None})
    put(DirtyRow, DirtyRow.since > ahead, {"since": now})
    put(BacktestChunkRow, BacktestChunkRow.claimed_until > leased, free)
    put(AuditChunkRow, AuditChunkRow.claimed_until > leased, free)
    put(TallyStateRow, TallyStateRow.claimed_until > now + DAY, {"claimed_until": None})
    put(SourceRow, SourceRow.lease_until > now + 5 * SLACK, {"lease_until": None, "token": None})
    put(SourceRow, SourceRow.last_pull > ahead, {"next_pull_at": now, "last_pull": now})
    put(ReceiverRow, ReceiverRow.lease_until > now + 5 * SLACK, {"lease_until": None, "token": None})
    put(ReceiverRow, ReceiverRow.rest_until > now + DAY + SLACK, {"rest_until": None})
    waiting = and_(NoticeRow.state == "waiting", or_(NoticeRow.created > ahead, NoticeRow.next_at > now + 2 * DAY))
    put(NoticeRow, waiting & (NoticeRow.next_at > ahead), {"next_at": now})
    owed = and_(OutboxRow.sent_at.is_(None), OutboxRow.created > ahead, OutboxRow.available_at > ahead)
    put(OutboxRow, owed, {"available_at": now})
    put(UserRow, UserRow.locked_until > now + DAY + SLACK, {"locked_until": now})
    put(UserRow, UserRow.sessions_after > ahead, {"sessions_after": now})
    dated = or_(WebSessionRow.made > ahead, WebSessionRow.seen > ahead)
    put(WebSessionRow, dated, {"made": now, "seen": now, "ends": now, "ended": now})
    cases = session.scalars(select(CaseStateRow.case_id).where(CaseStateRow.evaluated_at > ahead).limit(_MOST_CASES)).all()
    if cases:
        mark_dirty(session, cases, now)
        done["case_state"] = len(cases)
    if schedules := len(fired_ahead(session, now)):
        done["audit_schedule"] = schedules
    return done


def fired_ahead(session: Session, now: int) -> list[str]:
    """Schedules of audits that fired for a time that has not come."""
    late = select(AuditScheduleRow.id).where(AuditScheduleRow.last_at > now + SLACK, AuditScheduleRow.next_at.is_not(None))
    return list(session.scalars(late.order_by(AuditScheduleRow.id)))
