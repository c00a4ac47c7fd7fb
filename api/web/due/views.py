"""What the pages of what is due show, as plain values; see ``api.web.views``.  Imports this package's views."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from api.web.views import Choice, DueRow

WITHIN = ("7", "14", "28", "92")
UNDATED = "none"
NOBODY = "-"


@dataclass(frozen=True, slots=True)
class DueFilters:
    """What is narrowed to; empty text: not narrowed by that.  With neither ``within`` nor ``on``: what is in its warning window."""

    case: str = ""
    within: str = ""
    """Days ahead, or ``none``: what has no day yet."""
    on: str = ""
    """One due day, ISO."""
    severity: str = ""
    policy: str = ""
    rule: str = ""
    team: str = ""
    office: str = ""
    worker: str = ""
    sort: str = ""
    cursor: str = ""

    def chosen(self) -> dict[str, str]:
        """The filters that narrow the list: neither sort nor place in it."""
        names = ("case", "within", "on", "severity", "policy", "rule", "team", "office", "worker")
        return {name: value for name in names if (value := getattr(self, name))}

    def owners(self) -> dict[str, str]:
        """The filters that all views of what is due share."""
        return {name: value for name in ("severity", "policy", "rule", "team", "office", "worker") if (value := getattr(self, name))}


@dataclass(frozen=True, slots=True)
class DueKind:
    """Several requirements of one rule that fall due on one day."""

    rule: str
    policy: str
    title: str
    severity: str
    number: int


@dataclass(frozen=True, slots=True)
class DueDay:
    """A day of the month.  ``kinds``: the most severe first, ``more`` of them are not among these."""

    day: dt.date
    state: str
    """past, today or ahead."""
    total: int = 0
    kinds: Sequence[DueKind] = ()
    more: int = 0


@dataclass(frozen=True, slots=True)
class MonthPage:
    """A month of due days: whole weeks, Monday first; None: a day of another month.  ``previous`` and ``next``: ``YYYY-MM`` or empty."""

    as_of: int
    zone: str
    first: dt.date
    weeks: Sequence[Sequence[DueDay | None]]
    total: int
    previous: str = ""
    next: str = ""
    choices: Mapping[str, Sequence[Choice]] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """``March 2026``."""
        return f"{self.first:%B %Y}"


@dataclass(frozen=True, slots=True)
class OwnerLine:
    """What falls to a team, or to one worker of it.  ``within``: a number for each of the periods."""

    team: str
    worker: str
    within: Sequence[int]
    undated: int


@dataclass(frozen=True, slots=True)
class TeamLines:
    """A team with its workers."""

    total: OwnerLine
    workers: Sequence[OwnerLine]


@dataclass(frozen=True, slots=True)
class OwnersPage:
    """What falls due by team and worker, within each of ``periods`` (days, each includes those before)."""

    as_of: int
    zone: str
    periods: Sequence[int]
    teams: Sequence[TeamLines]
    total: OwnerLine
    choices: Mapping[str, Sequence[Choice]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SheetPart:
    """What falls to one worker of one team, the soonest first."""

    team: str
    worker: str
    rows: Sequence[DueRow]


@dataclass(frozen=True, slots=True)
class SheetPage:
    """A sheet to print: at most so many rows as fit a sheet; ``total`` tells how many there are."""

    as_of: int
    zone: str
    total: int
    shown: int
    parts: Sequence[SheetPart]
    choices: Mapping[str, Sequence[Choice]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CalendarLine:
    """A calendar that somebody made."""

    id: str
    team: str
    maker: str
    mine: bool
    created: int
    last_used: int | None


@dataclass(frozen=True, slots=True)
class CalendarsPage:
    """The calendars that the viewer may revoke, and the teams that they can make one for."""

    as_of: int
    zone: str
    lines: Sequence[CalendarLine]
    teams: Sequence[Choice]
    days: int
