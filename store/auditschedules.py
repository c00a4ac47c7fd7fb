"""Schedules of audits on record.  Imports store.models and store.sql."""

from __future__ import annotations

from dataclasses import dataclass

from store.audits import AuditScope


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
