"""Cases: the list, one in detail, its events.  Imports store.models and store.queries.

A reader whose scope is limited sees the cases that belong to it now, and of these the findings that belong to it: a finding
stays with the team that owned it at its due day.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from rules.model import NEVER, Event
from store.breaches import Breach, as_breach
from store.models import BreachRow, CaseStateRow, DirtyRow, EventRow, VerdictRow
from store.queries.casewhere import WITHDRAWN, CaseWhere
from store.queries.counts import Facets, facets
from store.queries.findings import StoredVerdict
from store.queries.narrow import EVERYTHING, Scope
from store.queries.paging import DEFAULT_LIMIT, MAX_LIMIT, Listing, Page, Sort
from store.queries.upkeep import Waiting, as_waiting
from store.verdicts import as_verdict

CASES = Listing(
    "cases",
    {
        "case": Sort(CaseStateRow.case_id, str, private=True),
        "open_breaches": Sort(CaseStateRow.open_breaches),
        "evaluated_at": Sort(CaseStateRow.evaluated_at),
        "next_check": Sort(func.coalesce(CaseStateRow.next_check_at, NEVER)),
    },
    "case",
    CaseStateRow.id,
)
CASE_FACETS = ("program", "team", "office", "worker")
EVENTS = Listing("events", {"position": Sort(EventRow.position), "time": Sort(EventRow.time)}, "time", EventRow.position, int)


@dataclass(frozen=True, slots=True)
class CaseSummary:
    """A case as its last evaluation left it.  Instants in ms; ``waiting``: something has come that is not judged yet."""

    case: str
    program: str | None
    team: str | None
    office: str | None
    worker: str | None
    open_breaches: int
    evaluated_at: int
    next_check_at: int | None
    as_of: int
    position: int
    summary: Any
    queries: Any
    waiting: bool
    quarantined: bool
    waiting_since: int | None
    error: str | None
    """What failed when it was tried last, and where."""
    withdrawn: bool
    """Nothing of it stands: all its events were voided."""


@dataclass(frozen=True, slots=True)
class CaseDetail:
    """A case with what stands found about it.  ``summary`` is None where it has never been judged."""

    case: str
    summary: CaseSummary | None
    events: int
    waiting: Waiting | None
    """Since when, and with what luck, it has waited to be judged; None: it does not wait."""
    verdicts: tuple[StoredVerdict, ...]
    breaches: tuple[Breach, ...]


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event on record.  ``spoken_of`` are the ids of the voids and corrections, of its source, that name it."""

    position: int
    event: Event
    received: int
    spoken_of: tuple[str, ...] = ()


def list_cases(
    session: Session,
    *,
    scope: Scope = EVERYTHING,
    team: tuple[str, ...] = (),
    office: tuple[str, ...] = (),
    worker: tuple[str, ...] = (),
    program: tuple[str, ...] = (),
    case: tuple[str, ...] = (),
    with_open_breaches: bool = False,
    with_queries: bool = False,
    where: CaseWhere | None = None,
    sort: str | None = None,
    limit: int = DEFAULT_LIMIT,
    cursor: str | None = None,
) -> Page[CaseSummary]:
    """Cases that have been judged.  ``with_queries``: those with something in the record to be looked at.

    ``where`` is the same as the filters before it in one, and more.  Raises QueryError or CursorError.
    """
    open_breaches = True if with_open_breaches else None
    chosen = where or CaseWhere(program, team, office, worker, case, open_breaches=open_breaches, with_queries=with_queries)
    query = _summaries().where(*_scope(scope), *chosen.conditions())
    return CASES.page(session, query, _summary, narrowed=[scope.as_json(), chosen.as_json()], sort=sort, limit=limit, cursor=cursor)


def count_cases(session: Session, *, scope: Scope = EVERYTHING, where: CaseWhere | None = None) -> int:
    """How many judged cases the reader may see, or how many of these the filters let pass."""
    query = select(func.count()).select_from(CaseStateRow).where(*_scope(scope))
    if where is None:  # both are read from an index; whoever is limited sees none that is withdrawn
        return (session.scalar(query) or 0) - (0 if scope.limited else count_withdrawn(session))
    query = query.where(*where.conditions())
    if where.by_row:
        query = query.outerjoin(DirtyRow, DirtyRow.case_id == CaseStateRow.case_id)
    return session.scalar(query) or 0


def count_withdrawn(session: Session) -> int:
    """How many cases there are of which nothing stands."""
    return session.scalar(select(func.count()).select_from(CaseStateRow).where(WITHDRAWN)) or 0


def case_facets(session: Session, *, scope: Scope = EVERYTHING) -> Facets:
    """Counts of the judged cases that the reader may see, by program, team, office and worker, in one query."""
    return facets(session, select(CaseStateRow).where(*_scope(scope), ~WITHDRAWN), CASE_FACETS)


def any_case(session: Session) -> bool:
    """Whether any case has ever been judged, whoever may see it."""
    return session.scalar(select(CaseStateRow.id).limit(1)) is not None


