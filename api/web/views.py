"""What each page shows, as plain values: the templates see these and nothing else, so that a page can be drawn without a store.

Times are UTC milliseconds ("ms") with the name of the zone to show them in beside them; days are local ``datetime.date``s.
Imports the standard library only.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a filter or of a select, with the words for it."""

    value: str
    label: str
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list is narrowed to; empty text: not narrowed by that."""

    policy: str = ""
    rule: str = ""
    severity: str = ""
    condition: str = ""
    review: str = ""
    team: str = ""
    office: str = ""
    worker: str = ""
    case: str = ""
    sort: str = ""
    cursor: str = ""
    within: str = ""
    """Due soon only: days ahead."""

    def chosen(self) -> dict[str, str]:
        """The filters that narrow the list: neither sort nor place in it."""
        names = ("case", "policy", "rule", "severity", "condition", "review", "team", "office", "worker", "within")
        return {name: value for name in names if (value := getattr(self, name))}


@dataclass(frozen=True, slots=True)
class BreachRow:
    """A breach in the work list."""

    id: str
    case: str
    sentence: str
    rule: str
    policy: str
    severity: str
    condition: str
    review: str
    version: int
    due_on: dt.date | None = None
    days_late: int | None = None
    team: str = ""
    office: str = ""
    worker: str = ""
    contested: bool = False
    subject: str = ""
    """Which parent, child, meeting or interval, where the rule asks for several things."""


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """One page of a list that has a total order."""

    rows: Sequence[T]
    total: int
    as_of: int
    zone: str
    next_cursor: str = ""
    choices: Mapping[str, Sequence[Choice]] = field(default_factory=dict)
    store_is_empty: bool = False
    """Nothing was ever taken in: the empty state says how to begin."""


@dataclass(frozen=True, slots=True)
class Clause:
    """The rule behind a finding."""

    policy: str
    policy_title: str
    rule: str
    title: str
    guidance: str
    citation: str
    severity: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """An event that was considered, and whether it counted."""

    event: str
    what: str
    happened: str
    recorded: str
    counts: str
    """yes, no, unclear or against."""
    why: str = ""


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """A line of a breach's history, which is never changed."""

    at: int
    what: str
    who: str = ""
    known_at: int | None = None
    digest: str = ""
    events: Sequence[str] = ()
    reason: str = ""
    comment: str = ""


@dataclass(frozen=True, slots=True)
class WaiverLine:
    """A waiver that was asked for; ``state`` is its code."""

    id: str
    state: str
    author: str
    reason: str
    comment: str = ""
    approver: str = ""
    ends_on: dt.date | None = None
    may_approve: bool = False


@dataclass(frozen=True, slots=True)
class BreachPage:
    """Everything about one breach."""

    row: BreachRow
    clause: Clause
    zone: str
    as_of: int
    known_at: int
    episode: str = ""
    outcome: str = "breached"
    curable: bool = True
    contested_why: str = ""
    activated_on: dt.date | None = None
    satisfied_on: dt.date | None = None
    steps: Sequence[str] = ()
    """The day arithmetic, a sentence a step."""
    would: str = ""
    """What would have met it."""
    evidence: Sequence[Evidence] = ()
    history: Sequence[HistoryLine] = ()
    actions: frozenset[str] = frozenset()
    """Of acknowledge, uphold, dismiss, comment, waive: what this viewer may do now."""
    reasons: Sequence[Choice] = ()
    waivers: Sequence[WaiverLine] = ()
    assigned: str = ""
    """Who works on it, as histories name people (``user:ID``); empty: nobody."""
    assignee: str = ""
    """The same as a name."""
    people: Sequence[Choice] = ()
    """Whom this viewer may give it to; empty: they may give it to nobody."""


@dataclass(frozen=True, slots=True)
class DueRow:
    """A requirement inside its warning window."""

    case: str
    sentence: str
    rule: str
    policy: str
    severity: str
    due_on: dt.date | None
    days_left: int | None
    team: str = ""
    office: str = ""
    worker: str = ""
    subject: str = ""


@dataclass(frozen=True, slots=True)
class SourceLine:
    """How fresh a source is."""

    name: str
    last_received: int | None
    complete_until: int | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class HeldCase:
    """A case that could not be judged and was put aside."""

    case: str
    since: int | None
    attempts: int
    error: str


@dataclass(frozen=True, slots=True)
class StatusPage:
    """Whether what the pages show can be relied on."""

    as_of: int
    zone: str
    sources: Sequence[SourceLine]
    held: Sequence[HeldCase]
    waiting: int
    oldest_waiting: int | None
    deciders: str
    """both or table."""
    conflicts: int
    rejects: int
    cases: int
    problems: Sequence[str] = ()
