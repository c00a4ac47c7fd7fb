"""The schema of a mapping file: what it may say, and nothing else.  Imports adapters.convert.

Kept apart from what a mapping does, so that the reference of the file can be made from it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping as Fields
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from adapters.convert import ISO, as_text, blank

PLACE = re.compile(r"\{([^{}]+)\}")


def look_up(record: Fields[str, Any], column: str) -> Any:
    """The field of that name; ``a.0.b`` looks into a list, and ``a[].b`` gives the list of every item's ``b``.  None: there is none."""
    if column in record:
        return record[column]
    head, every, rest = column.partition("[]")
    if every:
        listed = look_up(record, head)
        if not isinstance(listed, list):
            return None
        rest = rest.removeprefix(".")
        found = [look_up(item, rest) if rest else item for item in listed if not rest or isinstance(item, dict)]
        return [part for part in found if part is not None] or None
    steps = column.split(".")
    for cut in range(len(steps) - 1, 0, -1):
        here = record.get(".".join(steps[:cut]))
        if here is None:
            continue
        for step in steps[cut:]:
            if isinstance(here, dict):
                here = here.get(step)
            elif isinstance(here, list) and step.isdecimal() and int(step) < len(here):
                here = here[int(step)]
            else:
                return None
        return here
    return None


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Take(_Model):
    """Where a value comes from: exactly one of ``column``, ``template`` (``permit-{number}``), ``constant``, ``hash``."""

    column: str | None = None
    template: str | None = None
    constant: str | int | bool | None = None
    hash: Literal["record"] | list[str] | None = None
    values: dict[str, str | int | bool | None] | None = None
    """The system's word -> ours; null: as if the field were empty."""
    other: Literal["reject", "drop", "keep"] = "reject"
    """What becomes of a word that ``values`` does not list: reject the record, leave the value out (as a type: the record), keep it."""
    split: str | None = Field(default=None, min_length=1)
    """What separates the items of a list inside one field."""
    items: dict[str, From] | None = Field(default=None, min_length=1)
    """Of a column that holds a list of objects: what each item becomes; its fields are named as they are in the item."""

    @model_validator(mode="after")
    def _one_origin(self) -> Take:
        given = [name for name in ("column", "template", "constant", "hash") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError("needs exactly one of column, template, constant, hash")
        if self.items is not None and (self.column is None or self.values is not None):
            raise ValueError("items belong to a column, and give each part its own table of values")
        if self.template is not None and not PLACE.search(self.template):
            raise ValueError("a template names at least one {column}; use constant for a fixed text")
        return self

    @property
    def columns(self) -> list[str]:
        if self.column is not None:
            return [self.column]
        if self.template is not None:
            return PLACE.findall(self.template)
        return list(self.hash) if isinstance(self.hash, list) else []


From = Annotated[Take, BeforeValidator(lambda given: {"column": given} if isinstance(given, str) else given)]


class Skip(_Model):
    """Records that are no events: those for which every part that is given holds."""

    column: str
    any_of: list[str] | None = None
    none_of: list[str] | None = None
    empty: bool | None = None

    @model_validator(mode="after")
    def _some_test(self) -> Skip:
        if self.any_of is None and self.none_of is None and self.empty is None:
            raise ValueError("needs any_of, none_of or empty")
        return self

    def holds(self, record: Fields[str, Any]) -> bool:
        cell = look_up(record, self.column)
        word = "" if blank(cell) else as_text(cell)
        return (
            (self.any_of is None or word in self.any_of)
            and (self.none_of is None or word not in self.none_of)
            and (self.empty is None or self.empty is (word == ""))
        )


class Layout(_Model):
    """How the file is written."""

    delimiter: str = Field(default=",", min_length=1, max_length=1)
    encoding: str = "utf-8"
    sheet: str | None = None
    time: list[str] = Field(default_factory=lambda: [ISO], min_length=1)
    date: list[str] = Field(default_factory=lambda: [ISO], min_length=1)
    zone: str | None = None


class Shape(_Model):
    """Where the parts of an event come from; in ``events``, what is not given is taken from the mapping itself."""

    type: From | None = None
    case: From | None = None
    id: From | None = None
    time: From | None = None
    recorded: From | None = None
    data: dict[str, From] = Field(default_factory=dict)
    skip: list[Skip] = Field(default_factory=list)
    of: Annotated[list[str], BeforeValidator(lambda given: [given] if isinstance(given, str) else given)] | None = None
    """Which kinds of record (tables, resources) it is made of; else of all."""
    each: str | None = None
    """A field that holds a list of objects: one event an item, whose fields are named ``item.<name>`` beside the record's own."""
    state: bool | None = None
    """The record says how something stands now (a consent, an approval): an event each time that this has changed.

    Else the record is a note of what happened, and an edit of it takes the earlier event back and puts another in its place.
    """


class Document(Shape):
    """The whole file."""

    mapping: str
    version: str
    source: str
    format: Layout = Field(default_factory=Layout)
    events: list[Shape] = Field(default_factory=list)


@dataclass(frozen=True)
class Plan:
    """One event that a record may become: every part is there."""

    type: Take
    case: Take
    id: Take
    time: Take
    recorded: Take | None
    data: Fields[str, Take]
    skip: tuple[Skip, ...]
    of: frozenset[str] | None = None
    each: str | None = None
    state: bool = False
