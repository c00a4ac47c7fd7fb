"""Pauses of a case's clock: which are approved, from when, and by how many days they move a deadline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rules.course import PauseEvents, dig
from rules.history import Entry, Episode


@dataclass(slots=True)
class Pause:
    """Paused from the day ``start`` up to, not including, ``end`` (the day of resumption or closure, or of as_of while ``open``)."""

    start: int
    end: int
    open: bool
    entry: Entry
    approved: int | None = None
    """Day of approval; None: not approved."""
    approval: Entry | None = None


@dataclass(frozen=True, slots=True)
class Shift:
    """By how many days pauses move a due day."""

    days: int
    late_days: int
    """The same with the pauses that were approved after the due day counted too."""
    moving: bool
    """A pause that counts is still open: the due day moves on with every day."""
    events: tuple[str, ...] = ()


NO_SHIFT = Shift(0, 0, moving=False)


def pauses_of(episode: Episode, names: PauseEvents | None, today: int) -> list[Pause]:
    """The pauses of an episode in order; a second pause while paused is ignored, and a closure ends one that still runs.

    An approval speaks of the earliest pause that still waits for one, be it begun or still to come.
    """
    if names is None or names.event not in episode.by_type:
        return []
    found: list[Pause] = []
    closings = [closing.entry for closing in episode.closings]
    turns = sorted((*episode.by_type[names.event], *episode.by_type.get(names.resumes, ()), *closings), key=lambda e: e.order)
    for entry in turns:
        running = bool(found) and found[-1].open
        if entry.type == names.event and not running:
            found.append(Pause(entry.day, max(today, entry.day), True, entry))
        elif entry.type != names.event and running:
            found[-1].end, found[-1].open = max(entry.day, found[-1].start), False
    for pause in found:
        if dig(pause.entry.data, names.approved_by) is not None:
            pause.approved, pause.approval = pause.start, pause.entry
    for approval in _approvals(episode, names):
        waiting = next((pause for pause in found if pause.approved is None), None)
        if waiting is not None:
            waiting.approved, waiting.approval = approval.day, approval
    return found


def _approvals(episode: Episode, names: PauseEvents) -> list[Entry]:
    if names.approval is None:
        return []
    wanted = names.approval
    granted = [e for e in episode.by_type.get(wanted.event, ()) if dig(e.data, wanted.attribute) == wanted.value]
    if names.revocation is None:
        return granted
    revoked = {(e.source, dig(e.data, names.revocation.names)) for e in episode.by_type.get(names.revocation.event, ())}
    return [e for e in granted if (e.source, e.id) not in revoked]


def shift(pauses: Sequence[Pause], activated: int, due: int) -> Shift:
    """How far the due day of an obligation that was activated on a day is moved.

    Each paused day counts once, and only up to the then due day; since each counted day moves the due day by one, a pause
    that begins by the due day counts whole.  A pause that begins after it does nothing.
    """
    if not pauses:
        return NO_SHIFT
    in_time = with_late = due
    moving, events = False, []
    for pause in pauses:
        begin = max(pause.start, activated)
        days = pause.end - begin
        if pause.approved is None or days < 0:
            continue
        if begin <= in_time and pause.approved <= in_time:
            in_time += days
            moving = moving or pause.open
            events.append(pause.entry.id)
        if begin <= with_late:
            with_late += days
    return Shift(in_time - due, with_late - due, moving, tuple(events))
