"""The line of a case in words: what happened day by day, what was recorded late, and the days that rules set.

Late recording and late practice stand apart: an event that was recorded late is marked as such where it happened; a day that
passed without what it asked for is a mark of its own.  Imports rules/, the stored events of
store.queries, and this package's words, views and story.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from api.web import words
from api.web.cases.story import Record, counted
from api.web.cases.views import EpisodeLine, JourneyDay, JourneyItem
from api.web.cases.windows import person_of
from api.web.present import event_words
from rules.clock import Zone
from rules.evaluate import Judged
from rules.model import Event, Outcome
from rules.phrases import ordinal
from rules.record import CORRECTED, HEARTBEAT, VOIDED, Fact
from store.queries import StoredEvent

RECORDED_LATE = 7
"""Days after which a record counts as late where no policy says otherwise."""
_NOT_SHOWN = {"episode", "occurred_on", "program", "office", "team", "performer", "recorder", "target", "set"}


def recording_limit(parameters: Iterable[Mapping[str, int | None]]) -> int:
    """Days within which events are to be recorded, as the policies in use set it."""
    return next((days for values in parameters if (days := values.get("recording_days")) is not None), RECORDED_LATE)


def journey(
    record: Record,
    judged: Sequence[Judged],
    *,
    zone: Zone,
    as_of: int,
    known_at: int,
    limit: int,
    breach: Callable[[Judged], str],
    case: str,
) -> list[JourneyDay]:
    """Days with what belongs to them.  ``breach`` gives the address of a verdict's breach, empty where it has none."""
    days: dict[int, list[tuple[int, JourneyItem]]] = defaultdict(list)
    known = [event for event in record.events if event.recorded <= known_at]
    spoken: dict[tuple[str, str], list[Event]] = defaultdict(list)
    for event in known:
        if event.type in (VOIDED, CORRECTED):
            spoken[(event.source, str(event.data.get("target")))].append(event)
    stand = {(fact.event.source, fact.event.id) for fact in record.facts}
    gone = {
        (event.source, event.id): Fact(event, event.time, event.data, event.data.get("occurred_on"))
        for event in known
        if event.type not in (VOIDED, CORRECTED, HEARTBEAT) and (event.source, event.id) not in stand
    }
    numbers, _ = counted(judged)
    for fact in [*record.facts, *gone.values()]:
        first = fact.time if fact.day is None else zone.start_of(dt.date.fromisoformat(fact.day).toordinal())
        if first <= as_of:
            key = (fact.event.source, fact.event.id)
            item = _event(fact, zone, limit, spoken.get(key, ()), void=key not in stand, number=numbers.get(key), case=case)
            days[zone.day_of(first)].append((first, item))
    for one in judged:
        mark = _mark(one, breach)
        if mark is not None:
            due = dt.date.fromisoformat(str(one.verdict.due_on)).toordinal()
            days[due].append((zone.end_of(due), mark))
    return [
        JourneyDay(dt.date.fromordinal(number), [item for _, item in sorted(days[number], key=lambda pair: (pair[0], pair[1].what))])
        for number in sorted(days)
    ]


def plain_journey(events: Iterable[StoredEvent], *, zone: Zone, as_of: int, known_at: int) -> list[JourneyDay]:
    """The events of a case as they came, by the day on which they happened: for a case that cannot be judged."""
    days: dict[int, list[JourneyItem]] = defaultdict(list)
    for one in sorted(events, key=lambda one: (one.event.time, one.position)):
        event = one.event
        if event.time <= as_of and event.recorded <= known_at:
            fact = Fact(event, event.time, event.data, None)
            days[zone.day_of(event.time)].append(_event(fact, zone, RECORDED_LATE, (), void=False, number=None, case=event.case))
    return [JourneyDay(dt.date.fromordinal(number), days[number]) for number in sorted(days)]


