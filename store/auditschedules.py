"""Schedules of audits on record.  Imports store.models.

A time is claimed by moving ``next_at`` on while the row is locked, and a schedule's audits are unique by the time that they are for: so
each time fires once, however many machines look.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from store.audits import AuditScope
from store.models import AuditScheduleRow
from store.sql import upsert

MOST = 1_000
"""So many schedules are listed at most."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """When to make which audit.  Instants are ms."""

    id: str
    name: str
    cron: str
    zone: str
    kind: str
    scope: AuditScope
    sample: int
    created: int
    created_by: str
    created_name: str
    next_at: int | None
    """None: it is paused."""
    last_at: int | None = None
    """The time that it fired for last."""
    last_audit: str | None = None
    missed: int = 0
    """Times before that one that went by while nothing was running."""
    paused_because: str | None = None


def add(session: Session, schedule: Schedule) -> bool:
    """Puts a schedule on record; False where there is one of this name."""
    row = asdict(schedule)
    insert = upsert(session, AuditScheduleRow).values(**row).on_conflict_do_nothing(index_elements=["name"])
    return bool(session.execute(insert.returning(AuditScheduleRow.id)).all())


def get(session: Session, schedule: str) -> Schedule | None:
    """One schedule."""
    row = session.get(AuditScheduleRow, schedule, populate_existing=True)
    return None if row is None else _as_schedule(row)


def listed(session: Session) -> list[Schedule]:
    """All schedules, by name."""
    return [_as_schedule(row) for row in session.scalars(select(AuditScheduleRow).order_by(AuditScheduleRow.name).limit(MOST))]


def any_due(session: Session, now: int) -> bool:
    """Whether the time of any has come."""
    return session.scalar(select(AuditScheduleRow.id).where(AuditScheduleRow.next_at <= now).limit(1)) is not None


def take_due(session: Session, now: int) -> Schedule | None:
    """A schedule whose time has come, kept to this transaction; None where there is none, or somebody else has it."""
    due = select(AuditScheduleRow).where(AuditScheduleRow.next_at <= now).order_by(AuditScheduleRow.next_at, AuditScheduleRow.id).limit(1)
    row = session.scalar(due.with_for_update(skip_locked=True).execution_options(populate_existing=True))
    return None if row is None else _as_schedule(row)


def change(session: Session, schedule: str, values: Mapping[str, Any]) -> None:
    """Sets columns of a schedule."""
    session.execute(update(AuditScheduleRow).where(AuditScheduleRow.id == schedule).values(**values))


def remove(session: Session, schedule: str) -> None:
    """Forgets a schedule."""
    session.execute(delete(AuditScheduleRow).where(AuditScheduleRow.id == schedule))


def _as_schedule(row: AuditScheduleRow) -> Schedule:
    return Schedule(
        id=row.id,
        name=row.name,
        cron=row.cron,
        zone=row.zone,
        kind=row.kind,
        scope=AuditScope.of(row.scope),
        sample=row.sample,
        created=row.created,
        created_by=row.created_by,
        created_name=row.created_name,
        next_at=row.next_at,
        last_at=row.last_at,
        last_audit=row.last_audit,
        missed=row.missed,
        paused_because=row.paused_because,
    )
