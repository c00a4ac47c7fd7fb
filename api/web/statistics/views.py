"""What the pages of statistics show, as plain values; see ``api.web.views``.  Imports this package's charts and api.web.views."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Self
from urllib.parse import urlencode

from api.web.charts import Bars, Trend
from api.web.views import Choice

COLUMNS = ("met", "late", "breached", "excused", "judged", "unknown", "not_applicable")
"""The figures of a row, in order; ``judged`` is the sum of the four before it, and what the rate is a rate of."""
_ADDRESS = {"since": "from", "until": "to"}


@dataclass(frozen=True, slots=True)
class StatFilters:
    """What figures are narrowed to; empty: not narrowed by that."""

    policy: str = ""
    rule: str = ""
    severity: str = ""
    team: str = ""
    office: str = ""

    def chosen(self) -> dict[str, str]:
        """Each filter that narrows."""
        return {one.name: value for one in fields(self) if (value := getattr(self, one.name))}

    def address(self, **changes: str) -> str:
        """The page with these filters and changes."""
        return _address("/statistics", self.chosen() | changes)


@dataclass(frozen=True, slots=True)
class VerdictFilters:
    """What the list of verdicts is narrowed to; ``since`` and ``until`` are due days, ``from`` and ``to`` in the address."""

    verdict: str = ""
    reason: str = ""
    policy: str = ""
    rule: str = ""
    severity: str = ""
    team: str = ""
    office: str = ""
    worker: str = ""
    case: str = ""
    since: str = ""
    until: str = ""
    sort: str = ""
    cursor: str = ""

    def chosen(self) -> dict[str, str]:
        """The filters that narrow the list: neither sort nor place in it."""
        return {one.name: value for one in fields(self) if one.name not in {"sort", "cursor"} and (value := getattr(self, one.name))}

    def but(self, **changes: str) -> Self:
        """With these changes, at the beginning of the list."""
        return replace(self, **{"cursor": "", **changes})

    def address(self) -> str:
        """The list with these filters."""
        return _address("/verdicts", {one.name: getattr(self, one.name) for one in fields(self)})


def _address(path: str, values: Mapping[str, str]) -> str:
    query = urlencode({_ADDRESS.get(name, name): value for name, value in values.items() if value})
    return f"{path}?{query}" if query else path


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure and the list that shows what it counts; an empty address: there is none."""

    number: int
    href: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A rate with everything that it rests on.  ``cells``: in the order of ``COLUMNS``; ``small``: it rests on few."""

    label: str
    rate: str
    small: bool
    cells: Sequence[Cell]
    note: str = ""
    href: str = ""
    spark: Trend | None = None


@dataclass(frozen=True, slots=True)
class TrendPart:
    """Months one by one, with the picture of them; ``says`` tells the picture in words."""

    counted_at: int
    first: dt.date
    last: dt.date
    months: Sequence[Row]
    total: Row
    chart: Trend
    says: str


@dataclass(frozen=True, slots=True)
class TimelinessPart:
    """How early or late things were done: (words, number, share of all) from the earliest to the latest."""

    total: int
    small: bool
    rows: Sequence[tuple[str, int, str]]
    chart: Bars
    says: str


@dataclass(frozen=True, slots=True)
class StatisticsPage:
    """The figures; ``trend`` of None: nothing has been counted yet.  ``outside``: what stands in no rate above, with why."""

    as_of: int
    zone: str
    trend: TrendPart | None
    rules: Sequence[Row] = ()
    teams: Sequence[Row] = ()
    timeliness: TimelinessPart | None = None
    outside: Sequence[tuple[str, Cell]] = ()
    choices: Mapping[str, Sequence[Choice]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VerdictItem:
    """A verdict in the list.  ``breach``: the id of its breach, where there is one."""

    case: str
    sentence: str
    outcome: str
    reason: str
    rule: str
    policy: str
    severity: str
    due_on: dt.date | None
    satisfied_on: dt.date | None
    team: str = ""
    worker: str = ""
    subject: str = ""
    breach: str = ""


@dataclass(frozen=True, slots=True)
class VerdictsPage:
    """One page of the list of verdicts; ``more``: there are more than ``total``, which is where counting ended."""

    as_of: int
    zone: str
    rows: Sequence[VerdictItem]
    total: int
    more: bool
    next_cursor: str = ""
    choices: Mapping[str, Sequence[Choice]] = field(default_factory=dict)
