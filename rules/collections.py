"""Items that documents list (goals of a plan, actions of a plan): which are current, which are done, when they are due."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from rules.conditions import Collection
from rules.course import dig
from rules.history import Entry
from rules.matching import Context
from rules.model import Fit
from rules.view import Hit, View


@dataclass(frozen=True, slots=True)
class Items:
    """The items of the latest version of each document; ``missing`` where a version does not list them."""

    items: tuple[Mapping[str, Any], ...] = ()
    missing: str = ""
    documents: tuple[Entry, ...] = ()


def versions(view: View, collection: Collection) -> list[Entry]:
    """Every version of every document, in order."""
    return sorted((e for name in collection.of for e in view.of_type(name)), key=lambda e: e.order)


def current(view: View, collection: Collection, counts: Callable[[Entry], bool] = lambda _: True) -> Items:
    """The items in force, going by the versions that count (all of them: now)."""
    latest: dict[Any, Entry] = {}
    for entry in versions(view, collection):
        if counts(entry):
            latest[dig(entry.data, collection.document)] = entry
    items: dict[Any, Mapping[str, Any]] = {}
    missing = ""
    for entry in latest.values():
        listed = dig(entry.data, collection.list_)
        if listed is None:
            missing = missing or collection.list_
            continue
        for item in listed:
            name = dig(item, collection.id)
            if name is None:
                missing = missing or f"{collection.list_}.{collection.id}"
            else:
                items[name] = item
    return Items(tuple(items.values()), missing, tuple(latest.values()))


def done(view: View, collection: Collection, item: Mapping[str, Any]) -> list[Hit]:
    """The events that do an item, in order (what does not fit left out)."""
    context = Context(view, item=item)
    return [hit for hit in view.find(collection.done_by, context) if hit.fit is not Fit.NO]


def all_done(view: View, name: str) -> tuple[list[Entry | None], str]:
    """The events that may have been the one by which every current item was done (None: not all are), and what is missing."""
    collection = view.policy.collections[name]
    now = current(view, collection)
    if not now.items and not now.missing:
        return [], ""
    sure: list[Entry] = []
    maybe: list[Entry] = []
    missing = now.missing
    for item in now.items:
        hits = done(view, collection, item)
        if not hits:
            return [], ""
        maybe.append(hits[0].entry)
        first = next((h.entry for h in hits if h.fit is Fit.YES), None)
        if first is None:
            missing = missing or hits[0].text
        else:
            sure.append(first)
    if missing:
        return [None, max([*maybe, *now.documents], key=lambda e: e.order)], missing
    return [_held_since(view, collection, sure)], ""


def _by(order: int, entry: Entry) -> bool:
    return entry.order <= order


def _held_since(view: View, collection: Collection, did: Sequence[Entry]) -> Entry:
    """The event with which the last stretch began in which every then current item was done: it did one, or it changed what is current."""
    since: Entry | None = None
    steps = {entry.order: entry for entry in (*versions(view, collection), *did)}
    for order in sorted(steps):
        then = current(view, collection, partial(_by, order))
        held = bool(then.items) and all(
            any(h.fit is Fit.YES and h.entry.order <= order for h in done(view, collection, i)) for i in then.items
        )
        since = (since or steps[order]) if held else None
    return since or steps[max(steps)]


@dataclass(slots=True)
class DatedItem:
    """An item with its own due date: the last one stated counts."""

    id: str
    due: int
    first: Entry
    stated: Entry
    contested: str | None = None
    item: Mapping[str, Any] = field(default_factory=dict)
    missing: str = ""


def dated_items(view: View, collection: Collection, parse: Any) -> list[DatedItem]:
    """Every item that ever had a date, in order of its first statement; a move made after the due day is contested."""
    if collection.date is None:
        return []
    found: dict[str, DatedItem] = {}
    for entry, name, item, text in _statements(view, collection):
        known = found.get(name)
        if text is None:
            if known is not None and collection.moved_by is not None and entry.type == collection.moved_by.event:
                known.missing = known.missing or collection.moved_by.date
            continue
        due = parse(text)
        if known is None:
            found[name] = DatedItem(name, due, entry, entry, item=item)
        elif due != known.due:
            if entry.day > known.due:
                known.contested = "the date was moved after it had passed"
            known.due, known.stated, known.missing = due, entry, ""
    return list(found.values())


def _statements(view: View, collection: Collection) -> Sequence[tuple[Entry, str, Mapping[str, Any], str | None]]:
    rows: list[tuple[Entry, str, Mapping[str, Any], str | None]] = []
    for entry in versions(view, collection):
        for index, item in enumerate(dig(entry.data, collection.list_) or ()):
            name = dig(item, collection.id)
            rows.append((entry, name if name is not None else f"?{index + 1}", item, dig(item, collection.date or "")))
    if collection.moved_by is not None:
        for entry in view.of_type(collection.moved_by.event):
            name = dig(entry.data, collection.moved_by.item)
            if name is not None:
                rows.append((entry, name, {collection.id: name}, dig(entry.data, collection.moved_by.date)))
    return sorted(rows, key=lambda row: row[0].order)
