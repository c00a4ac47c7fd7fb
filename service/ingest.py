"""Taking case events in: each once, with the cases that it makes dirty, in one transaction.  Imports rules/, store/ and service/.

What was answered "accepted" is on disk, and so is the knowledge that its case must be judged again; the hint that is sent to
the workers afterwards may be lost.  One event that is refused never takes its neighbours with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from rules.catalogue import CORRECTED
from rules.envelope import Parsed, loads, parse_event
from rules.errors import EventRefused, Problem
from rules.model import Event, Heartbeat
from service.bootstrap import Service
from service.logs import get
from service.policies.policyset import PolicySet
from service.removed import CODE, WORDS, belonging
from service.sources.quiet import caught_up
from store.cases import affected
from store.engine import retrying
from store.errors import Unstorable
from store.events import Intake, Receipt, insert_events, insert_heartbeats, insert_links
from store.models import EventRow, SourceRow
from store.queue import mark_dirty
from store.sql import dialect, encode, upsert

CHUNK = 1_000
"""Events in one transaction: long enough to be quick, short enough that readers of SQLite's log and other writers hardly wait."""

HEARD_EVERY = 1_000
"""ms between two notes of when a source was last heard of: a busy source must not queue up for its own row."""

_log = get("ingest")

Item = Parsed | EventRefused | Mapping[str, Any] | bytes
"""An event as it comes: read already (well or badly), a JSON object as data, or its bytes."""


class Status(StrEnum):
    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    REJECTED = "rejected"


class Result(NamedTuple):
    """What became of one event.  ``id`` and ``source`` are None where they could not be read; ``dropped`` are attribute paths."""

    status: Status
    id: str | None = None
    source: str | None = None
    problems: tuple[Problem, ...] = ()
    dropped: tuple[str, ...] = ()


_STATUS = {intake: Status.REJECTED if intake is Intake.REMOVED else Status(intake.value) for intake in Intake}


@dataclass(frozen=True, slots=True)
class IngestReport:
    """One result for each event given, in the same order.  ``cases``: how many cases wait to be judged because of them."""

    results: tuple[Result, ...]
    cases: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)


def ingest(svc: Service, items: Iterable[Item], *, via: str = "api", received: int | None = None) -> IngestReport:
    """Take events in.  ``via`` names the way that they came, for the metrics; ``received`` (ms) is now unless given.

    Raises sqlalchemy.exc.SQLAlchemyError where the store cannot be reached: then nothing of the chunk at hand was accepted.
    """
    given = list(items)
    now = svc.now() if received is None else received
    parsed = [read(svc, item, received=now, pointer="" if len(given) == 1 else f"/{index}") for index, item in enumerate(given)]
    results: list[Result] = []
    cases = 0
    for start in range(0, len(parsed), CHUNK):
        chunk = parsed[start : start + CHUNK]
        done, dirty = _take_chunk(svc, chunk, now)
        results.extend(done)
        cases += len(dirty)
        svc.gate.taken(len(dirty))
        svc.hints.send(sorted(dirty))
    return IngestReport(tuple(results), cases, told(svc, results, via=via))


def told(svc: Service, results: Sequence[Result], *, via: str) -> dict[str, int]:
    """Measure and log what became of events; how many met which fate."""
    counts = Counter(result.status.value for result in results)
    for status, count in counts.items():
        svc.metrics.events.labels(status, via).inc(count)
    svc.metrics.dropped.inc(sum(len(result.dropped) for result in results))
    if counts.get(Status.CONFLICT) or counts.get(Status.REJECTED):
        _log.warning("events_refused", via=via, **counts)
    return dict(counts)


