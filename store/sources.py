"""Feeds on record: whose turn it is to ask a client system, how far it was read, what became of each record, what was refused.

Imports store.models and store.sql.  Nothing here commits: cursor, memory, rejects and events stand in one transaction.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, null, or_, select, update
from sqlalchemy.orm import Session

from store.errors import LeaseLost
from store.models import HeartbeatRow, RejectRow, SourceRecordRow, SourceRow
from store.sql import Bulk, chunks, upsert

Ref = tuple[str, str]
"""Kind and name of a record within its source."""


@dataclass(frozen=True, slots=True)
class Turn:
    """The right to ask a source until the lease ends; ``cursor`` is how far it was read."""

    source: str
    token: str
    cursor: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Known:
    """What has become of a record: see SourceRecordRow."""

    digest: str
    events: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Refused:
    """A record that could not be taken in whole."""

    ref: Ref
    problems: Sequence[Mapping[str, Any]]
    payload: Mapping[str, Any] | None
    holds_from: int | None = None
    """Where nobody knows its case: how far its source is complete (ms)."""


def begin(session: Session, source: str, *, adapter: str, now: int, lease_ms: int, due_only: bool = False) -> Turn | None:
    """Takes the turn to ask a source; None where somebody else has it, or, with ``due_only``, where its time has not come."""
    statement = upsert(session, SourceRow).values(source=source, adapter=adapter, failures=0, records=0).on_conflict_do_nothing()
    session.execute(statement)
    token = uuid.uuid4().hex
    free = select(SourceRow.source).where(SourceRow.source == source, or_(SourceRow.lease_until.is_(None), SourceRow.lease_until <= now))
    if due_only:
        free = free.where(or_(SourceRow.next_pull_at.is_(None), SourceRow.next_pull_at <= now))
    # Whoever has the row locked is at work on it, however old the lease is that others see.
    mine = update(SourceRow).where(SourceRow.source.in_(free.with_for_update(skip_locked=True)))
    found = session.execute(mine.values(token=token, lease_until=now + lease_ms, adapter=adapter).returning(SourceRow.cursor)).first()
    return None if found is None else Turn(source, token, found.cursor)


def hold(session: Session, turn: Turn, *, now: int, lease_ms: int) -> None:
    """Makes sure that the turn is still ours until this transaction ends, and longer.  Raises LeaseLost."""
    held = update(SourceRow).where(SourceRow.source == turn.source, SourceRow.token == turn.token).values(lease_until=now + lease_ms)
    if session.execute(held.returning(SourceRow.source)).first() is None:
        raise LeaseLost("another process asks this source now")


def lock(session: Session, source: str, *, adapter: str) -> None:
    """Nobody else takes records of this source in until this transaction ends, whoever has the turn."""
    statement = upsert(session, SourceRow).values(source=source, adapter=adapter, failures=0, records=0).on_conflict_do_nothing()
    session.execute(statement)
    session.execute(select(SourceRow.source).where(SourceRow.source == source).with_for_update())


def advance(session: Session, source: str, *, cursor: Mapping[str, Any], records: int, now: int, lease_ms: int) -> None:
    """The source was read up to ``cursor``.  Whoever did so keeps the turn from ``now``, however long the transaction was."""
    values = {"cursor": dict(cursor), "records": SourceRow.records + records, "last_pull": now, "lease_until": now + lease_ms}
    session.execute(update(SourceRow).where(SourceRow.source == source).values(**values))


def end(session: Session, turn: Turn, *, now: int, next_at: int, error: str | None) -> None:
    """Gives the turn back; ``error``: why the pull failed, None where it was good.  Does nothing where the turn was lost."""
    values: dict[str, Any] = {"token": None, "lease_until": None, "next_pull_at": next_at, "last_pull": now, "last_error": error}
    values |= {"failures": 0, "last_good_pull": now} if error is None else {"failures": SourceRow.failures + 1}
    session.execute(update(SourceRow).where(SourceRow.source == turn.source, SourceRow.token == turn.token).values(**values))


def ask_soon(session: Session, source: str, *, adapter: str, now: int) -> None:
    """The source's time has come, whatever its schedule says; several such words until then are one."""
    statement = upsert(session, SourceRow).values(source=source, adapter=adapter, failures=0, records=0, next_pull_at=now)
    session.execute(statement.on_conflict_do_update(index_elements=["source"], set_={"next_pull_at": now}))


