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

    @model_validator(mode="after")
    def _one_origin(self) -> Take:
        given = [name for name in ("column", "template", "constant", "hash") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError("needs exactly one of column, template, constant, hash")
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
        cell = record.get(self.column)
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
