"""Legal holds: a named person's word that nothing of a case may be removed, with a reason, until somebody lifts it with another.

A hold keeps the whole journey: every case that hangs together with the one that it is set on.  Imports store/ and service/.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from service.access import Access
from service.bootstrap import Service
from service.errors import Flaw, Invalid, NotFound, NotPossible
from service.retention.access import administers
from store import legalholds
from store.errors import CursorError
from store.legalholds import LegalHold
from store.removing import take_turn

LONGEST_REASON = 2_000
MOST = 100


def put(svc: Service, access: Access, *, case: str, reason: str) -> LegalHold:
    """Set a hold on a case.  Raises Forbidden, Invalid, and NotFound where nothing is on record about the case."""
    administers(access)
    words = _reason(reason)
    hold = LegalHold(uuid.uuid4().hex, case, words, access.actor, access.name, svc.now())
    with svc.writing() as session:
        take_turn(session)  # a removal that is at this case now is through before, or finds the hold
        if not legalholds.on_record(session, case):
            raise NotFound("no such case")
        legalholds.add(session, hold)
    return hold


def lift(svc: Service, access: Access, hold: str, *, reason: str) -> LegalHold:
    """Lift a hold.  Raises Forbidden, Invalid, NotFound, and NotPossible where it has been lifted."""
    administers(access)
    words = _reason(reason)
    with svc.writing() as session:
        found = legalholds.get(session, hold) if "\x00" not in hold else None
        if found is None:
            raise NotFound("no such legal hold")
        if not legalholds.lift(session, hold, by=access.actor, name=access.name, at=svc.now(), reason=words):
            raise NotPossible("the hold was lifted before")
    with svc.reading() as session:
        done = legalholds.get(session, hold)
    assert done is not None
    return done


def listed(
    svc: Service, access: Access, *, standing: bool = False, after: tuple[int, str] | None = None, limit: int = 50
) -> Sequence[LegalHold]:
    """Holds, the newest first; ``after``: those that come after the one set at that instant (ms) with that id.  Raises Forbidden."""
    administers(access)
    with svc.reading() as session:
        return legalholds.listed(session, standing=standing, after=after, limit=min(limit, MOST))


def count(svc: Service, access: Access) -> int:
    """How many holds stand.  Raises Forbidden."""
    administers(access)
    with svc.reading() as session:
        return legalholds.count(session)


def cursor(hold: LegalHold) -> str:
    """Where a list goes on after this hold."""
    return f"{hold.set_at}-{hold.id}"


def place(text: str | None) -> tuple[int, str] | None:
    """What ``cursor`` has given.  Raises store.errors.CursorError."""
    if text is None:
        return None
    at, _, name = text.partition("-")
    if not (at.isascii() and at.isdigit() and len(at) < 18 and name.isascii() and name.isalnum()):
        raise CursorError("the cursor is not one that this list has given")
    return int(at), name


def of_case(svc: Service, case: str) -> Sequence[LegalHold]:
    """The holds of a case that the caller has been found to see, the newest first."""
    with svc.reading() as session:
        return legalholds.of_case(session, case)


def _reason(text: str) -> str:
    words = text.strip()
    if not words or "\x00" in words:
        raise Invalid(Flaw("reason", "missing", "say why: it is kept with the hold"))
    if len(words) > LONGEST_REASON:
        raise Invalid(Flaw("reason", "too_large", f"is longer than {LONGEST_REASON:,} characters"))
    return words
