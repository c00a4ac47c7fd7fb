"""Instants as parameters give them.  The judging itself is ``service.judge``'s."""

from __future__ import annotations

import datetime as dt

from rules.instants import parse_day, parse_instant
from service.judge import When, explain_breach, stored

__all__ = ["When", "explain_breach", "parse_when", "stored"]

DAY_LENGTH = len("2026-03-23")


def parse_when(text: str) -> When:
    """A day (its last local instant is meant) or an RFC 3339 instant (ms).  Raises ValueError with a reason fit for the caller."""
    if len(text) == DAY_LENGTH:
        return dt.date.fromordinal(parse_day(text))
    return parse_instant(text)