def read(svc: Service, item: Item, *, received: int, pointer: str = "") -> Parsed | EventRefused:
    """One event, held against the catalogue that knows its type."""
    if isinstance(item, (Parsed, EventRefused)):
        return item
    try:
        data = loads(item, max_bytes=svc.settings.event_limit) if isinstance(item, bytes) else item
        kind = data.get("type") if isinstance(data, dict) else None
        catalogue = svc.policies.catalogue_of(kind if isinstance(kind, str) else None)
        return parse_event(data, catalogue, received=received, pointer=pointer)
    except EventRefused as refused:
        return refused


def _take_chunk(svc: Service, chunk: Sequence[Parsed | EventRefused], now: int) -> tuple[list[Result], set[str]]:
    good = [item for item in chunk if isinstance(item, Parsed)]
    try:
        receipts, dirty = retrying(lambda: _store(svc, good, now))
        unstorable: dict[int, Result] = {}
    except Unstorable:
        unstorable = {id(item): refused for item in good if (refused := _unstorable(item)) is not None}
        receipts, dirty = retrying(lambda: _store(svc, [item for item in good if id(item) not in unstorable], now))
    waiting = iter(receipts)
    results = []
    for item in chunk:
        if isinstance(item, EventRefused):
            results.append(Result(Status.REJECTED, problems=tuple(item.problems)))
        elif item.event is None:
            beat = item.heartbeat
            results.append(Result(Status.ACCEPTED, source=beat.source if beat is not None else None, dropped=item.dropped))
        elif id(item) in unstorable:
            results.append(unstorable[id(item)])
        else:
            status = next(waiting).status
            problems = _REMOVED if status is Intake.REMOVED else ()
            results.append(Result(_STATUS[status], item.event.id, item.event.source, problems, item.dropped))
    return results, dirty


def _store(svc: Service, items: Sequence[Parsed], now: int) -> tuple[list[Receipt], set[str]]:
    """One transaction of its own.  Gives a receipt for each event and the cases that wait because of those that were new."""
    if not items:
        return [], set()
    sources = _sources(items)
    heard = {source for source in sources if not 0 <= now - svc.heard.get(source, 0) < HEARD_EVERY}
    with svc.writing() as session:
        taken = take(svc, session, items, now)
    if heard:
        svc.heard.update(dict.fromkeys(heard, now))
        _note_heard(svc, heard, now)
    return taken


def take(
    svc: Service, session: Session, items: Sequence[Parsed], now: int, *, also: Collection[str] = ()
) -> tuple[list[Receipt], set[str]]:
    """The same inside a transaction of the caller's, which thereby holds whatever else belongs to these events (a cursor, say).

    ``also``: cases that are to be judged again for another reason.

    Call it once in a transaction, inside `store.engine.retrying`: it waits for others, who may wait for what the caller has written.
    Raises store.errors.Unstorable.
    """
    if not items and not also:
        return [], set()
    events = [item.event for item in items if item.event is not None]
    beats = [item.heartbeat for item in items if item.heartbeat is not None]
    digests = [item.content_digest for item in items if item.event is not None]
    policies = svc.policies
    tying = policies.tying_types
    linked = {(event.case, key) for event in events if event.type in tying for key in policies.links(event)}
    speaking = any("target" in event.data for event in events)
    dirty: set[str] = set(also)
    _take_turns(session, alone=bool(linked) or speaking)
    gone, sent = belonging(svc, session, events), len(events)
    if gone:
        digests = [digest for place, digest in enumerate(digests) if place not in gone]
        events = [event for place, event in enumerate(events) if place not in gone]
        linked = {(event.case, key) for event in events if event.type in tying for key in policies.links(event)}
    receipts = insert_events(session, events, received=now, digests=digests) if events else []
    fresh = [event for event, receipt in zip(events, receipts, strict=True) if receipt.status is Intake.ACCEPTED]
    if fresh:
        cases = {event.case for event in fresh}
        insert_links(session, sorted({(case, key) for case, key in linked if case in cases} | _words_about(session, policies, fresh)))
        dirty |= affected(session, fresh)
    dirty |= _heartbeats(session, beats)
    mark_dirty(session, dirty, now)
    if gone:
        rest = iter(receipts)
        receipts = [Receipt(Intake.REMOVED, 0) if place in gone else next(rest) for place in range(sent)]
    return receipts, dirty


