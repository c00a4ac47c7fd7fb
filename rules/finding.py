"""Selectors made ready for one policy: its terms looked up and conditions compiled once, equal selectors made one.

A view keeps what a finder finds where that hangs on nothing but the view.  Imports rules.conditions, rules.matching and rules.lean.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rules.conditions import EVENT, Selector, Term, Where
from rules.matching import Check, made_ready


@dataclass(frozen=True, slots=True)
class Part:
    """One name of a selector: an event type, or a term with its types and condition."""

    types: tuple[str, ...]
    term: str | None = None
    where: Where | None = None


@dataclass(slots=True, eq=False)
class Finder:
    """A selector made ready.

    ``literal``: its condition looks at nothing but an event's data.  ``alone``: what it finds does not hang on what asks for it.
    ``only``: the one event type that it names, where it sets no condition.
    """

    selector: Selector
    """The selector, or the first of several equal ones."""
    parts: tuple[Part, ...]
    check: Check | None
    same: tuple[str, ...]
    attempt: bool
    related: bool
    literal: bool
    alone: bool
    only: str | None

    @property
    def mixed(self) -> bool:
        """Whether what its parts find must be put in order."""
        return len(self.parts) > 1 or self.related


def made(selector: Selector, terms: Mapping[str, Term]) -> Finder:
    """The finder of a selector in a policy with these terms."""
    parts = tuple(Part((name,)) if name not in terms else Part(terms[name].names, name, terms[name].where) for name in selector.names)
    where, attempt = selector.where, selector.of == "attempt"
    needed = [part.where for part in parts if selector.related and part.where is not None]
    narrows = where is not None or attempt or bool(selector.same)
    return Finder(
        selector,
        parts,
        None if where is None else made_ready(where),
        selector.same,
        attempt,
        selector.related,
        literal=where is None or where.literal,
        alone=not attempt and not selector.same and all(one.reach <= EVENT for one in (*needed, *([where] if where is not None else []))),
        only=parts[0].types[0] if len(parts) == 1 and parts[0].term is None and not narrows and not selector.related else None,
    )


_FIELDS = set(Selector.model_fields)


class Finders:
    """The finders of a policy, by their selectors, which it holds on to."""

    def __init__(self, terms: Mapping[str, Term]) -> None:
        self._terms = terms
        self.known: dict[int, tuple[Selector, Finder]] = {}
        """By the id of a selector: the selector, so that it stays, and its finder."""
        self._by_text: dict[str, Finder] = {}

    def add(self, selector: Selector) -> Finder:
        """The finder of a selector that is not known yet: that of an equal one, or a new one."""
        text = selector.model_dump_json(include=_FIELDS)
        finder = self._by_text.get(text)
        if finder is None:
            finder = self._by_text[text] = made(selector, self._terms)
        self.known[id(selector)] = selector, finder
        return finder
