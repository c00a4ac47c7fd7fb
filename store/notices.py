"""Messages on their way: whose turn it is to send to a receiver, what is due, and what came of it.  Imports store.models and store.sql.

Messages of one key go to a receiver in order: one that has not arrived holds back those that were written after it, until it has, or is
given up.  Nothing here commits.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from store.errors import LeaseLost
from store.models import NoticeRow, ReceiverRow
from store.outbox import Message
from store.sql import chunks, upsert

PASSING_ON = ""
ERROR_LIMIT = 500


@dataclass(frozen=True, slots=True)
class Turn:
    """The right to send to a receiver until the lease ends.  ``failures``: times in a row that it has not answered."""

    receiver: str
    token: str
    failures: int


@dataclass(frozen=True, slots=True)
class Notice:
    """A message for one receiver.  ``attempts`` have been made so far; instants in ms."""

    id: int
    receiver: str
    message_id: str
    topic: str
    key: str
    body: Mapping[str, Any]
    created: int
    state: str
    next_at: int
    attempts: int
    ended_at: int | None
    last_error: str | None


@dataclass(frozen=True, slots=True)
class Standing:
    """How it stands with a receiver.  Instants in ms; None: never, or nothing."""

    waiting: int = 0
    oldest: int | None = None
    dead: int = 0
    failures: int = 0
    rest_until: int | None = None
    last_good: int | None = None
    last_error: str | None = None


def alone(session: Session) -> bool:
    """Whether nobody else passes messages on, until this transaction ends."""
    session.execute(upsert(session, ReceiverRow).values(name=PASSING_ON, failures=0).on_conflict_do_nothing())
    mine = select(ReceiverRow.name).where(ReceiverRow.name == PASSING_ON).with_for_update(skip_locked=True)
    return session.execute(mine).first() is not None


def add(session: Session, receiver: str, messages: Sequence[Message], *, now: int) -> None:
    """The messages wait to be sent to ``receiver``; one that it was promised before is left as it is."""
    if messages:
        rows = [
            {
                "receiver": receiver,
                "message_id": one.id,
                "topic": one.topic,
                "key": one.key,
                "body": dict(one.payload),
                "created": now,
                "state": "waiting",
                "next_at": now,
                "attempts": 0,
            }
            for one in messages
        ]
        session.execute(upsert(session, NoticeRow).on_conflict_do_nothing(index_elements=["receiver", "message_id"]), rows)


def begin(session: Session, receiver: str, *, now: int, lease_ms: int) -> Turn | None:
    """Takes the turn to send to ``receiver``; None where somebody else has it, or the receiver is left alone for a while."""
    session.execute(upsert(session, ReceiverRow).values(name=receiver, failures=0).on_conflict_do_nothing())
    token = uuid.uuid4().hex
    free = select(ReceiverRow.name).where(
        ReceiverRow.name == receiver,
        or_(ReceiverRow.lease_until.is_(None), ReceiverRow.lease_until <= now),
        or_(ReceiverRow.rest_until.is_(None), ReceiverRow.rest_until <= now),
    )
    mine = update(ReceiverRow).where(ReceiverRow.name.in_(free.with_for_update(skip_locked=True)))
    found = session.execute(mine.values(token=token, lease_until=now + lease_ms).returning(ReceiverRow.failures)).first()
    return None if found is None else Turn(receiver, token, found.failures)


def hold(session: Session, turn: Turn, *, now: int, lease_ms: int) -> None:
    """Makes sure that the turn is still ours until this transaction ends, and longer.  Raises LeaseLost."""
    held = update(ReceiverRow).where(ReceiverRow.name == turn.receiver, ReceiverRow.token == turn.token)
    if session.execute(held.values(lease_until=now + lease_ms).returning(ReceiverRow.name)).first() is None:
        raise LeaseLost("another process sends to this receiver now")


def end(session: Session, turn: Turn) -> None:
    """Gives the turn back, if it is still ours."""
    mine = update(ReceiverRow).where(ReceiverRow.name == turn.receiver, ReceiverRow.token == turn.token)
    session.execute(mine.values(token=None, lease_until=None))


def answered(session: Session, receiver: str, *, now: int) -> None:
    """The receiver answers."""
    session.execute(
        update(ReceiverRow).where(ReceiverRow.name == receiver).values(failures=0, rest_until=None, last_good=now, last_error=None)
    )


def silent(session: Session, receiver: str, error: str, *, rest_until: int) -> None:
    """The receiver does not answer, or asks to be left alone until then (ms)."""
    failed = {"failures": ReceiverRow.failures + 1, "rest_until": rest_until, "last_error": error[:ERROR_LIMIT]}
    session.execute(update(ReceiverRow).where(ReceiverRow.name == receiver).values(failed))


def due(session: Session, receiver: str, *, now: int, limit: int = 50) -> list[Notice]:
    """What is to be sent to ``receiver`` now: of each key the first that has not arrived, the longest due first."""
    earlier = aliased(NoticeRow)
    blocked = (
        select(earlier.id)
        .where(earlier.receiver == receiver, earlier.key == NoticeRow.key, earlier.id < NoticeRow.id, earlier.state == "waiting")
        .exists()
    )
    query = select(NoticeRow).where(NoticeRow.receiver == receiver, NoticeRow.state == "waiting", NoticeRow.next_at <= now, ~blocked)
    return [as_notice(row) for row in session.scalars(query.order_by(NoticeRow.next_at, NoticeRow.id).limit(limit))]


def wanting(session: Session, *, now: int) -> list[str]:
    """Receivers for whom something is due, to whom nobody sends, and who are not left alone; in the order of their names."""
    busy = select(ReceiverRow.name).where(or_(ReceiverRow.lease_until > now, ReceiverRow.rest_until > now))
    query = select(NoticeRow.receiver).where(NoticeRow.state == "waiting", NoticeRow.next_at <= now, NoticeRow.receiver.not_in(busy))
    return list(session.scalars(query.distinct().order_by(NoticeRow.receiver)))


def arrived(session: Session, taken: Sequence[Notice], *, now: int) -> None:
    """They were taken."""
    for some in chunks([one.id for one in taken], 500):
        these = update(NoticeRow).where(NoticeRow.id.in_(some), NoticeRow.state == "waiting")
        session.execute(these.values(state="sent", ended_at=now, attempts=NoticeRow.attempts + 1, last_error=None))


def failed(session: Session, notice: Notice, error: str, *, now: int, retry_at: int | None, counted: bool = True) -> None:
    """It was not taken: it is tried again at ``retry_at`` (ms), or is given up (None).  ``counted``: as one of its attempts."""
    told = {"attempts": notice.attempts + counted, "last_error": error[:ERROR_LIMIT]}
    if retry_at is None:
        _settle(session, notice, state="dead", ended_at=now, **told)
    else:
        _settle(session, notice, next_at=retry_at, **told)


def get(session: Session, number: int) -> Notice | None:
    row = session.get(NoticeRow, number)
    return None if row is None else as_notice(row)


def dead(session: Session, *, limit: int, after: int | None = None) -> list[Notice]:
    """What was given up, the latest first; ``after``: those before the one of this number."""
    query = select(NoticeRow).where(NoticeRow.state == "dead")
    if after is not None:
        query = query.where(NoticeRow.id < after)
    return [as_notice(row) for row in session.scalars(query.order_by(NoticeRow.id.desc()).limit(limit))]


def revive(session: Session, number: int | None, *, now: int, receiver: str | None = None) -> int:
    """What was given up waits again, as if new: one message, or all (of a receiver); how many."""
    return _end_dead(session, number, receiver, state="waiting", next_at=now, attempts=0, ended_at=None)


def wake(session: Session, receiver: str | None = None) -> None:
    """A receiver (or each) that is left alone for a while is tried again now."""
    chosen = update(ReceiverRow).where(ReceiverRow.rest_until.is_not(None))
    session.execute((chosen if receiver is None else chosen.where(ReceiverRow.name == receiver)).values(rest_until=None))


def dismiss(session: Session, number: int | None, *, now: int, receiver: str | None = None) -> int:
    """What was given up is off the list, for good; how many."""
    return _end_dead(session, number, receiver, state="dismissed", ended_at=now)


def waiting_afresh(session: Session, receiver: str, *, prefix: str) -> Iterator[Notice]:
    """What waits for ``receiver``, was never tried, and has a topic that begins so; in order, a portion at a time."""
    last = 0
    while True:
        query = select(NoticeRow).where(
            NoticeRow.receiver == receiver, NoticeRow.state == "waiting", NoticeRow.attempts == 0, NoticeRow.id > last
        )
        query = query.where(NoticeRow.topic.startswith(prefix)).order_by(NoticeRow.id).limit(1_000)
        rows = [as_notice(row) for row in session.scalars(query)]
        yield from rows
        if len(rows) < 1_000:
            return
        last = rows[-1].id


def count_afresh(session: Session, receiver: str, *, prefix: str) -> int:
    """How many there are of these."""
    query = select(func.count()).where(NoticeRow.receiver == receiver, NoticeRow.state == "waiting", NoticeRow.attempts == 0)
    return session.scalar(query.where(NoticeRow.topic.startswith(prefix))) or 0


def collapse(session: Session, receiver: str, *, prefix: str, until: int, now: int) -> None:
    """One message stands for all of these up to number ``until``."""
    gone = update(NoticeRow).where(
        NoticeRow.receiver == receiver, NoticeRow.state == "waiting", NoticeRow.attempts == 0, NoticeRow.id <= until
    )
    session.execute(gone.where(NoticeRow.topic.startswith(prefix)).values(state="collapsed", ended_at=now))


def digest_from(session: Session, receiver: str, *, now: int) -> int:
    """Up to when the last digest of ``receiver`` speaks (ms), the row kept to this transaction; ``now`` where there was none."""
    session.execute(upsert(session, ReceiverRow).values(name=receiver, failures=0, digest_at=now).on_conflict_do_nothing())
    found = session.scalar(select(ReceiverRow.digest_at).where(ReceiverRow.name == receiver).with_for_update())
    if found is None:
        digest_to(session, receiver, now)
    return now if found is None else found


def last_digest(session: Session, receiver: str) -> int | None:
    """The same without keeping the row; None: there was none."""
    return session.scalar(select(ReceiverRow.digest_at).where(ReceiverRow.name == receiver))


def digest_to(session: Session, receiver: str, now: int) -> None:
    session.execute(update(ReceiverRow).where(ReceiverRow.name == receiver).values(digest_at=now))


def standings(session: Session) -> dict[str, Standing]:
    """By receiver, how it stands; those that nobody names any more included while something waits or lies dead for them."""
    counted = select(
        NoticeRow.receiver,
        func.count().filter(NoticeRow.state == "waiting"),
        func.min(NoticeRow.created).filter(NoticeRow.state == "waiting"),
        func.count().filter(NoticeRow.state == "dead"),
    )
    rows = session.execute(counted.where(NoticeRow.state.in_(("waiting", "dead"))).group_by(NoticeRow.receiver)).all()
    found = {name: Standing(waiting, oldest, lost) for name, waiting, oldest, lost in rows}
    for row in session.scalars(select(ReceiverRow).where(ReceiverRow.name != PASSING_ON)):
        one = found.get(row.name, Standing())
        found[row.name] = Standing(one.waiting, one.oldest, one.dead, row.failures, row.rest_until, row.last_good, row.last_error)
    return dict(sorted(found.items()))


def purge(session: Session, *, ended_before: int) -> int:
    """Deletes what arrived, was dismissed or collapsed before an instant (ms); how many."""
    gone = delete(NoticeRow).where(NoticeRow.state.in_(("sent", "dismissed", "collapsed")), NoticeRow.ended_at < ended_before)
    return len(session.execute(gone.returning(NoticeRow.id)).all())


def _settle(session: Session, notice: Notice, **values: Any) -> None:
    session.execute(update(NoticeRow).where(NoticeRow.id == notice.id, NoticeRow.state == "waiting").values(**values))


def _end_dead(session: Session, number: int | None, receiver: str | None, **values: Any) -> int:
    chosen = update(NoticeRow).where(NoticeRow.state == "dead")
    if number is not None:
        chosen = chosen.where(NoticeRow.id == number)
    if receiver is not None:
        chosen = chosen.where(NoticeRow.receiver == receiver)
    return len(session.execute(chosen.values(**values).returning(NoticeRow.id)).all())


def as_notice(row: NoticeRow) -> Notice:
    """A row as a plain value."""
    return Notice(
        row.id, row.receiver, row.message_id, row.topic, row.key, row.body, row.created, row.state,
        row.next_at, row.attempts, row.ended_at, row.last_error,
    )  # fmt: skip
