"""Rows of web sessions: one is looked up together with its account, in one statement.  Imports store.models and store.sql.

Nothing here decides whether a session holds; service.websessions does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_, delete, select, update
from sqlalchemy.orm import Session

from store.models import UserRow, WebSessionRow
from store.sql import upsert


def with_account(session: Session, *, account: str, session_id: str) -> tuple[UserRow, WebSessionRow | None] | None:
    """The account, and its session of this id where there is one; None: no such account."""
    same = and_(WebSessionRow.account == UserRow.id, WebSessionRow.id == session_id)
    found = session.execute(select(UserRow, WebSessionRow).outerjoin(WebSessionRow, same).where(UserRow.id == account)).first()
    return None if found is None else (found[0], found[1])


def add(session: Session, **values: Any) -> None:
    """A new row; where there is one of its id already, that one stays as it is."""
    session.execute(upsert(session, WebSessionRow).values(**values).on_conflict_do_nothing(index_elements=[WebSessionRow.id]))


def touch(session: Session, session_id: str, *, now: int, before: int) -> None:
    """It was used just now (ms); nothing is written for one that is over, or that was used after ``before``."""
    used = update(WebSessionRow).where(WebSessionRow.id == session_id, WebSessionRow.ended.is_(None), WebSessionRow.seen < before)
    session.execute(used.values(seen=now))


def end(session: Session, session_id: str, *, account: str, now: int) -> WebSessionRow | None:
    """End one session of an account; as it was, or None where there is none of this id that has not been ended."""
    chosen = (WebSessionRow.id == session_id, WebSessionRow.account == account, WebSessionRow.ended.is_(None))
    row = session.scalar(select(WebSessionRow).where(*chosen).with_for_update())
    if row is not None:
        row.ended = now
    return row


def end_all(session: Session, user: UserRow, *, now: int) -> None:
    """No session of this account holds any longer: also none that stands in a cookie only, of the version before this table."""
    user.sessions_after = now
    session.execute(update(WebSessionRow).where(WebSessionRow.account == user.id, WebSessionRow.ended.is_(None)).values(ended=now))


def end_everybodys(session: Session, *, now: int) -> None:
    """Nobody is signed in any longer by a row of this table."""
    session.execute(update(WebSessionRow).where(WebSessionRow.ended.is_(None)).values(ended=now))


def holding(session: Session, account: str, *, now: int, seen_since: int, limit: int) -> Sequence[WebSessionRow]:
    """Sessions of an account that nobody has ended and that have not come to their end, those used last first."""
    holds = (WebSessionRow.ended.is_(None), WebSessionRow.ends >= now, WebSessionRow.seen >= seen_since)
    query = select(WebSessionRow).join(UserRow, UserRow.id == WebSessionRow.account)
    query = query.where(WebSessionRow.account == account, *holds, WebSessionRow.made >= UserRow.sessions_after)
    return session.scalars(query.order_by(WebSessionRow.seen.desc(), WebSessionRow.id).limit(limit)).all()


def purge(session: Session, *, over_before: int) -> int:
    """Deletes sessions that would have come to their end before an instant (ms) in any case; how many."""
    gone = delete(WebSessionRow).where(WebSessionRow.ends < over_before)
    return len(session.execute(gone.returning(WebSessionRow.id)).all())
