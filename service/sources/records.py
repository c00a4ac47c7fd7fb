"""What becomes of a client system's records: which events are new, which replace earlier ones, which are taken back.

A record that was edited takes its earlier event back (event.voided) and puts another in its place; one that was deleted takes
back all that it became; one that says how something stands adds an event when that has changed.  So what was known when stays
true, and reading a record twice changes nothing.  Imports adapters/, rules/, store/ and service/.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from adapters.base import Record, Reject
from adapters.interpret import Interpreted, Made, interpret, record_digest
from rules.catalogue import VOIDED
from rules.envelope import Parsed, parse_event
from rules.model import rfc3339
from service.sources.definitions import Configured
from service.sources.refused import payload_of
from store import sources
from store.holds import Held
from store.sources import Known, Ref, Refused


class Stands(NamedTuple):
    """What a record's event stands at, kept as a JSON list.  ``content`` None: it was taken back.

    ``number``: how many versions there were; ``first``: of a state, the first version that was not taken back.
    """

    content: str | None
    number: int
    case: str
    state: bool
    first: int


_NEW = Stands(None, 0, "", False, 1)


@dataclass(slots=True)
class Plan:
    """What becomes of the records of one page."""

    source: Configured
    now: int
    items: list[Parsed] = field(default_factory=list)
    known: dict[Ref, Known] = field(default_factory=dict)
    problems: dict[Ref, list[dict[str, str]]] = field(default_factory=dict)
    payloads: dict[Ref, Mapping[str, Any]] = field(default_factory=dict)
    held: dict[Ref, Held] = field(default_factory=dict)
    """What was refused and is about cases that are known."""
    holds_from: dict[Ref, int] = field(default_factory=dict)
    """How far the source is complete for what was refused and may be about any case (ms)."""
    good: list[Ref] = field(default_factory=list)
    unchanged: int = 0
    made_by: dict[str, Ref] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        session: Session,
        source: Configured,
        records: Sequence[Record],
        now: int,
        *,
        fixed: bool = False,
        found: Mapping[Ref, Interpreted] | None = None,
    ) -> Plan:
        """What becomes of ``records``; ``fixed``: see adapters.base.Page; ``found``: what some are by the mapping, if that is known."""
        plan = cls(source, now)
        known_as = found or {}
        newest = {(record.kind, record.ref): record for record in records}
        if fixed:
            for ref, record in newest.items():
                plan.add_fixed(ref, known_as.get(ref) or interpret(source.mapping, record, received=now))
            return plan
        before = sources.known_records(session, source.uri, list(newest))
        for ref, record in newest.items():
            digest = record_digest(source.mapping, record)
            known = before.get(ref, Known("", {}))
            if known.digest == digest:
                plan.unchanged += 1
            else:
                plan.add(ref, known_as.get(ref) or interpret(source.mapping, record, received=now), known, digest)
        return plan

    def add(self, ref: Ref, found: Interpreted, known: Known, digest: str) -> None:
        """One record that is new or has changed."""
        stands = {id_: Stands(*kept) for id_, kept in known.events.items()}
        changed = _changed(found, self.now)
        ids: set[str] = set()
        for made in found.events:
            event = made.parsed.event
            assert event is not None
            ids.add(event.id)
            before, content = stands.get(event.id, _NEW), made.content()
            if before.content == content:
                continue
            if before.content is not None and not made.state:
                self._void(event.id, before, changed)
            number = before.number + 1
            self._put(ref, made, event.id, number, changed)
            first = before.first if before.content is not None and made.state else number
            stands[event.id] = Stands(content, number, event.case, made.state, first)
        for id_, kept in list(stands.items()):
            lapsed = id_ not in ids and kept.content is not None and not found.problems
            if lapsed and (found.record.gone or not kept.state):
                self._void(id_, kept, changed)
                stands[id_] = kept._replace(content=None, first=kept.number + 1)
        self.known[ref] = Known("" if found.problems else digest, stands)
        self._settle(ref, found, stands)

    def add_fixed(self, ref: Ref, found: Interpreted) -> None:
        """One record that never changes, so that nothing has to be known of it."""
        if len(found.events) > 1:
            self.add(ref, found, Known("", {}), "")
            del self.known[ref]
            return
        for made in found.events:
            assert made.parsed.event is not None
            self.items.append(made.parsed)
            self.made_by[made.parsed.event.id] = ref
        self._settle(ref, found, {})

    def _settle(self, ref: Ref, found: Interpreted, stands: Mapping[str, Stands]) -> None:
        if found.problems:
            self.problems[ref] = [{"pointer": p.pointer, "code": p.code, "message": p.message} for p in found.problems]
            self.payloads[ref] = found.record.fields
            self._hold_back(ref, found, stands)
        else:
            self.good.append(ref)

    def _hold_back(self, ref: Ref, found: Interpreted, stands: Mapping[str, Stands]) -> None:
        """What a refused record keeps from being judged, from when it was recorded; an edit of one that is on record, since the edit."""
        times = [found.record.changed] if stands else [found.record.changed, found.recorded]
        until = min(self.now, *(at - 1 for at in times if at is not None)) if any(at is not None for at in times) else self.now
        cases = frozenset(case for case in found.cases if case is not None) | {kept.case for kept in stands.values() if kept.content}
        if None in found.cases or not cases:
            self.holds_from[ref] = until
        else:
            self.held[ref] = Held(cases, until)

    def _put(self, ref: Ref, made: Made, id_: str, number: int, changed: int) -> None:
        """Take an event in.  One that replaces another was known since the record was changed, whenever the first one was recorded."""
        parsed = made.parsed
        if number > 1:
            given = {**made.given, "id": _numbered(id_, number)}
            if not made.state:
                given["recordedtime"] = rfc3339(changed)
            parsed = parse_event(given, self.source.mapping.catalogue, received=self.now)
        assert parsed.event is not None
        self.items.append(parsed)
        self.made_by[parsed.event.id] = ref

    def _void(self, id_: str, stands: Stands, changed: int) -> None:
        """Take back what stands; of a state, everything that it has said."""
        for number in range(stands.first, stands.number + 1) if stands.state else (stands.number,):
            target = _numbered(id_, number)
            void = {
                "specversion": "1.0",
                "id": f"{target}~void",
                "source": self.source.uri,
                "type": VOIDED,
                "subject": stands.case,
                "time": rfc3339(changed),
                "recordedtime": rfc3339(changed),
                "data": {"target": target},
            }
            self.items.append(parse_event(void, self.source.mapping.catalogue, received=self.now))

    def clash(self, item: Parsed) -> Ref | None:
        """An event whose id another record has taken, with other content; the record that it was made of."""
        assert item.event is not None
        ref = self.made_by.get(item.event.id)
        if ref is None:
            return None
        self.problems.setdefault(ref, []).append(
            {
                "pointer": "/id",
                "code": "conflict",
                "message": "another record has become an event of the same id: make ids of their kind too",
            }
        )
        if ref in self.known:
            self.known[ref] = Known("", {})
        if ref in self.good:
            self.good.remove(ref)
        if ref not in self.holds_from:
            before = self.held.get(ref, Held(frozenset(), self.now))
            self.held[ref] = Held(before.cases | {item.event.case}, min(before.complete_until, item.event.recorded - 1))
        return ref

    def forget(self, item: Parsed) -> None:
        """An event that belongs to a record that was removed: nothing is kept of what it was made of."""
        ref = self.made_by.get(item.event.id) if item.event is not None else None
        if ref is not None:
            self.known.pop(ref, None)

    def drop(self, ref: Ref) -> None:
        """A record that was refused, of which nothing is kept."""
        for kept in (self.problems, self.payloads, self.held, self.known):
            kept.pop(ref, None)

    def cannot_read(self, reject: Reject) -> None:
        """What the adapter could not read as a record."""
        said = {"pointer": reject.pointer, "code": reject.code, "message": reject.reason}
        ref = (reject.file, str(reject.line))
        self.problems.setdefault(ref, []).append(said)
        self.holds_from[ref] = self.now

    def refused(self) -> list[Refused]:
        return [
            Refused(ref, problems, payload_of(self.source.mapping, self.payloads.get(ref)), self.holds_from.get(ref))
            for ref, problems in self.problems.items()
        ]


def _numbered(id_: str, number: int) -> str:
    return id_ if number == 1 else f"{id_}~{number}"


def _changed(found: Interpreted, now: int) -> int:
    """When the system changed the record (ms): what is taken back was known to be wrong since then."""
    if found.record.changed is not None:
        return min(found.record.changed, now)
    given = [made.parsed.event.recorded for made in found.events if made.parsed.event is not None and made.parsed.event.recorded_given]
    return min(max(given), now) if given else now
