"""What the work list asks beside its rows: how many fit each value of a filter, what came meanwhile, who changed something last.

Imports store.models and store.queries.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, case, func, literal, select
from sqlalchemy.orm import Session

from store.breaches import Breach, StoredLine, as_breach, as_line
from store.models import BreachHistoryRow, BreachRow
from store.queries.counts import Facets, numbers
from store.queries.narrow import EVERYTHING, UNFILTERED, Age, Scope, Where
from store.queries.paging import MAX_LIMIT

FACETS = ("condition", "review", "severity", "assignee", "policy", "rule", "team", "office", "worker", "age")
MOST_VALUES = 200
"""A facet shows at most so many values, the most frequent ones."""


def facets(session: Session, *, where: Where = UNFILTERED, scope: Scope = EVERYTHING, ages: Sequence[Age] = ()) -> Facets:
    """How many breaches fit each value of each facet, all other filters kept: what choosing that value as well would bring.

    ``total`` is the number that fits all filters.  Each facet that narrows the list is counted without itself, the others together.
    """
    columns = _columns(ages)
    narrowing = [name for name in columns if getattr(where, name)]
    free = [name for name in columns if name not in narrowing]
    by: dict[str, dict[str | None, int]] = {name: {} for name in columns}
    total = 0
    for names, narrowed in [(free, where), *(([name], where.without(name)) for name in narrowing)]:
        for facet, value, number in _counted(session, {name: columns[name] for name in names}, narrowed, scope):
            if facet:
                by[facet][value] = number
            elif narrowed is where:
                total = number
    ordered = {name: sorted(found.items(), key=lambda item: (-item[1], item[0] or "")) for name, found in by.items()}
    return Facets(total, {name: dict(found[:MOST_VALUES]) for name, found in ordered.items()})


def _columns(ages: Sequence[Age]) -> dict[str, ColumnElement[Any]]:
    found: dict[str, ColumnElement[Any]] = {name: getattr(BreachRow, name).expression for name in FACETS if name != "age"}
    if ages:
        found["age"] = case(*((age.condition(), literal(age.name)) for age in ages))
    return found


def _counted(session: Session, columns: Mapping[str, ColumnElement[Any]], where: Where, scope: Scope) -> list[tuple[str, str | None, int]]:
    """(facet, value, number) of each value; the facet is empty for the number of all rows."""
    conditions = [*where.of_breaches(), *_scope(scope)]
    chosen = select(*(column.label(name) for name, column in columns.items())).where(*conditions).cte("chosen")
    return numbers(session, chosen, list(columns))


def opened_since(session: Session, since: int, *, where: Where = UNFILTERED, scope: Scope = EVERYTHING) -> int:
    """How many breaches of the list were found at ``since`` (ms) or later."""
    query = select(func.count()).select_from(BreachRow).where(BreachRow.opened_at >= since, *where.of_breaches(), *_scope(scope))
    return session.scalar(query) or 0


def breaches_of(session: Session, ids: Collection[str], *, scope: Scope = EVERYTHING) -> dict[str, Breach]:
    """The breaches of these ids (at most 1,000) that the reader may see."""
    query = select(BreachRow).where(BreachRow.id.in_(sorted(ids)), *_scope(scope)).order_by(BreachRow.id).limit(MAX_LIMIT)
    return {row.id: as_breach(row) for row in session.scalars(query)}


def locked_breaches(session: Session, ids: Collection[str], *, scope: Scope = EVERYTHING) -> dict[str, Breach]:
    """As ``breaches_of``; nobody else changes them before this transaction ends."""
    query = select(BreachRow).where(BreachRow.id.in_(sorted(ids)), *_scope(scope)).order_by(BreachRow.id).limit(MAX_LIMIT)
    rows = session.scalars(query.with_for_update().execution_options(populate_existing=True))
    return {row.id: as_breach(row) for row in rows}


def versions_of(session: Session, ids: Collection[str], *, scope: Scope = EVERYTHING) -> dict[str, int]:
    """The present versions of the breaches of these ids (at most 1,000) that the reader may see."""
    query = select(BreachRow.id, BreachRow.version).where(BreachRow.id.in_(sorted(ids)), *_scope(scope)).order_by(BreachRow.id)
    return {row.id: row.version for row in session.execute(query.limit(MAX_LIMIT))}


def last_lines(session: Session, ids: Collection[str]) -> dict[str, StoredLine]:
    """The last line of the history of each of these breaches."""
    latest = select(func.max(BreachHistoryRow.id)).where(BreachHistoryRow.breach_id.in_(sorted(ids))).group_by(BreachHistoryRow.breach_id)
    rows = session.scalars(select(BreachHistoryRow).where(BreachHistoryRow.id.in_(latest)).order_by(BreachHistoryRow.id))
    return {row.breach_id: as_line(row) for row in rows}


def _scope(scope: Scope) -> list[Any]:
    return scope.conditions(BreachRow.team, BreachRow.office)
