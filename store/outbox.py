"""Messages that are owed to other systems: written in the transaction of what they tell, passed on afterwards.  Imports store.models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from store.models import OutboxRow
from store.sql import Bulk, chunks


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
    """A message that nobody has passed on yet.  ``created`` in ms."""

    row: int
    message: Message
    created: int


def put(session: Session, messages: Sequence[Message], *, now: int) -> None:
    """Writes the messages down; one that is on record already is left as it is."""
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
    _PUT.write(session, rows)


_PUT = Bulk(OutboxRow, without=("id", "sent_at", "last_error"), passing_over=("message_id",))


def cancel(session: Session, topic: str, key: str) -> int:
    """Takes back what has not been passed on under (topic, key), as when a breach is withdrawn before it was announced; how many."""
    gone = delete(OutboxRow).where(OutboxRow.topic == topic, OutboxRow.key == key, OutboxRow.sent_at.is_(None))
    return len(session.execute(gone.returning(OutboxRow.id)).all())


def owed(session: Session, *, now: int, limit: int = 500) -> list[Owed]:
    """Messages that are to be passed on, in the order in which they were written.  One process at a time may ask: see store.notices."""
    due = select(OutboxRow).where(OutboxRow.sent_at.is_(None), OutboxRow.available_at <= now).order_by(OutboxRow.id).limit(limit)
    return [
        Owed(row.id, Message(row.message_id, row.topic, row.key, row.payload, row.available_at), row.created)
        for row in session.scalars(due)
    ]


def count_owed(session: Session) -> int:
    """How many messages nobody has passed on yet."""
    return session.scalar(select(func.count()).select_from(OutboxRow).where(OutboxRow.sent_at.is_(None))) or 0


def passed_on(session: Session, messages: Sequence[Owed], *, now: int) -> None:
    """Whoever wants them has them now, in the same transaction."""
    for some in chunks(messages, 500):
        session.execute(update(OutboxRow).where(OutboxRow.id.in_([one.row for one in some])).values(sent_at=now))


def purge(session: Session, *, sent_before: int) -> int:
    """Deletes messages that were passed on before an instant (ms); how many."""
    gone = delete(OutboxRow).where(OutboxRow.sent_at.is_not(None), OutboxRow.sent_at < sent_before)
    return len(session.execute(gone.returning(OutboxRow.id)).all())
