"""Values and roles that several events are to bring together: which of them each brings, and when all are there."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from rules.course import dig
from rules.hits import Hit
from rules.matching import Context, roles_of
from rules.model import NEVER, NO, SURE, UNCLEAR, Candidate
from rules.obligation import Collected
from rules.view import View

if TYPE_CHECKING:
    from rules.kinds.requires import Requires

Cell = tuple[int, ...]
Gathered = tuple[tuple[str, ...], list[list[tuple[str, ...]]], dict[Cell, str]]
"""Attributes, the values that each is to bring (any one of a tuple), and all combinations with their words."""
_LISTED = (list, tuple)
_BOXES = (dict, list)


def gathered(asked: Requires, view: View, hits: list[Hit]) -> Collected:
    paths, wanted, cells = asked.gathered
    sure: set[Cell] = set()
    maybe: set[Cell] = set()
    out = Collected()
    first = last = 0
    first_maybe = last_maybe = 0
    used: list[str] = []
    used_maybe: list[str] = []
    missing = ""
    firm: set[Cell] = set()
    room = 0
    for hit in hits:
        if hit.fit is NO:
            out.rejected.append((hit.entry.id, hit.text))
            continue
        brings, could, text = brought_by(asked, view, hit, paths, wanted)
        entry = hit.entry
        firm |= brings
        room += len(cells) if asked.roles is None else _without_role(view, hit, asked.roles)
        if hit.fit is SURE and not brings <= sure:
            sure |= brings
            first, last = max(first, entry.first) if used else entry.first, max(last, entry.last) if used else entry.last
            used.append(entry.id)
        if not (brings <= maybe and could <= maybe):
            maybe |= brings | could
            if could or hit.fit is UNCLEAR:
                missing = missing or text or hit.text
            first_maybe = max(first_maybe, entry.first) if used_maybe else entry.first
            last_maybe = max(last_maybe, entry.last) if used_maybe else entry.last
            used_maybe.append(entry.id)
        if len(sure) == len(cells):
            out.candidates.append(Candidate(first, last, SURE, tuple(used)))
            return out
        if len(maybe) == len(cells) <= len(firm) + room and not out.candidates:
            out.candidates.append(Candidate(first_maybe, last_maybe, UNCLEAR, tuple(used_maybe), missing))
    lacking = [cells[cell] for cell in cells if cell not in maybe]
    if lacking:
        out.rejected += [(name, f"still lacking: {'; '.join(lacking)}") for name in used[-1:]]
    return out


def _without_role(view: View, hit: Hit, path: str) -> int:
    """How many roles the participants may bring of whom none is known: each one, or any number where they are not listed at all."""
    listed = dig(hit.entry.data, path)
    return NEVER if listed is None else sum(bool(roles_of(element, Context(view, hit.entry))[1]) for element in listed)


def combinations(wanted: list[list[tuple[str, ...]]]) -> dict[Cell, str]:
    cells: dict[Cell, str] = {(): ""}
    for parts in wanted:
        cells = {(*cell, i): f"{words} {' or '.join(part)}".strip() for cell, words in cells.items() for i, part in enumerate(parts)}
    return cells


def brought_by(
    asked: Requires, view: View, hit: Hit, paths: Sequence[str], wanted: list[list[tuple[str, ...]]]
) -> tuple[AbstractSet[Cell], AbstractSet[Cell], str]:
    """The combinations that an event surely brings, those that it might, and what is missing."""
    if len(paths) == 1:
        listed = dig(hit.entry.data, paths[0])
        if asked.roles is None and isinstance(listed, list) and listed:
            try:
                return _cells(asked.parts, tuple(listed)), _NONE, ""
            except TypeError:
                pass  # an item is an object or a list, which is no value to gather
        values, missing = _values(asked, view, hit, paths[0])
        brings: set[Cell] = {(i,) for i, part in enumerate(wanted[0]) if not values.isdisjoint(part)}
        return brings, asked.gathered[2].keys() - brings if missing else set(), missing
    have: set[Cell] = {()}
    might: set[Cell] = {()}
    text = ""
    for path, parts in zip(paths, wanted, strict=True):
        values, missing = _values(asked, view, hit, path)
        mine = {i for i, part in enumerate(parts) if not values.isdisjoint(part)}
        could = set(range(len(parts))) if missing else mine
        text = text or missing
        have = {(*cell, i) for cell in have for i in mine}
        might = {(*cell, i) for cell in might for i in could}
    return have, might - have, text


@lru_cache(maxsize=4096)
def _cells(parts: tuple[tuple[str, ...], ...], values: tuple[Any, ...]) -> AbstractSet[Cell]:
    return frozenset((i,) for i, part in enumerate(parts) if not set(part).isdisjoint(values))


_NONE: AbstractSet[Cell] = frozenset()


def _values(asked: Requires, view: View, hit: Hit, path: str) -> tuple[set[Any], str]:
    value = dig(hit.entry.data, path)
    if value is None:
        return set(), path
    if asked.roles is None:
        listed = value if isinstance(value, _LISTED) else (value,)
        plain = {one for one in listed if not isinstance(one, _BOXES)}
        return plain, path if len(listed) and not plain else ""
    roles: set[Any] = set()
    missing = ""
    for element in value:
        mine, lacks = roles_of(element, Context(view, hit.entry))
        roles |= mine
        missing = missing or (f"{path}.{lacks}" if lacks else "")
    return roles, missing
