"""What the work list shows, as plain values, and what can stand in its address.  Imports this package's columns and api.web.views."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Self

from api.web.views import BreachRow, Choice

SEVERAL = ("condition", "review", "severity", "assignee", "age", "policy", "rule", "team", "office", "worker", "case")
"""Filters that take several values, in the order in which they are told."""
SINGLE = ("search", "since", "until", "contested", "sort", "cursor")
_ADDRESS = {"since": "from", "until": "to"}


@dataclass(frozen=True, slots=True)
class WorkFilters:
    """What the list is narrowed to, its order, columns and place; empty: not narrowed by that, or as usual."""

    condition: tuple[str, ...] = ()
    review: tuple[str, ...] = ()
    severity: tuple[str, ...] = ()
    assignee: tuple[str, ...] = ()
    age: tuple[str, ...] = ()
    policy: tuple[str, ...] = ()
    rule: tuple[str, ...] = ()
    team: tuple[str, ...] = ()
    office: tuple[str, ...] = ()
    worker: tuple[str, ...] = ()
    case: tuple[str, ...] = ()
    search: str = ""
    since: str = ""
    """First due day, ISO; ``from`` in the address."""
    until: str = ""
    contested: str = ""
    """``yes``: only what is contested."""
    sort: str = ""
    cursor: str = ""
    columns: tuple[str, ...] = ()

    def chosen(self) -> list[tuple[str, str]]:
        """Each (filter, value) that narrows the list."""
        told = [("search", self.search)] if self.search else []
        told += [(name, value) for name in SEVERAL for value in getattr(self, name)]
        return told + [(name, value) for name in ("since", "until", "contested") if (value := getattr(self, name))]

    def query(self) -> dict[str, Any]:
        """As the query of an address: what is empty is left out."""
        found: dict[str, Any] = {name: list(values) for name in SEVERAL if (values := getattr(self, name))}
        found |= {_ADDRESS.get(name, name): value for name in SINGLE if (value := getattr(self, name))}
        return found | ({"columns": ",".join(self.columns)} if self.columns else {})

    def but(self, **changes: Any) -> Self:
        """With these changes, at the beginning of the list."""
        return replace(self, **{"cursor": "", **changes})

    def less(self, name: str, value: str) -> Self:
        """Without one value of a filter, at the beginning of the list."""
        held = getattr(self, name)
        return self.but(**{name: tuple(one for one in held if one != value) if isinstance(held, tuple) else ""})

    def cleared(self) -> Self:
        """Not narrowed by anything; order and columns stay."""
        names = {one.name for one in fields(self)} - {"sort", "columns"}
        return self.but(**{name: () if name in SEVERAL else "" for name in names})


@dataclass(frozen=True, slots=True)
class WorkRow:
    """A breach in the work list.  ``opened_at`` in ms; ``age``: whole local days since then."""

    row: BreachRow
    policy: str
    """The policy's title."""
    opened_at: int
    changed_at: int
    age: int
    assignee: str = ""
    """The name of whoever works on it."""
    mine: bool = False


@dataclass(frozen=True, slots=True)
class ViewLink:
    """A view of the list that can be chosen."""

    name: str
    filters: WorkFilters
    id: str = ""
    """Empty: one that the product brings."""
    owner: str = ""
    """The name of the colleague who shares it; empty for one's own."""
    shared: bool = False
    here: bool = False


@dataclass(frozen=True, slots=True)
class WorkList:
    """One page of the work list.  ``as_of`` in ms."""

    rows: Sequence[WorkRow]
    total: int
    as_of: int
    zone: str
    next_cursor: str = ""
    choices: Mapping[str, Sequence[Choice]] = field(default_factory=dict)
    """By filter, the values to choose from, with how many each would bring."""
    people: Sequence[Choice] = ()
    """Whom breaches can be given to."""
    views: Sequence[ViewLink] = ()
    fresh: int = 0
    """How many of the list were found in the minute before ``as_of``: what is new later is counted from there."""
    store_is_empty: bool = False


@dataclass(frozen=True, slots=True)
class Left:
    """A breach that a step was not taken with, and why, in a sentence without its full stop."""

    id: str
    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a step with several breaches.  ``done``: in words; ``rows``: as they stand now, where they can still be seen.

    ``count``: how many it was taken with; -1: it could not be tried.
    """

    done: str
    count: int
    left: Sequence[Left] = ()
    rows: Sequence[WorkRow] = ()
    zone: str = ""
    changed: Sequence[str] = ()
    """The ids of those that it was taken with."""


@dataclass(frozen=True, slots=True)
class News:
    """What has happened since a page of the list was drawn: new findings in all, and breaches on the page that somebody changed."""

    found: int
    changed: Sequence[str] = ()
