"""What narrows a list: the filters that somebody asks for, and the scope that they may see.  Imports store.errors and store.models."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from sqlalchemy import ColumnElement, false, select
from sqlalchemy.orm import InstrumentedAttribute

from rules.model import Outcome
from store.errors import QueryError
from store.models import CONDITIONS, REVIEWS, BreachRow, VerdictRow
from store.severity import SEVERITIES

MOST_VALUES = 100
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

    def as_json(self) -> Any:
        return [None if part is None else sorted(part) for part in (self.teams, self.offices)]


EVERYTHING = Scope()


@dataclass(frozen=True, slots=True)
class Where:
    """Filters of findings; within one the values are alternatives, an empty one lets all pass.

    ``since`` and ``until`` are ISO dates, both inclusive, and speak of the due day.  ``verdict`` and ``status`` are of the
    verdict; ``condition`` and ``review`` of the breach.  Raises QueryError for values that cannot be.
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
    since: str | None = None
    until: str | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            values = getattr(self, field.name)
            if isinstance(values, tuple):
                _check(field.name, values)
            elif values is not None:
                _check_day({"since": "from", "until": "to"}[field.name], values)

    def as_json(self) -> Any:
        return {name: sorted(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    def of_breaches(self) -> list[ColumnElement[bool]]:
        """As conditions on BreachRow.  Raises QueryError for ``verdict`` and ``status``, which a breach does not have."""
        if self.verdict or self.status:
            raise QueryError("verdict" if self.verdict else "status", "is not a filter of this list")
        return [*self._common(BreachRow), *_any(BreachRow.condition, self.condition), *_any(BreachRow.review, self.review)]

    def of_verdicts(self) -> list[ColumnElement[bool]]:
        """As conditions on VerdictRow."""
        conditions = [*self._common(VerdictRow), *_any(VerdictRow.verdict, self.verdict), *_any(VerdictRow.status, self.status)]
        breach = [*_any(BreachRow.condition, self.condition), *_any(BreachRow.review, self.review)]
        if breach:
            conditions.append(select(BreachRow.id).where(BreachRow.id == VerdictRow.id, *breach).exists())
        return conditions

    def _common(self, row: type[BreachRow | VerdictRow]) -> list[ColumnElement[bool]]:
        conditions = [
            *_any(row.rule, self.rule),
            *_any(row.policy, self.policy),
            *_any(row.severity, self.severity),
            *_any(row.team, self.team),
            *_any(row.office, self.office),
            *_any(row.worker, self.worker),
            *_any(row.case_id, self.case),
        ]
        if self.since is not None:
            conditions += [row.due_key >= self.since, row.due_on.is_not(None)]
        if self.until is not None:
            conditions.append(row.due_key <= self.until)
        return conditions


def _any(column: InstrumentedAttribute[Any], values: tuple[str, ...]) -> list[ColumnElement[bool]]:
    if not values:
        return []
    return [column == values[0] if len(values) == 1 else column.in_(sorted(values))]


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
