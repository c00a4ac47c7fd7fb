"""What keeps the installation running: waiting and quarantined cases, sources, conflicts, rejects, policy versions.

Imports store.models and store.queries.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from store.models import CaseStateRow, ConflictRow, DirtyRow, OutboxRow, PolicyVersionRow, RejectRow
from store.queries.narrow import EVERYTHING, Scope
from store.queries.paging import DEFAULT_LIMIT, MAX_LIMIT, Listing, Page, Sort
from store.sql import Statement

CONFLICTS = Listing("conflicts", {"received": Sort(ConflictRow.received)}, "-received", ConflictRow.id, int)
REJECTS = Listing("rejects", {"received": Sort(RejectRow.received)}, "-received", RejectRow.id, int)
OUTBOX = Listing("outbox", {"created": Sort(OutboxRow.created)}, "-created", OutboxRow.id, int)


@dataclass(frozen=True, slots=True)
class Source:
    """How a feed stands.  Instants in ms; None: never.  A source without heartbeats is taken as complete."""

    source: str
    adapter: str | None
    last_event: int | None
    last_position: int | None
    complete_until: int | None
    last_heartbeat: int | None
    last_pull: int | None
    last_good_pull: int | None
    next_pull_at: int | None
    records: int
    failures: int
    conflicts: int
    rejects: int
    last_error: str | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A case that waits to be judged.  Instants in ms."""

    case: str
    since: int
    generation: int
    attempts: int
    quarantined: bool
    last_error: str | None
    claimed_until: int | None
    claimed_by: str | None


@dataclass(frozen=True, slots=True)
class Backlog:
    """How much waits: cases, those in quarantine, those being judged, and since when the oldest that is free waits (ms)."""

    waiting: int
    quarantined: int
    claimed: int
    oldest: int | None


def list_sources(session: Session, *, limit: int = MAX_LIMIT) -> list[Source]:
    """All sources that ever delivered, sent a heartbeat or were pulled, by name; at most ``limit``."""
    return [Source(**row) for row in _SOURCES.on(session, most=min(limit, MAX_LIMIT)).mappings()]


def list_waiting(
    session: Session,
    *,
    quarantined: bool | None = None,
    scope: Scope = EVERYTHING,
    limit: int = DEFAULT_LIMIT,
) -> list[Waiting]:
    """The cases that wait, the longest first; at most ``limit``.

    A reader with a limited scope sees those judged before: ``service.onrecord`` adds the others.
    """
    query = select(DirtyRow).order_by(DirtyRow.since, DirtyRow.case_id).limit(min(limit, MAX_LIMIT))
    if quarantined is not None:
        query = query.where(DirtyRow.quarantined.is_(quarantined))
    if scope.limited:
        state = select(CaseStateRow.id).where(CaseStateRow.case_id == DirtyRow.case_id)
        query = query.where(state.where(*scope.conditions(CaseStateRow.team, CaseStateRow.office)).exists())
    return [as_waiting(row) for row in session.scalars(query)]


def backlog(session: Session, now: int) -> Backlog:
    """How much waits at ``now`` (ms)."""
    free = ~DirtyRow.quarantined & (func.coalesce(DirtyRow.claimed_until, 0) <= now)
    row = session.execute(
        select(
            func.count().filter(~DirtyRow.quarantined),
            func.count().filter(DirtyRow.quarantined),
            func.count().filter(DirtyRow.token.is_not(None), DirtyRow.claimed_until > now),
            func.min(DirtyRow.since).filter(free),
        ).select_from(DirtyRow)
    ).one()
    return Backlog(*row)


def list_conflicts(
    session: Session,
    *,
    source: str | None = None,
    scope: Scope = EVERYTHING,
    limit: int = DEFAULT_LIMIT,
    cursor: str | None = None,
) -> Page[ConflictRow]:
    """Deliveries refused because their id is taken by other content.  Raises QueryError or CursorError."""
    query = select(ConflictRow)
    if source is not None:
        query = query.where(ConflictRow.source == source)
    if scope.limited:
        state = select(CaseStateRow.id).where(CaseStateRow.case_id == ConflictRow.case_id)
        query = query.where(state.where(*scope.conditions(CaseStateRow.team, CaseStateRow.office)).exists())
    return CONFLICTS.page(session, query, _first, narrowed=[source, scope.as_json()], limit=limit, cursor=cursor)


