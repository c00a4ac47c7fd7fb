"""What the pages about cases show, as plain values; see ``api.web.views``.  Times are UTC milliseconds; days are local dates.

Places in the picture are per cent of its width from the left, and pixels from the top of a lane.  Imports the values that pages share.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from api.web.views import Choice, Evidence

# --- the list --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CaseFilters:
    """What the list of cases is narrowed to; empty text: not narrowed by that."""

    case: str = ""
    """How the case's id begins."""
    program: str = ""
    team: str = ""
    office: str = ""
    worker: str = ""
    open: str = ""
    """``yes``: with open breaches; ``no``: without."""
    only: str = ""
    """waiting, new (not judged yet), aside (put aside), queries (something in the record to look at) or withdrawn."""
    sort: str = ""
    cursor: str = ""

    def chosen(self) -> dict[str, str]:
        """The filters that narrow the list: neither sort nor place in it."""
        return {name: value for name, value in asdict(self).items() if value and name not in ("sort", "cursor")}

    def asdict(self) -> dict[str, str]:
        """Every filter by name."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case in the list of cases."""

    case: str
    program: str = ""
    team: str = ""
    office: str = ""
    worker: str = ""
    open_breaches: int = 0
    queries: int = 0
    evaluated_at: int | None = None
    quarantined: bool = False
    waiting: bool = False
    since: int | None = None
    """Since when it waits to be judged (ms)."""
    error: str = ""
    """What failed when it was tried last."""


@dataclass(frozen=True, slots=True)
class CaseList:
    """One page of the list of cases, and those that were never judged: they are no part of it, nor of its counts."""

    rows: Sequence[CaseRow]
    total: int
    everything: int
    """How many there are in all that the viewer may see."""
    as_of: int
    zone: str
    next_cursor: str = ""
    choices: Mapping[str, Sequence[Choice]] = field(default_factory=dict)
    unjudged: int = 0
    """How many were never judged; no more than ``most`` are counted."""
    most: int = 0
    fresh: Sequence[CaseRow] = ()
    """Those of them that were asked for, the newest first."""


# --- the picture -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shape:
    """Something drawn in a lane.  ``kind``: bar (from ``x`` to ``x2``), mark (a sign at ``x``) or text."""

    kind: str
    cls: str
    x: float
    y: int
    x2: float = 0.0
    height: int = 0
    sign: str = ""
    """Of a mark: which sign."""
    text: str = ""
    title: str = ""
    """Said where the pointer rests."""
    href: str = ""
    end: bool = False
    """Of a text: it ends at ``x`` instead of beginning there."""
    dx: int = 0
    """Pixels by which it is moved from ``x``."""


@dataclass(frozen=True, slots=True)
class Lane:
    """One row of the picture."""

    name: str
    height: int
    shapes: Sequence[Shape] = ()
    note: str = ""
    """What stands before the name: a rule, whose lane it is."""
    kind: str = ""
    """course, contact, events, found, late, due or person."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the scale; ``text`` is empty where it has no words."""

    x: float
    text: str = ""
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Period:
    """A part of the case that can be shown alone."""

    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Picture:
    """A case on one scale of days."""

    first: dt.date
    last: dt.date
    width: int
    """Pixels that it needs at least."""
    ticks: Sequence[Tick]
    lanes: Sequence[Lane]
    as_at: float
    known: float | None = None
    """Where the record ends that was judged by, if that is not as at the same day."""
    periods: Sequence[Period] = ()
    outside: int = 0
    """Marks that lie outside the part that is shown."""


@dataclass(frozen=True, slots=True)
class JourneyItem:
    """Something on the line of a case: an event, or a day that a rule set."""

    kind: str
    """event, late_record, void, due or soon."""
    what: str
    detail: str = ""
    time: str = ""
    note: str = ""
    event: str = ""
    source: str = ""
    href: str = ""
    outcome: str = ""
    ordinal: str = ""
    """``3rd that counts``, where rules count it."""
    case: str = ""
    """The case that it was reported for, where that is another one."""


