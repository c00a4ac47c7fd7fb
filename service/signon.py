"""Who comes in by single sign-on.  Imports store/ and service/.

An account belongs to the provider's name for a person (issuer and subject), never to a name or an address that somebody could take:
it is not joined to an account that was made here.  What it may do is read anew from the person's groups at each sign-in.
"""

from __future__ import annotations

import secrets

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from service import users
from service.bootstrap import Service
from service.errors import NotLetIn, Unauthorised
from service.logs import get
from service.oidc import Person
from service.rolemap import Grant
from service.users import User
from store import websessions
from store.models import UserRow

LONGEST_NAME = 100
LONGEST_ADDRESS = 200
_TRIES = 3

_log = get("sign_on")


def enter(svc: Service, person: Person) -> User:
    """The account of somebody whom the provider has vouched for, made at their first sign-in.

    Raises NotLetIn for somebody none of whose groups may use anything here, and for an account that was switched off here; whatever
    sessions they had are over.
    """
    assert svc.provider is not None
    grant = svc.provider.roles.of(person.groups)
    subject = f"{svc.provider.issuer} {person.subject}"
    for _ in range(_TRIES):
        try:
            with svc.writing() as session:
                row = session.scalar(select(UserRow).where(UserRow.subject == subject).with_for_update())
                if row is not None and row.disabled:
                    why = "off"
                elif grant is None:
                    why = "groups"
                    if row is not None:
                        row.roles = []
                        websessions.end_all(session, row, now=svc.now())
                else:
                    if row is None:
                        row = _made(svc, session, person, subject)
                    _granted(svc, session, row, grant)
                    row.email, row.last_login, row.failed, row.locked_until = _address(person), svc.now(), 0, None
                    session.flush()
                    return users.shown(row)
        except IntegrityError:
            continue  # somebody else took the name, or the same person came in twice at once
        _log.warning("not_let_in", why=why)
        raise NotLetIn(person.name[:LONGEST_NAME], why)
    raise Unauthorised("signing in did not come to an end; try again")


def _made(svc: Service, session: Session, person: Person, subject: str) -> UserRow:
    row = UserRow(
        id=secrets.token_hex(8),
        name=_free_name(session, person.name),
        subject=subject,
        password_hash=None,
        roles=[],
        teams=None,
        offices=None,
        must_change=False,
        failed=0,
        disabled=False,
        sessions_after=0,
        created=svc.now(),
    )
    session.add(row)
    return row


def _address(person: Person) -> str | None:
    return person.email if person.email is not None and len(person.email) <= LONGEST_ADDRESS else None


def _granted(svc: Service, session: Session, row: UserRow, grant: Grant) -> None:
    """Let the account have exactly this; sessions that were begun with anything else are over."""
    given = (
        sorted(grant.roles),
        None if grant.teams is None else sorted(grant.teams),
        None if grant.offices is None else sorted(grant.offices),
    )
    if (row.roles, row.teams, row.offices) != given:
        row.roles, row.teams, row.offices = given
        websessions.end_all(session, row, now=svc.now())


def _free_name(session: Session, wanted: str) -> str:
    """A name that no account has: the person's own, or with a number behind it."""
    base = wanted[: LONGEST_NAME - 8].strip()
    taken = set(session.scalars(select(UserRow.name).where(UserRow.name.startswith(base, autoescape=True))))
    return next(name for number in range(1, len(taken) + 2) if (name := base if number == 1 else f"{base} ({number})") not in taken)
