"""What the first page shows, as plain values; see ``api.web.views``.  Times are UTC milliseconds.  Imports the views of statistics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from api.web.statistics.views import Row, TrendPart


@dataclass(frozen=True, slots=True)
class Figure:
    """A number, what it counts, and the list that shows exactly these.  ``kind``: a severity, or ``act`` where it waits for the viewer."""

    label: str
    count: int
    href: str
    note: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class FeedLine:
    """How fresh a source is; ``heard`` (ms): when it was read well or sent something last."""

    title: str
    state: str
    heard: int | None
    complete_until: int | None = None
    href: str = ""


@dataclass(frozen=True, slots=True)
class TodayPage:
    """The first page."""

    as_of: int
    zone: str
    new: Sequence[Figure] = ()
    """Open breaches that nobody has reviewed, by severity."""
    mine: Sequence[Figure] = ()
    """What waits for the viewer or for somebody to look."""
    due: Sequence[Figure] = ()
    feeds: Sequence[FeedLine] = ()
    trend: TrendPart | None = None
    rules: Sequence[Row] = ()
    """The rules that are met least; ``teams`` likewise."""
    teams: Sequence[Row] = ()
    store_is_empty: bool = False

    @property
    def all_new(self) -> int:
        """The new breaches of all severities together."""
        return sum(figure.count for figure in self.new)
