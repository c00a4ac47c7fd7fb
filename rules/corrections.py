"""Corrections of events: what an ``event.corrected`` may set, and an event's data after it.  Imports rules.attributes, rules.errors.

A correction names dotted paths and new values: ``time``, ``occurred_on``, ``performer.role`` or ``members.0.role`` (also with a
leading ``data.``).  null takes an attribute away.  Setting ``time`` takes ``occurred_on`` away, unless that is set as well.
The order in which the paths stand means nothing, so that a store may keep them in any order: list indexes count in the
list as it was, and items are taken out last.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rules.attributes import BAD, Attribute, Sink, compile_attribute
from rules.errors import EventRefused
from rules.instants import parse_instant

if TYPE_CHECKING:
    from rules.catalogue import Catalogue

_ENVELOPE = frozenset({"id", "source", "type", "subject", "recordedtime", "specversion", "datacontenttype"})
_GONE: Any = object()


def clean_set(catalogue: Catalogue, changes: Mapping[str, Any], sink: Sink) -> dict[str, Any]:
    """The paths and values of an ``event.corrected`` that are kept.

    The type of the event that it corrects may not be known yet, so each path is held against every type.  A path that no type
    has is dropped, as the attribute itself would have been.
    """
    kept: dict[str, Any] = {}
    around = (None, "set")
    for path, value in changes.items():
        name = _bare(path)
        if name == "time":
            if not isinstance(value, str):
                sink.refuse(around, path, "wrong_type", "must be a time as text; time cannot be taken away")
                continue
            try:
                parse_instant(value)
            except ValueError as error:
                sink.refuse(around, path, "wrong_value", str(error))
                continue
            kept[name] = value
            continue
        places = {str(found.plain()): found for known in catalogue.types.values() if (found := known.attribute(name)) is not None}
        if not places:
            if name in _ENVELOPE:
                sink.refuse(around, path, "not_correctable", "cannot be corrected: void the event and send a new one")
            else:
                sink.drop(around, path)
        elif value is None:
            kept[name] = None
        else:
            _clean_value(list(places.values()), name, value, path, sink, kept)
    return kept


def _clean_value(places: list[Attribute], name: str, value: Any, path: str, sink: Sink, kept: dict[str, Any]) -> None:
    """Keeps the value as the first of the places that takes it whole; else as the one that drops least of it."""
    best: tuple[int, Any, Sink] | None = None
    for place in places:
        trial = Sink(sink.pointer)
        check = compile_attribute(place)
        got = check(value, (None, "set"), path, trial)
        if got is BAD or trial.problems:
            if best is None:
                best = (1_000_000, BAD, trial)
        elif best is None or len(trial.dropped) < best[0]:
            best = (len(trial.dropped), got, trial)
    assert best is not None
    sink.problems.extend(best[2].problems)
    if best[1] is not BAD:
        kept[name] = best[1]
        sink.dropped.extend(best[2].dropped)


def apply_set(catalogue: Catalogue, type_name: str, data: Mapping[str, Any], changes: Mapping[str, Any], pointer: str) -> dict[str, Any]:
    """The data of an event of ``type_name`` after a correction; ``data`` itself is left as it is.

    ``time`` has no place in data: the caller reads it from ``changes``.  Raises EventRefused with every problem where a path is not
    one of the type's, leads nowhere, or the value is of the wrong kind.
    """
    sink = Sink(pointer)
    known = catalogue.types[type_name]
    new: dict[str, Any] = copy.deepcopy(dict(data))
    bare = {_bare(path): value for path, value in changes.items()}
    if "time" in bare:
        new.pop("occurred_on", None)
    touched: list[list[Any]] = []
    for name in sorted(bare, key=lambda path: [(0, int(step), "") if _is_index(step) else (1, 0, step) for step in path.split(".")]):
        if name == "time":
            continue
        if known.attribute(name) is None:
            sink.refuse(None, name, "unknown_attribute", f"{type_name} has no such attribute")
            continue
        _put(new, name, bare[name], sink, touched)
    for items in touched:
        items[:] = [item for item in items if item is not _GONE]
    if sink.problems:
        raise EventRefused(sink.problems)
    clean, dropped = catalogue.validate(type_name, new, pointer)
    if dropped:
        for path in dropped:
            sink.refuse(None, path, "unknown_attribute", f"{type_name} has no such attribute")
        raise EventRefused(sink.problems)
    return clean


def _put(data: dict[str, Any], name: str, value: Any, sink: Sink, touched: list[list[Any]]) -> None:
    """Sets, or with None takes away, what stands at a path of ``data``."""
    *way, last = name.split(".")
    here: Any = data
    for index, step in enumerate(way):
        following = way[index + 1] if index + 1 < len(way) else last
        inner = _get(here, step)
        if inner is None and value is None:
            return
        if inner is None and isinstance(here, dict) and not _is_index(following):
            inner = here[step] = {}
        elif inner is None and isinstance(here, dict):
            inner = here[step] = []
        elif inner is None and isinstance(here, list) and _is_index(step) and int(step) == len(here):
            inner = {}
            here.append(inner)
        if not isinstance(inner, dict | list):
            sink.refuse(None, name, "no_place", "leads to nothing that the event has")
            return
        here = inner
    if isinstance(here, dict):
        if value is None:
            here.pop(last, None)
        else:
            here[last] = copy.deepcopy(value)
    elif not _is_index(last) or int(last) > len(here):
        sink.refuse(None, name, "no_place", "leads to nothing that the event has: a list's items are named by number")
    elif int(last) == len(here):
        if value is not None:
            here.append(copy.deepcopy(value))
    else:
        here[int(last)] = _GONE if value is None else copy.deepcopy(value)
        touched.append(here)


def _get(here: Any, step: str) -> Any:
    if isinstance(here, dict):
        return here.get(step)
    if isinstance(here, list) and _is_index(step) and int(step) < len(here):
        return here[int(step)]
    return None


def _is_index(step: str) -> bool:
    return step.isascii() and step.isdigit() and len(step) <= 6


def _bare(path: str) -> str:
    return path.removeprefix("data.")
