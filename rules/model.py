"""The vocabulary of the core: events, obligations as deciders see them, verdicts.  Imports rules.lean.

Times are int UTC milliseconds since 1970 ("ms"); days are proleptic Gregorian ordinals (``date.toordinal()``) of the
policy's time zone.  Everything is frozen (see rules.lean): a verdict can be re-made, byte for byte, from the same inputs.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any, Final

from rules.lean import lean

NEVER = 10**15
"""Later than any date that Python has; ``-NEVER`` is before any."""


@lean
class Event:
    """A case event as it was taken in (CloudEvents 1.0), after validation against the catalogue.

    ``time`` is when it happened in practice, ``recorded`` when the client system recorded it (ms).  ``recorded_given`` is
    False where the sender gave no recordedtime and the time of receipt stands in.  ``data`` holds only attributes that the
    catalogue knows; ``data["occurred_on"]`` (ISO date), where present, wins over ``time``: the moment in that day is unknown.
    """

    source: str
    id: str
    type: str
    case: str
    time: int
    recorded: int
    recorded_given: bool = True
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A source's word that it has delivered everything recorded up to ``complete_until`` (ms); known since ``recorded``."""

    source: str
    recorded: int
    complete_until: int


@dataclass(frozen=True, slots=True)
class Hold:
    """A record about ``case`` that could not be read: ``source`` is complete for it only up to ``complete_until`` (ms).

    Known since ``since``.  It says that the source has spoken of the case, and bounds what its heartbeats say.
    """

    source: str
    case: str
    since: int
    complete_until: int


class Fit(IntEnum):
    """Whether a piece of evidence meets a condition: Kleene's three truth values."""

    NO = 0
    YES = 1
    UNCLEAR = 2


NO: Final = Fit.NO
SURE: Final = Fit.YES
UNCLEAR: Final = Fit.UNCLEAR
"""The same as plain names: looking a member up in its class costs more than most of what is done with it."""


@lean
class Candidate:
    """Evidence for an obligation: it happened between ``first`` and ``last`` (ms, equal where the moment is known)."""

    first: int
    last: int
    fit: Fit = Fit.YES
    events: tuple[str, ...] = ()
    missing: str = ""
    """Where ``fit`` is UNCLEAR: the dotted path of the first missing attribute, or ``day_without_moment``."""


class Word(StrEnum):
    """An enumeration of words that is looked up as often as judging does it: hashed as text, and not by a function of Python's."""

    __hash__ = str.__hash__


class State(Word):
    LIVE = "live"
    OFF = "off"  # not triggered, out of scope, before the policy
    UNSET = "unset"  # a parameter that the policy's owner has not set
    HOLE = "hole"  # the activation itself cannot be judged


@lean
class Duty:
    """An obligation as the deciders see it.  ``due`` or ``gate``, never both; neither: no due day yet."""

    state: State = State.LIVE
    due: tuple[int, int] | None = None
    """The due day: its first ms and its end (exclusive)."""
    gate: tuple[int, int] | None = None
    """Order rule: first and last possible moment of the gate."""
    soon: int | None = None
    """Start of the warning window."""
    ended: int | None = None
    """The episode was closed (last possible moment)."""
    complete_until: int | None = None
    """How far the case's sources are complete; None: they send no heartbeat and are taken as complete."""
    complete_needed: int | None = None
    """How far they must be complete for "not recorded" to mean "not done": the end (exclusive) of the due or gate day.

    None: it does not matter.
    """
    curable: bool = True
    """False: evidence after the limit mends nothing."""
    waived: bool = False
    """A waiver covers it."""


class Line(Word):
    """The decision table, in order of priority: the first line that holds decides."""

    OFF = "off"
    UNSET = "unset"
    HOLE = "hole"
    MET = "met"
    UNCLEAR = "unclear"
    SAME_DAY = "same_day"
    ENDED = "ended"
    DUE_SOON = "due_soon"
    PENDING = "pending"
    STALE = "stale"
    LATE = "late"
    UNCLEAR_LATE = "unclear_late"
    EXCUSED = "excused"
    BREACHED = "breached"
    DISAGREE = "disagree"  # never a line of the table: the two deciders gave different ones


