"""YAML that a person wrote, read with the place of every value.  Imports PyYAML and rules.errors.

Policies, catalogues, mappings and test timelines are law-like texts: a key that stands twice, a `no` that turns into a
boolean or a date that loses its zone would change what they mean without a word.  So this reader takes a smaller YAML
than PyYAML does (the 1.2 core scalars, nothing constructed), refuses what is ambiguous, and gives every fault at once.

Scalars: ``true``/``false`` (also ``True``, ``TRUE``...) are booleans; decimal, ``0x`` and ``0o`` whole numbers and decimal
fractions are numbers; empty, ``~`` and ``null`` are None; everything else (dates, ``on``, ``yes``, ``007``, ``.inf``) is text.
Keys are always text.
"""

from __future__ import annotations

import copy
import math
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from rules.errors import Fault, PolicyError

MAX_BYTES = 2_000_000
MAX_DEPTH = 50
MAX_VALUES = 30_000
"""How many values a file may hold after its aliases are written out."""
MAX_FAULTS = 50
MAX_MESSAGE = 500
"""Characters of a fault's message."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_STRING_TAGS = ("!", "tag:yaml.org,2002:str")
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_BASED = re.compile(r"0x[0-9a-fA-F]{1,15}|0o[0-7]{1,20}")
_WHOLE = r"(?:0|[1-9][0-9]*)"
_FLOAT = re.compile(rf"[-+]?(?:(?:\.[0-9]+|{_WHOLE}\.[0-9]*)(?:[eE][-+]?[0-9]+)?|{_WHOLE}[eE][-+]?[0-9]+)")
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069\u200b\u2060\ufeff]")
"""What turns the direction of writing, or takes no room at all."""

Key = str | int
Place = tuple[int, int]
"""Line and column, both from 1."""


@dataclass(slots=True)
class _Node:
    """Where a value stands; ``key`` is the place of the mapping key that leads to it (its own place in a list)."""

    at: Place
    key: Place
    leaf: bool = True
    parts: dict[Key, _Node] = field(default_factory=dict)
    size: int = 1
    height: int = 1


@dataclass(frozen=True, slots=True)
class Source:
    """A file's data and, for each value in it, its place."""

    name: str
    data: Any
    _root: _Node

    def mark(self, path: Sequence[Key], *, key: bool = False) -> Place:
        """Line and column (from 1) of the value at ``path``; where it is absent, of the nearest one around it.

        A scalar's own place, a mapping's or list's key; ``key=True`` gives the key's place for scalars too.
        """
        node = self._root
        for step in path:
            part = node.parts.get(step)
            if part is None:
                return node.key
            node = part
        return node.at if node.leaf and not key else node.key

    def within(self, path: Sequence[Key]) -> Source:
        """What stands at ``path``, as a source of its own with the places of the whole file.  Raises KeyError or IndexError."""
        data, node = self.data, self._root
        for step in path:
            data, node = data[step], node.parts[step]
        return Source(self.name, data, node)

    def fault(self, path: Sequence[Key], code: str, message: str, *, key: bool = False) -> Fault:
        """A fault at ``path``, ready to be collected into a PolicyError."""
        line, col = self.mark(path, key=key)
        return Fault(file=self.name, line=line, col=col, code=code, message=shown(message))


def read(path: str | Path) -> Source:
    """The YAML file at ``path``.  Raises PolicyError with every fault, also where it cannot be opened."""
    file = Path(path)
    try:
        kind = file.stat().st_mode
        if not stat.S_ISREG(kind):
            what = "is a folder, not a file" if stat.S_ISDIR(kind) else "is no ordinary file"
            raise PolicyError([Fault(str(file), 0, 0, "unreadable", what)])
        with file.open("rb") as handle:
            raw = handle.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise PolicyError([Fault(str(file), 0, 0, "unreadable", "is not there")]) from error
    except OSError as error:
        raise PolicyError([Fault(str(file), 0, 0, "unreadable", f"cannot be read: {error.strerror or error}")]) from error
    return parse(raw, name=str(file))


def parse(raw: bytes | str, *, name: str) -> Source:
    """YAML text; ``name`` is what faults call it.  Raises PolicyError with every fault."""
    if len(raw) > MAX_BYTES:
        fits = raw[:MAX_BYTES]
        line = 1 + (fits.count("\n") if isinstance(fits, str) else fits.count(b"\n"))
        raise PolicyError([Fault(name, line, 1, "too-large", f"the file is larger than {MAX_BYTES:,} bytes; they end in this line")])
    text = raw if isinstance(raw, str) else _decode(raw, name)
    text = text.removeprefix("\ufeff")
    strange = _UNPRINTABLE.search(text)
    if strange is not None:
        line, col = _line_col(text, strange.start())
        raise PolicyError([Fault(name, line, col, "control-character", f"holds U+{ord(strange.group()):04X}, which a text may not hold")])
    turning = _TURNING.search(text)
    if turning is not None:
        line, col = _line_col(text, turning.start())
        hint = "which makes a text look otherwise than it is read"
        raise PolicyError([Fault(name, line, col, "hidden-character", f"holds U+{ord(turning.group()):04X}, {hint}")])
    return _Builder(name).build(text)


