"""The kinds of attribute that an event may carry, and how a value is held against its kind.  Imports rules.errors and rules.instants.

A catalogue's attributes are compiled into plain functions once, since every event passes through them.  A value of the
wrong kind is a Problem with its JSON pointer; an attribute that the catalogue does not know is left out and its path noted,
never its value, since what nobody declared may well be a name or a narrative.
"""

from __future__ import annotations

import datetime as dt
import math
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rules.errors import Problem
from rules.instants import FIRST_DAY, LAST_DAY, parse_day, parse_instant

MAX_TEXT = 1024
"""Characters of an identifier or code."""
MAX_ITEMS = 1000
"""Items of a list, and values of an open object."""
MAX_OPEN_DEPTH = 8
MAX_DROPPED = 100
"""Paths of dropped attributes that are kept for one event; the rest is only left out."""
MAX_PROBLEMS = 50
"""Problems that are collected for one event."""

IDENTIFIERS = frozenset({"id", "person", "case", "event"})
SCALARS = IDENTIFIERS | {"code", "flag", "int", "date", "time"}

At = tuple[Any, Any] | None
"""The place of a value as a linked list, innermost first: (around, key).  Made into text only when it is needed."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """What may stand at a place: a scalar kind, ``list`` with its ``item``, ``fields`` with its ``parts``, or ``object`` (open)."""

    kind: str
    item: Attribute | None = None
    parts: Mapping[str, Attribute] = field(default_factory=dict)

    def __str__(self) -> str:
        if self.kind == "list":
            return f"list of {self.item}"
        return "object" if self.kind == "fields" else self.kind

    @property
    def is_open(self) -> bool:
        """Whether anything may stand at the place, or somewhere within it."""
        inner = [*self.parts.values(), *([self.item] if self.item is not None else [])]
        return self.kind == "object" or any(part.is_open for part in inner)

    def plain(self) -> Any:
        """The attribute as a catalogue writes it: ``code``, ``[person]``, ``{id: id}``."""
        if self.item is not None:
            return [self.item.plain()]
        if self.kind == "fields":
            return {name: part.plain() for name, part in self.parts.items()}
        return self.kind


class Sink:
    """Collects what was wrong with an event's data and what was left out of it."""

    __slots__ = ("dropped", "more_dropped", "pointer", "problems")

    def __init__(self, pointer: str = "") -> None:
        self.pointer = pointer
        self.problems: list[Problem] = []
        self.dropped: list[str] = []
        self.more_dropped = 0

    def refuse(self, around: At, key: Any, code: str, message: str) -> Any:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(self.pointer + "".join("/" + escape(step) for step in _steps(around, key)), code, message))
        return BAD

    def drop(self, around: At, key: Any) -> None:
        if len(self.dropped) < MAX_DROPPED:
            self.dropped.append(".".join(str(step) if isinstance(step, int) else safe_name(step) for step in _steps(around, key)))
        else:
            self.more_dropped += 1


Check = Callable[[Any, At, Any, Sink], Any]
"""(value, around, key, sink) -> the value to keep, or BAD after it told the sink why."""
BAD: Any = object()


def escape(step: Any) -> str:
    """A step of an RFC 6901 JSON pointer."""
    return safe_name(str(step)).replace("~", "~0").replace("/", "~1")


def safe_name(name: str) -> str:
    """An attribute's name as it may be shown: what cannot be printed becomes ``?``, and a name that is a text is cut."""
    name = name if len(name) <= 64 else name[:63] + "…"
    return name if name.isprintable() else "".join(c if c.isprintable() else "?" for c in name)


def text_fault(text: str) -> str | None:
    """Why a text can be no identifier or code; None where it can."""
    if text.isprintable() and 0 < len(text) <= MAX_TEXT and not text.isspace():
        return None
    if not text or text.isspace():
        return "is empty"
    if len(text) > MAX_TEXT:
        return f"is longer than {MAX_TEXT} characters"
    for char in text:
        category = unicodedata.category(char)
        if category == "Cc":
            return f"holds a control character (U+{ord(char):04X})"
        if category == "Cs":
            return "holds half of a surrogate pair"
        if ord(char) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(char) <= 0xFDEF:
            return f"holds U+{ord(char):04X}, which is no character"
    return None


def compile_attribute(attribute: Attribute) -> Check:
    """The function that holds a value against ``attribute``."""
    if attribute.kind == "list":
        assert attribute.item is not None
        return _list_check(compile_attribute(attribute.item))
    if attribute.kind == "fields":
        return fields_check({name: compile_attribute(part) for name, part in attribute.parts.items()})
    return _CHECKS[attribute.kind]


def fields_check(checks: Mapping[str, Check]) -> Check:
    """The function for an object with named attributes: null is absent, what has no name here is dropped."""

    def check(value: Any, around: At, key: Any, sink: Sink) -> Any:
        if type(value) is not dict:
            return sink.refuse(around, key, "wrong_type", f"is {_called(value)}, not an object")
        return fields(value, (around, key), sink)

    def fields(value: dict[str, Any], at: At, sink: Sink) -> dict[str, Any]:
        kept = {}
        for name, inner in value.items():
            if inner is None:
                continue
            known = checks.get(name)
            if known is None:
                sink.drop(at, name)
            elif (got := known(inner, at, name, sink)) is not BAD:
                kept[name] = got
        return kept

    return check


