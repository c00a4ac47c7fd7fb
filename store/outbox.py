"""Messages that are owed to other systems: written in the transaction of what they tell, sent afterwards.  Imports store.models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from store.models import OutboxRow
from store.sql import upsert

ERROR_LIMIT = 500


@dataclass(frozen=True, slots=True)
class Message:
    """Something to tell.  ``id`` is made from the occurrence, so that it is owed once; ``available_at`` (ms): not before."""

    id: str
    topic: str
    key: str
    payload: Mapping[str, Any]
    available_at: int


@dataclass(frozen=True, slots=True)
class Owed:
    """A message that is to be sent now.  ``attempts`` includes this one."""

    row: int
    message: Message
    created: int
    attempts: int


def put(session: Session, messages: Sequence[Message], *, now: int) -> None:
    """Writes the messages down; one that is on record already is left as it is."""
    if messages:
        rows = [
            {
                "message_id": message.id,
                "topic": message.topic,
                "key": message.key,
                "payload": dict(message.payload),
                "created": now,
                "available_at": message.available_at,
                "attempts": 0,
            }
            for message in messages
        ]
        session.execute(upsert(session, OutboxRow).on_conflict_do_nothing(index_elements=["message_id"]), rows)


def cancel(session: Session, topic: str, key: str) -> int:
    """Takes back what has not been sent under (topic, key), as when a breach is withdrawn before it was announced; how many."""
    gone = delete(OutboxRow).where(OutboxRow.topic == topic, OutboxRow.key == key, OutboxRow.sent_at.is_(None), OutboxRow.attempts == 0)
    return len(session.execute(gone.returning(OutboxRow.id)).all())


def take(session: Session, *, now: int, lease_ms: int, limit: int = 50) -> list[Owed]:
    """Messages to be sent now, the oldest first.  They are not given out again before ``now + lease_ms``.  Commit, then send."""
    due = (
        select(OutboxRow)
        .where(OutboxRow.sent_at.is_(None), OutboxRow.available_at <= now)
        .order_by(OutboxRow.available_at, OutboxRow.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    taken = []
    for row in session.scalars(due):
        message = Message(row.message_id, row.topic, row.key, row.payload, row.available_at)
        row.attempts += 1
        row.available_at = now + lease_ms
        taken.append(Owed(row.id, message, row.created, row.attempts))
    session.flush()
    return taken


def sent(session: Session, owed: Owed, *, now: int) -> None:
    """The message has arrived."""
    session.execute(update(OutboxRow).where(OutboxRow.id == owed.row).values(sent_at=now, last_error=None))


def failed(session: Session, owed: Owed, error: str, *, retry_at: int | None) -> None:
    """The message has not arrived: it is tried again at ``retry_at`` (ms), or never (None: given up, and visible as such)."""
    when = 2**62 if retry_at is None else retry_at
    session.execute(update(OutboxRow).where(OutboxRow.id == owed.row).values(available_at=when, last_error=error[:ERROR_LIMIT]))


def purge(session: Session, *, sent_before: int) -> int:
    """Deletes messages that arrived before an instant (ms); how many."""
    gone = delete(OutboxRow).where(OutboxRow.sent_at.is_not(None), OutboxRow.sent_at < sent_before)
    return len(session.execute(gone.returning(OutboxRow.id)).all())
