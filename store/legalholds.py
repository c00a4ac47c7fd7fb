"""Legal holds on record: who has set one on which case, why, and who has lifted it.  Imports store.models and store.sql."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import func, select, tuple_, update
from sqlalchemy.orm import Session

from store.models import EventRow, LegalHoldRow
from store.sql import chunks

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class LegalHold:
    """A hold.  Instants in ms; ``lifted_at`` of None: it stands."""

    id: str
    case: str
    reason: str
    set_by: str
    set_name: str
    set_at: int
    lifted_by: str | None = None
    lifted_name: str | None = None
    lifted_at: int | None = None
    lift_reason: str | None = None


def add(session: Session, hold: LegalHold) -> None:
    """Puts a hold on record."""
    session.add(
        LegalHoldRow(
            id=hold.id, case_id=hold.case, reason=hold.reason, set_by=hold.set_by, set_name=hold.set_name, set_at=hold.set_at
        )
    )  # fmt: skip
    session.flush()


def get(session: Session, hold: str) -> LegalHold | None:
    """One hold."""
    row = session.get(LegalHoldRow, hold)
    return None if row is None else _hold(row)


def lift(session: Session, hold: str, *, by: str, name: str, at: int, reason: str) -> bool:
    """Lifts a hold; False where it has been lifted before, or there is none."""
    standing = update(LegalHoldRow).where(LegalHoldRow.id == hold, LegalHoldRow.lifted_at.is_(None))
    done = standing.values(lifted_by=by, lifted_name=name, lifted_at=at, lift_reason=reason).returning(LegalHoldRow.id)
    return bool(session.execute(done).all())


def listed(session: Session, *, standing: bool = False, after: tuple[int, str] | None = None, limit: int = 50) -> list[LegalHold]:
    """Holds, the newest first; ``standing``: only those that nobody has lifted; ``after``: those that come after this one."""
    chosen = select(LegalHoldRow).order_by(LegalHoldRow.set_at.desc(), LegalHoldRow.id.desc()).limit(limit)
    if standing:
        chosen = chosen.where(LegalHoldRow.lifted_at.is_(None))
    if after is not None:
        chosen = chosen.where(tuple_(LegalHoldRow.set_at, LegalHoldRow.id) < after)
    return [_hold(row) for row in session.scalars(chosen)]


def count(session: Session) -> int:
    """How many holds stand."""
    return session.scalar(select(func.count()).select_from(LegalHoldRow).where(LegalHoldRow.lifted_at.is_(None))) or 0


def of_case(session: Session, case: str, *, limit: int = 50) -> list[LegalHold]:
    """The holds of one case, the newest first."""
    if "\x00" in case:
        return []
    chosen = select(LegalHoldRow).where(LegalHoldRow.case_id == case)
    return [_hold(row) for row in session.scalars(chosen.order_by(LegalHoldRow.set_at.desc(), LegalHoldRow.id.desc()).limit(limit))]


def held(session: Session, cases: Collection[str]) -> set[str]:
    """Those of ``cases`` on which a hold stands."""
    found: set[str] = set()
    for some in chunks(sorted(cases), _AT_ONCE):
        stands = select(LegalHoldRow.case_id).where(LegalHoldRow.case_id.in_(some), LegalHoldRow.lifted_at.is_(None))
        found.update(session.scalars(stands))
    return found


def on_record(session: Session, case: str) -> bool:
    """Whether there is an event of the case."""
    return "\x00" not in case and session.scalar(select(EventRow.position).where(EventRow.case_id == case).limit(1)) is not None


def _hold(row: LegalHoldRow) -> LegalHold:
    return LegalHold(
        row.id, row.case_id, row.reason, row.set_by, row.set_name, row.set_at,
        row.lifted_by, row.lifted_name, row.lifted_at, row.lift_reason,
    )  # fmt: skip
