"""The record as it stood at ``known_at``: what had been recorded by then, voided events out, corrections applied.

First half of stage 1; it knows no time zone.  Neither the order of arrival nor repeated delivery changes anything here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from rules.clock import DAY_MS, EPOCH_DAY, parse_day
from rules.course import RECORD_EVENTS
from rules.errors import EventRefused
from rules.lean import lean
from rules.model import DataQuery, Event, to_ms

VOIDED = "event.voided"
CORRECTED = "event.corrected"
HEARTBEAT = "source.heartbeat"

Key = tuple[str, str]


class Corrector(Protocol):
    """The part of a catalogue that applies a correction's ``set`` to an event's data.  Raises EventRefused."""

    def apply_set(self, type_: str, data: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]: ...


@lean
class Fact:
    """An event that counts, with its corrections applied."""

    event: Event
    time: int
    data: Mapping[str, Any]
    day: str | None
    """ISO date where only the day is known."""
    moved_back: int | None = None
    """When a correction that set an earlier time was recorded (ms)."""


def standing(events: Iterable[Event], known_at: int, corrector: Corrector) -> tuple[list[Fact], list[DataQuery]]:
    """The facts that stand at ``known_at``, and what in the record a person should look at.  Targets are of the same source."""
    known: dict[Key, Event] = {}
    for event in events:
        if event.recorded <= known_at:
            known.setdefault((event.source, event.id), event)
    queries: list[DataQuery] = []
    if RECORD_EVENTS.isdisjoint([event.type for event in known.values()]):
        return [Fact(event, event.time, event.data, event.data.get("occurred_on")) for event in known.values()], queries
    speaking: dict[Key, list[Event]] = {}
    for event in known.values():
        if event.type in (VOIDED, CORRECTED) and event.data.get("target") is not None:
            speaking.setdefault((event.source, event.data["target"]), []).append(event)
    gone = _voided(known, speaking)
    facts = []
    for key, event in known.items():
        if event.type in RECORD_EVENTS or key in gone:
            continue
        corrections = sorted(
            (c for c in speaking.get(key, ()) if c.type == CORRECTED and (c.source, c.id) not in gone),
            key=lambda c: (c.recorded, c.source, c.id),
        )
        facts.append(_corrected(event, corrections, corrector, queries))
    queries.extend(
        DataQuery(
            "correction_not_applied",
            word.case,
            f"a correction cannot be applied: {known[key].type} speaks of the record itself; void it and send another one",
            (word.id, key[1]),
        )
        for key, words in speaking.items()
        if key in known and known[key].type in RECORD_EVENTS and key not in gone
        for word in words
        if word.type == CORRECTED and (word.source, word.id) not in gone
    )
    queries.extend(
        DataQuery("target_not_on_record", word.case, f"{word.type} speaks of an event that is not on record", (word.id,))
        for key, words in speaking.items()
        if key not in known
        for word in words
    )
    return facts, queries


def _voided(known: Mapping[Key, Event], speaking: Mapping[Key, list[Event]]) -> set[Key]:
    """Events that a standing void takes out.  Voiding a void restores; voids that void one another in a ring void nothing."""
    gone = dict.fromkeys(_in_ring(speaking), True)
    for start in known:
        waiting = [start]
        while waiting:
            key = waiting[-1]
            words = [(word.source, word.id) for word in speaking.get(key, ()) if word.type == VOIDED]
            open_ = [word for word in words if word not in gone]
            if key not in gone and open_:
                waiting += open_
            else:
                gone.setdefault(key, any(not gone[word] for word in words))
                waiting.pop()
    return {key for key in known if gone[key]}


def _in_ring(speaking: Mapping[Key, list[Event]]) -> set[Key]:
    """Voids that, followed from target to target, come back to themselves (each void has one target)."""
    target = {(w.source, w.id): key for key, words in speaking.items() for w in words if w.type == VOIDED}
    ring: set[Key] = set()
    seen: set[Key] = set()
    for start in target:
        path, here = [], start
        while here in target and here not in seen:
            seen.add(here)
            path.append(here)
            here = target[here]
        if here in path:
            ring.update(path[path.index(here) :])
    return ring


def _corrected(event: Event, corrections: list[Event], corrector: Corrector, queries: list[DataQuery]) -> Fact:
    time, data, moved_back = event.time, dict(event.data), None
    for correction in corrections:
        changes = dict(correction.data.get("set") or {})
        try:
            new_time = time
            fresh = data
            if "time" in changes:
                new_time = _instant(changes.pop("time"))
                fresh = {k: v for k, v in fresh.items() if k != "occurred_on"}
            fresh = corrector.apply_set(event.type, fresh, changes) if changes else fresh
        except (EventRefused, ValueError, TypeError) as error:
            queries.append(
                DataQuery("correction_not_applied", event.case, f"a correction cannot be applied: {error}", (correction.id, event.id))
            )
            continue
        if _when(new_time, fresh) < _when(time, data):
            moved_back = correction.recorded
        time, data = new_time, fresh
    return Fact(event, time, data, data.get("occurred_on"), moved_back)


def _instant(value: object) -> int:
    if isinstance(value, str):
        return to_ms(dt.datetime.fromisoformat(value.replace("z", "Z")))
    raise ValueError("time is not an RFC 3339 instant with a zone")


def _when(time: int, data: Mapping[str, Any]) -> int:
    day = data.get("occurred_on")
    return time if day is None else (parse_day(day) - EPOCH_DAY) * DAY_MS
