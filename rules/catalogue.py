"""The event catalogue of a policy package: which events its domain knows and which of their data are kept.

The catalogue is data, so that another domain (permits, invoices, hospital stays) brings its own.  Three event types speak
about the record itself and belong to the product: ``event.voided``, ``event.corrected`` and ``source.heartbeat``; so does
the attribute ``occurred_on``.  Imports rules.attributes, rules.corrections, rules.errors and rules.yamlsource.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from rules.attributes import SCALARS, Attribute, Check, Sink, compile_attribute, day_of_practice, fields_check
from rules.corrections import apply_set, clean_set
from rules.errors import EventRefused, Fault, PolicyError
from rules.yamlsource import Key, Source, parse, read

VOIDED = "event.voided"
CORRECTED = "event.corrected"
HEARTBEAT = "source.heartbeat"

_RECORD_TYPES: dict[str, tuple[str, dict[str, Attribute]]] = {
    VOIDED: ("The event that it names never happened.", {"target": Attribute("event")}),
    CORRECTED: (
        "Attributes of the event that it names are to be read otherwise: dotted paths and their values.",
        {"target": Attribute("event"), "set": Attribute("object")},
    ),
    HEARTBEAT: ("The source has delivered everything that it recorded up to this instant.", {"complete_until": Attribute("time")}),
}
_OCCURRED_ON = "occurred_on"
_TYPE_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*", re.ASCII)
_ATTRIBUTE_NAME = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
_RESERVED = {"data", "time"}
_KEYS = {"catalogue", "version", "common", "values", "words", "types", "course", "roster", "state", "links"}
_TYPE_KEYS = {"about", "says", "data", "values", "words"}
_MEANT = {
    "bool": "flag",
    "boolean": "flag",
    "string": "code",
    "str": "code",
    "text": "code",
    "enum": "code",
    "integer": "int",
    "number": "int",
}
_MEANT |= {"datetime": "time", "timestamp": "time", "instant": "time", "day": "date", "identifier": "id", "uuid": "id", "dict": "object"}
"""What people write who know other systems, and what it is called here."""
_KINDS = sorted(SCALARS | {"object"})


@dataclass(frozen=True)
class EventType:
    """One type of event: its own attributes and the common ones, which codes are known (documentation, not enforced).

    How it is told in plain words, where the catalogue says so: ``says`` ("a visit is held"), ``words`` by path of an attribute
    ("persons seen"; of a flag what it states: "the child is safe at home") and ``spoken`` by path and code ("at school").
    """

    name: str
    about: str
    attributes: Mapping[str, Attribute]
    own: frozenset[str]
    required: frozenset[str] = frozenset()
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    says: str = ""
    words: Mapping[str, str] = field(default_factory=dict)
    spoken: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @cached_property
    def check(self) -> Check:
        checks = {name: compile_attribute(attribute) for name, attribute in self.attributes.items()}
        checks[_OCCURRED_ON] = day_of_practice
        return fields_check(checks)

    @cached_property
    def is_open(self) -> bool:
        """Whether any of its attributes may hold anything at all."""
        return any(attribute.is_open for attribute in self.attributes.values())

    def attribute(self, path: str) -> Attribute | None:
        """What stands at a dotted path.  A list is walked through by its name (``members.role``) or by an index (``members.0.role``)."""
        found: Attribute | None = Attribute("fields", parts=self.attributes)
        for step in path.split("."):
            if found is not None and found.kind == "list":
                found = found.item
                if step.isascii() and step.isdigit():
                    continue
            if found is None or found.kind != "fields":
                return None
            found = found.parts.get(step)
        return found

    def paths(self) -> list[str]:
        """Every dotted path, lists walked through by name, objects and lists before what they hold."""
        found: list[str] = []

        def walk(prefix: str, attribute: Attribute) -> None:
            found.append(prefix)
            inner = attribute.item if attribute.kind == "list" else attribute
            while inner is not None and inner.kind == "list":
                inner = inner.item
            for name, part in inner.parts.items() if inner is not None else ():
                walk(f"{prefix}.{name}", part)

        for name, attribute in self.attributes.items():
            walk(name, attribute)
        return found


@dataclass(frozen=True)
class Catalogue:
    """A loaded catalogue.  ``course``, ``roster``, ``state`` and ``links`` are as the file gives them; rules.course reads them."""

    name: str
    version: str
    digest: str
    types: Mapping[str, EventType]
    common: Mapping[str, Attribute] = field(default_factory=dict)
    course: Mapping[str, Any] = field(default_factory=dict)
    roster: Mapping[str, Any] = field(default_factory=dict)
    state: Mapping[str, Any] = field(default_factory=dict)
    links: Mapping[str, Any] = field(default_factory=dict)
    source: Source | None = field(default=None, repr=False, compare=False)

    @classmethod
    def load(cls, path: str | Path) -> Catalogue:
        """The catalogue in a YAML file.  Raises PolicyError with every fault and its place."""
        return _Builder(read(path)).build()

    @classmethod
    def parse(cls, text: str, *, name: str = "catalogue.yaml") -> Catalogue:
        """The catalogue in a YAML text; ``name`` is what faults call it.  Raises PolicyError."""
        return _Builder(parse(text, name=name)).build()

    @classmethod
    def of(cls, source: Source) -> Catalogue:
        """The catalogue in a YAML file that was read already.  Raises PolicyError."""
        return _Builder(source).build()

    def validate(self, type: str, data: Mapping[str, Any], pointer: str = "/data") -> tuple[dict[str, Any], list[str]]:  # noqa: A002
        """Holds an event's data against its type: (the data to keep, the dotted paths of what was dropped).

        Numbers given as identifiers become text; null counts as absent.  Raises EventRefused with every problem.
        """
        sink = Sink(pointer)
        clean = self.clean(type, data, sink)
        if sink.problems:
            raise EventRefused(sink.problems)
        return clean, sink.dropped

    def clean(self, type: str, data: Any, sink: Sink) -> dict[str, Any]:  # noqa: A002
        """As ``validate``, but problems are left in ``sink``; the result means something only where there are none."""
        known = self.types[type]
        clean: dict[str, Any] = known.check(data, None, None, sink)
        if known.required and not sink.problems:
            for name in sorted(known.required - clean.keys()):
                sink.refuse(None, name, "missing", "is missing")
            if type == CORRECTED and not sink.problems:
                clean["set"] = clean_set(self, clean["set"], sink)
        return clean

    def attribute(self, type: str, path: str) -> Attribute | None:  # noqa: A002
        """What stands at a dotted path of a type's data; None where the type or the path is unknown."""
        known = self.types.get(type)
        return None if known is None else known.attribute(path)

    def has_path(self, type: str, path: str) -> bool:  # noqa: A002
        """Whether a type's data may have something at a dotted path (``performer.role``, ``members.person``, ``members.0.person``)."""
        return self.attribute(type, path) is not None

    def type_of(self, type: str, path: str) -> str | None:  # noqa: A002
        """The kind at a path, in words: ``code``, ``list of person``, ``list of object``, ``object``; None where there is no such path."""
        found = self.attribute(type, path)
        return None if found is None else str(found)

    def paths(self, type: str) -> list[str]:  # noqa: A002
        """Every dotted path of a type's data, the common ones included."""
        return self.types[type].paths()

    def apply_set(
        self,
        type: str,  # noqa: A002
        data: Mapping[str, Any],
        changes: Mapping[str, Any],
        pointer: str = "/data/set",
    ) -> dict[str, Any]:
        """The data of an event of ``type`` after a correction; see rules.corrections.  Raises EventRefused where it does not fit."""
        return apply_set(self, type, data, changes, pointer)

    def suggest(self, type: str) -> str | None:  # noqa: A002
        """The known type whose name is most like an unknown one; None where none is near."""
        return nearest(type, self._grams)

    @cached_property
    def _grams(self) -> dict[str, frozenset[str]]:
        return {name: _pairs(name) for name in self.types}


