"""What narrows a list: the filters that somebody asks for, and the scope that they may see.  Imports store.errors and store.models."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from rules.model import Outcome
from store.errors import QueryError
from store.models import CONDITIONS, REVIEWS, BreachRow, VerdictRow
from store.severity import SEVERITIES

MOST_VALUES = 100
_LAST = "\U0010ffff"
_KNOWN: dict[str, Sequence[str]] = {
    "severity": SEVERITIES,
    "condition": CONDITIONS,
    "review": REVIEWS,
    "verdict": [outcome.value for outcome in Outcome],
    "status": ("draft", "shadow", "enforced", "retired"),
}


@dataclass(frozen=True, slots=True)
class Scope:
    """What a reader may see: None is everything, a set only what belongs to one of these teams and one of these offices."""

    teams: frozenset[str] | None = None
    offices: frozenset[str] | None = None

    @property
    def limited(self) -> bool:
        return self.teams is not None or self.offices is not None

    def conditions(self, team: InstrumentedAttribute[str | None], office: InstrumentedAttribute[str | None]) -> list[ColumnElement[bool]]:
        """What a row's team and office must fulfil.  A row without a team is seen by nobody who is limited to teams."""
        pairs = ((team, self.teams), (office, self.offices))
        return [column.in_(sorted(allowed)) if allowed else false() for column, allowed in pairs if allowed is not None]

    def holds(self, team: str | None, office: str | None) -> bool:
        """Whether a row of this team and office fulfils ``conditions``."""
        return (self.teams is None or team in self.teams) and (self.offices is None or office in self.offices)

    def as_json(self) -> Any:
        return [None if part is None else sorted(part) for part in (self.teams, self.offices)]


EVERYTHING = Scope()

NONE = "-"
"""As a value of a team, office, worker or assignee: what has none."""


@dataclass(frozen=True, slots=True)
class Age:
    """How long ago a breach was found: under this name from ``start`` up to ``end`` (ms; None: open on that side)."""

    name: str
    start: int | None = None
    end: int | None = None

    def condition(self) -> ColumnElement[bool]:
        """As a condition on BreachRow."""
        low = [BreachRow.opened_at >= self.start] if self.start is not None else []
        high = [BreachRow.opened_at < self.end] if self.end is not None else []
        return and_(True, *low, *high)


