"""Who read or changed what: lines that are only ever added, and the list of them.  Imports store.models and store.queries.

A line holds ids and codes alone; the names of people and cases are looked up when somebody reads it, so that a line tells no more
than what the store still holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from store.ids import case_ref
from store.models import AccessLogRow, BreachRow, CaseStateRow, WaiverRow
from store.queries.paging import DEFAULT_LIMIT, MAX_LIMIT, Listing, Page, Sort
from store.queries.unjudged import newest_unjudged
from store.sql import Bulk

LINES = Listing("access_log", {"at": Sort(AccessLogRow.at)}, "-at", AccessLogRow.id, int)
COUNTED = 10_000
"""Lines that are counted; a list that holds more says so."""

_ADD = Bulk(AccessLogRow, without=("id",))


@dataclass(frozen=True, slots=True)
class Entry:
    """A line to be written.  ``case`` is the case's own id; only its reference is stored.  ``at`` in ms."""

    at: int
    actor: str
    via: str
    action: str
    outcome: str = "done"
    case: str | None = None
    thing: str | None = None
    count: int | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Entered:
    """A line on record.  ``case`` is the id of the case that it speaks of, as far as the store still knows it."""

    id: int
    at: int
    actor: str
    via: str
    action: str
    outcome: str
    case_ref: str | None
    case: str | None
    thing: str | None
    breach: str | None
    """The breach that ``thing`` is, or that the waiver of this id belongs to."""
    count: int | None
    request_id: str | None


@dataclass(frozen=True, slots=True)
class Sought:
    """Which lines.  Empty: all.  ``since`` and ``until`` in ms, the latter exclusive."""

    actor: str = ""
    case: str = ""
    thing: str = ""
    actions: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()
    since: int | None = None
    until: int | None = None


def append(session: Session, entries: Sequence[Entry]) -> None:
    """Add lines."""
    _ADD.write(session, [_row(entry) for entry in entries])


def list_lines(session: Session, sought: Sought, *, limit: int = DEFAULT_LIMIT, cursor: str | None = None) -> Page[Entered]:
    """Lines, the latest first.  Raises CursorError."""
    query = select(AccessLogRow).where(*_conditions(session, sought))
    narrowed = [sought.actor, sought.case, sought.thing, sorted(sought.actions), sorted(sought.outcomes), sought.since, sought.until]
    page = LINES.page(session, query, lambda row: row[0], narrowed=narrowed, limit=limit, cursor=cursor)
    return Page(tuple(_entered(session, page.items)), page.next_cursor)


def every_line(session: Session, sought: Sought, *, most: int) -> Iterator[Entered]:
    """The same without pages, at most ``most`` of them, read in portions."""
    cursor: str | None = None
    while most > 0:
        page = list_lines(session, sought, limit=min(most, MAX_LIMIT), cursor=cursor)
        yield from page.items
        most -= len(page.items)
        cursor = page.next_cursor
        if cursor is None:
            return


def count_lines(session: Session, sought: Sought, *, most: int = COUNTED) -> int:
    """How many lines there are; ``most`` + 1 where there are more than ``most``."""
    some = select(AccessLogRow.id).where(*_conditions(session, sought)).limit(most + 1).subquery()
    return session.scalar(select(func.count()).select_from(some)) or 0


def _conditions(session: Session, sought: Sought) -> list[ColumnElement[bool]]:
    made: list[ColumnElement[bool]] = []
    if sought.actor:
        made.append(AccessLogRow.actor == sought.actor)
    if sought.case:
        made.append(or_(AccessLogRow.case_ref == case_ref(sought.case), AccessLogRow.thing.in_(_things_of(session, sought.case))))
    if sought.thing:
        made.append(AccessLogRow.thing == sought.thing)
    if sought.actions:
        made.append(AccessLogRow.action.in_(sorted(sought.actions)))
    if sought.outcomes:
        made.append(AccessLogRow.outcome.in_(sorted(sought.outcomes)))
    if sought.since is not None:
        made.append(AccessLogRow.at >= sought.since)
    if sought.until is not None:
        made.append(AccessLogRow.at < sought.until)
    return made


def _things_of(session: Session, case: str) -> list[str]:
    """The breaches of a case and the waivers of these: whoever reads one of them reads of the case."""
    if "\x00" in case:
        return []
    breaches = session.scalars(select(BreachRow.id).where(BreachRow.case_id == case).order_by(BreachRow.id).limit(MAX_LIMIT)).all()
    waivers = session.scalars(select(WaiverRow.id).where(WaiverRow.breach_id.in_(breaches)).order_by(WaiverRow.id).limit(MAX_LIMIT)).all()
    return [*breaches, *waivers]


def _entered(session: Session, rows: Sequence[AccessLogRow]) -> list[Entered]:
    things = {row.thing for row in rows if row.thing is not None}
    waived = _pairs(session, select(WaiverRow.id, WaiverRow.breach_id).where(WaiverRow.id.in_(things)))
    breaches = _pairs(session, select(BreachRow.id, BreachRow.case_id).where(BreachRow.id.in_({*things, *waived.values()})))
    refs = {row.case_ref for row in rows if row.case_ref is not None}
    cases = _pairs(session, select(CaseStateRow.id, CaseStateRow.case_id).where(CaseStateRow.id.in_(refs)))
    if refs - cases.keys():
        cases |= {case_ref(one.case): one.case for one in newest_unjudged(session, most=MAX_LIMIT)}
    return [_line(row, cases, breaches, waived) for row in rows]


def _pairs(session: Session, query: Select[str, str]) -> dict[str, str]:
    return {row[0]: row[1] for row in session.execute(query)}


def _line(row: AccessLogRow, cases: Mapping[str, str], breaches: Mapping[str, str], waived: Mapping[str, str]) -> Entered:
    breach = waived.get(row.thing or "", row.thing)
    known = breach if breach in breaches else None
    return Entered(
        id=row.id,
        at=row.at,
        actor=row.actor,
        via=row.via,
        action=row.action,
        outcome=row.outcome,
        case_ref=row.case_ref,
        case=cases.get(row.case_ref or "") or breaches.get(known or ""),
        thing=row.thing,
        breach=known,
        count=row.count,
        request_id=row.request_id,
    )


def _row(entry: Entry) -> Mapping[str, Any]:
    return {
        "at": entry.at,
        "actor": entry.actor,
        "via": entry.via,
        "action": entry.action,
        "outcome": entry.outcome,
        "case_ref": None if entry.case is None else case_ref(entry.case),
        "thing": entry.thing,
        "count": entry.count,
        "request_id": entry.request_id,
    }
