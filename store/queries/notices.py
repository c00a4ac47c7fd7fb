"""What a digest counts: breaches that are new, those that nobody looks at, what falls due.  Imports store.models and store.queries."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from store.models import BreachRow
from store.queries.narrow import EVERYTHING, Scope

MOST_RULES = 100


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
