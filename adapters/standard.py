"""Records that are events already: CloudEvents as JSON Lines, tables and logs whose columns are named as an event's attributes.

What stands in the place of a mapping where a source's file says ``mapping: standard``.  Imports adapters.files, rules.
"""

from __future__ import annotations

from collections.abc import Mapping as Fields
from dataclasses import dataclass
from typing import Any

from adapters.convert import ConvertError
from adapters.fields import MappingFault
from adapters.files.columns import StandardColumns
from adapters.files.xes import UnmappedLog
from adapters.mapping import Made, Mapping
from adapters.mapping_schema import Layout
from rules.catalogue import Catalogue

NAME = "standard"


@dataclass(frozen=True)
class Standard(Mapping):
    """Takes each record for the event that it is; ``kind`` says what it was read from: jsonl, csv, xlsx or xes."""

    @classmethod
    def of(cls, source: str, catalogue: Catalogue) -> Standard:
        """For a source whose own heartbeats and rejects go by the uri ``source``; its events name their sources themselves."""
        return cls(NAME, source, Layout(), (), catalogue)

    as_it_is = True

    @property
    def digest(self) -> str:
        """Changes with the catalogue only."""
        return f"{NAME}:{self.catalogue.digest}"

    @property
    def columns(self) -> frozenset[str]:
        """Every field is looked at."""
        return frozenset()

    def made(self, record: Fields[str, Any], kind: str | None = None) -> list[Made]:
        if kind == "jsonl":
            return [Made(dict(record))]
        reader = UnmappedLog(self.catalogue) if kind == "xes" else StandardColumns(self.catalogue)
        try:
            return [Made(event) for event in reader.events(record)]
        except ConvertError as error:
            return [Made(MappingFault("", "wrong_value", str(error)))]
