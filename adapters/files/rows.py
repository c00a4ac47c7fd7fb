"""A row of a table, or an event of a log, before anything is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    """Fields by name; ``line`` is the line of the file (the row of a sheet) where it begins, from 1."""

    line: int
    fields: Mapping[str, Any]
