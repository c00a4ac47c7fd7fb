"""What the first page shows, as plain values; see ``api.web.views``.  Times are UTC milliseconds.  Imports the standard library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A number, what it counts, and the list that shows exactly these."""

    label: str
    count: int
    href: str


@dataclass(frozen=True, slots=True)
class TodayPage:
    """The first page."""

    as_of: int
    zone: str
    new: Sequence[Figure] = ()
    """Open breaches that nobody has reviewed, by severity."""
    store_is_empty: bool = False
