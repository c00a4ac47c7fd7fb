"""Which versions of policies were proposed, decided and are in force; and their packages by digest.  Imports store.models and store.sql.

What is in force changes in one transaction that holds ``claim_change``; a worker asks for the epoch under the same lock, shared, after
it has claimed its cases.  So a case that the change could not see yet is judged only when the change can be seen.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from store.models import INSTALLATION, PolicyChangeRow, PolicyVersionRow
from store.sql import Statement, dialect
from store.together import together

_LOCK = 0x6475656361726522  # any number that no other program locks
_ALONE = text("SELECT pg_advisory_xact_lock(:key)")
_TOGETHER = Statement("SELECT pg_advisory_xact_lock_shared(:key)")
_EPOCH = Statement("SELECT count(*) AS many, coalesce(max(decided_at), 0) AS newest FROM policy_change WHERE state = 'active'")


@dataclass(frozen=True, slots=True)
class Epoch:
    """Changes whenever another set of versions comes into force: how many there are, and the newest decision (ms)."""

    count: int
    newest: int


@dataclass(frozen=True, slots=True)
class Activated:
    """A version that is in force from its effective day on.  ``known``: since when that was decided (ms); None: always."""

    change: str
    policy: str
    digest: str
    effective: str
    known: int | None
    decided_at: int


def claim_change(session: Session) -> None:
    """Waits until nobody else changes what is in force, and keeps it so until this transaction ends."""
    if dialect(session) == "postgresql":  # SQLite's writers are alone anyway
        session.execute(_ALONE, {"key": _LOCK})


def epoch(session: Session, *, settled: bool = False) -> Epoch:
    """What is in force, in two numbers.

    ``settled``: once a change that is under way has been committed; wants a transaction that sees what was committed before each query.
    """
    wait = [(_TOGETHER, {"key": _LOCK})] if settled and dialect(session) == "postgresql" else []
    row = together(session, [*wait, (_EPOCH, {})])[-1][0]
    return Epoch(row.many, row.newest)


def activated(session: Session) -> list[Activated]:
    """Every version that was ever activated, in the order of the decisions."""
    found = session.scalars(
        select(PolicyChangeRow).where(PolicyChangeRow.state == "active").order_by(PolicyChangeRow.decided_at, PolicyChangeRow.id)
    )
    return [
        Activated(
            row.id, row.policy, row.digest, row.effective, None if row.decided_by == INSTALLATION else row.decided_at, row.decided_at or 0
        )
        for row in found
    ]


def packages(session: Session, digests: Collection[str]) -> dict[str, Any]:
    """What is kept of these versions, by digest."""
    rows = session.execute(select(PolicyVersionRow.digest, PolicyVersionRow.text).where(PolicyVersionRow.digest.in_(digests)))
    return {row.digest: row.text for row in rows}
