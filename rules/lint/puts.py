"""Every condition of a policy with what it is put to: which event types, what else must hold of them, what it may refer to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel

from rules.attributes import Attribute
from rules.conditions import Ref, Selector, Term, Where
from rules.kinds.base import ClosedAs, When
from rules.kinds.content import Content
from rules.kinds.requires import Cancelled, EachItem, Requires
from rules.lint.base import Path, Subject, given

Joined = tuple[tuple[Path, Where], ...]
"""Conditions that must hold together, each with its place."""


@dataclass(frozen=True)
class Around:
    """What a condition may look up where it stands."""

    activation: tuple[str, ...] | None = None
    """The event types of the activating event (empty: it may be any); None: there is no such event here."""
    person: bool = False
    items: Attribute | None = None
    """What an item of the collection has; None: there is no item here."""


@dataclass(frozen=True)
class Put:
    """A condition and what it is put to.  ``prefix``: the list whose elements it is put to, with a dot at its end."""

    path: Path
    where: Where
    types: tuple[str, ...]
    around: Around
    besides: Joined = ()
    """What else must hold of the same event."""
    prefix: str = ""

    def attribute(self, subject: Subject, type_name: str, path: str) -> Attribute | None:
        """What stands at a path of the data under test."""
        known = subject.policy.catalogue.types.get(type_name)
        return None if known is None else known.attribute(self.prefix + path)


def selectors(subject: Subject) -> Iterator[tuple[Path, Selector, Around]]:
    """Every selector of the policy."""
    for path, part, around in _parts(subject):
        if isinstance(part, Selector):
            yield path, part, around


def puts(subject: Subject) -> Iterator[Put]:
    """Every condition of the policy, the outermost of each (``all``, ``any``, ``not``, ``each`` and ``some`` are inside)."""
    for path, part, around in _parts(subject):
        if isinstance(part, Selector):
            yield from _of_selector(subject, part, path, around)
        elif isinstance(part, Term) and part.where is not None:
            yield Put((*path, "where"), part.where, subject.types_of(part.names), around)
        elif isinstance(part, Content):
            yield from _of_content(subject, part, path, around)
        elif isinstance(part, Cancelled) and part.where is not None:
            yield Put((*path, "where"), part.where, subject.types_of([part.event]), around)
        elif isinstance(part, ClosedAs):
            closes = subject.policy.domain.course.closes
            if closes is not None:
                yield Put((*path, "where"), part.where, subject.types_of([closes.event]), around)
        elif isinstance(part, EachItem):
            collection = subject.policy.collections.get(part.collection)
            if collection is not None:
                yield Put((*path, "where"), part.where, subject.types_of(collection.of), around, prefix=f"{collection.list_}.")


def _of_selector(subject: Subject, part: Selector, path: Path, around: Around) -> Iterator[Put]:
    types, besides = subject.types_of(part.names), _terms(subject, part)
    if part.where is not None:
        yield Put((*path, "where"), part.where, types, around, besides)
    if isinstance(part, Requires):
        own: Joined = (((*path, "where"), part.where),) if part.where is not None else ()
        if part.that is not None:
            yield Put((*path, "that"), part.that, types, around, (*besides, *own))
        if part.itself is not None and around.activation:
            yield Put((*path, "itself"), part.itself, around.activation, around)


def _of_content(subject: Subject, part: Content, path: Path, around: Around) -> Iterator[Put]:
    """What a content rule asks for must be possible together with what activates it."""
    for selector in [part.examines] if part.examines is not None else part.when.selectors:
        own: Joined = (((*path, "when"), selector.where),) if selector.where is not None else ()
        yield Put((*path, "where"), part.where, subject.types_of(selector.names), around, (*_terms(subject, selector), *own))


def _terms(subject: Subject, selector: Selector) -> Joined:
    """The conditions of the only term that a selector names."""
    if len(selector.names) != 1:
        return ()
    term = subject.policy.terms.get(selector.names[0])
    return () if term is None or term.where is None else ((("terms", selector.names[0], "where"), term.where),)


def _parts(subject: Subject) -> Iterator[tuple[Path, BaseModel, Around]]:
    """Every model of the policy with what stands around it."""
    policy = subject.policy
    for path, _, clause in subject.clauses():
        when = getattr(clause, "when", None)
        types = activating(subject, clause)
        inside = Around(types, person=getattr(clause, "per", None) is not None)
        yield path, clause, inside
        for name, value in given(clause):
            if value is when and isinstance(when, When):
                yield from _when(when, (*path, name), inside)
            else:
                yield from _inner(value, (*path, name), inside)
    for name, anchor in policy.anchors.items():
        yield from _inner(anchor, ("anchors", name), Around())
    for name, term in policy.terms.items():
        yield from _inner(term, ("terms", name), Around())
    for name, collection in policy.collections.items():
        around = Around(items=_item(subject, collection.of, collection.list_))
        yield from _inner(collection, ("collections", name), around)


def _when(when: When, path: Path, inside: Around) -> Iterator[tuple[Path, BaseModel, Around]]:
    for name, value in given(when):
        yield from _inner(value, (*path, name), replace(inside, person=False) if name == "given" else Around())


def activating(subject: Subject, clause: Any) -> tuple[str, ...] | None:
    """The event types that may activate a clause (none named: it may be any); None where nothing does."""
    when = getattr(clause, "when", None)
    if isinstance(when, When):
        return subject.types_of(name for selector in when.selectors for name in selector.names)
    anchor = subject.policy.anchors.get(getattr(clause, "anchor", None) or "")
    return None if anchor is None else subject.types_of([anchor.first, *anchor.of.names])


def _item(subject: Subject, of: tuple[str, ...], list_: str) -> Attribute | None:
    for name in of:
        known = subject.policy.catalogue.types.get(name)
        found = None if known is None else known.attribute(list_)
        if found is not None and found.item is not None:
            return found.item
    return None


def _inner(value: Any, path: Path, around: Around) -> Iterator[tuple[Path, BaseModel, Around]]:
    if isinstance(value, BaseModel):
        yield path, value, around
        if isinstance(value, Ref):
            around = replace(around, activation=around.activation or ())
        for name, inner in given(value):
            yield from _inner(inner, (*path, name), around)
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _inner(inner, (*path, key), around)
    elif isinstance(value, tuple):
        for index, inner in enumerate(value):
            yield from _inner(inner, (*path, index), around)


def tests_in(put: Put) -> Iterator[tuple[Path, str, Any]]:
    """Every test of a condition, at whatever depth: (place, attribute from the event down, the Test)."""
    yield from _tests(put.where, put.path, put.prefix)


def _tests(where: Where, path: Path, prefix: str) -> Iterator[tuple[Path, str, Any]]:
    for attribute, test in where.tests.items():
        yield (*path, attribute), prefix + attribute, test
        for word, inner in (("each", test.each), ("some", test.some)):
            if inner is not None:
                yield from _tests(inner, (*path, attribute, word), f"{prefix}{attribute}.")
    for joiner, parts in (("all", where.all_ or ()), ("any", where.any_ or ())):
        for number, part in enumerate(parts):
            yield from _tests(part, (*path, joiner, number), prefix)
    if where.not_ is not None:
        yield from _tests(where.not_, (*path, "not"), prefix)


def literal(value: Any) -> bool:
    """Whether a value stands for itself and is not looked up."""
    return value is not None and not isinstance(value, Ref) and not (isinstance(value, str) and value.startswith("$"))
