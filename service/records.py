"""What becomes of a client system's records: which events are new, which replace earlier ones, which are taken back.

A record that was edited takes its earlier event back (event.voided) and puts another in its place; one that was deleted takes
back all that it became; one that says how something stands adds an event when that has changed.  So what was known when stays
true, and reading a record twice changes nothing.  Imports adapters/, rules/ and store/.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from adapters.base import Record, Reject
from adapters.interpret import Interpreted, Made, interpret, record_digest
from rules.catalogue import VOIDED
from rules.envelope import Parsed, parse_event
from rules.model import rfc3339
from service.sources import Configured
from store import sources
from store.holds import Held
from store.sources import Known, Ref, Refused

LONGEST_TEXT = 256
"""Characters of a text of a refused record that is kept: codes and ids are shorter, stories of families are longer."""
MOST_PAYLOAD = 65_536
"""Characters of a refused record that are kept; a larger one is asked for again when it is replayed."""


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
            free = None if self.source.mapping.as_it_is else frozenset(found.unread)
            self.payloads[ref] = _codes_of(found.record.fields, free)
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
            Refused(ref, problems, _payload(self.payloads.get(ref)), self.holds_from.get(ref)) for ref, problems in self.problems.items()
        ]


def _numbered(id_: str, number: int) -> str:
    return id_ if number == 1 else f"{id_}~{number}"


def _changed(found: Interpreted, now: int) -> int:
    """When the system changed the record (ms): what is taken back was known to be wrong since then."""
    if found.record.changed is not None:
        return min(found.record.changed, now)
    given = [made.parsed.event.recorded for made in found.events if made.parsed.event is not None and made.parsed.event.recorded_given]
    return min(max(given), now) if given else now


def _payload(fields: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """What the system gave, where it is small enough to be kept; without its long texts, which are narratives and no codes."""
    if fields is None:
        return None
    text = json.dumps(_brief(fields), default=str)
    if len(text) > MOST_PAYLOAD or "\\u0000" in text:
        return None
    kept: dict[str, Any] = json.loads(text)
    return kept


def _codes_of(value: Any, free: frozenset[str] | None, path: str = "") -> Any:
    """A record without what was written as sentences, in the fields ``free`` that nothing reads (None: in any field).

    Ids, codes, days and moments have one blank at most.
    """
    if isinstance(value, Mapping):
        inner = {key: (f"{path}.{key}" if path else str(key), part) for key, part in value.items()}
        return {key: _codes_of(part, free, name) for key, (name, part) in inner.items() if not _is_sentence(part, free, name)}
    if isinstance(value, list | tuple):
        return [_codes_of(part, free, path) for part in value if not _is_sentence(part, free, path)]
    return value


def _is_sentence(value: Any, free: frozenset[str] | None, path: str) -> bool:
    if not isinstance(value, str) or len(value.split()) <= 2:
        return False
    return free is None or path in free or any(path.startswith(f"{name}.") for name in free)


def _brief(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _brief(part) for key, part in value.items() if not (isinstance(part, str) and len(part) > LONGEST_TEXT)}
    if isinstance(value, list | tuple):
        return [_brief(part) for part in value if not (isinstance(part, str) and len(part) > LONGEST_TEXT)]
    return value
