"""A test of an attribute with a value of another type: text against a flag, a number against a code, a limit on what is no number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rules.attributes import IDENTIFIERS, Attribute
from rules.calendars import real_day
from rules.conditions import Test
from rules.instants import parse_instant
from rules.kinds.requires import Requires
from rules.lint.base import ERROR, Check, Path, Subject
from rules.lint.puts import literal, tests_in

_TEXTS = IDENTIFIERS | {"code"}
_YES_NO = {"yes": "true", "no": "false", "y": "true", "n": "false", "on": "true", "off": "false", "true": "true", "false": "false"}


def run(subject: Subject) -> Iterator[tuple[Path, str]]:
    for put in subject.puts:
        for path, attribute, test in tests_in(put):
            for name in put.types:
                found = subject.policy.catalogue.types[name].attribute(attribute)
                why = None if found is None else _wrong(test, attribute, found)
                if why:
                    yield path, why
                    break
    for path, part in subject.find(Requires):
        for attribute in part.collects or ():
            for name in subject.types_of(part.names):
                found = subject.policy.catalogue.types[name].attribute(attribute)
                why = None if found is None else _uncollected(attribute, found, by_role=part.roles is not None)
                if why:
                    yield (*path, "collects", attribute), why
                    break


def _uncollected(name: str, attribute: Attribute, *, by_role: bool) -> str | None:
    item = attribute.item if attribute.kind == "list" else attribute
    if by_role:
        of_people = attribute.kind == "list" and item is not None and item.kind in ("person", "fields")
        return None if of_people else f"{name} is {attribute}, not a list of participants: take roles away"
    if item is not None and item.kind == "fields":
        return f"{name} holds objects: give roles: {name} to collect the roles of the participants listed there"
    return None


def _wrong(test: Test, name: str, attribute: Attribute) -> str | None:
    kind = attribute.kind
    if kind == "list":
        if test.equals is not None or test.in_ is not None or test.before is not None or test.after is not None:
            return f"{name} is a list: ask what it has (has, has_any, has_all) or how many (at_least, at_most)"
        items = [test.has, *(test.has_all or ()), *(test.has_any or ())]
        item = attribute.item
        if item is not None and item.kind == "fields" and any(literal(value) for value in items):
            return f"{name} is a list of objects: use some or each with a condition on them"
        wrong = next((why for value in items if literal(value) and item is not None and (why := _value(value, name, item.kind))), None)
        return wrong or _count(test, name)
    if test.each is not None or test.some is not None:
        return f"{name} is no list: each and some look at the parts of a list" if kind != "fields" else None
    if test.includes_role is not None:
        return f"{name} is {attribute}, not a list of participants" if kind not in ("person", "fields") else None
    if kind == "fields":
        return (
            f"{name} is an object: name one of its attributes, such as {name}.{next(iter(attribute.parts), 'id')}" if test.active else None
        )
    others = test.differs_from if isinstance(test.differs_from, tuple) else (test.differs_from,)
    for value in (test.equals, test.has, *others, *(test.in_ or ()), *(test.has_all or ()), *(test.has_any or ())):
        why = _value(value, name, kind) if literal(value) else None
        if why:
            return why
    return _limits(test, name, kind)


def _value(value: Any, name: str, kind: str) -> str | None:
    if kind == "flag" and not isinstance(value, bool):
        meant = _YES_NO.get(str(value).lower(), "")
        return f"{name} is true or false, never {value!r}" + (f": write {meant}" if meant else "")
    if kind == "int" and (isinstance(value, bool) or not isinstance(value, int)):
        return f"{name} is a whole number, never {_shown(value)}" + (": take the quotes away" if str(value).isdigit() else "")
    if kind in _TEXTS and not isinstance(value, str):
        return f"{name} is a text, never {_shown(value)}" + (f': write "{value}" in quotes' if not isinstance(value, bool) else "")
    if kind == "date" and (not isinstance(value, str) or real_day(value) is None):
        return f"{name} is a date like 2026-01-31, never {_shown(value)}"
    if kind == "time" and not _instant(value):
        return f"{name} is an instant like 2026-01-31T09:00:00+09:30, never {_shown(value)}"
    return None


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _instant(value: Any) -> bool:
    try:
        parse_instant(value)
    except (ValueError, TypeError):
        return False
    return True


def _count(test: Test, name: str) -> str | None:
    for word, limit in (("at_least", test.at_least), ("at_most", test.at_most)):
        if literal(limit) and (isinstance(limit, bool) or not isinstance(limit, int)):
            return f"{name} is a list, and {word} counts its parts: {limit!r} is no number"
    return None


def _limits(test: Test, name: str, kind: str) -> str | None:
    for word, limit in (("at_least", test.at_least), ("at_most", test.at_most)):
        if limit is None:
            continue
        if kind != "int":
            better = ": use after or before" if kind in ("date", "time") else ""
            return f"{name} is {_a(kind)}, and {word} compares numbers{better}"
        if literal(limit) and (isinstance(limit, bool) or not isinstance(limit, int)):
            return f"{name} is a whole number, and {word} {_shown(limit)} is none"
    for word, limit in (("before", test.before), ("after", test.after)):
        if limit is None:
            continue
        if kind not in ("date", "time"):
            return f"{name} is {_a(kind)}, and {word} compares dates" + (": use at_most or at_least" if kind == "int" else "")
        why = _value(limit, name, kind) if literal(limit) else None
        if why:
            return why
    return None


def _a(kind: str) -> str:
    return {"flag": "true or false", "int": "a whole number", "id": "an id", "object": "an object"}.get(kind, f"a {kind}")


CHECK = Check(
    "L111",
    ERROR,
    "A condition compares an attribute with a value of another type: it can never hold, or cannot be judged.",
    run,
    "Write the value as the catalogue's kind of the attribute wants it: true or false, a number without quotes, a code as text.",
)
