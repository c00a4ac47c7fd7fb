"""Tombstones: that a case was removed, told only to who has its id and the key.  Imports store.models and store.sql."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from store.models import EventRow, TombstoneRow
from store.sql import chunks, upsert

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What is known of a case that was removed: the time of its last event and the instant of the removal (ms), and the certificate."""

    through: int
    removed_at: int
    removal: str
    mode: str


def digest_of_case(secret: bytes, case: str) -> str:
    """What stands for a case's id after its removal."""
    return hmac.new(secret, b"duecare removed case\x00" + case.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def key_id(secret: bytes) -> str:
    """Tells secret keys apart without telling them."""
    return hmac.new(secret, b"duecare key id", hashlib.sha256).hexdigest()[:16]


def any_there(session: Session) -> bool:
    """Whether any case was ever removed."""
    return session.scalar(select(TombstoneRow.digest).limit(1)) is not None


def of_cases(session: Session, secret: bytes, cases: Collection[str]) -> dict[str, Tombstone]:
    """The tombstones of those of ``cases`` that were removed."""
    found: dict[str, Tombstone] = {}
    for some in chunks(sorted(set(cases)), _AT_ONCE):
        digests = {digest_of_case(secret, case): case for case in some}
        for row in session.scalars(select(TombstoneRow).where(TombstoneRow.digest.in_(sorted(digests)))):
            found[digests[row.digest]] = Tombstone(row.through, row.removed_at, row.removal, row.mode)
    return found


def other_keys(session: Session, secret: bytes) -> bool:
    """Whether there are tombstones that were made with another secret key: their cases are no longer known when they come again."""
    return session.scalar(select(TombstoneRow.digest).where(TombstoneRow.key_id != key_id(secret)).limit(1)) is not None


def begun_anew(session: Session, cases: Collection[str]) -> set[str]:
    """Those of ``cases`` of which there are events."""
    found: set[str] = set()
    for some in chunks(sorted(cases), _AT_ONCE):
        found.update(session.scalars(select(EventRow.case_id).where(EventRow.case_id.in_(some)).distinct()))
    return found


def known(session: Session, events: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those (source, id) of which there is an event."""
    found: set[tuple[str, str]] = set()
    for some in chunks(sorted(events), _AT_ONCE):
        ids = sorted({name for _, name in some})
        rows = session.execute(select(EventRow.source, EventRow.id).where(EventRow.id.in_(ids)))
        found |= {(row.source, row.id) for row in rows} & set(some)
    return found


def add(session: Session, secret: bytes, through: Mapping[str, int], *, removed_at: int, removal: str, mode: str) -> None:
    """Sets tombstones.  ``through``: by case, the time of its last event (ms)."""
    key = key_id(secret)
    rows = [
        {"digest": digest_of_case(secret, case), "key_id": key, "through": last, "removed_at": removed_at, "removal": removal, "mode": mode}
        for case, last in sorted(through.items())
    ]
    if rows:
        statement = upsert(session, TombstoneRow)
        changed = {name: statement.excluded[name] for name in ("key_id", "through", "removed_at", "removal", "mode")}
        session.execute(statement.on_conflict_do_update(index_elements=["digest"], set_=changed), rows)
