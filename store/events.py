"""Taking events in: each (source, id) once, whoever sends it, however often and from however many threads.

Imports store.models, rules.model and rules.envelope.  Nothing here commits: the caller's transaction also holds the dirty rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from rules.envelope import content_digest
from rules.model import Event, Heartbeat
from store.errors import Unstorable
from store.models import CaseLinkRow, ConflictRow, EventRow, HeartbeatRow
from store.sql import chunks, dialect, encode, encode_plain, is_utf8, settled, upsert

BATCH = 2_000
RECORD_TYPES = ("event.voided", "event.corrected")
"""Types whose ``data.target`` names an event of the same source."""


class Intake(StrEnum):
    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    REMOVED = "removed"
    """It belongs to a record that was removed (see service.removed); nothing is stored."""


class Receipt(NamedTuple):
    """What became of one event.  ``position`` is that of the event that is kept, its own or the first of its id."""

    status: Intake
    position: int


Key = tuple[str, str]
"""An event's source and id."""


class _Kept(NamedTuple):
    position: int
    digest: str


def insert_events(session: Session, events: Sequence[Event], *, received: int, digests: Sequence[str] | None = None) -> list[Receipt]:
    """Stores the events that are new; one receipt for each event given, in the same order.

    ``received`` is now (ms).  ``digests`` are the events' content digests where they are at hand (``Parsed.content_digest``).
    Of several events with one (source, id) the first is kept, in the batch as in the database; other content is noted as a
    conflict.  Raises Unstorable, having stored nothing, for data that PostgreSQL's JSON cannot hold.
    """
    if digests is None:
        digests = [digest_of_event(event) for event in events]
    keys = [(event.source, event.id) for event in events]
    first: dict[Key, tuple[Event, str]] = {}
    for key, event, digest in zip(keys, events, digests, strict=True):
        first.setdefault(key, (event, digest))
    # One order for all writers: two batches that share ids then wait for each other instead of deadlocking.
    rows = [_row(*first[key]) for key in sorted(first)]
    fresh: dict[Key, int] = {}
    insert = _insert_postgresql if dialect(session) == "postgresql" else _insert_sqlite
    for chunk in chunks(rows, BATCH):
        fresh |= insert(session, chunk, received)
    if len(fresh) == len(events):
        return [Receipt(Intake.ACCEPTED, fresh[key]) for key in keys]
    kept = {key: _Kept(position, first[key][1]) for key, position in fresh.items()}
    for some in chunks([key for key in sorted(first) if key not in fresh], BATCH):
        kept |= _stored(session, some)
    receipts, conflicts = [], []
    for key, event, digest in zip(keys, events, digests, strict=True):
        known = kept[key]
        if fresh.pop(key, None) is not None:
            status = Intake.ACCEPTED
        elif known.digest == digest:
            status = Intake.DUPLICATE
        else:
            status = Intake.CONFLICT
            conflicts.append((event, digest, known))
        receipts.append(Receipt(status, known.position))
    if conflicts:
        _note_conflicts(session, conflicts, received)
    return receipts


def insert_heartbeats(session: Session, heartbeats: Sequence[Heartbeat]) -> None:
    """Stores heartbeats; one that is known already changes nothing."""
    if heartbeats:
        rows = sorted({(beat.source, beat.recorded, beat.complete_until) for beat in heartbeats})
        statement = upsert(session, HeartbeatRow).on_conflict_do_nothing()
        session.execute(statement, [{"source": source, "recorded": recorded, "complete_until": until} for source, recorded, until in rows])


def insert_links(session: Session, links: Sequence[tuple[str, str]]) -> None:
    """Stores (case id, link key) pairs, keys as ``rules.links`` makes them: ``child:<id>``, ``merge:<case id>``."""
    rows = set(links)
    rows |= {(key.partition(":")[2], key) for _, key in links if key.startswith("merge:")}
    if rows:
        statement = upsert(session, CaseLinkRow).on_conflict_do_nothing()
        session.execute(statement, [{"case_id": case, "key": key, "kind": key.partition(":")[0]} for case, key in sorted(rows)])


def last_position(session: Session) -> int:
    """A position such that every event up to it is committed and every later one has a greater position; 0 without events.

    On PostgreSQL this waits for the transactions that are inserting events: without that, one of them could still commit a
    smaller position afterwards, and a report that names the position would not be repeatable.  Needs a session that may write; what
    this transaction does next holds nobody up.
    """
    with settled(session, EventRow):
        return session.scalar(select(func.max(EventRow.position))) or 0


