"""What a mapping makes of a client system's record: events that the door would take, and what stands in the way.  Imports rules.

The same for a pull, for a replay and for trying a mapping out, so that what was tried is what happens.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from adapters.base import Record
from adapters.fields import MappingFault, spread
from adapters.mapping import Mapping as FieldMapping
from rules.envelope import Parsed, content_digest, parse_event
from rules.errors import EventRefused, Problem
from rules.instants import parse_instant

GONE = "gone"


@dataclass(frozen=True, slots=True)
class Made:
    """An event that a record has become.  ``state``: it says how something stands now; see mapping_schema.Shape."""

    parsed: Parsed
    given: Mapping[str, Any]
    state: bool

    def content(self) -> str:
        """The digest of all that it says but of when that was recorded."""
        event = self.parsed.event
        assert event is not None
        time = None if self.state and self.given["time"] == self.given.get("recordedtime") else event.time
        return content_digest(event.type, event.case, time or 0, None, event.data)


@dataclass(frozen=True, slots=True)
class Interpreted:
    """A record's events and problems.  ``unread``: names of its fields that the mapping does not look at.

    ``cases``: whom the problems are about, None among them where that cannot be read; ``recorded`` (ms): the earliest time at which
    what could not be made was recorded, where it says so.
    """

    record: Record
    events: tuple[Made, ...]
    problems: tuple[Problem, ...]
    unread: tuple[str, ...]
    cases: frozenset[str | None] = frozenset()
    recorded: int | None = None


def interpret(mapping: FieldMapping, record: Record, *, received: int) -> Interpreted:
    """The record under the mapping.  ``received`` (ms) stands in where the system does not say when it recorded it."""
    if record.gone:
        return Interpreted(record, (), (), ())
    fields = record.fields if mapping.as_it_is else spread(record.fields)
    events: list[Made] = []
    problems: list[Problem] = []
    refused: list[tuple[object, object]] = []
    for made in mapping.made(fields, record.kind):
        if isinstance(made.event, MappingFault):
            problems.append(Problem(made.event.pointer, made.event.code, made.event.message))
            refused.append((made.case, made.recorded))
            continue
        try:
            parsed = parse_event(made.event, mapping.catalogue, received=received)
        except EventRefused as error:
            problems.extend(error.problems)
            refused.append((made.event.get("subject"), made.event.get("recordedtime")))
            continue
        if parsed.event is None:
            problems.append(Problem("/type", "wrong_value", "a record cannot be a heartbeat: pulls give their own"))
            refused.append((None, None))
            continue
        events.append(Made(parsed, made.event, made.state))
    unread = () if mapping.as_it_is else _unread(tuple(fields), mapping.columns)
    if not refused:
        return Interpreted(record, tuple(events), (), unread)
    cases = frozenset(case if isinstance(case, str) and case else None for case, _ in refused)
    times = [at for _, given in refused if (at := _instant(given)) is not None]
    return Interpreted(record, tuple(events), tuple(problems), unread, cases, min(times, default=None))


def _instant(given: object) -> int | None:
    try:
        return parse_instant(given) if isinstance(given, str) else None
    except ValueError:
        return None


def record_digest(mapping: FieldMapping, record: Record) -> str:
    """SHA-256 (hex) of a record and of what would be made of it: while it is the same, nothing has changed.  ``gone`` of one that is."""
    if record.gone:
        return GONE
    text = json.dumps([mapping.digest, record.fields], sort_keys=True, default=str, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


@lru_cache(maxsize=1024)
def _unread(fields: tuple[str, ...], columns: frozenset[str]) -> tuple[str, ...]:
    heads = {part for column in columns for part in (column, column.partition("[]")[0], column.removeprefix("item."))}
    inside = {".".join(column.split(".")[:cut]) for column in columns for cut in range(1, column.count(".") + 1)}
    return tuple(sorted(name for name in fields if name not in heads and name not in inside))
