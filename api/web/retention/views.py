"""What the pages about retention show, as plain values.  Imports nothing of the product.  Instants in ms, days are local."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RuleLine:
    """How long the cases of a program are kept, and how they go, in words."""

    program: str
    years: int
    way: str


@dataclass(frozen=True, slots=True)
class HoldLine:
    """A legal hold.  ``known``: the case is on record; ``lifted`` of None: it stands."""

    id: str
    case: str
    known: bool
    reason: str
    by: str
    at: int
    lifted: int | None = None
    lifted_by: str = ""
    lift_reason: str = ""


@dataclass(frozen=True, slots=True)
class RemovalLine:
    """A removal, or its certificate.  ``rows``: (table, removed, changed); ``kept``: (reason in words, journeys)."""

    id: str
    done: bool
    begun: int
    finished: int | None
    by: str
    cases: int
    journeys: int
    lines: int
    digest: str
    rows: Sequence[tuple[str, int, int]] = ()
    kept: Sequence[tuple[str, int]] = ()
    rules: Sequence[RuleLine] = ()
    position: int = 0
    seal: int | None = None
    mac: str = ""


@dataclass(frozen=True, slots=True)
class RetentionPage:
    """The rules, the holds and what was removed.  ``fault``: why there are no rules, or what is wrong with them."""

    as_of: int
    zone: str
    rules: Sequence[RuleLine]
    others: Sequence[str]
    fault: str
    holds: Sequence[HoldLine]
    standing: int
    removals: Sequence[RemovalLine]


@dataclass(frozen=True, slots=True)
class JourneyLine:
    """Cases that go or stay together.  ``why``: why they stay, in words."""

    cases: Sequence[str]
    closed: dt.date | None
    due: dt.date | None
    way: str
    why: str


@dataclass(frozen=True, slots=True)
class PlanPage:
    """What a removal would do now.  ``whole``: all journeys were looked at."""

    as_of: int
    zone: str
    cases: int
    journeys: int
    whole: bool
    log_lines: int
    refused: int
    going: Sequence[JourneyLine]
    kept: Sequence[tuple[str, int]]
    staying: Sequence[JourneyLine]