@dataclass(frozen=True, slots=True)
class JourneyDay:
    """A day on which something happened, or was due."""

    day: dt.date
    items: Sequence[JourneyItem]


@dataclass(frozen=True, slots=True)
class VerdictLine:
    """What one rule says of one thing, in words."""

    rule: str
    title: str
    policy: str
    outcome: str
    sentence: str
    severity: str
    subject: str = ""
    due_on: dt.date | None = None
    days_late: int | None = None
    steps: Sequence[str] = ()
    would: str = ""
    evidence: Sequence[Evidence] = ()
    breach: str = ""
    shadow: bool = False
    short: bool = False
    """One of very many: told without its reasons."""


@dataclass(frozen=True, slots=True)
class VerdictGroup:
    """The verdicts of one kind, most urgent kind first."""

    outcome: str
    verdicts: Sequence[VerdictLine]
    open: bool = True


@dataclass(frozen=True, slots=True)
class DueLine:
    """A window in which something was due, as a line of the table beneath the picture."""

    rule: str
    title: str
    person: str
    outcome: str
    start: dt.date | None = None
    soon: dt.date | None = None
    due: dt.date | None = None
    done: dt.date | None = None
    says: str = ""
    """``16 days late``."""
    breach: str = ""


@dataclass(frozen=True, slots=True)
class CourseLine:
    """A turn in the course of a case: it began, rested, was closed, goes on."""

    day: dt.date
    what: str
    until: dt.date | None = None


@dataclass(frozen=True, slots=True)
class PersonLine:
    """A person about whom rules ask something."""

    person: str
    role: str
    spans: Sequence[tuple[dt.date | None, dt.date | None]] = ()
    """From when to when a member; None: from the beginning, to now."""
    seen: Sequence[dt.date] = ()


@dataclass(frozen=True, slots=True)
class EpisodeLine:
    """One run of a case from its first event to its closure."""

    name: str
    program: str
    began: dt.date | None = None
    closed: dt.date | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Query:
    """Something in the record that a person should look at; never a breach."""

    code: str
    message: str
    events: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class EarlierLine:
    """An earlier record of the case that was removed.  ``certificate``: its number, where the viewer may read it."""

    until: dt.date
    removed: dt.date
    certificate: str = ""


@dataclass(frozen=True, slots=True)
class CasePage:
    """A case, judged at two instants."""

    case: str
    zone: str
    as_of: int
    known_at: int
    now: bool
    """Both instants are the present one."""
    day: dt.date
    """The local day as at which it was judged."""
    known_day: dt.date
    facts: Mapping[str, str] = field(default_factory=dict)
    episodes: Sequence[EpisodeLine] = ()
    picture: Picture | None = None
    """None: nothing of the case was ever on record, or it is not of a domain in use."""
    days: Sequence[JourneyDay] = ()
    groups: Sequence[VerdictGroup] = ()
    due: Sequence[DueLine] = ()
    course: Sequence[CourseLine] = ()
    people: Sequence[PersonLine] = ()
    queries: Sequence[Query] = ()
    events: int = 0
    judged: bool = True
    """A worker has judged it before, and findings are stored."""
    withdrawn: bool = False
    """Nothing of it stands: all its events were voided."""
    unjudgeable: str = ""
    """Why it cannot be judged; then neither the workers do nor this page."""
    waiting: int | None = None
    """Since when (ms) something has been on record that the stored findings do not reflect."""
    merged_into: str = ""
    """The case in which this one is judged, where the viewer may see it; ``-``: they may not."""
    merged: Sequence[str] = ()
    """The other ids of this case."""
    linked: Sequence[str] = ()
    """Cases that share a person with it, of those that the viewer may see."""
    earlier: EarlierLine | None = None
    """An earlier record of it that was removed."""
    before: dt.date | None = None
    """The last day before the one judged as at on which something happened or fell due."""
    after: dt.date | None = None
