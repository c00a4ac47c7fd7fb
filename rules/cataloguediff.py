"""What changed in the event catalogue of a policy and in its course, in words.  See rules.diff."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from rules.attributes import Attribute
from rules.changes import Change, text
from rules.phrases import event_says, joined, words_of

if TYPE_CHECKING:
    from rules.policy import Policy

_SECTIONS = {
    "course": "how a case runs",
    "roster": "where the household is listed",
    "state": "what holds until a later event says otherwise",
    "links": "through whom cases belong together",
}


def of_catalogue(old: Policy, new: Policy) -> Iterator[Change]:
    """Every change of the catalogue that can change what reaches a rule."""
    mine, theirs = old.catalogue, new.catalogue
    if mine.digest == theirs.digest:
        return
    for what in ("name", "version"):
        if getattr(mine, what) != getattr(theirs, what):
            yield text(None, f"the catalogue's {what}", getattr(mine, what), getattr(theirs, what))
    for name in dict.fromkeys((*mine.types, *theirs.types)):
        one, other = mine.types.get(name), theirs.types.get(name)
        says = event_says(other or one, name)
        if one is None or other is None:
            was, now = ("known" if side is not None else "not known" for side in (one, other))
            effect = "such events are taken in from now on" if one is None else "such events are refused at the door"
            yield Change(None, f"the event that {says}", was, now, effect)
            continue
        before, after = (_shapes(side.attributes) for side in (one, other))
        for path in dict.fromkeys((*before, *after)):
            if before.get(path) != after.get(path):
                was, now = before.get(path, "not kept"), after.get(path, "not kept")
                yield Change(None, f"what is kept as {words_of(path.replace('.', ' '))} when {says}", was, now, _kept(was, now))
    for section, what in _SECTIONS.items():
        for path, (was, now) in _differing(getattr(mine, section), getattr(theirs, section)):
            where = f", {path}" if path else ""
            yield Change(None, f"{what}{where}", was, now, "cases are read otherwise, more or fewer breaches possible")


def _kept(before: str, after: str) -> str:
    if before == "not kept":
        return "rules can look at it from now on"
    return "it is dropped at the door, so that rules find it missing" if after == "not kept" else "other values are taken at the door"


def _shapes(attributes: Mapping[str, Attribute]) -> dict[str, str]:
    """What is kept, by path: ``a list of persons`` in words."""
    found: dict[str, str] = {}

    def walk(prefix: str, attribute: Attribute, many: bool) -> None:
        if attribute.kind == "list" and attribute.item is not None:
            walk(prefix, attribute.item, True)
        elif attribute.kind == "fields":
            found[prefix] = "a list" if many else "a group"
            for name, part in attribute.parts.items():
                walk(f"{prefix}.{name}", part, False)
        else:
            found[prefix] = f"a list of {attribute.kind}" if many else attribute.kind

    for name, attribute in attributes.items():
        walk(name, attribute, False)
    return found


def _differing(before: Any, after: Any, path: str = "") -> Iterator[tuple[str, tuple[str, str]]]:
    """The places at which two plain structures differ, with what stands there."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys((*before, *after)):
            yield from _differing(before.get(key), after.get(key), f"{path}, {words_of(str(key))}" if path else words_of(str(key)))
    elif before != after:
        yield path, (_plain(before), _plain(after))


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return joined([f"{words_of(str(key))} {_plain(part)}" for key, part in value.items()]) or "nothing"
    if isinstance(value, list | tuple):
        return joined([_plain(part) for part in value]) or "nothing"
    return "nothing" if value is None else words_of(str(value).replace(".", " "))