def nearest(name: str, known: Mapping[str, frozenset[str]]) -> str | None:
    """The most similar of the known names by shared pairs of letters; cheap, since a batch may hold very many unknown ones."""
    if len(name) > 64:
        return None
    pairs = _pairs(name)
    best, score = None, 0.55
    for candidate, theirs in known.items():
        alike = 2 * len(pairs & theirs) / (len(pairs) + len(theirs) or 1)
        if alike > score:
            best, score = candidate, alike
    return best


def _pairs(name: str) -> frozenset[str]:
    name = f" {name.lower()} "
    return frozenset(name[i : i + 2] for i in range(len(name) - 1))


class _Builder:
    """Reads a catalogue's YAML and collects its faults."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.faults: list[Fault] = []

    def build(self) -> Catalogue:
        data = self._mapping((), self.source.data)
        self._keys((), data, _KEYS)
        name = self._text(("catalogue",), data.get("catalogue"))
        version = self._text(("version",), data.get("version"))
        common = self._attributes(("common",), data.get("common"))
        common_values = self._values(("values",), data.get("values"))
        common_words = self._words(("words",), data.get("words")), _spoken(data.get("values"))
        types: dict[str, EventType] = {}
        for type_name, raw in self._mapping(("types",), data.get("types")).items():
            at = ("types", type_name)
            if type_name in _RECORD_TYPES:
                self._fault(at, "built-in", f"{type_name} belongs to every catalogue and is not declared", key=True)
            elif not _TYPE_NAME.fullmatch(type_name):
                self._fault(at, "bad-name", "a type's name is lower-case words joined by dots, such as visit.held", key=True)
            else:
                types[type_name] = self._type(at, type_name, raw, common, common_values, common_words)
        if not types and not self.faults:
            self._fault(("types",), "empty", "the catalogue declares no event types")
        common = {_OCCURRED_ON: Attribute("date"), **common}
        for type_name, (about, own) in _RECORD_TYPES.items():
            types[type_name] = EventType(type_name, about, {**common, **own}, frozenset(own), frozenset(own), common_values)
        sections = {key: self._mapping((key,), data.get(key), optional=True) for key in ("course", "roster", "state", "links")}
        if self.faults:
            raise PolicyError(sorted(self.faults, key=lambda fault: (fault.line, fault.col, fault.message)))
        digest = _digest(name, version, types, sections)
        return Catalogue(name, version, digest, types, common, **sections, source=self.source)

    def _type(
        self,
        at: tuple[Key, ...],
        name: str,
        raw: Any,
        common: Mapping[str, Attribute],
        common_values: Mapping[str, tuple[str, ...]],
        common_words: tuple[Mapping[str, str], Mapping[str, Mapping[str, str]]],
    ) -> EventType:
        body = self._mapping(at, raw, optional=True)
        self._keys(at, body, _TYPE_KEYS)
        own = self._attributes((*at, "data"), body.get("data"))
        for attribute in sorted(own.keys() & common.keys()):
            self._fault((*at, "data", attribute), "declared-twice", f"{attribute} is common to all types already", key=True)
        texts = {key: body.get(key, "") for key in ("about", "says")}
        for key, text in texts.items():
            if not isinstance(text, str):
                self._fault((*at, key), "wrong-type", f"{key} is a text")
        own_values = self._values((*at, "values"), body.get("values"))
        own_words = self._words((*at, "words"), body.get("words"))
        found = EventType(
            name,
            str(texts["about"]),
            {_OCCURRED_ON: Attribute("date"), **common, **own},
            frozenset(own),
            frozenset(),
            {**common_values, **own_values},
            str(texts["says"]),
            {**common_words[0], **own_words},
            {**common_words[1], **_spoken(body.get("values"))},
        )
        for key, named in (("values", own_values), ("words", own_words)):
            for path in named:
                if found.attribute(path) is None:
                    self._fault((*at, key, path), "unknown-attribute", f"{name} has no attribute {path}", key=True)
        return found

    def _attributes(self, at: tuple[Key, ...], raw: Any) -> dict[str, Attribute]:
        found: dict[str, Attribute] = {}
        for name, spec in self._mapping(at, raw, optional=True).items():
            if not _ATTRIBUTE_NAME.fullmatch(name):
                self._fault((*at, name), "bad-name", "an attribute's name is lower-case letters, digits and underscores", key=True)
            elif name in _RESERVED or name == _OCCURRED_ON:
                self._fault((*at, name), "reserved", f"{name} means something in every catalogue and is not declared", key=True)
            else:
                found[name] = self._attribute((*at, name), spec)
        return found

    def _attribute(self, at: tuple[Key, ...], spec: Any) -> Attribute:
        if isinstance(spec, str) and spec in _KINDS:
            return Attribute(spec)
        if isinstance(spec, list) and len(spec) == 1:
            return Attribute("list", item=self._attribute((*at, 0), spec[0]))
        if isinstance(spec, dict) and spec:
            parts = {}
            for name, part in spec.items():
                if not _ATTRIBUTE_NAME.fullmatch(name):
                    self._fault((*at, name), "bad-name", "an attribute's name is lower-case letters, digits and underscores", key=True)
                else:
                    parts[name] = self._attribute((*at, name), part)
            return Attribute("fields", parts=parts)
        meant = _MEANT.get(spec.lower()) if isinstance(spec, str) else None
        hint = f"; did you mean {meant!r}?" if meant else f": one of {', '.join(_KINDS)}, a list [kind] or an object {{name: kind}}"
        self._fault(at, "unknown-kind", f"is no kind of attribute{hint}")
        return Attribute("object")

    def _values(self, at: tuple[Key, ...], raw: Any) -> dict[str, tuple[str, ...]]:
        found = {}
        for path, codes in self._mapping(at, raw, optional=True).items():
            if isinstance(codes, dict) and all(isinstance(words, str) for words in codes.values()):
                found[path] = tuple(codes)
            elif not isinstance(codes, list) or not all(isinstance(code, str) for code in codes):
                self._fault((*at, path), "wrong-type", "values are a list of codes, or a mapping of codes to their plain words")
            else:
                found[path] = tuple(codes)
        return found

    def _words(self, at: tuple[Key, ...], raw: Any) -> dict[str, str]:
        found = {}
        for path, words in self._mapping(at, raw, optional=True).items():
            if isinstance(words, str):
                found[path] = words
            else:
                self._fault((*at, path), "wrong-type", "words are a text")
        return found

    def _mapping(self, at: tuple[Key, ...], raw: Any, *, optional: bool = False) -> dict[str, Any]:
        if isinstance(raw, dict):
            return raw
        if raw is not None or not optional:
            self._fault(at, "wrong-type" if raw is not None else "missing", f"{at[-1] if at else 'the catalogue'} must be a mapping")
        return {}

    def _text(self, at: tuple[Key, ...], raw: Any) -> str:
        if isinstance(raw, str) and raw:
            return raw
        self._fault(at, "missing" if raw is None else "wrong-type", f"{at[-1]} must be a text (in quotes where it is a number)")
        return ""

    def _keys(self, at: tuple[Key, ...], data: Mapping[str, Any], known: set[str]) -> None:
        for key in data.keys() - known:
            near = nearest(key, {name: _pairs(name) for name in known})
            hint = f"; did you mean {near}?" if near else f": known are {', '.join(sorted(known))}"
            self._fault((*at, key), "unknown-key", f"{key!r} is unknown here{hint}", key=True)

    def _fault(self, at: tuple[Key, ...], code: str, message: str, *, key: bool = False) -> None:
        self.faults.append(self.source.fault(at, code, message, key=key))


def _spoken(values: Any) -> dict[str, Mapping[str, str]]:
    """The plain words of codes, where ``values`` gives them."""
    return {path: codes for path, codes in values.items() if isinstance(codes, dict)} if isinstance(values, dict) else {}


def _digest(name: str, version: str, types: Mapping[str, EventType], sections: Mapping[str, Any]) -> str:
    """SHA-256 (hex) over what the catalogue means; descriptions, plain words, known codes and the order of keys do not count."""
    meaning = {
        "catalogue": name,
        "version": version,
        "types": {type_name: {path: part.plain() for path, part in one.attributes.items()} for type_name, one in types.items()},
        **sections,
    }
    text = json.dumps(meaning, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
