"""People's accounts: passwords, roles, lock-out, and the first administrator.  Imports argon2, store/ and service/.

A password is checked by argon2, which is slow on purpose; an unknown name costs the same time as a wrong password.  After
five wrong ones in a row the account is locked for a while that doubles.  A password that somebody else gave lets its owner
do nothing but change it.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from service.access import ROLES, Access, check_roles
from service.bootstrap import Service
from service.errors import Flaw, Invalid, LockedOut, NotFound, NotPossible, Unauthorised
from store import websessions
from store.models import UserRow

TRIES = 5
FIRST_LOCK = 60_000
LONGEST_LOCK = 3_600_000
LEAST_PASSWORD = 12
MOST_PASSWORD = 256
FIRST_ADMINISTRATOR = "admin"


@dataclass(frozen=True, slots=True)
class User:
    """An account as it may be shown."""

    id: str
    name: str
    email: str | None
    roles: frozenset[str]
    teams: frozenset[str] | None
    offices: frozenset[str] | None
    must_change: bool
    disabled: bool
    locked_until: int | None
    sessions_after: int
    created: int
    last_login: int | None
    single: bool = False
    """They sign in with their organisation's account, whose groups say what they may do."""


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@cache
def _nobody() -> str:
    """A hash that no password fits: unknown names take as long as known ones."""
    return _hasher().hash(secrets.token_urlsafe(32))


def first_administrator(svc: Service) -> str | None:
    """Make the administrator of a new installation; gives the one-time password, or None where there are accounts already."""
    password = secrets.token_urlsafe(15)
    hashed = _hasher().hash(password)
    try:
        with svc.writing() as session:
            if session.scalar(select(func.count()).select_from(UserRow)):
                return None
            session.add(_row(svc, name=FIRST_ADMINISTRATOR, hashed=hashed, roles=frozenset({"administrator", "manager"})))
    except IntegrityError:
        return None  # another process was quicker
    return password


def create(
    svc: Service,
    *,
    name: str,
    roles: Collection[str],
    password: str | None = None,
    email: str | None = None,
    teams: Collection[str] | None = None,
    offices: Collection[str] | None = None,
) -> tuple[User, str | None]:
    """A new account.  Without ``password`` one is made and given back, to be changed at the first sign-in.  Raises Invalid."""
    granted = check_roles(roles)
    if not name or len(name) > 100 or not name.isprintable() or name != name.strip():
        raise Invalid(Flaw("name", "wrong_value", "give a name of 1 to 100 printable characters"))
    made = None
    if password is None:
        password = made = secrets.token_urlsafe(15)
    else:
        check_password(password, name=name)
    hashed = _hasher().hash(password)
    row = _row(svc, name=name, hashed=hashed, roles=granted, email=email, teams=teams, offices=offices)
    try:
        with svc.writing() as session:
            session.add(row)
            session.flush()
            return shown(row), made
    except IntegrityError:
        raise Invalid(Flaw("name", "taken", "there is an account of this name")) from None


def sign_in(svc: Service, *, name: str, password: str) -> User:
    """The account of this name, if the password is right.  Raises Unauthorised or LockedOut; both take as long as a success."""
    now = svc.now()
    with svc.reading() as session:
        row = session.scalar(select(UserRow).where(UserRow.name == name))
        known = row is not None and row.password_hash is not None and not row.disabled
        hashed = row.password_hash if row is not None and known else None
        locked = row.locked_until if row is not None else None
    right = _fits(hashed or _nobody(), password) and known
    _refuse_locked(locked, now)
    if row is None:
        raise Unauthorised("the name or the password is wrong")
    with svc.writing() as session:
        fresh = session.get(UserRow, row.id, with_for_update=True)
        if fresh is None:
            raise Unauthorised("the name or the password is wrong")
        if not right:
            _count_wrong(fresh, now)
        else:
            fresh.failed, fresh.locked_until, fresh.last_login = 0, None, now
            if hashed is not None and _hasher().check_needs_rehash(hashed):
                fresh.password_hash = _hasher().hash(password)
        user = shown(fresh)
    if not right:
        raise Unauthorised("the name or the password is wrong")
    return user


def change_password(svc: Service, *, user_id: str, old: str, new: str) -> User:
    """A person changes their own password; all their sessions end.  A wrong present one counts like one at sign-in.

    Raises Unauthorised, LockedOut or Invalid.
    """
    now = svc.now()
    with svc.reading() as session:
        row = _found(session, user_id)
        hashed, name, locked = row.password_hash, row.name, row.locked_until
    _refuse_locked(locked, now)
    if hashed is None or not _fits(hashed, old):
        with svc.writing() as session:
            _count_wrong(_found(session, user_id), now)
        raise Unauthorised("the present password is wrong")
    if old == new:
        raise Invalid(Flaw("new", "wrong_value", "choose another password than the present one"))
    check_password(new, name=name, field="new")
    fresh = _hasher().hash(new)
    with svc.writing() as session:
        row = _found(session, user_id)
        if row.password_hash != hashed:
            raise NotPossible("the password has been changed meanwhile")
        row.password_hash, row.must_change, row.failed = fresh, False, 0
        websessions.end_all(session, row, now=svc.now())
        return shown(row)


