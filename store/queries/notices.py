"""What a digest counts (breaches that are new, those that nobody looks at), and the list of messages that were given up.

Imports store.models, store.notices and store.queries.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from store.models import BreachRow, NoticeRow
from store.notices import Notice, as_notice
from store.queries.narrow import EVERYTHING, Scope
from store.queries.paging import DEFAULT_LIMIT, Listing, Page, Sort

MOST_RULES = 100
GIVEN_UP = Listing("given_up", {"number": Sort(NoticeRow.id)}, "-number", NoticeRow.id, int)


@dataclass(frozen=True, slots=True)
class OfRule:
    """How many breaches of one rule are open, by what a digest asks."""

    policy: str
    rule: str
    severity: str
    new: int
    stale: int


def open_breaches(session: Session, *, after: int, until: int, stale_before: int, scope: Scope = EVERYTHING) -> list[OfRule]:
    """Open breaches by rule: those announced after ``after`` up to ``until``, and those that nobody has reviewed though found before
    ``stale_before`` (all ms).  The most new ones first; at most 100 rules, none of them with neither."""
    new = func.count().filter(BreachRow.announced_at > after, BreachRow.announced_at <= until)
    stale = func.count().filter(BreachRow.review == "new", BreachRow.opened_at < stale_before)
    columns = (BreachRow.policy, BreachRow.rule, BreachRow.severity)
    query = select(*columns, new, stale).where(BreachRow.condition == "open", *scope.conditions(BreachRow.team, BreachRow.office))
    query = query.group_by(*columns).having((new > 0) | (stale > 0)).order_by(new.desc(), stale.desc(), *columns).limit(MOST_RULES)
    return [OfRule(*row) for row in session.execute(query)]


def list_given_up(session: Session, *, receiver: str | None = None, limit: int = DEFAULT_LIMIT, cursor: str | None = None) -> Page[Notice]:
    """Messages that were given up, the latest first.  Raises QueryError or CursorError."""
    query = select(NoticeRow).where(NoticeRow.state == "dead")
    if receiver is not None:
        query = query.where(NoticeRow.receiver == receiver)
    return GIVEN_UP.page(session, query, lambda row: as_notice(row[0]), narrowed=[receiver], limit=limit, cursor=cursor)
