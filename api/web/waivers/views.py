"""What the pages of waivers show, as plain values; see ``api.web.views``.  Times are UTC milliseconds.  Imports this package's views."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from api.web.views import BreachRow, Choice, Listing


@dataclass(frozen=True, slots=True)
class WaiverItem:
    """A waiver with the breach that it is about."""

    id: str
    state: str
    """proposed, approved, refused, void or ended."""
    breach: BreachRow
    zone: str
    author: str
    reason: str
    created: int
    ends_on: dt.date | None
    """The last day of it."""
    comment: str = ""
    approver: str = ""
    decided_at: int | None = None
    over_at: int | None = None
    """When it became void, or ended."""
    answer: str = ""
    """What was said with the answer."""
    may_answer: bool = False
    may_take_back: bool = False
    barrier: str = ""
    """Why the viewer may not answer a request that waits."""


@dataclass(frozen=True, slots=True)
class WaiverFilters:
    """``show``: waiting, standing, past or all; ``mine``: only requests that the viewer may answer."""

    show: str = "waiting"
    mine: bool = False
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class WaiversPage:
    """The list of waivers; ``counts`` by what can be shown, ``for_me`` requests that wait for this viewer."""

    listing: Listing[WaiverItem]
    counts: Mapping[str, int]
    for_me: int
    may_answer: bool
    """Whether the viewer's role lets them answer any request at all."""


@dataclass(frozen=True, slots=True)
class AskPage:
    """The form that asks for a waiver."""

    breach: BreachRow
    zone: str
    today: dt.date
    reasons: Sequence[Choice] = field(default_factory=tuple)
    approvers: str = ""
    """Who may approve it, in words."""
    barrier: str = ""
    """Why nothing can be asked for now; empty: it can."""
    waiting: str = ""
    """The id of the request that waits already."""