def list_rejects(
    session: Session,
    *,
    source: str | None = None,
    replayed: bool | None = None,
    limit: int = DEFAULT_LIMIT,
    cursor: str | None = None,
) -> Page[RejectRow]:
    """Records that could not be taken in, for administrators of sources; ``replayed``: those that are settled, or not.

    Raises QueryError or CursorError.
    """
    query = select(RejectRow)
    if source is not None:
        query = query.where(RejectRow.source == source)
    if replayed is not None:
        settled = RejectRow.replayed_at.is_not(None) | RejectRow.dismissed_at.is_not(None)
        query = query.where(settled if replayed else ~settled)
    return REJECTS.page(session, query, _first, narrowed=[source, replayed], limit=limit, cursor=cursor)


def list_outbox(session: Session, *, unsent: bool = True, limit: int = DEFAULT_LIMIT, cursor: str | None = None) -> Page[OutboxRow]:
    """Messages to other systems, the newest first; ``unsent``: only those that have not arrived.  Raises QueryError or CursorError."""
    query = select(OutboxRow)
    if unsent:
        query = query.where(OutboxRow.sent_at.is_(None))
    return OUTBOX.page(session, query, _first, narrowed=unsent, limit=limit, cursor=cursor)


def list_policy_versions(session: Session, *, policy: str | None = None, limit: int = MAX_LIMIT) -> list[PolicyVersionRow]:
    """Policy texts that were judged by, the latest first; at most ``limit``."""
    query = select(PolicyVersionRow).order_by(PolicyVersionRow.first_used.desc(), PolicyVersionRow.digest).limit(min(limit, MAX_LIMIT))
    return list(session.scalars(query if policy is None else query.where(PolicyVersionRow.policy == policy)))


def _first(row: Any) -> Any:
    return row[0]


def as_waiting(row: DirtyRow) -> Waiting:
    """A row of the queue as a value."""
    return Waiting(
        case=row.case_id,
        since=row.since,
        generation=row.generation,
        attempts=row.attempts,
        quarantined=row.quarantined,
        last_error=row.last_error,
        claimed_until=row.claimed_until,
        claimed_by=row.claimed_by,
    )


# The names come from a walk along the index, from one source to the next: the table of events is too long to be read for them.
_SOURCES = Statement("""
    WITH RECURSIVE
    sending (source) AS (
        SELECT min(source) FROM event
        UNION ALL
        SELECT (SELECT min(event.source) FROM event WHERE event.source > sending.source) FROM sending WHERE sending.source IS NOT NULL
    ),
    beating (source) AS (
        SELECT min(source) FROM heartbeat
        UNION ALL
        SELECT (SELECT min(heartbeat.source) FROM heartbeat WHERE heartbeat.source > beating.source)
        FROM beating WHERE beating.source IS NOT NULL
    ),
    known (source) AS (
        SELECT source FROM sending UNION SELECT source FROM beating UNION SELECT source FROM source UNION SELECT source FROM reject
    ),
    placed (source, last_position) AS (
        SELECT source, (SELECT max(position) FROM event WHERE event.source = known.source) FROM known WHERE source IS NOT NULL
    )
    SELECT placed.source, source.adapter, event.received AS last_event, placed.last_position,
        (SELECT max(complete_until) FROM heartbeat WHERE heartbeat.source = placed.source) AS complete_until,
        (SELECT max(recorded) FROM heartbeat WHERE heartbeat.source = placed.source) AS last_heartbeat,
        source.last_pull, source.last_good_pull, source.next_pull_at, coalesce(source.records, 0) AS records,
        source.last_error, coalesce(source.failures, 0) AS failures,
        (SELECT count(*) FROM conflict WHERE conflict.source = placed.source) AS conflicts,
        (SELECT count(*) FROM reject WHERE reject.source = placed.source AND reject.replayed_at IS NULL
            AND reject.dismissed_at IS NULL) AS rejects
    FROM placed
    LEFT JOIN source ON source.source = placed.source
    LEFT JOIN event ON event.position = placed.last_position
    ORDER BY placed.source LIMIT :most
""")