def digest_of_event(event: Event) -> str:
    """The digest of an event's content, by which a repeated delivery is told from a conflict."""
    return content_digest(event.type, event.case, event.time, event.recorded if event.recorded_given else None, event.data)


_Row = tuple[str, str, str, str, int, int, bool, Mapping[str, Any], str, str | None]
"""Source, id, type, case, time, recorded, recorded_given, data, digest, target."""


def _row(event: Event, digest: str) -> _Row:
    target = event.data.get("target") if event.type in RECORD_TYPES else None
    kept = target if isinstance(target, str) else None
    said = (event.source, event.id, event.type, event.case)
    return (*said, event.time, event.recorded, event.recorded_given, event.data, digest, kept)


def _check(rows: Sequence[_Row]) -> None:
    for row in rows:
        attributes = "".join(row[:4])
        if "\x00" in attributes or not is_utf8(attributes):
            raise Unstorable("cannot be stored: an attribute of the event contains NUL or a lone surrogate")


# A list of lists, each read by the places of its items, costs PostgreSQL two thirds of what a list of objects does.
_POSTGRESQL = text("""
    INSERT INTO event (source, id, type, case_id, time, recorded, recorded_given, received, data, digest, target)
    SELECT r ->> 0, r ->> 1, r ->> 2, r ->> 3, (r ->> 4)::bigint, (r ->> 5)::bigint, (r ->> 6)::boolean, :received, r -> 7, r ->> 8, r ->> 9
    FROM jsonb_array_elements(CAST(:rows AS jsonb)) AS given (r)
    ON CONFLICT (source, id) DO NOTHING RETURNING position, source, id
""")
_SQLITE = """
    INSERT INTO event (source, id, type, case_id, time, recorded, recorded_given, received, data, digest, target)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
"""


def _insert_postgresql(session: Session, rows: list[_Row], received: int) -> dict[Key, int]:
    written = encode_plain(rows, nulls=sum([row[9] is None for row in rows]))
    found = session.execute(_POSTGRESQL, {"rows": written, "received": received})
    return {(source, id_): position for position, source, id_ in found}


def _insert_sqlite(session: Session, rows: list[_Row], received: int) -> dict[Key, int]:
    _check(rows)
    values = [(*row[:7], received, encode_plain(row[7]), *row[8:]) for row in rows]
    before = session.scalar(select(func.max(EventRow.position))) or 0
    session.connection().exec_driver_sql(_SQLITE, values)
    found = session.execute(select(EventRow.position, EventRow.source, EventRow.id).where(EventRow.position > before))
    return {(source, id_): position for position, source, id_ in found}


_LOOKUP = {
    "postgresql": "SELECT e.position, e.source, e.id, e.digest FROM json_to_recordset(CAST(:keys AS json)) AS k(source text, id text)"
    " JOIN event e ON e.source = k.source AND e.id = k.id",
    "sqlite": "SELECT e.position, e.source, e.id, e.digest FROM json_each(:keys) k"
    " JOIN event e ON e.source = k.value ->> 'source' AND e.id = k.value ->> 'id'",
}


def _stored(session: Session, keys: Sequence[Key]) -> dict[Key, _Kept]:
    listed = encode([{"source": source, "id": id_} for source, id_ in keys])
    found = session.execute(text(_LOOKUP[dialect(session)]), {"keys": listed})
    return {(row.source, row.id): _Kept(row.position, row.digest) for row in found}


def _note_conflicts(session: Session, conflicts: Sequence[tuple[Event, str, _Kept]], received: int) -> None:
    statement = upsert(session, ConflictRow)
    statement = statement.on_conflict_do_update(
        index_elements=["source", "event_id", "digest"],
        set_={"deliveries": ConflictRow.deliveries + 1, "received": statement.excluded.received},
    )
    noted = sorted(conflicts, key=lambda conflict: (conflict[0].source, conflict[0].id, conflict[1]))
    session.execute(
        statement,
        [
            {
                "source": event.source,
                "event_id": event.id,
                "case_id": event.case,
                "received": received,
                "digest": digest,
                "kept_digest": known.digest,
                "kept_position": known.position,
                "deliveries": 1,
            }
            for event, digest, known in noted
        ],
    )