def case_detail(session: Session, case_id: str, *, scope: Scope = EVERYTHING, unjudged: bool = False) -> CaseDetail | None:
    """The case, with at most 1000 verdicts and breaches each; None where there is none that the reader may see.

    ``unjudged``: the reader may see it although it was never judged.
    """
    found = session.execute(_summaries().where(CaseStateRow.case_id == case_id)).first()
    summary = None if found is None else _summary(found)
    if summary is None and scope.limited and not unjudged:
        return None
    if summary is not None and not scope.holds(summary.team, summary.office):
        return None
    events = session.scalar(select(func.count()).select_from(EventRow).where(EventRow.case_id == case_id)) or 0
    if summary is None and not events:
        return None
    dirty = session.get(DirtyRow, case_id)
    verdicts = session.scalars(
        select(VerdictRow)
        .where(VerdictRow.case_id == case_id, *scope.conditions(VerdictRow.team, VerdictRow.office))
        .order_by(VerdictRow.episode, VerdictRow.policy, VerdictRow.rule, VerdictRow.obligation)
        .limit(MAX_LIMIT)
    )
    breaches = session.scalars(
        select(BreachRow)
        .where(BreachRow.case_id == case_id, *scope.conditions(BreachRow.team, BreachRow.office))
        .order_by(BreachRow.opened_at, BreachRow.id)
        .limit(MAX_LIMIT)
    )
    return CaseDetail(
        case=case_id,
        summary=summary,
        events=events,
        waiting=None if dirty is None else as_waiting(dirty),
        verdicts=tuple(StoredVerdict(row.id, as_verdict(row), row.changed_at) for row in verdicts),
        breaches=tuple(as_breach(row) for row in breaches),
    )


def may_see_case(session: Session, case_id: str, *, scope: Scope = EVERYTHING) -> bool:
    """Whether the case is on record, and the reader may see it."""
    if not scope.limited:
        return session.scalar(select(EventRow.position).where(EventRow.case_id == case_id).limit(1)) is not None
    return session.scalar(select(CaseStateRow.id).where(CaseStateRow.case_id == case_id, *_scope(scope))) is not None


def visible_cases(session: Session, cases: Collection[str], *, scope: Scope = EVERYTHING) -> list[str]:
    """Those of some cases that are on record and that the reader may see, in order; at most 1000."""
    if not cases:
        return []
    if not scope.limited:
        query = select(EventRow.case_id).where(EventRow.case_id.in_(sorted(cases))).distinct()
    else:
        query = select(CaseStateRow.case_id).where(CaseStateRow.case_id.in_(sorted(cases)), *_scope(scope))
    return sorted(session.scalars(query.limit(MAX_LIMIT)))


def list_events(
    session: Session,
    case_id: str,
    *,
    scope: Scope = EVERYTHING,
    sort: str | None = None,
    limit: int = DEFAULT_LIMIT,
    cursor: str | None = None,
) -> Page[StoredEvent]:
    """A case's events as they came in, in the order of happening; none where the reader may not see the case.

    Raises QueryError or CursorError.
    """
    query = select(EventRow).where(EventRow.case_id == case_id)
    if scope.limited and not may_see_case(session, case_id, scope=scope):
        query = query.where(EventRow.position < 0)
    page = EVENTS.page(session, query, lambda row: row[0], narrowed=[case_id, scope.as_json()], sort=sort, limit=limit, cursor=cursor)
    words = _words_about(session, case_id, [row.position for row in page.items])
    return Page(
        tuple(StoredEvent(row.position, _event(row), row.received, words.get(row.position, ())) for row in page.items), page.next_cursor
    )


def _words_about(session: Session, case_id: str, positions: list[int]) -> dict[int, tuple[str, ...]]:
    word = aliased(EventRow)
    found: dict[int, tuple[str, ...]] = {}
    if positions:
        rows = session.execute(
            select(EventRow.position, word.id)
            .join(word, (word.target == EventRow.id) & (word.source == EventRow.source))
            .where(EventRow.case_id == case_id, EventRow.position.in_(positions))
            .order_by(word.position)
        )
        for position, word_id in rows:
            found[position] = (*found.get(position, ()), word_id)
    return found


def _summaries() -> Any:
    waits = (DirtyRow.since, DirtyRow.quarantined, DirtyRow.last_error)
    return select(CaseStateRow, *waits).outerjoin(DirtyRow, DirtyRow.case_id == CaseStateRow.case_id)


def _scope(scope: Scope) -> list[Any]:
    return scope.conditions(CaseStateRow.team, CaseStateRow.office)


def _summary(row: Any) -> CaseSummary:
    state = row[0]
    return CaseSummary(
        case=state.case_id,
        program=state.program,
        team=state.team,
        office=state.office,
        worker=state.worker,
        open_breaches=state.open_breaches,
        evaluated_at=state.evaluated_at,
        next_check_at=state.next_check_at,
        as_of=state.as_of,
        position=state.position,
        summary=state.summary,
        queries=state.queries,
        waiting=row[1] is not None,
        quarantined=bool(row[2]),
        waiting_since=row[1],
        error=row[3],
        withdrawn=bool((state.summary or {}).get("withdrawn")),
    )


def _event(row: EventRow) -> Event:
    return Event(row.source, row.id, row.type, row.case_id, row.time, row.recorded, row.recorded_given, row.data)
