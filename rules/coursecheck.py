"""Whether a catalogue's account of a case's course names events and attributes that it declares.  Imports rules.catalogue and rules.course.

A slip here would not stop anything: cases would simply never close, nobody would belong to them, nothing would link them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import ValidationError

from rules.attributes import Attribute
from rules.catalogue import Catalogue
from rules.course import CourseOfCase
from rules.errors import Fault
from rules.faultwords import told
from rules.nearname import did_you_mean

Found = tuple[tuple[Any, ...], str]


def course_of(catalogue: Catalogue) -> tuple[CourseOfCase | None, list[Fault]]:
    """What the catalogue says of a case's course (None where it cannot be read), and every fault with its place in the catalogue."""
    try:
        domain = CourseOfCase.of(catalogue)
    except ValidationError as error:
        data = {key: getattr(catalogue, key) or None for key in ("course", "roster", "state", "links")}
        return None, [_fault(catalogue, place, "P018", message) for place, message, _ in told(error, data, CourseOfCase)]
    return domain, [_fault(catalogue, place, "P018", message) for place, message in _Names(catalogue).all(domain)]


def _fault(catalogue: Catalogue, place: tuple[Any, ...], code: str, message: str) -> Fault:
    where = ".".join(map(str, place))
    if catalogue.source is None:
        return Fault(catalogue.name, 0, 0, code, f"{where}: {message}")
    return catalogue.source.fault(place, code, f"{where}: {message}")


def _unknown(what: str, name: str, known: Iterable[str]) -> str:
    return f"there is no {what} {name!r}{did_you_mean(name, known)}"


def _a(kind: str) -> str:
    return "a list" if kind == "list" else "an object"


class _Names:
    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue

    def all(self, domain: CourseOfCase) -> Iterator[Found]:
        yield from self._course(domain)
        if domain.roster is not None:
            roster = domain.roster
            yield from self._list(roster.event, roster.list_, ("roster",))
            for field, inner in (("person", roster.person), ("role", roster.role), ("from", roster.from_), ("to", roster.to)):
                if inner is not None:
                    yield from self._attribute(roster.event, f"{roster.list_}.{inner}", ("roster", field))
        for name, sources in domain.state.items():
            for number, source in enumerate(sources):
                yield from self._pair(source.event, source.attribute, ("state", name, number))
        for name, links in domain.links.items():
            for number, link in enumerate(links):
                at = ("links", name, number)
                yield from self._list(link.event, link.list_, at)
                for inner in (*([link.id] if link.id is not None else ()), *link.where):
                    steps = ("id",) if inner == link.id else ("where", inner)
                    yield from self._attribute(link.event, f"{link.list_}.{inner}", (*at, *steps))

    def _course(self, domain: CourseOfCase) -> Iterator[Found]:
        course = domain.course
        if course.closes is not None:
            yield from self._pair(course.closes.event, course.closes.reason, ("course", "closes"), "reason")
        if course.reopens is not None:
            yield from self._pair(course.reopens.event, course.reopens.error_flag, ("course", "reopens"), "error_flag")
        papers = list((self.catalogue.course or {}).get("closing_papers") or ())
        for number, event in enumerate(papers):
            yield from self._event(event, ("course", "closing_papers", number))
        if course.merges is not None:
            yield from self._pair(course.merges.event, course.merges.into, ("course", "merges"), "into")
        for field in ("episode", "program", "office"):
            path = getattr(course, field)
            if path is not None:
                yield from self._anywhere(path, ("course", field))
        if course.team is not None:
            yield from self._anywhere(course.team.attribute, ("course", "team", "attribute"))
            if course.team.moves is not None:
                yield from self._pair(course.team.moves.event, course.team.moves.attribute, ("course", "team", "moves"))
        if course.pauses is not None:
            pauses, at = course.pauses, ("course", "pauses")
            yield from self._pair(pauses.event, pauses.approved_by, at, "approved_by")
            yield from self._event(pauses.resumes, (*at, "resumes"))
            if pauses.approval is not None:
                yield from self._pair(pauses.approval.event, pauses.approval.attribute, (*at, "approval"))
            if pauses.revocation is not None:
                yield from self._pair(pauses.revocation.event, pauses.revocation.attribute, (*at, "revocation"))
                yield from self._attribute(pauses.revocation.event, pauses.revocation.names, (*at, "revocation", "names"))

    def _event(self, event: str, at: tuple[Any, ...]) -> Iterator[Found]:
        if event not in self.catalogue.types:
            yield at, _unknown("event type", event, self.catalogue.types)

    def _pair(self, event: str, attribute: str | None, at: tuple[Any, ...], field: str = "attribute") -> Iterator[Found]:
        yield from self._event(event, (*at, "event"))
        if attribute is not None:
            yield from self._attribute(event, attribute, (*at, field))

    def _attribute(self, event: str, path: str, at: tuple[Any, ...]) -> Iterator[Found]:
        known = self.catalogue.types.get(event)
        found = None if known is None else known.attribute(path)
        if known is not None and found is None:
            yield at, f"{event}: {_unknown('attribute', path, known.paths())}"
        elif found is not None and found.kind in ("fields", "list"):
            inner = f": name one of its attributes, such as {path}.{next(iter(found.parts), 'id')}" if found.parts else ""
            yield at, f"{event}: {path} is {_a(found.kind)}, not a single value{inner}"

    def _anywhere(self, path: str, at: tuple[Any, ...]) -> Iterator[Found]:
        """An attribute that is read of every event: at least one type must have it."""
        kinds = {found.kind for known in self.catalogue.types.values() if (found := known.attribute(path)) is not None}
        if kinds and not kinds - {"fields", "list", "object"}:
            yield at, f"{path} is {_a(kinds.pop())}, not a single value"
        if not kinds:
            everything = {name for known in self.catalogue.types.values() for name in known.paths()}
            yield at, f"no event type has it: {_unknown('attribute', path, sorted(everything))}"

    def _list(self, event: str, path: str, at: tuple[Any, ...]) -> Iterator[Found]:
        yield from self._event(event, (*at, "event"))
        known = self.catalogue.types.get(event)
        found: Attribute | None = None if known is None else known.attribute(path)
        if known is not None and found is None:
            yield (*at, "list"), f"{event}: {_unknown('attribute', path, known.paths())}"
        elif found is not None and found.kind != "list":
            yield (*at, "list"), f"{event}: {path} is {found}, not a list"
