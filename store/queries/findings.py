"""Lists of verdicts, of what falls due soon, and of breaches; single ones; waivers.  Imports store.models and store.queries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from rules.model import Verdict
from store.breaches import Breach, as_breach
from store.models import OPEN, BreachRow, VerdictRow, WaiverRow
from store.queries.narrow import EVERYTHING, UNFILTERED, Scope, Where
from store.queries.paging import DEFAULT_LIMIT, Listing, Page, Sort
from store.verdicts import as_verdict

_VERDICT_SORTS = {
    "due_on": Sort(VerdictRow.due_key, str),
    "changed_at": Sort(VerdictRow.changed_at),
    "severity": Sort(VerdictRow.severity_rank),
    "days_late": Sort(func.coalesce(VerdictRow.days_late, -1)),
    "rule": Sort(VerdictRow.rule, str),
}
VERDICTS = Listing("verdicts", _VERDICT_SORTS, "due_on", VerdictRow.id)
DUE_SOON = Listing("due-soon", _VERDICT_SORTS, "due_on", VerdictRow.id)
BREACHES = Listing(
    "breaches",
    {
        "opened_at": Sort(BreachRow.opened_at),
        "changed_at": Sort(BreachRow.changed_at),
        "due_on": Sort(BreachRow.due_key, str),
        "severity": Sort(BreachRow.severity_rank),
        "days_late": Sort(func.coalesce(BreachRow.days_late, -1)),
        "rule": Sort(BreachRow.rule, str),
        "case": Sort(BreachRow.case_id, str, private=True),
    },
    "-opened_at",
    BreachRow.id,
)
WAIVERS = Listing("waivers", {"created": Sort(WaiverRow.created), "ends_at": Sort(WaiverRow.ends_at)}, "-created", WaiverRow.id)


@dataclass(frozen=True, slots=True)
class StoredVerdict:
    """A current verdict, and since when it has stood so (ms).  ``id`` is also that of its breach, where there is one."""

    id: str
    verdict: Verdict
    changed_at: int


@dataclass(frozen=True, slots=True)
class Waiver:
    """A waiver as it stands.  Instants in ms."""

    id: str
    breach_id: str
    author: str
    approver: str | None
    reason_code: str
    comment: str | None
    state: str
    created: int
    decided_at: int | None
    ends_at: int
    evidence_digest: str
    version: int
    voided_at: int | None = None

    def held(self, *, as_of: int, known_at: int) -> bool:
        """Whether it excused its breach at ``as_of``, as far as was known at ``known_at`` (ms)."""
        if self.state not in {"approved", "ended", "void"} or self.decided_at is None:
            return False
        void = self.state == "void" and (self.voided_at is None or self.voided_at <= known_at)
        return not void and self.decided_at <= min(as_of, known_at) and as_of < self.ends_at


def list_verdicts(
    session: Session,
    *,
    where: Where = UNFILTERED,
    scope: Scope = EVERYTHING,
    sort: str | None = None,
    limit: int = DEFAULT_LIMIT,
    cursor: str | None = None,
) -> Page[StoredVerdict]:
    """Current verdicts.  Raises QueryError or CursorError."""
    query = select(VerdictRow).where(*where.of_verdicts(), *_verdict_scope(scope))
    narrowed = [where.as_json(), scope.as_json()]
    return VERDICTS.page(session, query, _verdict, narrowed=narrowed, sort=sort, limit=limit, cursor=cursor)


def list_due_soon(
    session: Session,
    *,
    due_by: str,
    where: Where = UNFILTERED,
    scope: Scope = EVERYTHING,
    sort: str | None = None,
    limit: int = DEFAULT_LIMIT,
    cursor: str | None = None,
) -> Page[StoredVerdict]:
    """Obligations of enforced rules that are open and due by ``due_by`` (ISO date).  Raises QueryError or CursorError."""
    Where(until=due_by)
    query = select(VerdictRow).where(*_open_by(due_by), *where.of_verdicts(), *_verdict_scope(scope))
    narrowed = [where.as_json(), scope.as_json(), due_by]
    return DUE_SOON.page(session, query, _verdict, narrowed=narrowed, sort=sort, limit=limit, cursor=cursor)


def count_due_soon(session: Session, *, due_by: str, where: Where = UNFILTERED, scope: Scope = EVERYTHING) -> int:
    """How many rows ``list_due_soon`` has in all its pages."""
    query = select(func.count()).select_from(VerdictRow).where(*_open_by(due_by), *where.of_verdicts(), *_verdict_scope(scope))
    return session.scalar(query) or 0


def list_breaches(
    session: Session,
    *,
    where: Where = UNFILTERED,
    scope: Scope = EVERYTHING,
    sort: str | None = None,
    limit: int = DEFAULT_LIMIT,
    cursor: str | None = None,
) -> Page[Breach]:
    """Breaches, the newest first unless sorted otherwise.  Raises QueryError or CursorError."""
    query = select(BreachRow).where(*where.of_breaches(), *_breach_scope(scope))
    narrowed = [where.as_json(), scope.as_json()]
    return BREACHES.page(session, query, lambda row: as_breach(row[0]), narrowed=narrowed, sort=sort, limit=limit, cursor=cursor)


def neighbours(
    session: Session, breach_id: str, *, where: Where = UNFILTERED, scope: Scope = EVERYTHING, sort: str | None = None
) -> tuple[str | None, str | None]:
    """The breaches before and after this one in the list that ``list_breaches`` gives; None at its ends.  Raises QueryError."""
    query = select(BreachRow.id).where(*where.of_breaches(), *_breach_scope(scope))
    return BREACHES.around(session, query, breach_id, sort=sort)


def count_breaches(session: Session, *, where: Where = UNFILTERED, scope: Scope = EVERYTHING) -> int:
    """How many rows ``list_breaches`` has in all its pages."""
    query = select(func.count()).select_from(BreachRow).where(*where.of_breaches(), *_breach_scope(scope))
    return session.scalar(query) or 0


def count_verdicts(session: Session, *, where: Where = UNFILTERED, scope: Scope = EVERYTHING) -> int:
    """How many rows ``list_verdicts`` has in all its pages."""
    query = select(func.count()).select_from(VerdictRow).where(*where.of_verdicts(), *_verdict_scope(scope))
    return session.scalar(query) or 0


def find_breach(session: Session, breach_id: str, *, scope: Scope = EVERYTHING) -> Breach | None:
    """The breach; None where there is none of this id that the reader may see."""
    row = session.scalar(select(BreachRow).where(BreachRow.id == breach_id, *_breach_scope(scope)))
    return None if row is None else as_breach(row)


def find_verdict(session: Session, verdict_id: str, *, scope: Scope = EVERYTHING) -> StoredVerdict | None:
    """The current verdict of this id (a breach's id, too); None where there is none that the reader may see."""
    row = session.execute(select(VerdictRow).where(VerdictRow.id == verdict_id, *_verdict_scope(scope))).first()
    return None if row is None else _verdict(row)


def list_waivers(
    session: Session,
    *,
    breach_id: str | None = None,
    states: tuple[str, ...] = (),
    scope: Scope = EVERYTHING,
    sort: str | None = None,
    limit: int = DEFAULT_LIMIT,
    cursor: str | None = None,
) -> Page[Waiver]:
    """Waivers of breaches that the reader may see.  Raises QueryError or CursorError."""
    query = select(WaiverRow).join(BreachRow, BreachRow.id == WaiverRow.breach_id).where(*_breach_scope(scope))
    if breach_id is not None:
        query = query.where(WaiverRow.breach_id == breach_id)
    if states:
        query = query.where(WaiverRow.state.in_(states))
    narrowed = [breach_id, sorted(states), scope.as_json()]
    return WAIVERS.page(session, query, lambda row: as_waiver(row[0]), narrowed=narrowed, sort=sort, limit=limit, cursor=cursor)


def waivers_of_case(session: Session, case_id: str) -> list[Waiver]:
    """All waivers ever asked for on the case's breaches, oldest first."""
    query = select(WaiverRow).join(BreachRow, BreachRow.id == WaiverRow.breach_id).where(BreachRow.case_id == case_id)
    return [as_waiver(row) for row in session.scalars(query.order_by(WaiverRow.created, WaiverRow.id))]


def as_waiver(row: WaiverRow) -> Waiver:
    """The waiver that a row holds."""
    return Waiver(
        id=row.id,
        breach_id=row.breach_id,
        author=row.author,
        approver=row.approver,
        reason_code=row.reason_code,
        comment=row.comment,
        state=row.state,
        created=row.created,
        decided_at=row.decided_at,
        ends_at=row.ends_at,
        evidence_digest=row.evidence_digest,
        version=row.version,
        voided_at=row.voided_at,
    )


def _open_by(due_by: str) -> list[Any]:
    return [text(OPEN), VerdictRow.due_key <= due_by]


def _verdict(row: Any) -> StoredVerdict:
    return StoredVerdict(row[0].id, as_verdict(row[0]), row[0].changed_at)


def _verdict_scope(scope: Scope) -> list[Any]:
    return scope.conditions(VerdictRow.team, VerdictRow.office)


def _breach_scope(scope: Scope) -> list[Any]:
    return scope.conditions(BreachRow.team, BreachRow.office)
