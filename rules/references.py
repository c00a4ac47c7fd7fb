"""Whether everything that a policy names exists: event types and attributes, terms, parameters, collections, documents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from rules.catalogue import Catalogue, EventType
from rules.conditions import Collection, MovedBy, Ref, Selector, Term, Test, Where
from rules.course import CourseOfCase
from rules.kinds.base import FirstOfEach, Kind
from rules.kinds.metric import Metric
from rules.kinds.record_integrity import Members
from rules.kinds.requires import Cancelled, EachItem, Requires
from rules.nearname import did_you_mean
from rules.periods import Period

if TYPE_CHECKING:
    from rules.policyfile import PolicyFile

Found = tuple[tuple[Any, ...], str, str]


def check_references(
    head: PolicyFile,
    data: Any,
    clauses: Iterable[tuple[tuple[Any, ...], Kind]],
    catalogue: Catalogue | None,
    domain: CourseOfCase,
) -> Iterator[Found]:
    """Every name that leads nowhere: (place in the file, code, message).

    ``data`` is the file as it stands, so that a declaration that is there and cannot be read is not told to be absent.  Without a
    catalogue, events and attributes are left out.
    """
    names = _Names(head, data, catalogue, domain)
    for name, term in head.terms.items():
        yield from names.walk(term, ("terms", name))
        if catalogue is not None and name in catalogue.types:
            yield ("terms", name), "P010", "an event type has that name already"
    for group in ("anchors", "collections"):
        for name, part in getattr(head, group).items():
            yield from names.walk(part, (group, name))
    for name, anchor in head.anchors.items():
        if anchor.first not in names.terms:
            yield ("anchors", name, "first"), "P011", _unknown("term", anchor.first, names.terms)
    seen: dict[str, int] = {}
    for index, raw in enumerate(head.rules):
        name = str(raw.get("id", ""))
        if name and name in seen:
            yield ("rules", index, "id"), "P012", f"rule {name} stands here a second time; it is number {seen[name] + 1} in the list too"
        seen.setdefault(name, index)
        document = raw["cites"].get("document") if isinstance(raw.get("cites"), dict) else None
        if isinstance(document, str) and document not in names.documents:
            yield ("rules", index, "cites", "document"), "P013", _unknown("document", document, names.documents)
    for loc, clause in clauses:
        yield from names.walk(clause, loc)
        yield from names.of_kind(clause, loc)


def _unknown(what: str, name: str, known: Iterable[str]) -> str:
    return f"there is no {what} {name!r}{did_you_mean(name, known)}"


class _Names:
    def __init__(self, head: PolicyFile, data: Mapping[str, Any], catalogue: Catalogue | None, domain: CourseOfCase) -> None:
        self.head, self.catalogue, self.domain = head, catalogue, domain
        self.known_types: Mapping[str, EventType] = {} if catalogue is None else catalogue.types

        def declared(group: str) -> dict[str, Any]:
            raw = data.get(group)
            return {**(raw if isinstance(raw, dict) else {}), **getattr(head, group)}

        self.terms, self.anchors, self.collections = declared("terms"), declared("anchors"), declared("collections")
        self.parameters, self.documents = declared("parameters"), declared("documents")

    def types(self, names: Iterable[str]) -> list[str]:
        found: list[str] = []
        for name in names:
            found += self.head.terms[name].names if name in self.head.terms else [name]
        return [name for name in found if name in self.known_types]

    def event(self, name: str, loc: tuple[Any, ...], *, terms: bool = True) -> Iterator[Found]:
        known = [*self.known_types, *(self.terms if terms else ())]
        if self.catalogue is not None and name not in known:
            yield loc, "P010", _unknown("event type or term" if terms else "event type", name, known)

    def attribute(self, path: str, types: Iterable[str], loc: tuple[Any, ...]) -> Iterator[Found]:
        lacking: dict[str, list[str]] = {}
        for name in dict.fromkeys(types):
            known = self.known_types[name]
            if known.attribute(path) is None:
                lacking.setdefault(_unknown("attribute", path, known.paths()), []).append(name)
        for words, names in lacking.items():
            yield loc, "P014", f"{' and '.join(names)}: {words}"

    def where(self, where: Where | None, types: list[str], loc: tuple[Any, ...]) -> Iterator[Found]:
        if where is None:
            return
        yield from self._tests(where, types, loc, "")

    def _tests(self, where: Where, types: list[str], loc: tuple[Any, ...], prefix: str) -> Iterator[Found]:
        for path, test in where.tests.items():
            yield from self.attribute(prefix + path, types, (*loc, path))
            if not prefix:
                yield from self._previous(test, types, (*loc, path))
            for word, inner in (("each", test.each), ("some", test.some)):
                if inner is not None:
                    yield from self._tests(inner, types, (*loc, path, word), f"{prefix}{path}.")
        for joiner, parts in (("all", where.all_ or ()), ("any", where.any_ or ())):
            for number, part in enumerate(parts):
                yield from self._tests(part, types, (*loc, joiner, number), prefix)
        if where.not_ is not None:
            yield from self._tests(where.not_, types, (*loc, "not"), prefix)

    def _previous(self, test: Test, types: list[str], loc: tuple[Any, ...]) -> Iterator[Found]:
        """What is read of the event before this one, which is of the same type."""
        for word in ("equals", "differs_from", "has", "at_least", "at_most", "before", "after"):
            value = getattr(test, word)
            if isinstance(value, Ref) and value.previous is not None:
                at = (*loc, word, "previous")
                yield from self.attribute(value.previous.attribute, types, (*at, "attribute"))
                for field in ("same", "same_or_absent"):
                    for path in getattr(value.previous, field):
                        yield from self.attribute(path, types, (*at, field))

    def walk(self, part: Any, loc: tuple[Any, ...]) -> Iterator[Found]:
        if isinstance(part, BaseModel):
            yield from self._model(part, loc)
            for name, field in type(part).model_fields.items():
                yield from self.walk(getattr(part, name), (*loc, field.alias or name))
            for name, value in (part.__pydantic_extra__ or {}).items():
                yield from self.walk(value, (*loc, name))
        elif isinstance(part, dict):
            for key, value in part.items():
                yield from self.walk(value, (*loc, key))
        elif isinstance(part, tuple):
            for index, value in enumerate(part):
                yield from self.walk(value, (*loc, index))

    def _model(self, part: BaseModel, loc: tuple[Any, ...]) -> Iterator[Found]:
        if isinstance(part, Selector | Term | FirstOfEach):
            names = part.names if not isinstance(part, FirstOfEach) else ((part.event,) if isinstance(part.event, str) else part.event)
            for name in names:
                yield from self.event(name, (*loc, "event"), terms=not isinstance(part, Term))
            types = self.types(names)
            if not isinstance(part, FirstOfEach):
                yield from self.where(part.where, types, (*loc, "where"))
            field = "same" if isinstance(part, Selector) else "once_per" if isinstance(part, Term) else "by"
            named = getattr(part, field)
            for path in named if isinstance(named, tuple) else (named,):
                yield from self.attribute(path, types, (*loc, field))
        yield from self._parts(part, loc)

    def _parts(self, part: BaseModel, loc: tuple[Any, ...]) -> Iterator[Found]:
        if isinstance(part, Requires):
            types = self.types(part.names)
            yield from self.where(part.that, types, (*loc, "that"))
            for path in part.collects or ():
                yield from self.attribute(path, types, (*loc, "collects", path))
            if part.for_every is not None and part.for_every not in self.collections:
                yield (*loc, "for_every"), "P015", _unknown("collection", part.for_every, self.collections)
        if isinstance(part, Members):
            yield from self.event(part.event, (*loc, "event"), terms=False)
            yield from self.attribute(part.attribute, self.types([part.event]), (*loc, "attribute"))
        if isinstance(part, Cancelled):
            yield from self.event(part.event, (*loc, "event"), terms=False)
            yield from self.where(part.where, self.types([part.event]), (*loc, "where"))
        if isinstance(part, EachItem) and part.collection not in self.collections:
            yield (*loc, "collection"), "P015", _unknown("collection", part.collection, self.collections)
        if isinstance(part, Period) and part.parameter is not None and part.parameter not in self.parameters:
            yield (*loc, part.unit), "P016", _unknown("parameter", part.parameter, self.parameters)
        yield from self._values(part, loc)

    def _values(self, part: BaseModel, loc: tuple[Any, ...]) -> Iterator[Found]:
        if isinstance(part, Ref):
            if part.state is not None and part.state not in self.domain.state:
                yield (*loc, "state"), "P017", _unknown("state", part.state, self.domain.state)
            for selector in (part.last, part.greatest):
                if selector is not None and part.attribute is not None:
                    yield from self.attribute(part.attribute, self.types(selector.names), (*loc, "attribute"))
        if isinstance(part, Collection):
            for name in part.of:
                yield from self.event(name, (*loc, "of"), terms=False)
            types = self.types(part.of)
            yield from self.attribute(part.document, types, (*loc, "document"))
            yield from self.attribute(part.list_, types, (*loc, "list"))
            if any(self.known_types[name].attribute(part.list_) is not None for name in types):
                yield from self.attribute(f"{part.list_}.{part.id}", types, (*loc, "id"))
                if part.date:
                    yield from self.attribute(f"{part.list_}.{part.date}", types, (*loc, "date"))
        if isinstance(part, MovedBy):
            yield from self.event(part.event, (*loc, "event"), terms=False)
            for field in ("item", "date"):
                yield from self.attribute(getattr(part, field), self.types([part.event]), (*loc, field))
        if isinstance(part, Metric) and part.event is not None and part.by is not None:
            yield from self.attribute(part.by, self.types(part.event.names), (*loc, "by"))

    def of_kind(self, kind: Kind, loc: tuple[Any, ...]) -> Iterator[Found]:
        """Names that stand in a kind's own fields."""
        values = dict(kind)
        when, where, examines = values.get("when"), values.get("where"), values.get("examines")
        if isinstance(where, Where):
            selectors = [examines] if examines is not None else list(getattr(when, "selectors", ()))
            for selector in selectors:
                yield from self.where(where, self.types(selector.names), (*loc, "where"))
        named: dict[str, Mapping[str, object]] = {"anchor": self.anchors, "items": self.collections}
        for field, known in named.items():
            name = values.get(field)
            if isinstance(name, str) and name not in known:
                yield (*loc, field), "P015", _unknown(field.rstrip("s"), name, known)
        by = values.get("by")
        of = getattr(by, "of", None)
        if isinstance(of, str) and of not in self.terms:
            yield (*loc, "by", "of"), "P011", _unknown("term", of, self.terms)
        name = getattr(when, "all_done", None)
        if isinstance(name, str) and name not in self.collections:
            yield (*loc, "when", "all_done"), "P015", _unknown("collection", name, self.collections)