_REMOVED = (Problem("/subject", CODE, WORDS),)


def _sources(items: Sequence[Parsed]) -> set[str]:
    events = {item.event.source for item in items if item.event is not None}
    return events | {item.heartbeat.source for item in items if item.heartbeat is not None}


_TURN = 0x6475652063617265
_ALONE = text("SELECT pg_advisory_xact_lock(:turn)")
_TOGETHER = text("SELECT pg_advisory_xact_lock_shared(:turn)")


def _take_turns(session: Session, *, alone: bool) -> None:
    """Events that tie cases together, or speak of others' events, go in alone.

    Two such transactions at once could not see each other's rows, and each would leave the other's case as it is.  SQLite has
    one writer at a time anyway.
    """
    if dialect(session) == "postgresql":
        session.execute(_ALONE if alone else _TOGETHER, {"turn": _TURN})


def _words_about(session: Session, policies: PolicySet, fresh: Sequence[Event]) -> set[tuple[str, str]]:
    """Links that corrections filed under another case give to the case of the event that they speak about, whichever came first."""
    by_id = {(event.source, event.id): event for event in fresh}
    found: set[tuple[str, str]] = set()
    words = [event for event in fresh if event.type == CORRECTED and policies.links(event)]
    for word in words:
        target = (word.source, str(word.data["target"]))
        case = by_id[target].case if target in by_id else session.scalar(_CASE_OF, {"source": target[0], "id": target[1]})
        if case is not None and case != word.case:
            found |= {(case, key) for key in policies.links(word)}
    targets = {event.id for event in fresh if event.type in policies.link_types}
    if not targets:
        return found
    earlier = select(EventRow).where(EventRow.type == CORRECTED, EventRow.target.in_(targets))
    for row in session.scalars(earlier):
        about = by_id.get((row.source, row.target or ""))
        if about is not None and about.case != row.case_id:
            word = Event(row.source, row.id, row.type, row.case_id, row.time, row.recorded, row.recorded_given, row.data)
            found |= {(about.case, key) for key in policies.links(word)}
    return found


_NOT_LONG = text("SET LOCAL lock_timeout = '100ms'")
_CASE_OF = text("SELECT case_id FROM event WHERE source = :source AND id = :id")


def _heartbeats(session: Session, beats: Sequence[Heartbeat]) -> set[str]:
    dirty: set[str] = set()
    for source in sorted({beat.source for beat in beats}):
        dirty |= caught_up(session, source, max(beat.complete_until for beat in beats if beat.source == source))
    insert_heartbeats(session, beats)
    return dirty


def _note_heard(svc: Service, sources: set[str], now: int) -> None:
    """Notes when each source was last heard of.

    One small transaction for each, behind the one that holds the events: whoever asks a client system has the source's row first and
    then waits for events, so nobody who has events may wait for that row.
    """
    rows = [{"source": source, "last_received": now, "failures": 0, "records": 0} for source in sorted(sources)]
    for row in rows:
        with suppress(DBAPIError), svc.writing() as session:
            if dialect(session) == "postgresql":
                session.execute(_NOT_LONG)
            statement = upsert(session, SourceRow).values(**row)
            changed = {"last_received": statement.excluded.last_received}
            session.execute(statement.on_conflict_do_update(index_elements=["source"], set_=changed))


def _unstorable(item: Parsed) -> Result | None:
    """The rejection of an event that no database could give back unchanged; None where it can be stored."""
    event = item.event
    if event is None:
        return None
    try:
        encode(event.data)
    except Unstorable as error:
        return Result(Status.REJECTED, event.id, event.source, (Problem("/data", "unstorable", str(error)),))
    return None