@lean
class Decision:
    """The line that holds, and the index of the candidate that it rests on (-1: none)."""

    line: Line
    candidate: int = -1


class Outcome(Word):
    MET = "met"
    LATE = "late"
    BREACHED = "breached"
    DUE_SOON = "due_soon"
    PENDING = "pending"
    NOT_APPLICABLE = "not_applicable"
    EXCUSED = "excused"
    UNKNOWN = "unknown"


@lean
class Verdict:
    """What one rule says of one obligation at (as_of, known_at).  Dates are ISO local dates of the policy's zone."""

    case: str
    episode: str
    rule: str
    policy: str
    policy_digest: str
    obligation: str
    verdict: Outcome
    reason: str | None
    activated_on: str | None
    due_on: str | None
    due_soon_on: str | None
    satisfied_on: str | None
    days_late: int | None
    curable: bool
    evidence: tuple[str, ...]
    rejected: tuple[tuple[str, str], ...]
    as_of: int
    known_at: int
    severity: str = "medium"
    status: str = "enforced"
    team: str | None = None
    office: str | None = None
    worker: str | None = None
    contested: str | None = None
    """Why a person should look at it: a date was moved after the fact."""
    next_change: int | None = None
    """Unless an event arrives, the verdict stays so until this instant (ms); None: for ever."""

    @property
    def key(self) -> tuple[str, str, str, str, str]:
        """What the verdict is about; stable under re-evaluation."""
        return (self.case, self.episode, self.policy, self.rule, self.obligation)

    def as_dict(self) -> dict[str, Any]:
        """The fields as `duecare check --format json` and the API show them; instants in RFC 3339 UTC."""
        return {
            "case": self.case,
            "episode": self.episode,
            "rule": self.rule,
            "policy": self.policy,
            "policy_digest": self.policy_digest,
            "obligation": self.obligation,
            "verdict": self.verdict.value,
            "reason": self.reason,
            "activated_on": self.activated_on,
            "due_on": self.due_on,
            "due_soon_on": self.due_soon_on,
            "satisfied_on": self.satisfied_on,
            "days_late": self.days_late,
            "curable": self.curable,
            "evidence": list(self.evidence),
            "rejected": [{"event": event, "why": why} for event, why in self.rejected],
            "severity": self.severity,
            "status": self.status,
            "team": self.team,
            "office": self.office,
            "worker": self.worker,
            "contested": self.contested,
            "as_of": rfc3339(self.as_of),
            "known_at": rfc3339(self.known_at),
        }


@lean
class DataQuery:
    """Something in the record that a person should look at; it is never a breach."""

    code: str
    case: str
    message: str
    events: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CaseFile:
    """Everything that judging one case needs: its raw events (voids and corrections included) and those of linked cases.

    ``linked`` holds the raw events of cases that are merged with it or share a child with it, by case id.
    """

    case: str
    events: tuple[Event, ...]
    linked: Mapping[str, tuple[Event, ...]] = field(default_factory=dict)
    heartbeats: tuple[Heartbeat, ...] = ()
    holds: tuple[Hold, ...] = ()


EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MS = dt.timedelta(milliseconds=1)


def rfc3339(ms: int) -> str:
    """``ms`` as an RFC 3339 UTC instant with milliseconds, e.g. ``2026-03-23T04:30:00.000Z``."""
    return (EPOCH + ms * _MS).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}Z"


def to_ms(when: dt.datetime) -> int:
    """UTC ms of an aware datetime.  Raises ValueError for a naive one."""
    if when.tzinfo is None:
        raise ValueError("a time needs a zone")
    return (when - EPOCH) // _MS
