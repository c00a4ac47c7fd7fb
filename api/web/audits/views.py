"""What the pages about audits show, as plain values.  Imports api.web.views, and service.audits.words for what a report is told in.

Times are UTC milliseconds with the name of the zone to show them in beside them; days are local ``datetime.date``s.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from api.web.charts import Bars
from api.web.views import Choice
from service.audits.compare import Comparison
from service.audits.words import Told

Titles = Mapping[str, str]
"""What rules are called, by their ids."""


@dataclass(frozen=True, slots=True)
class AuditRow:
    """An audit as it stands.  ``done`` and ``total`` are cases, or, for a reader with limits, per cent."""

    id: str
    kind: str
    state: str
    as_of: int
    known_at: int
    zone: str
    created: int
    created_by: str
    scope: str
    """What it is limited to, in words; empty: nothing."""
    done: int = 0
    total: int = 0
    in_percent: bool = False
    finished: int | None = None
    expected: int | None = None
    """When it will be over at the present rate."""
    per_minute: int | None = None
    schedule: str = ""
    missed: int = 0
    """Earlier times of its schedule that it stands in for."""
    signed: int = 0
    """People who have signed its report off."""
    error: str = ""

    @property
    def over(self) -> bool:
        return self.state in {"done", "failed", "cancelled"}


@dataclass(frozen=True, slots=True)
class Offered:
    """What may be chosen for an audit."""

    policies: Sequence[Choice]
    teams: Sequence[Choice]
    offices: Sequence[Choice]
    today: dt.date
    zone: str


@dataclass(frozen=True, slots=True)
class AuditsPage:
    """The newest audits; ``total`` of them are listed."""

    rows: Sequence[AuditRow]
    as_of: int
    zone: str
    offered: Offered
    more: bool = False
    """There are older ones that are not listed."""
    schedules: int = 0


@dataclass(frozen=True, slots=True)
class SignedLine:
    """Who has signed a report off, and what they said."""

    name: str
    at: int
    comment: str


@dataclass(frozen=True, slots=True)
class AuditPage:
    """One audit and, once it is done, its report."""

    row: AuditRow
    told: Told | None = None
    chart: Bars | None = None
    digest: str = ""
    limited: bool = False
    signed: Sequence[SignedLine] = ()
    others: Sequence[Choice] = ()
    """Finished audits that it can be compared with."""
    titles: Titles = field(default_factory=dict)
    forms: Sequence[str] = ()
    differing: int = 0
    """Cases whose stored findings differ from what judging anew found."""
    may_cancel: bool = False
    may_sign: bool = False
    may_judge_again: bool = False


@dataclass(frozen=True, slots=True)
class ComparePage:
    """Two audits compared, ``before`` the first one."""

    before: AuditRow
    after: AuditRow
    found: Comparison
    titles: Titles


@dataclass(frozen=True, slots=True)
class ScheduleRow:
    """When which audit is made."""

    id: str
    name: str
    cron: str
    zone: str
    kind: str
    scope: str
    created_by: str
    next_at: int | None
    last_at: int | None
    last_audit: str
    missed: int
    paused: str


@dataclass(frozen=True, slots=True)
class SchedulesPage:
    rows: Sequence[ScheduleRow]
    as_of: int
    zone: str
    offered: Offered