def _event(
    fact: Fact, zone: Zone, limit: int, spoken: Sequence[Event], *, void: bool, number: tuple[int, bool] | None, case: str
) -> JourneyItem:
    event = fact.event
    happened = zone.day_of(fact.time) if fact.day is None else dt.date.fromisoformat(fact.day).toordinal()
    recorded = zone.day_of(event.recorded)
    lag = recorded - happened
    notes = []
    if event.recorded_given and lag > 0:
        notes.append(f"recorded {words.short_day(dt.date.fromordinal(recorded))}, {words.count(lag, 'day')} later")
    for word in spoken:
        done = "voided" if word.type == VOIDED else "corrected"
        notes.append(f"{done} by {word.id} on {words.short_day(dt.date.fromordinal(zone.day_of(word.recorded)))}")
    late = event.recorded_given and lag > limit
    return JourneyItem(
        kind="void" if void else "late_record" if late else "event",
        what=event_words(event.type),
        detail=details(fact.data),
        time=words.clock(zone.local(fact.time)) if fact.day is None else "only the day is known",
        note="; ".join(notes),
        event=event.id,
        source=event.source,
        ordinal="" if number is None or void else "may or may not count" if number[1] else f"{ordinal(number[0])} that counts",
        case=event.case if event.case != case else "",
    )


def _mark(judged: Judged, breach: Callable[[Judged], str]) -> JourneyItem | None:
    verdict = judged.verdict
    if verdict.due_on is None or verdict.status == "shadow":
        return None
    sets_a_day = judged.rule.clauses[0].sets_a_day
    if verdict.verdict in (Outcome.BREACHED, Outcome.LATE, Outcome.EXCUSED, Outcome.UNKNOWN):
        kind = "due"
    elif verdict.verdict in (Outcome.DUE_SOON, Outcome.PENDING) and sets_a_day:
        kind = "soon"
    else:
        return None
    detail = ""
    if verdict.verdict is Outcome.LATE and verdict.days_late:
        detail = f"{words.count(verdict.days_late, 'day')} late"
    return JourneyItem(
        kind=kind,
        what=f"{verdict.rule} {judged.rule.title}",
        detail=detail,
        outcome=verdict.verdict.value,
        href=breach(judged),
        note=f"about {judged.obligation.about}" if person_of(judged) else judged.obligation.about,
    )


def details(data: Mapping[str, Any]) -> str:
    """What an event says, in few words: codes and numbers as they are, of people only how many."""
    parts = []
    for name, value in data.items():
        if name in _NOT_SHOWN or value is None:
            continue
        label = name.replace("_", " ")
        if isinstance(value, bool):
            parts.append(label if value else f"no {label}")
        elif isinstance(value, str | int | float):
            parts.append(f"{label} {str(value).replace('_', ' ')}")
        elif isinstance(value, list | tuple):
            if value:
                parts.append(f"{label}: {_several(value)}")
        elif isinstance(value, Mapping) and "id" in value:
            role = value.get("role")
            parts.append(f"{label} {value['id']}" + (f" ({str(role).replace('_', ' ')})" if role else ""))
    return "; ".join(parts)


def _several(values: Sequence[Any]) -> str:
    """Codes by name; people and whatever else carries an id only by number."""
    codes = [value.replace("_", " ") for value in values if isinstance(value, str) and not any(char.isdigit() for char in value)]
    return ", ".join(codes) if len(codes) == len(values) else str(len(values))


def episodes(record: Record) -> list[EpisodeLine]:
    """The episodes of a case."""
    found = []
    for one in record.history.episodes:
        closed = one.closed
        attempts = len(one.closings) + (0 if closed is not None else 1)
        again = len(one.closings) > 1 or (one.closings and closed is None)
        found.append(
            EpisodeLine(
                name=str(one.name or one.number),
                program=min(one.programs, default=""),
                began=dt.date.fromordinal(one.start_day),
                closed=None if closed is None else dt.date.fromordinal(closed.day),
                note=f"reopened; closure attempt {attempts}" if again else "",
            )
        )
    return found
