"""Where people are signed in: a row a session, so that one can be ended while the others go on.  Imports store/ and service/.

A session's cookie names its row and holds a secret (256 random bits) that the row has only as an HMAC.  A cookie of the version before
names no row: the first request that brings one gives it a row, always the same, so that an ended one stays ended.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from service import passwords, users
from service.access import Access
from service.bootstrap import Service
from service.errors import NotFound, NotPossible
from service.logs import get
from store import websessions as rows
from store.models import UserRow

IDLE = 4 * 3_600_000
"""ms without a request after which a session is over."""
LONGEST = 14 * 3_600_000
"""ms after which a session is over in any case."""
SLACK = 60_000
"""ms by which the clocks of two machines may differ."""
SEEN_EVERY = 60_000
"""ms between two notes of a session's last use: a busy one must not write at every request."""
KEPT = 24 * 3_600_000
"""ms for which a row stays after its session would have been over in any case."""
MOST = 50
"""Sessions that are listed."""

_log = get("sessions")


@dataclass(frozen=True, slots=True)
class Cookie:
    """What a browser brings, signed by us.  ``key`` is ``ID-SECRET``; None: of the version before, told apart by its form token."""

    user: str
    key: str | None
    began: int
    seen: int
    token: str = ""
    single: bool = False


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that holds, and who that is.  ``seen``: its last use (ms); ``ends``: when it is over in any case.

    ``key`` is what the cookie has to hold from now on; None: it could not be given one yet.
    """

    access: Access
    id: str
    key: str | None
    seen: int
    ends: int


@dataclass(frozen=True, slots=True)
class Begun:
    """A new session: what its cookie holds, and since when (ms)."""

    key: str
    began: int


@dataclass(frozen=True, slots=True)
class Listed:
    """A session as its owner is shown it.  ``since``: when they signed in; ``how``: ``password`` or ``single``."""

    id: str
    device: str
    since: int
    seen: int
    how: str


def over(*, began: int, seen: int, ends: int, now: int) -> bool:
    """Whether a session is over by itself.  One that was begun or used while the clock was ahead is: it would last too long."""
    return now - seen > IDLE or now > ends or max(began, seen) > now + SLACK


def begin(svc: Service, *, user_id: str, how: str, device: str) -> Begun:
    """A new session of somebody who has just shown who they are.  ``device``: the family of browser and system, in words."""
    now = svc.now()
    key, values = _new(svc)
    with svc.writing() as session:
        rows.add(session, **values, account=user_id, how=how, device=device, made=now, seen=now, ends=now + LONGEST)
    return Begun(key, now)


def find(svc: Service, cookie: Cookie, *, device: str) -> SignedIn | None:
    """Who is signed in with this cookie; None: nobody any more.  One statement, but for the first cookie of the version before."""
    now = svc.now()
    if max(cookie.began, cookie.seen) > now + SLACK or now > cookie.began + LONGEST:
        return None
    identity, secret = _parts(svc, cookie)
    with svc.reading() as session:
        found = rows.with_account(session, account=cookie.user, session_id=identity)
        if found is None:
            return None
        user, row = users.shown(found[0]), found[1]
    if user.disabled or not passwords.holds(svc, user):
        return None
    if row is None and cookie.key is not None:
        return None
    if row is None:
        began, seen, ends = cookie.began, cookie.seen, cookie.began + LONGEST
    elif row.ended is not None or not hmac.compare_digest(row.hash, _hash(svc, identity, secret)):
        return None
    else:
        began, seen, ends = row.made, max(row.seen, cookie.seen), row.ends
    if began < user.sessions_after or over(began=began, seen=seen, ends=ends, now=now):
        return None
    key: str | None = f"{identity}-{secret}"
    if row is None and not _adopted(svc, cookie, identity, secret, device):
        key = None
    return SignedIn(users.access_of(user), identity, key, seen, ends)


def keep(svc: Service, session_id: str) -> None:
    """Note that it is in use.  Where nothing can be written now, the cookie knows it."""
    now = svc.now()
    try:
        with svc.writing() as session:
            rows.touch(session, session_id, now=now, before=now - SEEN_EVERY)
    except SQLAlchemyError as error:
        _log.warning("session_not_kept", exc_info=error)


def end(svc: Service, *, user_id: str, session_id: str) -> None:
    """This session of the person is over, with every copy of its cookie; the others go on.  Raises NotFound for one that is not theirs."""
    with svc.writing() as session:
        if rows.end(session, session_id, account=user_id, now=svc.now()) is None:
            raise NotFound("there is no such session")


def end_others(svc: Service, *, user_id: str, session_id: str) -> Begun:
    """Only this session of the person goes on, with a new cookie and no longer than it would have.  Raises NotPossible if it is over."""
    now = svc.now()
    key, values = _new(svc)
    with svc.writing() as session:
        here = rows.end(session, session_id, account=user_id, now=now)
        user = session.get(UserRow, user_id)
        if here is None or user is None:
            raise NotPossible("this session has been ended meanwhile")
        rows.end_all(session, user, now=now)
        rows.add(session, **values, account=user_id, how=here.how, device=here.device, made=now, seen=now, ends=here.ends)
    return Begun(key, now)


def listed(svc: Service, user_id: str) -> Sequence[Listed]:
    """Where this person is signed in, the session used last first; ``MOST`` at most."""
    now = svc.now()
    with svc.reading() as session:
        found = rows.holding(session, user_id, now=now, seen_since=now - IDLE, limit=MOST)
        return [Listed(row.id, row.device, row.ends - LONGEST, row.seen, row.how) for row in found]


def tidy(svc: Service) -> int:
    """Delete what has long been over; how many."""
    with svc.writing() as session:
        return rows.purge(session, over_before=svc.now() - KEPT)


def _new(svc: Service) -> tuple[str, dict[str, str]]:
    identity, secret = secrets.token_hex(8), secrets.token_hex(32)
    return f"{identity}-{secret}", {"id": identity, "hash": _hash(svc, identity, secret)}


def _adopted(svc: Service, cookie: Cookie, identity: str, secret: str, device: str) -> bool:
    """Give a session of the version before its row; whether it has one now."""
    row = {"id": identity, "hash": _hash(svc, identity, secret), "account": cookie.user, "how": "single" if cookie.single else "password"}
    try:
        with svc.writing() as session:
            rows.add(session, **row, device=device, made=cookie.began, seen=cookie.seen, ends=cookie.began + LONGEST)
    except SQLAlchemyError as error:
        _log.warning("session_without_a_row", exc_info=error)
        return False
    return True


def _parts(svc: Service, cookie: Cookie) -> tuple[str, str]:
    if cookie.key is not None:
        identity, _, secret = cookie.key.partition("-")
        return identity, secret
    old = f"session-of-before:{cookie.user}:{cookie.began}:{cookie.token}"
    secret = hmac.new(svc.settings.secret, old.encode(), hashlib.sha256).hexdigest()
    return hashlib.sha256(secret.encode()).hexdigest()[:16], secret


def _hash(svc: Service, identity: str, secret: str) -> str:
    return hmac.new(svc.settings.secret, f"web-session:{identity}:{secret}".encode(), hashlib.sha256).hexdigest()