def due(session: Session, sources: Sequence[str], now: int) -> list[str]:
    """Those of ``sources`` whose time to be asked has come and whom nobody asks."""
    found = select(SourceRow.source).where(SourceRow.source.in_(sources), or_(SourceRow.next_pull_at > now, SourceRow.lease_until > now))
    waiting = set(session.scalars(found))
    return [source for source in sources if source not in waiting]


def known_records(session: Session, source: str, refs: Sequence[Ref]) -> dict[Ref, Known]:
    """What has become of these records so far."""
    found: dict[Ref, Known] = {}
    for kind in sorted({kind for kind, _ in refs}):
        for some in chunks([ref for other, ref in refs if other == kind], 500):
            rows = session.execute(
                select(SourceRecordRow.ref, SourceRecordRow.digest, SourceRecordRow.events).where(
                    SourceRecordRow.source == source, SourceRecordRow.kind == kind, SourceRecordRow.ref.in_(some)
                )
            )
            found |= {(kind, row.ref): Known(row.digest, row.events) for row in rows}
    return found


_RECORDS = Bulk(SourceRecordRow, key=("source", "kind", "ref"))


def remember(session: Session, source: str, records: Mapping[Ref, Known], *, sweep: int = 0) -> None:
    """Notes what has become of records, and that they were there in this sweep."""
    rows = [
        {"source": source, "kind": kind, "ref": ref, "digest": known.digest, "events": known.events, "sweep": sweep}
        for (kind, ref), known in sorted(records.items())
    ]
    if rows:
        _RECORDS.write(session, rows)


def note_present(session: Session, source: str, kind: str, refs: Sequence[str], sweep: int) -> None:
    """These records are there still."""
    for some in chunks(sorted(refs), 500):
        here = (SourceRecordRow.source == source, SourceRecordRow.kind == kind, SourceRecordRow.ref.in_(some))
        session.execute(update(SourceRecordRow).where(*here).values(sweep=sweep))


def absent(session: Session, source: str, kind: str, sweep: int, *, gone: str, limit: int) -> list[str]:
    """Records of a kind that were not there in this sweep, nor in a later one; those with the digest ``gone`` are known to be."""
    query = select(SourceRecordRow.ref).where(
        SourceRecordRow.source == source, SourceRecordRow.kind == kind, SourceRecordRow.sweep < sweep, SourceRecordRow.digest != gone
    )
    return list(session.scalars(query.order_by(SourceRecordRow.ref).limit(limit)))


def count_absent(session: Session, source: str, kind: str, sweep: int, *, gone: str) -> tuple[int, int]:
    """How many records of a kind are known to have been there, and how many of them were not there in this sweep."""
    here = (SourceRecordRow.source == source, SourceRecordRow.kind == kind, SourceRecordRow.digest != gone)
    absent = func.count().filter(SourceRecordRow.sweep < sweep)
    known, missing = session.execute(select(func.count(), absent).where(*here)).one()
    return int(known), int(missing)


def vanished(session: Session, source: str) -> dict[str, Any]:
    """By kind of record, the sweep that found so little that nothing was taken back: see service.sources.sweeps."""
    return dict(session.scalar(select(SourceRow.vanished).where(SourceRow.source == source)) or {})


def note_vanished(session: Session, source: str, found: Mapping[str, Any]) -> None:
    """Notes it; nothing: everything is as it should be."""
    session.execute(update(SourceRow).where(SourceRow.source == source).values(vanished=dict(found) or null()))


