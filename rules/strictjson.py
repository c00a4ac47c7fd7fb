"""JSON as a sender should have written it, with the place of every fault.  Imports orjson, rules.attributes and rules.errors.

Python's reader takes the last of two equal keys, NaN, and half surrogates; a database or another reader of the same bytes
would see something else.  All of that is refused here by its RFC 6901 pointer, and in a batch only the event that holds it.

What is plainly in order, which is nearly everything, is read by orjson in a tenth of the time; see ``_plain``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import orjson

from rules.attributes import escape
from rules.errors import EventRefused, Problem

MAX_EVENT = 1_048_576
"""Bytes of one event, and (roughly) characters of one event inside a batch."""
MAX_BATCH = 134_217_728
"""Bytes of a batch; whoever takes batches from outside sets a tighter limit."""
MAX_DEPTH = 32
MAX_FAULTS = 50


def loads(raw: bytes, *, max_bytes: int = MAX_EVENT, max_size: int = MAX_EVENT) -> Any:
    """One JSON text.  Raises EventRefused with every fault; code ``too_large`` where it is longer than ``max_bytes``.

    ``max_size``: characters that it may hold, where it is no single event.
    """
    if len(raw) <= max_size and len(raw) <= max_bytes and (plain := _plain(raw)) is not None:
        return plain
    tree, suspect = _read(raw, max_bytes)
    if suspect or _oversize(tree, max_size):
        problems = list(_faults(tree, "", max_size))[:MAX_FAULTS]
        if problems:
            raise EventRefused(problems)
    return tree


def loads_items(raw: bytes, *, max_bytes: int = MAX_BATCH, what: str = "a batch is a JSON array of events") -> list[Any]:
    """The items of a JSON array, each as it is or, where it has faults, as an EventRefused with pointers ``/<index>/...``.

    Raises EventRefused where the text as a whole cannot be read.
    """
    if (
        len(raw) <= max_bytes
        and type(plain := _plain(raw, items=True)) is list
        and (len(raw) <= MAX_EVENT or not any(map(_oversize, plain)))
    ):
        return plain
    tree, suspect = _read(raw, max_bytes)
    if type(tree) is not list:
        raise EventRefused([Problem("", "wrong_type", what)])
    items: list[Any] = tree
    for index, item in enumerate(tree):
        if suspect or _oversize(item):
            problems = list(_faults(item, f"/{index}"))[:MAX_FAULTS]
            if problems:
                items[index] = EventRefused(problems)
    return items


class _Doubled(dict[str, Any]):
    """An object in which a key stood twice."""

    twice: tuple[str, ...] = ()


class _Constant:
    """NaN or Infinity, which JSON does not have."""


_CONSTANT = _Constant()


class _Odd(Exception):
    """Something that has to be looked at closely."""


_SPACE_BEFORE_COLON = re.compile(rb"[\t\n\r]:")


def _plain(raw: bytes, *, items: bool = False) -> dict[str, Any] | list[Any] | None:
    """The object or array in ``raw`` where nothing about it is in doubt; None where ``_read`` has to say what it is.

    orjson refuses what is no JSON, no UTF-8 or half a surrogate pair.  It takes the last of two equal names, and reads a whole
    number of more than 64 bits as a fraction: so every fraction is in doubt, and names are counted.  The quotation mark that ends a
    name is followed by a colon, and within a text the two stand next to each other at most more often: are there as many such pairs
    as names that were kept, then none stood twice.  A larger text than an event may be has to be measured by the
    caller.  ``items``: each item of an array may be as deep as an event.
    """
    text = raw.strip()
    if b" :" in text or ((b"\n" in text or b"\t" in text or b"\r" in text) and _SPACE_BEFORE_COLON.search(text)):
        return None
    try:
        tree: Any = orjson.loads(text)
        if items and type(tree) is list:
            if float in map(type, tree):
                return None
            names = sum([_names(item, 1) for item in tree if type(item) is dict or type(item) is list])
        elif type(tree) is dict or type(tree) is list:
            names = _names(tree, 1)
        else:
            return None
    except (orjson.JSONDecodeError, _Odd):
        return None
    return tree if names == text.count(b'":') else None


def _names(box: dict[str, Any] | list[Any], depth: int) -> int:
    """How many names the objects in a box have.  Raises _Odd for a fraction and where it is too deep."""
    if type(box) is dict:
        count = len(box)
        parts: Any = box.values()
    else:
        count, parts = 0, box
    for part in parts:
        kind = type(part)
        if kind is dict or kind is list:
            if depth == MAX_DEPTH:
                raise _Odd
            count += _names(part, depth + 1)
        elif kind is float:
            raise _Odd
    return count


def _read(raw: bytes, max_bytes: int) -> tuple[Any, bool]:
    """The data, and whether a close look is needed."""
    if len(raw) > max_bytes:
        raise EventRefused([Problem("", "too_large", f"is larger than {max_bytes} bytes")])
    try:
        text = raw.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise EventRefused([Problem("", "malformed_json", f"is not UTF-8 (byte {error.start + 1})")]) from None
    if not text.strip(" \t\r\n"):
        raise EventRefused([Problem("", "malformed_json", "is empty")])
    suspect = "\\ud" in text or "\\uD" in text

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(found)
        if len(made) != len(found):
            nonlocal suspect
            suspect = True
            made = _Doubled(made)
            names = [name for name, _ in found]
            made.twice = tuple(name for name in made if names.count(name) > 1)[:MAX_FAULTS] if len(names) < 10_000 else (names[0],)
        return made

    def constant(_: str) -> Any:
        nonlocal suspect
        suspect = True
        return _CONSTANT

    try:
        tree = json.loads(text, object_pairs_hook=pairs, parse_constant=constant, parse_int=_integer)
    except json.JSONDecodeError as error:
        what = f"{error.msg[:1].lower()}{error.msg[1:]}"
        where = f"in line {error.lineno}, column {error.colno}"
        raise EventRefused([Problem("", "malformed_json", f"is not JSON: {what} {where}")]) from None
    except RecursionError:
        raise EventRefused([Problem("", "too_deep", f"is nested deeper than {MAX_DEPTH} levels")]) from None
    return tree, suspect


def _integer(text: str) -> int:
    """A whole number; one that could not fit anywhere is cut to 10**20, so that it is refused where it is looked at."""
    return int(text) if len(text) < 21 else (-(10**20) if text[0] == "-" else 10**20)


def _oversize(tree: Any, most: int = MAX_EVENT) -> bool:
    """Whether one event is too deep or too large; fast, since every event goes through it."""
    if type(tree) is not dict and type(tree) is not list:
        return type(tree) is str and len(tree) > most
    level: list[Any] = [tree]
    size = 0
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for box in level:
            size += len(box)
            for value in box.values() if isinstance(box, dict) else box:
                if type(value) is str:
                    size += len(value)
                elif isinstance(value, dict | list):
                    below.append(value)
        if size > most:
            return True
        if not below:
            return False
        level = below
    return True


def _faults(tree: Any, pointer: str, most: int = MAX_EVENT) -> Iterator[Problem]:
    stack: list[tuple[Any, str, int]] = [(tree, pointer, 1)]
    size = 0
    while stack:
        value, at, depth = stack.pop()
        if isinstance(value, str):
            size += len(value)
            if _half(value):
                yield Problem(at, "wrong_value", "holds half of a surrogate pair")
        elif isinstance(value, dict | list):
            if depth > MAX_DEPTH:
                yield Problem(at, "too_deep", f"is nested deeper than {MAX_DEPTH} levels")
                continue
            if isinstance(value, _Doubled):
                yield from (Problem(f"{at}/{escape(name)}", "duplicate_key", "stands twice in its object") for name in value.twice)
            if isinstance(value, dict):
                if any(_half(name) for name in value):
                    yield Problem(at, "wrong_value", "has an attribute whose name holds half of a surrogate pair")
                inner = [(part, f"{at}/{escape(name)}", depth + 1) for name, part in value.items()]
            else:
                inner = [(part, f"{at}/{index}", depth + 1) for index, part in enumerate(value)]
            size += len(inner)
            stack.extend(reversed(inner))
        elif value is _CONSTANT:
            yield Problem(at, "malformed_json", "is NaN or Infinity, which JSON does not have")
        if size > most:
            yield Problem(pointer, "too_large", f"is larger than {most} characters")
            return


def _half(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False
