"""Which fields of a record a mapping reads: of a record that is refused, nothing else may be kept.

Imports adapters.mapping and adapters.mapping_schema.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as Fields
from typing import Any

from adapters.mapping import Mapping
from adapters.mapping_schema import Take

Tree = dict[str, Any]
"""By step of a dotted name what is read beneath it; ``_READ``: the value itself is."""
_READ = ""
_SOMETHING = {"...": True}
"""In the place of an object of which nothing is read where a plain value was wanted: it stays as wrong as it was."""


def names_read(mapping: Mapping) -> frozenset[str] | None:
    """Every field that the mapping reads, by its dotted name within the whole record; None: it reads all there is."""
    if mapping.as_it_is:
        return None
    found: set[str] = set()
    for plan in mapping.plans:
        takes = [take for take in (plan.type, plan.case, plan.id, plan.time, plan.recorded, *plan.data.values()) if take is not None]
        if any(take.hash == "record" for take in takes):
            return None
        names = {name for take in takes for name in _taken(take)} | {rule.column for rule in plan.skip}
        if plan.each is not None:
            names |= {plan.each} | {f"{plan.each}.{name.removeprefix('item.')}" for name in names if name.startswith("item.")}
        found |= names
    return frozenset(found)


def only_what_is_read(fields: Fields[str, Any], names: frozenset[str]) -> dict[str, Any]:
    """The record without everything else, however deep it lies; the mapping makes the same of it."""
    tree: Tree = {}
    for name in names:
        _beneath(tree, name).setdefault(_READ, {})
    kept = _only(fields, tree)
    return kept if isinstance(kept, dict) else {}


def _taken(take: Take) -> Iterator[str]:
    yield from take.columns
    for inner in (take.items or {}).values():
        yield from (f"{take.column}.{name}" for name in _taken(inner))


def _steps(name: str) -> list[str]:
    """Without what only says which item of a list is meant."""
    return [step for step in name.replace("[]", "").split(".") if step and not step.isdecimal()]


def _beneath(tree: Tree, name: str) -> Tree:
    for step in _steps(name):
        tree = tree.setdefault(step, {})
    return tree


def _only(value: Any, tree: Tree) -> Any:
    """What is read of a value; None where nothing is."""
    if isinstance(value, Fields):
        kept: dict[str, Any] = {}
        for key, part in value.items():
            below: Tree | None = tree
            for step in _steps(str(key)):
                below = below.get(step) if below is not None else None
            if below and (inner := _only(part, below)) is not None:
                kept[key] = inner
        return kept or (_SOMETHING if _READ in tree and value else None)
    if isinstance(value, list | tuple):
        parts = [_only(part, tree) for part in value]
        return parts if _READ in tree or any(part is not None for part in parts) else None
    return value if _READ in tree else None
