"""Counts: facets of the breach and verdict lists, and the figures behind statistics.  Imports store.models and store.queries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from sqlalchemy import CTE, ColumnElement, Select, case, func, literal, select, tuple_, union_all
from sqlalchemy.orm import Session

from rules.model import Outcome
from store.errors import QueryError
from store.models import CONDITIONS, BreachRow, RemovedCountRow, VerdictRow
from store.queries import removed
from store.queries.narrow import EVERYTHING, UNFILTERED, Scope, Where
from store.queries.paging import MAX_LIMIT
from store.sql import dialect
from store.tallies import NO_DAY
from store.verdicts import NO_DUE_DAY

BREACH_FACETS = ("condition", "review", "severity", "policy", "rule", "team", "office", "worker")
VERDICT_FACETS = ("verdict", "status", "severity", "policy", "rule", "team", "office", "worker")
MOST_VALUES = 200
"""A facet shows at most so many values, the most frequent ones."""


@dataclass(frozen=True, slots=True)
class Facets:
    """How many rows a list has, and how they spread: for each facet the counts by value (None: the row has none)."""

    total: int
    by: Mapping[str, Mapping[str | None, int]]


@dataclass(frozen=True, slots=True)
class Tally:
    """Verdict counts of one group.  ``group`` holds a value for each name that was asked for, in that order."""

    group: tuple[str | None, ...]
    outcomes: Mapping[str, int]
    days_late: int
    """Sum over the ``late`` ones."""
    most_days_late: int


@dataclass(frozen=True, slots=True)
class Flow:
    """Breaches that opened from ``start`` up to ``end`` (ms, exclusive), by the condition that they are in now."""

    start: int
    end: int
    conditions: Mapping[str, int]

    @property
    def opened(self) -> int:
        return sum(self.conditions.values())


_GROUPS: dict[str, ColumnElement[Any]] = {
    "policy": VerdictRow.policy.expression,
    "rule": VerdictRow.rule.expression,
    "severity": VerdictRow.severity.expression,
    "team": VerdictRow.team.expression,
    "office": VerdictRow.office.expression,
    "worker": VerdictRow.worker.expression,
    "status": VerdictRow.status.expression,
    "month": func.substr(VerdictRow.due_key, 1, 7),
}


def breach_facets(session: Session, *, where: Where = UNFILTERED, scope: Scope = EVERYTHING) -> Facets:
    """Counts of the breaches that ``list_breaches`` gives, in one query."""
    rows = select(BreachRow).where(*where.of_breaches(), *scope.conditions(BreachRow.team, BreachRow.office))
    return facets(session, rows, BREACH_FACETS)


def verdict_facets(session: Session, *, where: Where = UNFILTERED, scope: Scope = EVERYTHING) -> Facets:
    """Counts of the verdicts that ``list_verdicts`` gives, in one query."""
    rows = select(VerdictRow).where(*where.of_verdicts(), *scope.conditions(VerdictRow.team, VerdictRow.office))
    return facets(session, rows, VERDICT_FACETS)


def tallies(
    session: Session,
    *,
    by: Sequence[str],
    where: Where = UNFILTERED,
    scope: Scope = EVERYTHING,
    limit: int = MAX_LIMIT,
) -> list[Tally]:
    """Verdicts counted by outcome within groups (policy, rule, severity, team, office, worker, status, month of the due day).

    In order of the groups, at most ``limit``.  Raises QueryError for an unknown group.
    """
    unknown = set(by) - set(_GROUPS)
    if unknown or not by:
        raise QueryError("by", f"must be some of {', '.join(_GROUPS)}")
    if not 1 <= limit <= MAX_LIMIT:
        raise QueryError("limit", f"must be between 1 and {MAX_LIMIT}")
    keys = [_GROUPS[name] for name in by]
    counts = [func.count().filter(VerdictRow.verdict == outcome.value) for outcome in Outcome]
    late = VerdictRow.verdict == Outcome.LATE.value
    rows = session.execute(
        select(
            *keys,
            *counts,
            func.coalesce(func.sum(VerdictRow.days_late).filter(late), 0),
            func.coalesce(func.max(VerdictRow.days_late).filter(late), 0),
        )
        .where(*where.of_verdicts(), *scope.conditions(VerdictRow.team, VerdictRow.office))
        .group_by(*keys)
        .order_by(*(func.coalesce(key, "") for key in keys))
        .limit(limit)
    ).all()
    width = len(keys)
    found = [
        Tally(
            group=tuple(row[:width]),
            outcomes={outcome.value: row[width + place] for place, outcome in enumerate(Outcome)},
            days_late=int(row[-2]),
            most_days_late=int(row[-1]),
        )
        for row in rows
    ]
    return _with_removed(found, by, removed.verdicts(session, where, scope))[:limit]


def _with_removed(found: list[Tally], by: Sequence[str], gone: Sequence[RemovedCountRow]) -> list[Tally]:
    """Groups with what was removed from them; nobody knows any more whose work that was."""
    if not gone:
        return found
    groups = {one.group: one for one in found}
    for row in gone:
        told = {"worker": None, "month": NO_DUE_DAY[:7] if row.month == NO_DAY else row.month}
        group = tuple(told[name] if name in told else getattr(row, name) for name in by)
        before = groups.get(group, Tally(group, dict.fromkeys((outcome.value for outcome in Outcome), 0), 0, 0))
        outcomes = {**before.outcomes, str(row.verdict): before.outcomes[str(row.verdict)] + row.number}
        late = row.days_late or 0 if row.verdict == Outcome.LATE.value else 0
        groups[group] = Tally(group, outcomes, before.days_late + late * row.number, max(before.most_days_late, late))
    return [groups[group] for group in sorted(groups, key=lambda group: [part or "" for part in group])]


def all_breaches(session: Session, *, where: Where = UNFILTERED, scope: Scope = EVERYTHING) -> Facets:
    """``breach_facets`` with the breaches that were removed, as figures about all that ever was."""
    found = breach_facets(session, where=where, scope=scope)
    gone = removed.breaches(session, where, scope)
    if not gone:
        return found
    pieces: list[tuple[str, str | None, int]] = [("", None, found.total + sum(row.number for row in gone))]
    for name in BREACH_FACETS:
        counts = dict(found.by[name])
        for row in gone:
            value = None if name == "worker" else getattr(row, name)
            counts[value] = counts.get(value, 0) + row.number
        pieces += [(name, value, number) for value, number in counts.items()]
    return most_frequent(pieces, BREACH_FACETS)


def open_breaches_by_team(session: Session, *, scope: Scope = EVERYTHING) -> dict[str | None, int]:
    """How many breaches are open now, by team."""
    rows = session.execute(
        select(BreachRow.team, func.count())
        .where(BreachRow.condition == "open", *scope.conditions(BreachRow.team, BreachRow.office))
        .group_by(BreachRow.team)
        .order_by(func.count().desc(), func.coalesce(BreachRow.team, ""))
        .limit(MAX_LIMIT)
    )
    return {row[0]: row[1] for row in rows}


def breach_flow(session: Session, edges: Sequence[int], *, where: Where = UNFILTERED, scope: Scope = EVERYTHING) -> list[Flow]:
    """Breaches by when they opened: one ``Flow`` between each two neighbours of ``edges`` (rising instants, ms)."""
    if len(edges) > MAX_LIMIT or any(a >= b for a, b in pairwise(edges)):
        raise QueryError("edges", f"must be at most {MAX_LIMIT} rising instants")
    spans = list(pairwise(edges))
    if not spans:
        return []
    span = case(*((BreachRow.opened_at < end, place) for place, (_, end) in enumerate(spans))).label("span")
    chosen = (
        select(span, BreachRow.condition)
        .where(BreachRow.opened_at >= edges[0], BreachRow.opened_at < edges[-1])
        .where(*where.of_breaches(), *scope.conditions(BreachRow.team, BreachRow.office))
        .subquery()
    )
    counts: list[dict[str, int]] = [dict.fromkeys(CONDITIONS, 0) for _ in spans]
    for place, condition, number in session.execute(
        select(chosen.c.span, chosen.c.condition, func.count()).group_by(chosen.c.span, chosen.c.condition)
    ):
        counts[place][condition] = number
    return [Flow(start, end, count) for (start, end), count in zip(spans, counts, strict=True)]


def facets(session: Session, rows: Select[Any], names: Sequence[str]) -> Facets:
    """Counts of ``rows`` by the columns named, the most frequent values of each first, in one query."""
    return most_frequent(
        numbers(session, rows.with_only_columns(*(rows.selected_columns[name] for name in names)).cte("chosen"), names), names
    )


def most_frequent(found: Iterable[tuple[str, str | None, int]], names: Sequence[str]) -> Facets:
    """From what ``numbers`` gives: of each facet the values that occur most, at most ``MOST_VALUES``."""
    total, by = 0, {name: dict[str | None, int]() for name in names}
    for facet, value, number in found:
        if facet:
            by[facet][value] = number
        else:
            total = number
    ordered = {name: sorted(counts.items(), key=lambda item: (-item[1], item[0] or "")) for name, counts in by.items()}
    return Facets(total, {name: dict(counts[:MOST_VALUES]) for name, counts in ordered.items()})


def numbers(session: Session, chosen: CTE, names: Sequence[str]) -> list[tuple[str, str | None, int]]:
    """(facet, value, number) of each value of the columns named; the facet is empty for the number of all rows.

    PostgreSQL counts them all while it reads the rows once.
    """
    columns = [chosen.c[name] for name in names]
    if dialect(session) == "postgresql" and names:
        sets = func.grouping_sets(*columns, tuple_())
        rows = session.execute(select(func.grouping(*columns), *columns, func.count()).select_from(chosen).group_by(sets)).all()
        everything = 2 ** len(names) - 1
        bits = {everything - 2 ** (len(names) - 1 - place): place for place in range(len(names))}
        return [("", None, row[-1]) if row[0] == everything else (names[bits[row[0]]], row[1 + bits[row[0]]], row[-1]) for row in rows]
    parts = [select(literal("").label("facet"), literal(None).label("value"), func.count().label("number")).select_from(chosen)]
    parts += [select(literal(name), chosen.c[name], func.count()).group_by(chosen.c[name]) for name in names]
    return [(row[0], row[1], row[2]) for row in session.execute(union_all(*parts))]