@dataclass(frozen=True, slots=True)
class Where:
    """Filters of findings; within one the values are alternatives, an empty one lets all pass.

    ``since`` and ``until`` are ISO dates, both inclusive, and speak of the due day.  ``verdict``, ``status`` and ``reason`` (``missing``:
    whatever is missing) are of the verdict; ``condition``, ``review``, ``assignee`` and ``age`` of the breach.  ``search`` is how the
    case's id begins, small or capital letters alike.  ``contested`` and ``undated`` let only pass what is contested, and what has no due
    day.  ``-`` as a team, office, worker or assignee means none.  Raises QueryError for values that cannot be.
    """

    rule: tuple[str, ...] = ()
    policy: tuple[str, ...] = ()
    severity: tuple[str, ...] = ()
    verdict: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    condition: tuple[str, ...] = ()
    review: tuple[str, ...] = ()
    team: tuple[str, ...] = ()
    office: tuple[str, ...] = ()
    worker: tuple[str, ...] = ()
    case: tuple[str, ...] = ()
    assignee: tuple[str, ...] = ()
    search: str = ""
    since: str | None = None
    until: str | None = None
    age: tuple[Age, ...] = ()
    reason: tuple[str, ...] = ()
    contested: bool = False
    undated: bool = False

    def __post_init__(self) -> None:
        for field in fields(self):
            values = getattr(self, field.name)
            if field.name == "age" or isinstance(values, bool):
                continue
            if isinstance(values, tuple):
                _check(field.name, values)
            elif field.name == "search":
                _check(field.name, (values,))
            elif values is not None:
                _check_day({"since": "from", "until": "to"}[field.name], values)

    def as_json(self) -> Any:
        """Of an age its name only: its days move on at midnight, while somebody turns the pages of a list."""
        told = {name: sorted(value) if isinstance(value, tuple) else value for name, value in asdict(replace(self, age=())).items()}
        return told | {"age": sorted(age.name for age in self.age)}

    def without(self, name: str) -> Where:
        """The same, but not narrowed by ``name``."""
        return replace(self, **{name: ()})  # type: ignore[arg-type]

    def of_breaches(self) -> list[ColumnElement[bool]]:
        """As conditions on BreachRow.  Raises QueryError for ``verdict``, ``status`` and ``reason``, which a breach does not have."""
        for name in ("verdict", "status", "reason"):
            if getattr(self, name):
                raise QueryError(name, "is not a filter of this list")
        ages = [or_(*(age.condition() for age in self.age))] if self.age else []
        return [
            *self._common(BreachRow),
            *_any(BreachRow.condition, self.condition),
            *_any(BreachRow.review, self.review),
            *_any_or_none(BreachRow.assignee, self.assignee),
            *ages,
        ]

    def of_verdicts(self) -> list[ColumnElement[bool]]:
        """As conditions on VerdictRow.  Raises QueryError for ``assignee`` and ``age``, which a verdict does not have."""
        if self.assignee or self.age:
            raise QueryError("assignee" if self.assignee else "age", "is not a filter of this list")
        conditions = [*self._common(VerdictRow), *_any(VerdictRow.verdict, self.verdict), *_any(VerdictRow.status, self.status)]
        if self.reason:
            missing = [VerdictRow.reason.like("missing%")] if "missing" in self.reason else []
            conditions.append(or_(*_any(VerdictRow.reason, self.reason), *missing))
        breach = [*_any(BreachRow.condition, self.condition), *_any(BreachRow.review, self.review)]
        if breach:
            conditions.append(select(BreachRow.id).where(BreachRow.id == VerdictRow.id, *breach).exists())
        return conditions

    def _common(self, row: type[BreachRow | VerdictRow]) -> list[ColumnElement[bool]]:
        conditions = [
            *_any(row.rule, self.rule),
            *_any(row.policy, self.policy),
            *_any(row.severity, self.severity),
            *_any_or_none(row.team, self.team),
            *_any_or_none(row.office, self.office),
            *_any_or_none(row.worker, self.worker),
            *_any(row.case_id, self.case),
            *_begins(row.case_id, self.search),
        ]
        if self.since is not None:
            conditions += [row.due_key >= self.since, row.due_on.is_not(None)]
        if self.until is not None:
            conditions.append(row.due_key <= self.until)
        if self.contested:
            conditions.append(row.contested.is_not(None))
        if self.undated:
            conditions.append(row.due_on.is_(None))
        return conditions


def _any(column: InstrumentedAttribute[Any], values: tuple[str, ...]) -> list[ColumnElement[bool]]:
    if not values:
        return []
    return [column == values[0] if len(values) == 1 else column.in_(sorted(values))]


def _any_or_none(column: InstrumentedAttribute[Any], values: tuple[str, ...]) -> list[ColumnElement[bool]]:
    given = _any(column, values)
    return [or_(*given, column.is_(None))] if NONE in values else given


def _begins(column: InstrumentedAttribute[Any], beginning: str) -> list[ColumnElement[bool]]:
    """Ranges rather than LIKE: the index on the ids serves them on both databases, and no character of an id is a wildcard."""
    if not beginning:
        return []
    spelled = sorted({beginning, beginning.upper(), beginning.lower()})
    return [or_(*(and_(column >= text, column < text + _LAST) for text in spelled))]


def _check(name: str, values: tuple[str, ...]) -> None:
    if len(values) > MOST_VALUES:
        raise QueryError(name, f"at most {MOST_VALUES} values")
    known = _KNOWN.get(name)
    if known is not None and not set(values) <= set(known):
        raise QueryError(name, f"must be one of {', '.join(known)}")
    for value in values:
        if "\x00" in value or any("\ud800" <= char <= "\udfff" for char in value):
            raise QueryError(name, "contains a character that no stored value has")


def _check_day(name: str, value: str) -> None:
    try:
        good = dt.date.fromisoformat(value).isoformat() == value
    except ValueError:
        good = False
    if not good:
        raise QueryError(name, "must be a date such as 2026-03-31")


UNFILTERED = Where()
