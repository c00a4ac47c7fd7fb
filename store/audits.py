"""Audits on record.  Imports store.models, store.chunkedjobs and store.sql."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AuditScope:
    """What an audit looks at; None: no limit.  Days are local and ISO, both included."""

    policies: tuple[str, ...] | None = None
    program: str | None = None
    teams: tuple[str, ...] | None = None
    offices: tuple[str, ...] | None = None
    since: str | None = None
    until: str | None = None


@dataclass(frozen=True, slots=True)
class Audit:
    """An audit as it stands.  Instants are ms; ``total`` and ``done`` count cases."""

    id: str
    kind: str
    as_of: int
    known_at: int
    position: int
    heartbeat: int
    lines: int
    policies: tuple[str, ...]
    """Digests of every version that was in force at ``known_at``."""
    scope: AuditScope
    seed: int
    sample: int
    created: int
    created_by: str
    created_name: str
    schedule: str | None = None
    """The schedule that made it."""
    scheduled_for: int | None = None
    missed: int = 0
    """Earlier times of the schedule that went by while nothing was running, and that this audit stands in for."""
    state: str = "queued"
    total: int = 0
    done: int = 0
    started: int | None = None
    finished: int | None = None
    report_digest: str | None = None
    error: str | None = None

    @property
    def over(self) -> bool:
        """Whether nothing will change any more."""
        return self.state not in ("queued", "running")


@dataclass(frozen=True, slots=True)
class Signature:
    """A person's word that a report has been read and stands.  ``digest`` is that of the report."""

    audit: str
    by: str
    name: str
    at: int
    digest: str
    comment: str
