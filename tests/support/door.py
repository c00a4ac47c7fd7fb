"""What the tests of the door share: the shipped catalogue, a well-formed event, and ways to look at refusals."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from rules.catalogue import Catalogue
from rules.envelope import Parsed, parse_event
from rules.errors import EventRefused

ROOT = Path(__file__).parents[2]
RECEIVED = 1_772_500_000_000
PERMITS = ROOT / "docs" / "examples" / "permits"


@lru_cache(maxsize=1)
def families() -> Catalogue:
    return Catalogue.load(ROOT / "rules" / "policies" / "catalogue.yaml")


@lru_cache(maxsize=1)
def permits() -> Catalogue:
    return Catalogue.load(PERMITS / "catalogue.yaml")


def visit(**changes: Any) -> dict[str, Any]:
    """A well-formed event; an attribute given as None is left out."""
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": "v1",
        "source": "urn:example:casework",
        "type": "visit.held",
        "subject": "case-1",
        "time": "2026-03-23T15:00:00+10:30",
        "recordedtime": "2026-03-23T16:00:00+10:30",
        "datacontenttype": "application/json",
        "data": {"status": "held", "mode": "in_person", "seen": ["m1", "c1"]},
    }
    return {name: value for name, value in (event | changes).items() if value is not None}


def parsed(obj: Any) -> Parsed:
    return parse_event(obj, families(), received=RECEIVED)


def refused(obj: Any) -> dict[str, str]:
    """Pointer -> code of every problem for which an event is refused."""
    return {problem.pointer: problem.code for problem in problems(obj)}


def problems(obj: Any) -> list[Any]:
    with pytest.raises(EventRefused) as caught:
        parsed(obj)
    return caught.value.problems
