"""The written rules once more, as plainly as they can be told: dates, lists and loops, and nothing of the project's core.

Both deciders share how a history is read and how obligations are counted, so their agreement says nothing about that part.  This
model was written from the wording of the rules alone.  It knows exact moments and complete data only (what is missing is tried
elsewhere), one source, and one program a case.  Imports the standard library only.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

PAPERS = frozenset(
    {"closure_summary.completed", "snapshot.completed", "approval.granted", "approval.rejected", "approval.revoked", "minutes.recorded"}
)
PARENTS = frozenset({"parent", "carer"})
FAMILY = PARENTS | {"child", "family"}
Data = dict[str, Any]


@dataclass
class Told:
    """An event as a client system tells it; ``time`` and ``recorded`` are UTC milliseconds."""

    id: str
    type: str
    time: int
    recorded: int
    data: Data
    day: dt.date = dt.date.min


@dataclass(frozen=True)
class Said:
    """What the model says of one obligation.  Of rules without a day of their own only ``verdict`` and ``reason`` are compared."""

    verdict: str
    reason: str | None = None
    due: dt.date | None = None
    satisfied: dt.date | None = None
    late: int | None = None


NOT_TRIGGERED = Said("not_applicable", "not_triggered")


def days(count: int) -> dt.timedelta:
    return dt.timedelta(days=count)


def held_to(kept: bool) -> Said:
    return Said("met" if kept else "breached")


def effective(events: Sequence[Told], zone: ZoneInfo, as_of: int, known_at: int) -> list[Told]:
    """What had happened by ``as_of`` as it was known at ``known_at``: voids of voids and corrections worked in."""
    known = {event.id: event for event in events if event.recorded <= known_at}
    voids: dict[str, list[str]] = defaultdict(list)
    for event in known.values():
        if event.type == "event.voided":
            voids[event.data["target"]].append(event.id)

    def stands(name: str) -> bool:
        return not any(stands(void) for void in voids.get(name, ()))

    changes = sorted((e for e in known.values() if e.type == "event.corrected" and stands(e.id)), key=lambda e: (e.recorded, e.id))
    found = []
    for event in known.values():
        if event.type in ("event.voided", "event.corrected") or not stands(event.id):
            continue
        now = Told(event.id, event.type, event.time, event.recorded, json.loads(json.dumps(event.data)))
        for change in changes:
            if change.data["target"] == event.id:
                now.time = change.data["set"]["time"]
        if now.time <= as_of:
            now.day = dt.datetime.fromtimestamp(now.time / 1000, dt.UTC).astimezone(zone).date()
            found.append(now)
    return sorted(found, key=lambda e: (e.time, e.recorded, e.id))


def episodes(events: Sequence[Told]) -> list[list[Told]]:
    """The runs of a case; a closure that a reopening calls an error has not happened."""
    undone, standing = set(), []
    for event in events:
        if event.type == "case.closed":
            standing.append(event.id)
        elif event.type == "case.reopened" and event.data["closure_was_error"]:
            undone.update(standing[-1:])
            del standing[-1:]
        elif event.type == "case.reopened":
            standing.clear()
    runs: list[list[Told]] = []
    closed = False
    for event in events:
        if event.id in undone:
            continue
        if not runs or (closed and event.type not in PAPERS | {"case.closed", "case.reopened"}):
            runs.append([])
            closed = False
        runs[-1].append(event)
        closed = event.type == "case.closed" or (closed and event.type != "case.reopened")
    return runs


class Run:
    """One episode, as it stood on a day."""

    def __init__(self, events: Sequence[Told], today: dt.date) -> None:
        self.events, self.today = events, today
        self.closures: list[Told] = []
        self.reopenings: list[Told] = []
        closed = False
        for event in events:
            if event.type == "case.closed" and not closed:
                self.closures.append(event)
                closed = True
            elif event.type == "case.reopened" and closed:
                self.reopenings.append(event)
                closed = False
        self.end = self.closures[-1].day if closed else None
        self.visits = [
            e for e in self.of("visit.held", status="held") if e.data["mode"] in ("in_person", "school") and len(e.data["seen"]) > 0
        ]

    def of(self, *types: str, **data: Any) -> list[Told]:
        return [e for e in self.events if e.type in types and all(e.data.get(name) == value for name, value in data.items())]

    def household(self, on: dt.date) -> dict[str, str] | None:
        """Who lived there on a day, with their roles; the first list holds from the start."""
        lists = self.of("household.recorded")
        if not lists:
            return None
        latest = ([lists[0]] + [e for e in lists if e.day <= on])[-1]
        return {m["person"]: m["role"] for m in latest.data["members"] if m.get("from", "") <= on.isoformat() <= m.get("to", "9999-12-31")}

    def roles(self, event: Told) -> set[str]:
        """The roles of the participants, in the event itself or in the household."""
        home = self.household(event.day) or {}
        return {role for p in event.data["participants"] for role in (p["role"], home.get(p["person"])) if role is not None}

    def attempt(self, closure: Told) -> tuple[int, int]:
        """From when to when (ms) the papers of a closure belong to it."""
        before = [e.time for e in self.reopenings if e.time <= closure.time]
        after = [e.time for e in self.reopenings if e.time > closure.time]
        return max(before, default=-1), min(after, default=10**18)

    def paused(self) -> set[dt.date]:
        found: set[dt.date] = set()
        since: dt.date | None = None
        for event in [*(e for e in self.events if e.type in ("clock.paused", "clock.resumed") or e in self.closures), None]:
            if event is not None and event.type == "clock.paused":
                since = since or event.day
            elif since is not None:
                until = self.today if event is None else event.day
                found |= {since + days(n) for n in range(max((until - since).days, 0))}
                since = None
        return found

    def moved(self, since: dt.date, due: dt.date) -> int:
        """By how many days approved pauses move a due day."""
        paused, day, count = self.paused(), since, 0
        while day <= due + days(count):
            count += day in paused
            day += days(1)
        return count

    def by(self, due: dt.date, done: Sequence[Told], *, since: dt.date | None = None, warn: int = 7, end: dt.date | None = None) -> Said:
        """A thing that is to be done by a day.  ``since``: from when pauses move that day."""
        if since is not None:
            due += days(self.moved(since, due))
        first = min((e.day for e in done), default=None)
        end = end if end is not None else self.end
        if first is not None and first <= due:
            return Said("met", None, due, first)
        if end is not None and end < due:
            return Said("not_applicable", "ended_before_due", due)
        if self.today <= due:
            return Said("due_soon" if self.today >= due - days(warn) else "pending", None, due)
        if first is not None:
            return Said("late", None, due, first, (first - due).days)
        return Said("breached", None, due)

    def at_third_visit(self, first: dt.date | None) -> Said:
        """A thing that is to be done by the day of the third qualifying visit, and was done on a day."""
        due = self.visits[2].day if len(self.visits) >= 3 else None
        if first is not None and (due is None or first <= due):
            return Said("met", None, due, first)
        if due is None:
            if self.end is not None:
                return Said("not_applicable", "ended_before_due")
            return Said("due_soon" if len(self.visits) == 2 else "pending")
        if self.end is not None and self.end < due:
            return Said("not_applicable", "ended_before_due", due)
        if self.today <= due:
            return Said("due_soon", None, due)
        if first is not None:
            return Said("late", None, due, first, (first - due).days)
        return Said("breached", None, due)

    def each(self, events: Sequence[Told], say: Callable[[Told], Said]) -> list[Said]:
        return [say(event) for event in events] or [NOT_TRIGGERED]

    def answered(self, events: Sequence[Told], answers: Sequence[Told], within: int) -> list[Said]:
        """Each event is to be answered on its day or later."""
        return self.each(events, lambda e: self.by(e.day + days(within), [a for a in answers if a.day >= e.day], since=e.day))

    def again_and_again(self, start: Told | None, done: Sequence[Told], every: int) -> list[Said]:
        """From a day on, no longer than so many days between two of them."""
        if start is None:
            return [NOT_TRIGGERED]
        said, since = [], start.day
        for event in done:
            if event.day > since:
                said.append(self.by(since + days(every), [event], since=since))
                since = event.day
        return [*said, self.by(since + days(every), [], since=since)]

    def same_day_still_open(self, gate: Told, kept: bool) -> Said:
        """Where days are compared, the day itself has to be over before something is missing."""
        return Said("pending") if not kept and self.today == gate.day else held_to(kept)
