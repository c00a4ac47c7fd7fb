"""How the limits of every kind become duties for the deciders: a due day that pauses move, or a gate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rules.history import Entry
from rules.model import Candidate, Duty, State
from rules.obligation import World
from rules.periods import Period
from rules.view import View

LIVE = State.LIVE


def dated(
    view: View,
    *,
    activated: Entry,
    due_day: int | None,
    candidates: Sequence[Candidate],
    soon_day: int | None = None,
    warn: int | None = 7,
    pausable: bool = True,
    curable: bool = True,
    ends: bool = True,
    ended: int | None = None,
    stale: bool = True,
    activated_day: int | None = None,
    limits: tuple[str, ...] = (),
    arithmetic: str = "",
) -> World:
    """A duty with a due day (or none yet), moved by the pauses that count.

    ``warn``: days before the due day at which the warning window opens, where ``soon_day`` does not say.  ``ends``: the
    closure of the episode ends it; ``ended``: something else did, at that instant.
    """
    start = activated.day if activated_day is None else activated_day
    closed = view.closed
    if ends and closed is not None and closed is not activated and (ended is None or closed.last < ended):
        ended = closed.last

    def world(due: int, soon: int | None, shifted: int, moving: bool, events: tuple[str, ...], excusing: World | None = None) -> World:
        zone = view.zone
        begin, end = zone.start_of(due), zone.start_of(due + 1)
        opens = None if soon is None else zone.start_of(soon)
        duty = Duty(LIVE, (begin, end), None, opens, ended, view.complete_until, end if stale else None, curable)
        return World(duty, candidates, due, soon, start, limits + events, "", moving, excusing, shifted, (), arithmetic)

    if due_day is None:
        opens = None if soon_day is None else view.zone.start_of(soon_day)
        duty = Duty(LIVE, None, None, opens, ended, view.complete_until, None, curable)
        return World(duty, candidates, None, soon_day, start, limits, arithmetic=arithmetic)
    soon = soon_day if soon_day is not None or warn is None else due_day - warn
    if not pausable or not view.pauses:
        return world(due_day, soon, 0, False, ())
    moved = view.moved(start, due_day)

    def later(days: int, excusing: World | None = None) -> World:
        return world(due_day + days, None if soon is None else soon + days, days, moved.moving, moved.events, excusing)

    return later(moved.days, later(moved.late_days) if moved.late_days > moved.days else None)


def gated(view: View, *, gate: Entry, candidates: Sequence[Candidate], stale: bool = True, limits: tuple[str, ...] = ()) -> World:
    """A duty that must have been fulfilled before the moment of an event."""
    needed = view.zone.end_of(gate.day) if stale else None
    duty = Duty(LIVE, None, (gate.first, gate.last), None, None, view.complete_until, needed, False)
    return World(duty, candidates, gate.day, None, gate.day, limits)


def with_others(view: View, world: World) -> World:
    """The same duty where evidence may stand in related cases too: their sources must be complete as well."""
    return replace(world, duty=replace(world.duty, complete_until=view.complete_with_others))


def by_day_of(view: View, *, gate: Entry, candidates: Sequence[Candidate]) -> World:
    """A duty that must have been fulfilled on or before the day of an event; what comes later mends nothing."""
    return dated(view, activated=gate, due_day=gate.day, candidates=candidates, warn=None, pausable=False, curable=False, ends=False)


def due_in(view: View, period: Period | None, day: int) -> tuple[int | None, str]:
    """The last day of a period after ``day`` and its words; None where the parameter is not set."""
    if period is None:
        return None, ""
    span, words = view.policy.limit(period)
    return (None, "") if span is None else (span.after(day, view.calendar), words)
