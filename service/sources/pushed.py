"""Events that are pushed: ours as they are, those of other kinds under the mapping of their source.  Imports adapters/, store/, service/.

A source's file may say what the CloudEvents mean that a system sends of its own kinds.  What cannot be mapped is answered as rejected,
with the place of every fault, and waits on the source's reject list too: it is taken in once the mapping is mended, whether or not
the system sends it again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from adapters.base import Record
from adapters.interpret import Interpreted, interpret
from rules.attributes import text_fault
from rules.catalogue import HEARTBEAT
from rules.envelope import Parsed
from rules.errors import EventRefused, Problem
from service.bootstrap import Service
from service.ingest import CHUNK, IngestReport, Result, Status, ingest, read, take, told
from service.sources.definitions import Configured
from service.sources.records import Plan
from store import holds, sources
from store.engine import retrying
from store.events import Intake

KIND = "pushed:"
"""Before the type of an event, as the kind of a record on the reject list: it was pushed and not pulled."""
NOTHING = "*"
"""What is told as dropped of an event of which the mapping makes nothing."""


@dataclass(frozen=True, slots=True)
class _Foreign:
    """An event of another system's own kinds."""

    index: int
    source: Configured
    found: Interpreted
    sent_as: str


def receive(svc: Service, items: Sequence[Any], *, received: int, batch: bool) -> IngestReport:
    """Take in what was sent (JSON objects, or EventRefused already); a result for each, in the same order.

    Raises Overloaded where too much waits to be judged: then nothing was taken in.
    """
    mapped = {name: one for one in svc.feeds.current().items.values() if one.pushed is not None for name in one.senders}
    own: dict[int, Parsed | EventRefused] = {}
    foreign: list[_Foreign] = []
    for index, item in enumerate(items):
        pointer = f"/{index}" if batch else ""
        source = mapped.get(item["source"]) if isinstance(item, dict) and isinstance(item.get("source"), str) else None
        if source is None:
            own[index] = read(svc, item, received=received, pointer=pointer)
        elif item.get("type") == HEARTBEAT:
            own[index] = read(svc, {**item, "source": source.uri}, received=received, pointer=pointer)
        elif problems := _envelope_faults(item, pointer):
            own[index] = EventRefused(problems)
        else:
            foreign.append(_Foreign(index, source, _interpreted(source, item, received), item["source"]))
    parsed = [item for item in own.values() if isinstance(item, Parsed)] + [made.parsed for one in foreign for made in one.found.events]
    svc.gate.admit({item.event.case for item in parsed if item.event is not None})
    results = dict(zip(own, ingest(svc, list(own.values()), via="api", received=received).results, strict=True)) if own else {}
    cases = 0
    for some in _portions(foreign):
        done, dirty = retrying(lambda some=some: _store(svc, some, received))  # type: ignore[misc]
        svc.gate.taken(len(dirty))
        svc.hints.send(sorted(dirty))
        cases += len(dirty)
        results |= {one.index: _placed(one, result, batch) for one, result in zip(some, done, strict=True)}
    told(svc, [results[one.index] for one in foreign], via="api")
    found = tuple(results[index] for index in range(len(items)))
    return IngestReport(found, cases, dict(Counter(result.status.value for result in found)))


def take_again(svc: Service, source: Configured, records: Sequence[Record]) -> Counter[str]:
    """Try pushed events of the reject list again; what became of them."""
    if source.pushed is None:
        return Counter(records=len(records), refused=len(records))
    now = svc.now()
    some = [_again(source, record, now) for record in records]
    results, dirty = retrying(lambda: _store(svc, some, now))
    svc.hints.send(sorted(dirty))
    counts = Counter("refused" if result.status is Status.REJECTED else result.status.value for result in results)
    return counts + Counter(records=len(records))


def _again(source: Configured, record: Record, now: int) -> _Foreign:
    mapped = replace(record, kind=record.kind.removeprefix(KIND))
    return _Foreign(0, source, interpret(as_pushed(source).mapping, mapped, received=now), str(record.fields.get("source")))


def as_pushed(source: Configured) -> Configured:
    """The source as its pushed events are read."""
    return source if source.pushed is None else replace(source, mapping=source.pushed)


def _interpreted(source: Configured, item: Mapping[str, Any], received: int) -> Interpreted:
    several = source.push is not None and len(source.push.sources) > 1
    ref = f"{item['source']}#{item['id']}" if several else item["id"]
    return interpret(as_pushed(source).mapping, Record(item["type"], ref, item), received=received)


def _portions(foreign: Sequence[_Foreign]) -> Iterator[list[_Foreign]]:
    """Events of one source each, as many as go into one transaction."""
    by_source: dict[str, list[_Foreign]] = {}
    for one in foreign:
        by_source.setdefault(one.source.uri, []).append(one)
    for uri in sorted(by_source):
        for start in range(0, len(by_source[uri]), CHUNK):
            yield by_source[uri][start : start + CHUNK]


def _store(svc: Service, some: Sequence[_Foreign], now: int) -> tuple[list[Result], set[str]]:
    """One transaction: events, and what was refused with what it holds back."""
    source = as_pushed(some[0].source)
    with svc.writing() as session:
        sources.lock(session, source.uri, adapter=source.kind.name)
        plan = Plan(source, now)
        made: list[range] = []
        for one in some:
            first = len(plan.items)
            plan.add_fixed((KIND + one.found.record.kind, one.found.record.ref), one.found)
            made.append(range(first, len(plan.items)))
        waiting = sources.has_rejects(session, source.uri)
        doubtful = holds.release(session, source.uri, plan.good, now) if waiting else set()
        doubtful |= holds.hold_back(session, source.uri, plan.held, now)
        receipts, dirty = take(svc, session, plan.items, now, also=doubtful)
        sources.refuse(session, source.uri, plan.refused(), now)
        if waiting:
            sources.settle(session, source.uri, plan.good, now)
    return [_result(one, {receipts[at].status for at in span}) for one, span in zip(some, made, strict=True)], dirty


def _result(one: _Foreign, seen: set[Intake]) -> Result:
    """What became of an event, by what became of all that it was mapped to."""
    name, problems = str(one.found.record.fields["id"]), one.found.problems
    if problems:
        return Result(Status.REJECTED, name, one.sent_as, problems)
    for status in (Intake.CONFLICT, Intake.ACCEPTED, Intake.DUPLICATE):
        if status in seen:
            dropped = sorted({path for made in one.found.events for path in made.parsed.dropped})
            return Result(Status(status.value), name, one.sent_as, dropped=tuple(dropped))
    return Result(Status.ACCEPTED, name, one.sent_as, dropped=(NOTHING,))


def _placed(one: _Foreign, result: Result, batch: bool) -> Result:
    """With pointers that begin at the event's place in the batch."""
    if not batch:
        return result
    return result._replace(problems=tuple(replace(p, pointer=f"/{one.index}{p.pointer}") for p in result.problems))


def _envelope_faults(item: Mapping[str, Any], pointer: str) -> list[Problem]:
    """What keeps a JSON object from being a CloudEvent that can be named."""
    faults = []
    if item.get("specversion") != "1.0":
        faults.append(Problem(f"{pointer}/specversion", "wrong_value", 'must be "1.0"'))
    for name in ("id", "source", "type"):
        value = item.get(name)
        if not isinstance(value, str):
            faults.append(Problem(f"{pointer}/{name}", "missing" if value is None else "wrong_type", "must be a text"))
        elif (why := text_fault(value)) is not None:
            faults.append(Problem(f"{pointer}/{name}", "wrong_value", why))
    return faults
