"""What stage 2 yields and stage 3 decides: obligations, each in the one or more worlds that the missing data leave open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

from rules.history import Entry
from rules.lean import lean
from rules.model import Candidate, Duty, State

NOT_TRIGGERED, BEFORE_POLICY, OUT_OF_SCOPE = "not_triggered", "before_policy", "out_of_scope"


@lean
class World:
    """One way in which what is missing may turn out.

    ``due_day`` and ``soon_day`` are what the reader is shown; ``limits`` are the events that set the limit; ``reason`` is
    why it is off, or what is missing where it is a hole.
    """

    duty: Duty
    candidates: Sequence[Candidate] = ()
    due_day: int | None = None
    soon_day: int | None = None
    activated_day: int | None = None
    limits: tuple[str, ...] = ()
    reason: str = ""
    moving: bool = False
    """A pause is open: the due day moves on with every day."""
    excusing: World | None = None
    """The same with the limit that a pause approved after the due day would give."""
    paused_days: int = 0
    broken_by: tuple[str, ...] = ()
    """The events that a rule forbids: what broke it."""
    arithmetic: str = ""
    """How the due day came about, in plain words without dates: "6 weeks after"."""


@lean
class Obligation:
    """One activation of a rule.  ``key`` is stable under re-evaluation."""

    key: str
    worlds: tuple[World, ...]
    missing: str = ""
    """What makes the worlds differ, where there are several."""
    activation: tuple[str, ...] = ()
    rejected: tuple[tuple[str, str], ...] = ()
    contested: str | None = None
    about: str = ""
    """Whom or what it concerns, for the reader: a person's or item's id."""
    shown: bool = False
    """Shown even where it was not activated (a parent who was excused)."""


@lean
class Trigger:
    """An activation: the events that may be it (None: that there may be none at all), and what makes that unclear."""

    key: str
    entries: tuple[Entry | None, ...]
    missing: str = ""


@dataclass(slots=True)
class Collected:
    """Candidates for a requirement, with what was looked at and did not count."""

    candidates: list[Candidate] = field(default_factory=list)
    rejected: list[tuple[str, str]] = field(default_factory=list)


@cache
def off(reason: str = NOT_TRIGGERED) -> World:
    """A world in which there is no obligation."""
    return World(Duty(State.OFF), reason=reason)


def hole(missing: str, activated_day: int | None = None) -> World:
    """A world in which the activation itself cannot be judged."""
    return World(Duty(State.HOLE), reason=missing, activated_day=activated_day)


def unset(activated_day: int | None) -> World:
    """A world in which the policy's owner has not set the parameter that gives the limit."""
    return World(Duty(State.UNSET), activated_day=activated_day)


@cache
def nothing(reason: str = NOT_TRIGGERED) -> Obligation:
    """The one obligation that stands for a rule that was not activated."""
    return Obligation("case", (off(reason),))
