"""A reference such as $person where there is nothing that it could stand for: what rests on it stays unknown for ever."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rules.lint.base import ERROR, Check, Path, Subject
from rules.lint.puts import Around, Put, selectors, tests_in
from rules.nearname import did_you_mean

_WORDS = ("person", "this", "activation", "item")


def run(subject: Subject) -> Iterator[tuple[Path, str]]:
    for put in subject.puts:
        for path, _, test in tests_in(put):
            for value, looked_up in _values(test):
                why = _why(subject, put, value, looked_up=looked_up)
                if why:
                    yield path, why
    yield from _same(subject)


def _values(test: Any) -> Iterator[tuple[str, bool]]:
    others = test.differs_from if isinstance(test.differs_from, tuple) else (test.differs_from,)
    for value in (test.equals, test.has, test.at_least, test.at_most, test.before, test.after, *others):
        if isinstance(value, str) and value.startswith("$"):
            yield value, True
    for value in (*(test.in_ or ()), *(test.has_all or ()), *(test.has_any or ())):
        if isinstance(value, str) and value.startswith("$"):
            yield value, False


def _why(subject: Subject, put: Put, value: str, *, looked_up: bool) -> str | None:
    word, _, path = value[1:].partition(".")
    around = put.around
    if word not in _WORDS:
        near = did_you_mean(word, _WORDS)
        return f"{value} stands for nothing; known are $person, $this.PATH, $activation.PATH and $item.PATH{near}"
    if not looked_up:
        return f"{value} is not looked up in a list: use equals or has with it alone, and any for several"
    if word == "person":
        return None if around.person and not path else _person(value, path)
    if not path:
        return f"{value} needs an attribute: {value}.PATH"
    if word == "item":
        return _item(value, path, around)
    types = put.types if word == "this" else around.activation
    if types is None:
        return f"{value} stands for nothing here: there is no activating event where this is put (in terms, anchors, collections and when)"
    if word == "activation" and path == "id":
        return None
    for name in types:
        known = subject.policy.catalogue.types[name]
        if known.attribute(path) is None:
            return f"{value}: {name} has no attribute {path!r}{did_you_mean(path, known.paths())}"
    return None


def _person(value: str, path: str) -> str:
    if path:
        return f"{value}: $person is the person's id and has no attributes"
    return "$person stands for nobody here: only in the requirement of a rule with per, never in when, terms and collections"


def _item(value: str, path: str, around: Around) -> str | None:
    if around.items is None:
        return f"{value} stands for nothing here: items are known in a collection's done_by only"
    inner = around.items
    for step in path.split("."):
        if step not in inner.parts:
            return f"{value}: an item has no attribute {path!r}{did_you_mean(path, inner.parts)}"
        inner = inner.parts[step]
    return None


def _same(subject: Subject) -> Iterator[tuple[Path, str]]:
    """``same`` compares with the activating event, which must have the attribute too."""
    for path, selector, around in selectors(subject):
        if selector.same and around.activation is None:
            yield (*path, "same"), "same compares with the activating event, and there is none here"
        for attribute in selector.same:
            for name in around.activation or ():
                known = subject.policy.catalogue.types[name]
                if known.attribute(attribute) is None:
                    yield (
                        (*path, "same"),
                        f"same: {name} has no attribute {attribute!r} to compare with{did_you_mean(attribute, known.paths())}",
                    )
    for path, _, clause in subject.clauses():
        per, asked = getattr(clause, "per", None), getattr(clause, "requires", None)
        if per is not None and asked is not None and "$person" not in str(asked.model_dump()):
            yield (*path, "requires"), "one obligation for each member, and nothing in it says $person: one event would do for all of them"


CHECK = Check(
    "L112",
    ERROR,
    "A reference ($person, $this, $activation, $item, same) stands for nothing where it is used, or a rule with per never says $person.",
    run,
    "Use the reference where there is something to refer to: `$person` in the requirement of a rule with `per`, `$item` in `done_by`.",
)