def shown(message: str) -> str:
    """A message as it may be shown: what cannot be printed is written as its number, and a long one is cut."""
    cut = message if len(message) <= MAX_MESSAGE else message[: MAX_MESSAGE - 60] + " … " + message[-50:]
    return cut if cut.isprintable() else "".join(c if c.isprintable() else f"<U+{ord(c):04X}>" for c in cut)


def scalar(text: str) -> Any:
    """What a plain (unquoted) YAML scalar means here; also used for values typed on a command line."""
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INT.fullmatch(text):
        return int(text)
    if _BASED.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text) and math.isfinite(number := float(text)):
        return number
    return text


def _decode(raw: bytes, name: str) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8", "replace")
        line, col = _line_col(before, len(before))
        raise PolicyError([Fault(name, line, col, "encoding", "is not UTF-8")]) from error


def _line_col(text: str, offset: int) -> Place:
    start = text.rfind("\n", 0, offset) + 1
    return text.count("\n", 0, offset) + 1, offset - start + 1


@dataclass(slots=True)
class _Frame:
    """A mapping or list that is still being read."""

    value: dict[str, Any] | list[Any]
    node: _Node
    anchor: str | None
    key: str | None = None
    key_at: Place = (0, 0)


class _Builder:
    """Turns the parser's events into data and places, without recursion, so that no nesting can exhaust the stack."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.faults: list[Fault] = []
        self.anchors: dict[str, tuple[Any, _Node]] = {}
        self.open_anchors: set[str] = set()
        self.stack: list[_Frame] = []
        self.values = 0
        self.root: tuple[Any, _Node] | None = None

    def build(self, text: str) -> Source:
        try:
            for event in self._events(text):
                self._take(event)
                if len(self.faults) >= MAX_FAULTS:
                    break
        except _Stop:
            pass
        if self.faults:
            raise PolicyError(self.faults)
        data, node = self.root or (None, _Node((1, 1), (1, 1)))
        return Source(name=self.name, data=data, _root=node)

    def _events(self, text: str) -> Iterator[yaml.Event]:
        documents = 0
        try:
            for event in yaml.parse(text, Loader=_LOADER):
                if isinstance(event, yaml.DocumentStartEvent):
                    documents += 1
                    if documents > 1:
                        self._fault(_place(event), "second-document", "starts a second document; a file holds one")
                        return
                yield event
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = (mark.line + 1, mark.column + 1) if mark else (0, 0)
            context = f" ({error.context})" if error.context else ""
            self._fault(place, "yaml-syntax", f"{error.problem or 'cannot be read as YAML'}{context}{_hint(error, text)}")
        except yaml.YAMLError as error:
            self._fault((0, 0), "yaml-syntax", str(error))

    def _fault(self, place: Place, code: str, message: str) -> None:
        self.faults.append(Fault(self.name, place[0], place[1], code, shown(message)))

    def _take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            frame = self.stack.pop()
            if frame.anchor:
                self.open_anchors.discard(frame.anchor)
                self.anchors[frame.anchor] = (frame.value, frame.node)
            self._place_in_parent(frame.value, frame.node)
        elif isinstance(event, yaml.NodeEvent):
            if self.stack and isinstance(self.stack[-1].value, dict) and self.stack[-1].key is None:
                self._take_key(event)
            elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
                self._open(event)
            elif isinstance(event, yaml.AliasEvent):
                self._alias(event)
            elif isinstance(event, yaml.ScalarEvent):
                self._scalar(event)

    def _take_key(self, event: yaml.NodeEvent) -> None:
        frame, place = self.stack[-1], _place(event)
        if not isinstance(event, yaml.ScalarEvent):
            self._fault(place, "complex-key", "a key must be plain text")
            raise _Stop
        self._letters(event.value, place)
        frame.key, frame.key_at = event.value, place
        if event.value == "" and not event.style:
            self._fault(place, "empty-key", "a key is empty")
        elif event.value == "<<" and not event.style:
            self._fault(place, "merge-key", "merge keys (<<) are not supported: write the keys out")
        elif event.value in frame.node.parts:
            first = frame.node.parts[event.value].key
            self._fault(place, "duplicate-key", f"key {event.value!r} stands twice, first in line {first[0]}")

    def _open(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent) -> None:
        place = _place(event)
        if event.tag is not None and not event.implicit:
            self._fault(place, "tag", f"tag {event.tag!r} is not supported")
        if len(self.stack) >= MAX_DEPTH:
            self._fault(place, "too-deep", f"is nested deeper than {MAX_DEPTH} levels")
            raise _Stop
        if event.anchor:
            self.open_anchors.add(event.anchor)
        value: dict[str, Any] | list[Any] = {} if isinstance(event, yaml.MappingStartEvent) else []
        self._count(1, place)
        self.stack.append(_Frame(value=value, node=_Node(place, place, leaf=False), anchor=event.anchor))

    def _alias(self, event: yaml.AliasEvent) -> None:
        place, name = _place(event), str(event.anchor)
        if name in self.open_anchors:
            self._fault(place, "recursive-alias", f"*{name} stands inside what it names")
            raise _Stop
        if name not in self.anchors:
            self._fault(place, "unknown-alias", f"*{name} names nothing above it")
            self._place_in_parent(None, _Node(place, place))
            return
        value, node = self.anchors[name]
        self._count(node.size, place)
        if len(self.stack) + node.height > MAX_DEPTH + 1:
            self._fault(place, "too-deep", f"is nested deeper than {MAX_DEPTH} levels")
            raise _Stop
        self._place_in_parent(copy.deepcopy(value), _Node(place, place, node.leaf, node.parts, node.size, node.height))

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        place = _place(event)
        self._count(1, place)
        if event.tag is not None and event.tag not in _STRING_TAGS:
            self._fault(place, "tag", f"tag {event.tag!r} is not supported")
        plain = not event.style and event.tag is None
        self._letters(event.value, place)
        value, node = scalar(event.value) if plain else event.value, _Node(place, place)
        if event.anchor:
            self.anchors[event.anchor] = (value, node)
        self._place_in_parent(value, node)

    def _letters(self, text: str, place: Place) -> None:
        """Refuses what only an escape can bring into a text."""
        found = None if text.isprintable() else _UNPRINTABLE.search(text) or _TURNING.search(text)
        if found is not None:
            self._fault(place, "control-character", f"holds U+{ord(found.group()):04X}, which a text may not hold, written out or not")

    def _count(self, more: int, place: Place) -> None:
        self.values += more
        if self.values > MAX_VALUES:
            self._fault(place, "too-large", f"holds more than {MAX_VALUES} values once its aliases are written out")
            raise _Stop

    def _place_in_parent(self, value: Any, node: _Node) -> None:
        if not self.stack:
            self.root = (value, node)
            return
        frame = self.stack[-1]
        step: Key
        if isinstance(frame.value, dict):
            assert frame.key is not None
            step, node.key, frame.key = frame.key, frame.key_at, None
            frame.value[step] = value
        else:
            step = len(frame.value)
            frame.value.append(value)
        frame.node.parts[step] = node
        frame.node.size += node.size
        frame.node.height = max(frame.node.height, node.height + 1)


_HINTS = {
    "found character that cannot start any token": "a text may not begin with @, ` or %: put it in quotes",
    "mapping values are not allowed": "a text that holds a colon and a space must stand in quotes",
    "did not find expected '-' indicator": "the line does not begin where the list around it does",
    "did not find expected key": "the line does not begin where the lines around it do",
    "could not find expected ':'": "the line before it is no `key: value`",
    "did not find expected ',' or '}'": "a { is not closed",
    "did not find expected ',' or ']'": "a [ is not closed",
    "found unexpected end of stream": "a quote is not closed",
}


def _hint(error: yaml.MarkedYAMLError, text: str) -> str:
    """What is most likely behind a fault that the parser tells in its own words."""
    told = next((hint for words, hint in _HINTS.items() if words in (error.problem or "")), "")
    start, end = error.context_mark, error.problem_mark
    if told.endswith("not closed") and start is not None:
        told += f", which begins in line {start.line + 1}"
    lines = text.split("\n")[max(end.line - 1, 0) : end.line + 1] if end is not None else []
    odd = next((letter for line in lines for letter in line if letter.isspace() and letter not in " \t\r"), "")
    if odd:
        told = f"a space hereabouts is U+{ord(odd):04X}, which looks like one and is none"
    elif lines and "\t" in lines[-1][: len(lines[-1]) - len(lines[-1].lstrip())]:
        told = "the line is indented by a tab: use spaces"
    return f"; {told}" if told else ""


class _Stop(Exception):
    """What follows cannot be read sensibly."""


def _place(event: yaml.Event) -> Place:
    mark: Any = event.start_mark
    return mark.line + 1, mark.column + 1
