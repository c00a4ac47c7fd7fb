"""What the pages about sources show, as plain values; see ``api.web.views``.  Times are UTC milliseconds.  Imports the standard library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FeedRow:
    """A source in the list of sources."""

    name: str
    """What its file calls it; empty: it has none, it only sends."""
    uri: str
    title: str
    adapter: str
    state: str
    """off, failing, quiet, waiting, good or pushed."""
    heard: int | None = None
    """When it was read well last, or sent something."""
    last_good: int | None = None
    last_event: int | None = None
    complete_until: int | None = None
    next_pull: int | None = None
    every: int | None = None
    """Seconds between two pulls."""
    records: int = 0
    rejects: int = 0
    conflicts: int = 0
    failures: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class FeedsPage:
    """All sources, those that need somebody first."""

    as_of: int
    zone: str
    rows: Sequence[FeedRow]
    faults: Sequence[str] = ()
    """What is wrong with the files of sources, each with its place."""


@dataclass(frozen=True, slots=True)
class RejectLine:
    """A record that could not be taken in."""

    id: int
    kind: str
    ref: str
    since: int
    problems: Sequence[str]
    settled: int | None = None
    how: str = ""
    """What became of it: taken in, or set aside."""


@dataclass(frozen=True, slots=True)
class FeedPage:
    """One source."""

    as_of: int
    zone: str
    row: FeedRow
    file: str
    mapping: str
    signed: bool
    """What it sends must be signed."""
    settled: bool
    """The list shows what was settled, instead of what waits."""
    rejects: Sequence[RejectLine] = ()
    next_cursor: str = ""
    may_see_values: bool = False
    gone: str = ""
    """What a sweep did not find and nobody has confirmed to be gone, in words."""


@dataclass(frozen=True, slots=True)
class TriedEvent:
    """An event that a record would become."""

    type: str
    id: str
    case: str
    time: str
    recorded: str
    data: Sequence[tuple[str, str]]
    """Attribute and value, the latter empty for those who may not see it."""
    dropped: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class TriedRecord:
    """A record, and what the mapping makes of it."""

    kind: str
    ref: str
    gone: bool
    fields: Sequence[tuple[str, str]]
    """Those that the mapping reads; with its value, where values were asked for."""
    unread: Sequence[str]
    events: Sequence[TriedEvent]
    problems: Sequence[str]


@dataclass(frozen=True, slots=True)
class TrialPage:
    """The first records of a source."""

    as_of: int
    row: FeedRow
    zone: str
    records: Sequence[TriedRecord]
    values: bool
    """The records' own values are shown."""
    full: bool
    """What the events say is shown."""
