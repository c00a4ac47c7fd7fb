"""Items that documents list (goals of a plan, actions of a plan): which are current, which are done, when they are due."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any

from rules.conditions import Collection
from rules.course import dig
from rules.history import Entry
from rules.hits import MOMENT, Hit, both
from rules.matching import Answer, Context
from rules.model import NO, SURE, UNCLEAR
from rules.view import View


@dataclass(frozen=True, slots=True)
class Items:
    """The items of the latest version of each document; ``missing`` where a version does not list them.

    ``maybe``: items of versions that may or may not be the latest, and ``doubt``: what leaves that open.
    """

    items: tuple[Mapping[str, Any], ...] = ()
    missing: str = ""
    documents: tuple[Entry, ...] = ()
    maybe: tuple[Mapping[str, Any], ...] = ()
    doubt: str = ""


def versions(view: View, collection: Collection) -> list[Entry]:
    """Every version of every document, in order."""
    return sorted((e for name in collection.of for e in view.of_type(name)), key=lambda e: e.order)


def current(view: View, collection: Collection, counts: Callable[[Entry], bool] = lambda _: True) -> Items:
    """The items in force, going by the versions that count (all of them: now)."""
    by_document: dict[Any, list[Entry]] = {}
    for entry in versions(view, collection):
        if counts(entry):
            by_document.setdefault(dig(entry.data, collection.document), []).append(entry)
    items: dict[Any, Mapping[str, Any]] = {}
    maybe: list[Mapping[str, Any]] = []
    missing = doubt = ""
    documents = _latest(by_document, collection)
    for entry, why in documents:
        listed = dig(entry.data, collection.list_)
        if listed is None or any(dig(item, collection.id) is None for item in listed):
            missing = missing or (collection.list_ if listed is None else f"{collection.list_}.{collection.id}")
        named = {name: item for item in listed or () if (name := dig(item, collection.id)) is not None}
        doubt = doubt or why
        if why:
            maybe += named.values()
        else:
            items |= named
    return Items(tuple(items.values()), missing, tuple(entry for entry, _ in documents), tuple(maybe), doubt)


def _latest(by_document: Mapping[Any, Sequence[Entry]], collection: Collection) -> list[tuple[Entry, str]]:
    """The versions that may be the latest of their documents, and what leaves that open.

    A version that does not name its document may be one of any other; where none does, they are taken as one document's.
    """
    found = []
    for document, mine in by_document.items():
        others = [theirs for name, theirs in by_document.items() if (name is None) != (document is None)]
        possible = [entry for entry in mine if entry is mine[-1] or not entry.surely_before(mine[-1])]
        for entry in possible:
            if any(not other.surely_before(entry) for theirs in others for other in theirs):
                found.append((entry, collection.document))
            else:
                found.append((entry, MOMENT if len(possible) > 1 else ""))
    return found


def done(view: View, collection: Collection, item: Mapping[str, Any]) -> list[Hit]:
    """The events that do an item, in order (what does not fit left out)."""
    context = Context(view, item=item)
    return [hit for hit in view.find(collection.done_by, context) if hit.fit is not NO]


@dataclass(slots=True)
class Doings:
    """What did some items: the event that first surely did each, or may have been the one; and those that nothing can have done."""

    sure: list[Entry] = field(default_factory=list)
    maybe: list[Entry] = field(default_factory=list)
    undone: list[str] = field(default_factory=list)
    missing: str = ""


def doings(view: View, collection: Collection, items: Sequence[Mapping[str, Any]], upto: int | None = None) -> Doings:
    """Who did which of the items, by the day ``upto``.  One unclear event does one item at most."""
    out = Doings()
    unclear: set[int] = set()
    for item in items:
        hits = [hit for hit in done(view, collection, item) if upto is None or hit.entry.day <= upto]
        chosen = next((h for h in hits if h.fit is SURE), hits[0] if hits else None)
        if chosen is not None and chosen.fit is SURE:
            out.sure.append(chosen.entry)
            continue
        unclear |= {hit.entry.order for hit in hits}
        if chosen is None or len(unclear) == len(out.maybe):
            out.undone.append(str(dig(item, collection.id)))
        else:
            out.maybe.append(chosen.entry)
            out.missing = out.missing or chosen.text
    return out


def all_done(view: View, name: str) -> tuple[list[Entry | None], str]:
    """The events that may have been the one by which every current item was done (None: not all are), and what is missing."""
    collection = view.policy.collections[name]
    now = current(view, collection)
    surely, perhaps = doings(view, collection, now.items), doings(view, collection, now.maybe)
    if surely.undone or not (now.items or len(perhaps.undone) < len(now.maybe) or (now.missing and done(view, collection, {}))):
        return [], ""
    missing = now.missing or now.doubt or surely.missing
    did = [hit.entry for hit in done(view, collection, {})]
    if not missing:
        return _held_since(view, collection, did)
    steps = _from_the_first(view, collection, did)
    surely_all = now.items and not (now.missing or surely.missing or perhaps.undone or perhaps.missing)
    return [*([] if surely_all else [None]), *(steps[order] for order in sorted(steps))], missing


def _from_the_first(view: View, collection: Collection, did: Sequence[Entry]) -> dict[int, Entry]:
    """What may have changed whether every item is done, by its order: the first event that did one, and all since."""
    return {entry.order: entry for entry in (*versions(view, collection), *did) if entry.order >= did[0].order}


def _by(order: int, entry: Entry) -> bool:
    return entry.order <= order


def _held_since(view: View, collection: Collection, did: Sequence[Entry]) -> tuple[list[Entry | None], str]:
    """The events with which the last stretch may have begun in which every then current item was done, and what leaves that open.

    It begins with an event that did an item, or with one that changed what is current.
    """
    steps = _from_the_first(view, collection, did)
    orders = sorted(steps)
    starts: list[Entry | None] = []
    missing = ""
    for before, order in reversed(list(pairwise(orders))):
        held, why = _all_done_by(view, collection, before)
        if held is not SURE:
            starts.append(steps[order])
            missing = missing or why
        if held is NO:
            break
    else:
        starts.append(steps[orders[0]])
    return starts[::-1], missing


def _all_done_by(view: View, collection: Collection, order: int) -> Answer:
    """Whether every item that was current then was done."""
    then = current(view, collection, partial(_by, order))
    answers: list[Answer] = []
    for item in then.items:
        hits = [hit for hit in done(view, collection, item) if hit.entry.order <= order]
        answers.append(next(((h.fit, h.text) for h in (*(h for h in hits if h.fit is SURE), *hits)), (NO, "")))
    if unsure := then.missing or then.doubt:
        answers.append((UNCLEAR, unsure))
    return both(answers) if answers else (NO, "")


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