def refuse(session: Session, source: str, refused: Sequence[Refused], now: int) -> None:
    """Puts records on the reject list, with their newest reasons; one that was settled before stands there again."""
    if not refused:
        return
    statement = upsert(session, RejectRow)
    new = statement.excluded
    open_now = RejectRow.replayed_at.is_(None) & RejectRow.dismissed_at.is_(None)
    changed = {
        "problems": new.problems,
        "payload": new.payload,
        "holds_from": new.holds_from,
        "received": func.coalesce(_case(open_now, RejectRow.received), new.received),
        "replayed_at": None,
        "dismissed_at": None,
        "dismissed_by": None,
    }
    rows = [
        {
            "source": source,
            "kind": one.ref[0],
            "ref": one.ref[1],
            "received": now,
            "problems": list(one.problems),
            "payload": one.payload,
            "holds_from": one.holds_from,
        }
        for one in sorted(refused, key=lambda one: one.ref)
    ]
    session.execute(statement.on_conflict_do_update(index_elements=["source", "kind", "ref"], set_=changed), rows)


def settle(session: Session, source: str, refs: Sequence[Ref], now: int) -> None:
    """These records were taken in: what stood of them on the reject list is done with, and what the system gave is forgotten."""
    for kind in sorted({kind for kind, _ in refs}):
        for some in chunks([ref for other, ref in refs if other == kind], 500):
            here = (RejectRow.source == source, RejectRow.kind == kind, RejectRow.ref.in_(some), RejectRow.replayed_at.is_(None))
            session.execute(update(RejectRow).where(*here).values(replayed_at=now, payload=None))


def dismiss(session: Session, source: str, reject: int, *, by: str, now: int) -> Ref | None:
    """Sets a reject aside for good: it is no event.  Which record it is; None where there was none to set aside."""
    here = (RejectRow.source == source, RejectRow.id == reject, RejectRow.replayed_at.is_(None), RejectRow.dismissed_at.is_(None))
    done = update(RejectRow).where(*here).values(dismissed_at=now, dismissed_by=by, payload=None)
    found = session.execute(done.returning(RejectRow.kind, RejectRow.ref)).first()
    return None if found is None else (found.kind, found.ref)


def has_rejects(session: Session, source: str) -> bool:
    """Whether any reject of the source is not settled."""
    here = (RejectRow.source == source, RejectRow.replayed_at.is_(None), RejectRow.dismissed_at.is_(None))
    return session.scalar(select(RejectRow.id).where(*here).limit(1)) is not None


def open_rejects(session: Session, source: str, *, after: int = 0, limit: int = 500) -> list[RejectRow]:
    """Rejects that are not settled, in the order of their numbers."""
    query = select(RejectRow).where(
        RejectRow.source == source, RejectRow.replayed_at.is_(None), RejectRow.dismissed_at.is_(None), RejectRow.id > after
    )
    return list(session.scalars(query.order_by(RejectRow.id).limit(limit)))


def held_back_to(session: Session, source: str) -> int | None:
    """How far the source is complete, for what of its rejects that are not settled concerns nobody knows which cases (ms)."""
    query = select(func.min(RejectRow.holds_from)).where(
        RejectRow.source == source, RejectRow.replayed_at.is_(None), RejectRow.dismissed_at.is_(None)
    )
    return session.scalar(query)


def forget(session: Session, source: str) -> None:
    """Reads the source from the beginning at its next pull.  What became of its records stays known, so nothing comes twice."""
    session.execute(update(SourceRow).where(SourceRow.source == source).values(cursor=None))


def _case(condition: Any, value: Any) -> Any:
    from sqlalchemy import case

    return case((condition, value))


def failures(session: Session, source: str) -> int:
    """Pulls that have failed in a row."""
    return session.scalar(select(SourceRow.failures).where(SourceRow.source == source)) or 0


def complete_until(session: Session, source: str) -> int | None:
    """The source's last word on how far it is complete (ms)."""
    return session.scalar(select(func.max(HeartbeatRow.complete_until)).where(HeartbeatRow.source == source))
