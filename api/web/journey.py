"""The line of a case: what happened day by day, what was recorded late, and the days that rules set.

Late recording and late practice stand apart: an event that was recorded late is marked as such where it happened; a day that
passed without what it asked for is a mark of its own.  Imports rules/ and this package's words, views and present.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from api.web import words
from api.web.present import event_words
from api.web.views import EpisodeLine, JourneyDay, JourneyItem
from rules.catalogue import Catalogue
from rules.clock import Zone
from rules.evaluate import Evaluation, Judged
from rules.model import CaseFile, Event, Outcome
from rules.record import CORRECTED, HEARTBEAT, VOIDED, Fact, standing

RECORDED_LATE = 7
"""Days after which a record counts as late where no policy says otherwise."""
_NOT_SHOWN = {"episode", "occurred_on", "program", "office", "team", "performer", "recorder", "target", "set"}


def recording_limit(parameters: Iterable[Mapping[str, int | None]]) -> int:
    """Days within which events are to be recorded, as the policies in use set it."""
    return next((days for values in parameters if (days := values.get("recording_days")) is not None), RECORDED_LATE)


def journey(
    file: CaseFile,
    catalogue: Catalogue,
    judged: Sequence[Judged],
    *,
    zone: Zone,
    as_of: int,
    known_at: int,
    limit: int,
    breach: Callable[[Judged], str],
) -> list[JourneyDay]:
    """Days with what belongs to them.  ``breach`` gives the address of a verdict's breach, empty where it has none."""
    days: dict[int, list[tuple[int, JourneyItem]]] = defaultdict(list)
    known = [event for event in file.events if event.recorded <= known_at]
    facts, _ = standing(known, known_at, catalogue)
    spoken: dict[tuple[str, str], list[Event]] = defaultdict(list)
    for event in known:
        if event.type in (VOIDED, CORRECTED):
            spoken[(event.source, str(event.data.get("target")))].append(event)
    stand = {(fact.event.source, fact.event.id) for fact in facts}
    gone = [
        Fact(event, event.time, event.data, event.data.get("occurred_on"))
        for event in known
        if event.type not in (VOIDED, CORRECTED, HEARTBEAT) and (event.source, event.id) not in stand
    ]
    for fact in [*facts, *gone]:
        first = fact.time if fact.day is None else zone.start_of(dt.date.fromisoformat(fact.day).toordinal())
        if first <= as_of:
            key = (fact.event.source, fact.event.id)
            days[zone.day_of(first)].append((first, _event(fact, zone, limit, spoken.get(key, ()), void=key not in stand)))
    for one in judged:
        mark = _mark(one, breach)
        if mark is not None:
            due = dt.date.fromisoformat(str(one.verdict.due_on)).toordinal()
            days[due].append((zone.end_of(due), mark))
    return [
        JourneyDay(dt.date.fromordinal(number), [item for _, item in sorted(days[number], key=lambda pair: (pair[0], pair[1].what))])
        for number in sorted(days)
    ]


def _event(fact: Fact, zone: Zone, limit: int, spoken: Sequence[Event], *, void: bool) -> JourneyItem:
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
    )


def _mark(judged: Judged, breach: Callable[[Judged], str]) -> JourneyItem | None:
    verdict = judged.verdict
    if verdict.due_on is None or not judged.rule.clauses[0].sets_a_day or verdict.status == "shadow":
        return None
    if verdict.verdict in (Outcome.BREACHED, Outcome.LATE):
        kind = "due"
    elif verdict.verdict in (Outcome.DUE_SOON, Outcome.PENDING):
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
        note=judged.obligation.about,
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


def episodes(evaluations: Sequence[Evaluation]) -> list[EpisodeLine]:
    """The episodes of a case as its policies see them."""
    found: dict[int, EpisodeLine] = {}
    for evaluation in evaluations:
        for judged in evaluation.details:
            one = judged.view.episode
            if one.number in found:
                continue
            closed = one.closed
            attempts = len(one.closings) + (0 if closed is not None else 1)
            found[one.number] = EpisodeLine(
                name=str(one.name or one.number),
                program=min(one.programs, default=""),
                began=dt.date.fromordinal(one.start_day),
                closed=None if closed is None else dt.date.fromordinal(closed.day),
                note=f"reopened; closure attempt {attempts}" if len(one.closings) > 1 or (one.closings and closed is None) else "",
            )
    return [found[number] for number in sorted(found)]