def reset_password(svc: Service, *, name: str) -> str:
    """A one-time password for somebody who is locked out; all their sessions end.  Raises NotFound and NotPossible."""
    password = secrets.token_urlsafe(15)
    hashed = _hasher().hash(password)
    with svc.writing() as session:
        row = _named(session, name)
        if row.subject is not None:
            raise NotPossible("this person signs in with their organisation's account: its password is reset there")
        row.password_hash, row.must_change, row.failed, row.locked_until = hashed, True, 0, None
        websessions.end_all(session, row, now=svc.now())
    return password


def change(
    svc: Service,
    *,
    name: str,
    roles: Collection[str] | None = None,
    disabled: bool | None = None,
    teams: Collection[str] | None = None,
    offices: Collection[str] | None = None,
    unlimited: bool = False,
) -> User:
    """Change what an account may do; its sessions end.  ``unlimited`` lifts the limits to teams and offices.

    Raises NotFound, Invalid, and NotPossible for what would leave the installation without an administrator who has no limits.
    """
    granted = check_roles(roles) if roles is not None else None
    with svc.writing() as session:
        everybody = session.scalars(select(UserRow).order_by(UserRow.id).with_for_update()).all()
        row = _named(session, name)
        if row.subject is not None and (unlimited or any(given is not None for given in (granted, teams, offices))):
            raise NotPossible("roles and limits of this account follow from its groups at the provider, at each sign-in")
        if granted is not None:
            row.roles = sorted(granted)
        if disabled is not None:
            row.disabled = disabled
        if unlimited:
            row.teams = row.offices = None
        if teams is not None:
            row.teams = sorted(set(teams))
        if offices is not None:
            row.offices = sorted(set(offices))
        websessions.end_all(session, row, now=svc.now())
        session.flush()
        if not any(_runs_all(other) for other in everybody):
            raise NotPossible("no administrator without limits would be left")
        return shown(row)


def let_in(svc: Service, *, name: str) -> User:
    """Let an account in again that was switched off, or locked after wrong passwords.  Raises NotFound."""
    with svc.writing() as session:
        row = _named(session, name)
        row.disabled, row.failed, row.locked_until = False, 0, None
        return shown(row)


def listed(svc: Service) -> list[User]:
    """All accounts by name."""
    with svc.reading() as session:
        return [shown(row) for row in session.scalars(select(UserRow).order_by(UserRow.name))]


def get(svc: Service, user_id: str) -> User:
    """The account.  Raises NotFound."""
    with svc.reading() as session:
        return shown(_found(session, user_id))


def access_of(user: User) -> Access:
    """What a person may see and do."""
    scopes = frozenset[str]().union(*(ROLES[role] for role in user.roles if role in ROLES))
    return Access(
        actor=f"user:{user.id}",
        name=user.name,
        scopes=scopes,
        roles=user.roles,
        teams=user.teams,
        offices=user.offices,
        must_change=user.must_change,
    )


def check_password(password: str, *, name: str, field: str = "password") -> None:
    """Raises Invalid unless the password is long enough and not simply the name."""
    if not LEAST_PASSWORD <= len(password) <= MOST_PASSWORD:
        raise Invalid(Flaw(field, "wrong_length", f"choose {LEAST_PASSWORD} to {MOST_PASSWORD} characters"))
    if name.lower() in password.lower() or len(set(password)) < 5:
        raise Invalid(Flaw(field, "too_simple", "choose one that is not made of your name or of few characters"))


def _refuse_locked(until: int | None, now: int) -> None:
    """Raises LockedOut while an account is locked."""
    if until is not None and until > now:
        raise LockedOut(max(1, (until - now + 999) // 1000))


def _count_wrong(row: UserRow, now: int) -> None:
    row.failed += 1
    if row.failed >= TRIES:
        row.locked_until = now + min(FIRST_LOCK * 2 ** min(row.failed - TRIES, 10), LONGEST_LOCK)


def _fits(hashed: str, password: str) -> bool:
    try:
        return _hasher().verify(hashed, password[: MOST_PASSWORD + 1])
    except (Argon2Error, InvalidHashError, UnicodeEncodeError):
        return False


def _row(
    svc: Service,
    *,
    name: str,
    hashed: str,
    roles: frozenset[str],
    email: str | None = None,
    teams: Collection[str] | None = None,
    offices: Collection[str] | None = None,
) -> UserRow:
    return UserRow(
        id=secrets.token_hex(8),
        name=name,
        email=email,
        password_hash=hashed,
        roles=sorted(roles),
        teams=None if teams is None else sorted(set(teams)),
        offices=None if offices is None else sorted(set(offices)),
        must_change=True,
        failed=0,
        disabled=False,
        sessions_after=0,
        created=svc.now(),
    )


def _runs_all(row: UserRow) -> bool:
    return "administrator" in row.roles and not row.disabled and row.teams is None and row.offices is None


def _found(session: Session, user_id: str) -> UserRow:
    row = session.get(UserRow, user_id)
    if row is None:
        raise NotFound("there is no such account")
    return row


def _named(session: Session, name: str) -> UserRow:
    row = session.scalar(select(UserRow).where(UserRow.name == name))
    if row is None:
        raise NotFound("there is no such account")
    return row


def shown(row: UserRow) -> User:
    """An account as it may be shown."""
    return User(
        id=row.id,
        name=row.name,
        email=row.email,
        roles=frozenset(row.roles),
        teams=None if row.teams is None else frozenset(row.teams),
        offices=None if row.offices is None else frozenset(row.offices),
        must_change=row.must_change,
        disabled=row.disabled,
        locked_until=row.locked_until,
        sessions_after=row.sessions_after,
        created=row.created,
        last_login=row.last_login,
        single=row.subject is not None,
    )