def _list_check(item: Check) -> Check:
    def check(value: Any, around: At, key: Any, sink: Sink) -> Any:
        if type(value) is not list:
            return sink.refuse(around, key, "wrong_type", f"is {_called(value)}, not a list")
        if len(value) > MAX_ITEMS:
            return sink.refuse(around, key, "too_large", f"has more than {MAX_ITEMS} items")
        at = (around, key)
        return [item(inner, at, index, sink) for index, inner in enumerate(value)]

    return check


def _code(value: Any, around: At, key: Any, sink: Sink) -> Any:
    if type(value) is not str:
        return sink.refuse(around, key, "wrong_type", f"is {_called(value)}, not a text")
    if (why := text_fault(value)) is not None:
        return sink.refuse(around, key, "wrong_value", why)
    return value


def _identifier(value: Any, around: At, key: Any, sink: Sink) -> Any:
    if type(value) is str and text_fault(value) is None:
        return value
    if type(value) is int and _fits(value):
        return str(value)
    return _code(value, around, key, sink)


def _flag(value: Any, around: At, key: Any, sink: Sink) -> Any:
    return value if type(value) is bool else sink.refuse(around, key, "wrong_type", f"is {_called(value)}, not true or false")


def _int(value: Any, around: At, key: Any, sink: Sink) -> Any:
    if type(value) is not int:
        return sink.refuse(around, key, "wrong_type", f"is {_called(value)}, not a whole number")
    return value if _fits(value) else sink.refuse(around, key, "wrong_value", "does not fit in 64 bits")


def _date_between(first: int, last: int) -> Check:
    def check(value: Any, around: At, key: Any, sink: Sink) -> Any:
        if type(value) is not str:
            return sink.refuse(around, key, "wrong_type", f"is {_called(value)}, not a date as text")
        try:
            parse_day(value, first=first, last=last)
        except ValueError as error:
            return sink.refuse(around, key, "wrong_value", str(error))
        return value

    return check


def _time(value: Any, around: At, key: Any, sink: Sink) -> Any:
    if type(value) is not str:
        return sink.refuse(around, key, "wrong_type", f"is {_called(value)}, not a time as text")
    try:
        parse_instant(value)
    except ValueError as error:
        return sink.refuse(around, key, "wrong_value", str(error))
    return value


def _open(value: Any, around: At, key: Any, sink: Sink) -> Any:
    if type(value) is not dict:
        return sink.refuse(around, key, "wrong_type", f"is {_called(value)}, not an object")
    count = 0
    stack: list[tuple[Any, At, Any, int]] = [(value, around, key, 0)]
    while stack:
        inner, at, step, depth = stack.pop()
        count += 1
        if count > MAX_ITEMS or depth > MAX_OPEN_DEPTH:
            return sink.refuse(around, key, "too_large", f"has more than {MAX_ITEMS} values or more than {MAX_OPEN_DEPTH} levels")
        if type(inner) is dict:
            if any(name and text_fault(name) for name in inner):
                return sink.refuse(at, step, "wrong_value", "has an attribute whose name is too long or holds control characters")
            stack.extend((part, (at, step), name, depth + 1) for name, part in inner.items())
        elif type(inner) is list:
            stack.extend((part, (at, step), index, depth + 1) for index, part in enumerate(inner))
        elif (why := _leaf_fault(inner)) is not None:
            return sink.refuse(at, step, "wrong_value", why)
    return value


def _leaf_fault(value: Any) -> str | None:
    if type(value) is str:
        return text_fault(value) if value else None
    if type(value) is int:
        return None if _fits(value) else "does not fit in 64 bits"
    if type(value) is float:
        return None if math.isfinite(value) else "is too large a number"
    return None if value is None or type(value) is bool else f"is {_called(value)}"


_date = _date_between(FIRST_DAY, dt.date.max.toordinal())
day_of_practice = _date_between(FIRST_DAY, LAST_DAY)
"""The check of ``occurred_on``: a day on which something happened, so no later than times may be."""

_CHECKS: dict[str, Check] = {"code": _code, "flag": _flag, "int": _int, "date": _date, "time": _time, "object": _open}
_CHECKS |= dict.fromkeys(IDENTIFIERS, _identifier)


def _fits(number: int) -> bool:
    return -(2**63) <= number < 2**63


def _called(value: Any) -> str:
    """What JSON calls the value's type."""
    if value is None:
        return "null"
    names: dict[type, str] = {bool: "true or false", int: "a number", float: "a number", str: "a text", list: "a list", dict: "an object"}
    return names.get(type(value), "no JSON value")


def _steps(around: At, key: Any) -> list[Any]:
    steps = [] if key is None else [key]
    while around is not None:
        around, key = around
        if key is not None:
            steps.append(key)
    return steps[::-1]
