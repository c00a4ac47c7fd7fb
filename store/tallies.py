"""Counts verdicts ahead, so that pages about rates need not read them all.  Imports store.models and store.sql.

Counting reads every verdict once; keeping the count replaces the one before in a single transaction, so that readers always see a whole
one.  One machine at a time counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Date, Integer, case, cast, delete, func, literal, or_, select, text, type_coerce, update
from sqlalchemy.orm import Session

from rules.model import Outcome
from store.models import TallyStateRow, VerdictRow, VerdictTallyRow
from store.sql import Bulk, dialect, upsert

EARLIER, AHEAD, NO_DAY = "earlier", "ahead", "none"
"""Spans that are no month: due before the months that are told apart, due day not over yet, and without a due day."""
MISSING = "missing"
"""The cause of everything that is unknown because something is not on record."""

EDGES = (-28, -14, -7, -3, 0, 1, 4, 8, 15, 29)
"""From these days after the due day on, exclusive of the next: code -5 for what was done more than 28 days early, 0 for the day itself,
5 for 29 days late or more."""
LONGEST = 600_000
"""ms that counting may take: longer than what pages ask may."""
_LATE, _MET = Outcome.LATE.value, Outcome.MET.value
_BULK = Bulk(VerdictTallyRow, without=("id",))


@dataclass(frozen=True, slots=True)
class TallyState:
    """The count that is kept: made when and how long it took (ms), and the last change that it knows."""

    counted_at: int | None = None
    took: int = 0
    seen: int = 0


def state(session: Session) -> TallyState:
    """The count that is kept; one without an instant where there is none yet."""
    row = session.get(TallyStateRow, 1)
    return TallyState() if row is None else TallyState(row.counted_at, row.took, row.seen)


def last_change(session: Session) -> int:
    """When a verdict has changed last (ms); 0: there is none."""
    return session.scalar(select(func.max(VerdictRow.changed_at))) or 0


def claim(session: Session, now: int, until: int) -> bool:
    """Take it on to count, up to ``until`` (ms); False where somebody else is at it."""
    row = {"id": 1, "counted_at": None, "took": 0, "seen": 0, "claimed_until": None}
    session.execute(upsert(session, TallyStateRow).values(row).on_conflict_do_nothing())
    free = or_(TallyStateRow.claimed_until.is_(None), TallyStateRow.claimed_until <= now)
    taken: Any = session.execute(update(TallyStateRow).where(TallyStateRow.id == 1, free).values(claimed_until=until))
    return bool(taken.rowcount)


def count(session: Session, *, over: Mapping[str, str], first_month: str) -> list[dict[str, Any]]:
    """Every verdict, counted.  ``over``: by policy, the last day (ISO) that is over; ``first_month``: the first that is told apart."""
    if dialect(session) == "postgresql":
        session.execute(text(f"SET LOCAL statement_timeout = {LONGEST}"))
        session.execute(text("SET LOCAL work_mem = '128MB'"))  # the groups fit: nothing is sorted on disk
    last = max(over.values(), default="")
    day = case(*((VerdictRow.policy == policy, literal(until)) for policy, until in sorted(over.items())), else_=literal(last))
    month = func.substr(VerdictRow.due_key, 1, 7)
    span = case(
        (VerdictRow.due_on.is_(None), literal(NO_DAY)),
        (VerdictRow.due_key > day, literal(AHEAD)),
        (month < first_month, literal(EARLIER)),
        else_=month,
    ).label("span")
    told = VerdictRow.verdict.in_([Outcome.UNKNOWN.value, Outcome.NOT_APPLICABLE.value])
    cause = case(
        (~told, literal("")),
        (VerdictRow.reason.like("missing%"), literal(MISSING)),
        else_=func.coalesce(VerdictRow.reason, ""),
    ).label("cause")
    named = [VerdictRow.policy, VerdictRow.rule, VerdictRow.severity, VerdictRow.status, VerdictRow.team, VerdictRow.office]
    columns: list[Any] = [*named, span, VerdictRow.verdict, cause, timing(session).label("timing")]
    names = [*(column.key for column in named), "span", "verdict", "cause", "timing"]
    places = [text(str(place + 1)) for place in range(len(columns))]  # expressions with values in them are not told equal
    query = select(*columns, func.count()).group_by(*places)
    return [dict(zip((*names, "number"), row, strict=True)) for row in session.execute(query)]


def keep(session: Session, rows: Sequence[Mapping[str, Any]], *, now: int, took: int, seen: int) -> None:
    """Put a count in the place of the one before, and end the claim."""
    session.execute(delete(VerdictTallyRow))
    _BULK.write(session, rows)
    done = {"counted_at": now, "took": took, "seen": seen, "claimed_until": None}
    session.execute(update(TallyStateRow).where(TallyStateRow.id == 1).values(done))


def days_after(session: Session) -> ColumnElement[int]:
    """The days from the due day to the day on which it was done; negative: before it."""
    if dialect(session) == "postgresql":
        return type_coerce(cast(VerdictRow.satisfied_on, Date) - cast(VerdictRow.due_on, Date), Integer)
    return cast(func.julianday(VerdictRow.satisfied_on) - func.julianday(VerdictRow.due_on), Integer)


def done_by_a_day() -> ColumnElement[bool]:
    """What was done, where the due day and the day of doing are known."""
    return VerdictRow.verdict.in_([_MET, _LATE]) & VerdictRow.due_on.is_not(None) & VerdictRow.satisfied_on.is_not(None)


def timing(session: Session) -> ColumnElement[int | None]:
    """The code of ``EDGES``; None for what was not done, or has no day."""
    days = days_after(session)
    codes = [(days < edge, literal(place - 5)) for place, edge in enumerate(EDGES)]
    return case((~done_by_a_day(), None), *codes, else_=literal(5))
