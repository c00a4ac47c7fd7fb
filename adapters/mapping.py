"""Mappings: how one installation's records become case events, as a YAML file that is checked before it is used.  Imports rules.

A record is a flat set of named fields (columns of a table, attributes of a log, dotted paths of a JSON object).  A mapping
says where each part of an event comes from; value tables turn the system's words into the catalogue's codes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping as Fields
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from adapters.convert import ConvertError, Formats, as_moment, as_text, as_value, blank, nest
from adapters.fields import MappingFault, converted, in_columns, items_of, parts_of, pointer_to, spread, wrong
from adapters.mapping_lint import check
from adapters.mapping_schema import Layout, Plan, Take, look_up
from rules.attributes import Attribute
from rules.catalogue import Catalogue
from rules.yamlsource import Key, Source, parse, read

T = TypeVar("T")
_MOST_KINDS = 1_000


@dataclass(frozen=True, slots=True)
class Made:
    """What one plan made of a record: an event (a CloudEvent as JSON object, not yet validated), or why it could not.

    ``state``: see mapping_schema.Shape.  ``case`` and ``recorded`` (RFC 3339), of what could not be made: as far as they can be read.
    """

    event: dict[str, Any] | MappingFault
    state: bool = False
    case: str | None = None
    recorded: str | None = None


@dataclass(frozen=True)
class Mapping:
    """A checked mapping, ready to turn records into CloudEvents."""

    name: str
    source: str
    layout: Layout
    plans: tuple[Plan, ...]
    catalogue: Catalogue

    as_it_is = False
    """Whether it wants records as the system gave them, not spread out under dotted names."""

    @classmethod
    def load(cls, path: str | Path, catalogue: Catalogue) -> Mapping:
        """The mapping in a YAML file, checked against the catalogue.  Raises PolicyError with every fault and its place."""
        return cls._checked(read(path), catalogue)

    @classmethod
    def parse(cls, text: str, catalogue: Catalogue, *, name: str = "mapping.yaml") -> Mapping:
        """The mapping in a YAML text.  Raises PolicyError."""
        return cls._checked(parse(text, name=name), catalogue)

    @classmethod
    def inside(cls, source: Source, path: Sequence[Key], catalogue: Catalogue) -> Mapping:
        """The mapping that stands at ``path`` of a larger file.  Raises PolicyError, with the places of that file."""
        return cls._checked(source.within(path), catalogue)

    @classmethod
    def _checked(cls, source: Source, catalogue: Catalogue) -> Mapping:
        document, plans = check(source, catalogue)
        return cls(document.mapping, document.source, document.format, plans, catalogue)

    @cached_property
    def columns(self) -> frozenset[str]:
        """Every field that the mapping reads."""
        found: set[str] = set()
        for plan in self.plans:
            for take in (plan.type, plan.case, plan.id, plan.time, plan.recorded, *plan.data.values()):
                found.update(take.columns if take else ())
            found.update(rule.column for rule in plan.skip)
        return frozenset(found)

    @cached_property
    def formats(self) -> Formats:
        layout = self.layout
        return Formats(tuple(layout.time), tuple(layout.date), ZoneInfo(layout.zone) if layout.zone else None)

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of everything that decides what a record becomes."""
        parts = [self.source, self.catalogue.digest, self.layout.model_dump(), [repr(plan) for plan in self.plans]]
        return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()

    def events(self, record: Fields[str, Any]) -> list[dict[str, Any] | MappingFault]:
        """The CloudEvents (JSON objects, not yet validated) that a record becomes; none where a skip rule holds."""
        return [made.event for made in self.made(record)]

    def made(self, record: Fields[str, Any], kind: str | None = None) -> list[Made]:
        """The same, with how each is meant; of a record of a ``kind``, only what is made of that kind."""
        found: list[Made] = []
        for index, plan in enumerate(self.plans):
            if kind is not None and plan.of is not None and kind not in plan.of:
                continue
            for fields in [record] if plan.each is None else items_of(record, plan.each):
                try:
                    event = self._event(plan, fields, index)
                except MappingFault as fault:
                    found.append(Made(fault, plan.state, *self._about(plan, fields)))
                else:
                    if event is not None:
                        found.append(Made(event, plan.state))
        return found

    def _attributes(self, index: int, kind: str) -> list[tuple[str, Take, Attribute]]:
        """What a plan takes of the attributes that a type of event has."""
        found = self._known.get((index, kind))
        if found is None:
            known = [(path, take, self.catalogue.attribute(kind, path)) for path, take in self.plans[index].data.items()]
            found = [(path, take, attribute) for path, take, attribute in known if attribute is not None]
            if len(self._known) < _MOST_KINDS:
                self._known[index, kind] = found
        return found

    @cached_property
    def _known(self) -> dict[tuple[int, str], list[tuple[str, Take, Attribute]]]:
        return {}

    def _about(self, plan: Plan, record: Fields[str, Any]) -> tuple[str | None, str | None]:
        """Whom a record is about, and when it was recorded, although no event can be made of it."""
        case = recorded = None
        with suppress(MappingFault):
            case = self._text(plan.case, record, "/subject")
        with suppress(MappingFault):
            recorded = self._moment(plan.recorded, record, "/recordedtime")[0] if plan.recorded is not None else None
        return case, recorded

    def _event(self, plan: Plan, record: Fields[str, Any], index: int) -> dict[str, Any] | None:
        if any(rule.holds(record) for rule in plan.skip):
            return None
        kind = self._text(plan.type, record, "/type")
        if kind is None:
            return None
        moment = self._moment(plan.time, record, "/time")
        event: dict[str, Any] = {
            "specversion": "1.0",
            "source": self.source,
            "id": self._hash(plan.id, record, index) if plan.id.hash else self._needed(plan.id, record, "/id"),
            "type": kind,
            "subject": self._needed(plan.case, record, "/subject"),
            "time": moment[0],
        }
        if plan.recorded is not None and any(not blank(look_up(record, column)) for column in plan.recorded.columns):
            event["recordedtime"] = self._moment(plan.recorded, record, "/recordedtime")[0]
        values: dict[str, Any] = {}
        for path, take, attribute in self._attributes(index, kind):
            if (value := self._value(take, record, path, attribute)) is not None:
                values[path] = value
        if moment[1] is not None and "occurred_on" not in values:
            values["occurred_on"] = moment[1]
        try:
            event["data"] = nest(values)
        except ConvertError as error:
            raise MappingFault("/data", "wrong_value", str(error)) from None
        return event

    def _needed(self, take: Take, record: Fields[str, Any], pointer: str) -> str:
        text = self._text(take, record, pointer)
        if text is None:
            raise MappingFault(pointer, "missing", f"is empty{in_columns(take)}")
        return text

    def _text(self, take: Take, record: Fields[str, Any], pointer: str) -> str | None:
        cell = self._cell(take, record, pointer)
        if blank(cell):
            return None
        try:
            return as_text(cell)
        except ConvertError as error:
            raise wrong(pointer, take, error) from None

    def _moment(self, take: Take, record: Fields[str, Any], pointer: str) -> tuple[str, str | None]:
        cell = self._cell(take, record, pointer)
        if blank(cell):
            raise MappingFault(pointer, "missing", f"is empty{in_columns(take)}")
        try:
            moment = as_moment(cell, self.formats)
        except ConvertError as error:
            raise wrong(pointer, take, error) from None
        return moment.text(), moment.day.isoformat() if moment.day else None

    def _value(self, take: Take, record: Fields[str, Any], path: str, attribute: Attribute) -> Any:
        pointer = pointer_to(path)
        if attribute.kind == "list" and take.column is not None and take.values is not None:
            return self._listed(take, record, pointer, attribute)
        if take.items is not None:
            return self._objects(take, record, path, pointer, attribute)
        cell = self._cell(take, record, pointer)
        formats = self.formats if take.split is None else replace(self.formats, split=take.split)
        try:
            return as_value(cell, attribute, formats)
        except ConvertError as error:
            raise wrong(pointer, take, error) from None

    def _listed(self, take: Take, record: Fields[str, Any], pointer: str, attribute: Attribute) -> list[Any] | None:
        cell = look_up(record, take.column or "")
        if blank(cell):
            return None
        parts = cell if isinstance(cell, list) else as_text(cell).split(take.split or ";")
        words = [self._translated(take, part, pointer) for part in parts if not blank(part)]
        item = attribute.item
        assert item is not None
        return converted(pointer, take, lambda: [as_value(word, item, self.formats) for word in words if not blank(word)])

    def _objects(self, take: Take, record: Fields[str, Any], path: str, pointer: str, attribute: Attribute) -> list[Any] | None:
        """A list of objects, each made of an item of the record's own list."""
        listed = look_up(record, take.column or "")
        if listed is None:
            return None
        if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
            raise MappingFault(pointer, "wrong_value", f"is no list of objects{in_columns(take)}")
        item = attribute.item
        made: list[Any] = []
        for number, fields in enumerate(listed):
            values: dict[str, Any] = {}
            for name, inner in (take.items or {}).items():
                kind = item.parts.get(name) if item is not None else None
                if kind is not None and (value := self._value(inner, spread(fields), f"{path}.{number}.{name}", kind)) is not None:
                    values[name] = value
            made.append(values)
        return made

    def _cell(self, take: Take, record: Fields[str, Any], pointer: str) -> Any:
        column = take.column
        if column is not None:
            cell = record[column] if column in record else look_up(record, column)
            return cell if take.values is None else self._translated(take, cell, pointer)
        if take.constant is not None:
            return take.constant
        if take.hash is not None:
            return self._hash(take, record, 0)
        assert take.template is not None
        return self._filled(take, take.template, record, pointer)

    def _filled(self, take: Take, template: str, record: Fields[str, Any], pointer: str) -> str | None:
        made = []
        for number, part in enumerate(parts_of(template)):
            if number % 2 == 0:
                made.append(part)
                continue
            cell = look_up(record, part)
            if blank(cell):
                return None
            try:
                made.append(as_text(cell))
            except ConvertError as error:
                raise wrong(pointer, take, error) from None
        return "".join(made)

    def _translated(self, take: Take, cell: Any, pointer: str) -> Any:
        if take.values is None or blank(cell):
            return cell
        try:
            word = as_text(cell)
        except ConvertError as error:
            raise wrong(pointer, take, error) from None
        if word in take.values:
            return take.values[word]
        if take.other == "reject":
            raise MappingFault(pointer, "unmapped_value", f"holds a word that the mapping's table does not list{in_columns(take)}")
        return cell if take.other == "keep" else None

    def _hash(self, take: Take, record: Fields[str, Any], index: int) -> str:
        """An id made of the record itself: the same record gives the same id, wherever it stands in whichever file."""
        columns = sorted(record) if take.hash == "record" else list(take.hash or ())
        parts = [[column, "" if blank(cell := look_up(record, column)) else str(cell)] for column in columns]
        return hashlib.sha256(json.dumps([index, parts], ensure_ascii=True).encode()).hexdigest()[:40]
