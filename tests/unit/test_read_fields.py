"""Of a record only what its mapping reads is left, and the mapping makes the same of it."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.fields import spread
from adapters.mapping import Mapping
from adapters.read_fields import names_read, only_what_is_read
from tests.support.door import families

MAPPING = """
mapping: nested
version: "1"
source: urn:test:nested
format: {zone: UTC}
case: family.id
recorded: changed
events:
  - type: {constant: visit.held}
    each: visits
    id: {template: "visit-{item.id}"}
    time: item.at
    data:
      status: {column: item.state, values: {done: held}}
      mode: {constant: in_person}
      seen: "item.people[].id"
"""
RECORD: dict[str, Any] = {
    "family": {"id": "F1", "name": "Beck"},
    "changed": "2026-03-02T11:00:00Z",
    "note": "She wept.",
    "visits": [
        {
            "id": 1,
            "at": "2026-03-02T10:00:00Z",
            "state": "done",
            "people": [{"id": "p1", "name": "Anna"}, {"name": "Bert"}],
            "by": {"n": "C"},
        },
        None,
        {"id": 2, "at": "2026-03-03T10:00:00Z", "state": "perhaps", "story": ["She wept."]},
    ],
}


@pytest.fixture(scope="module")
def mapping() -> Mapping:
    return Mapping.parse(MAPPING, families())


def _kept(mapping: Mapping, record: dict[str, Any]) -> dict[str, Any]:
    names = names_read(mapping)
    assert names is not None
    return only_what_is_read(record, names)


def test_what_is_not_read_goes_however_deep_it_lies_and_places_in_lists_stay(mapping: Mapping) -> None:
    assert _kept(mapping, RECORD) == {
        "family": {"id": "F1"},
        "changed": RECORD["changed"],
        "visits": [
            {"id": 1, "at": "2026-03-02T10:00:00Z", "state": "done", "people": [{"id": "p1"}, None]},
            None,
            {"id": 2, "at": "2026-03-03T10:00:00Z", "state": "perhaps"},
        ],
    }


@pytest.mark.parametrize("change", [{}, {"family": "F1"}, {"family.id": "F1", "family": None}, {"visits": [{"id": {"x": "y"}, "at": "z"}]}])
def test_the_mapping_makes_the_same_of_what_is_left(mapping: Mapping, change: dict[str, Any]) -> None:
    record = {**RECORD, **change}
    assert repr(mapping.made(spread(_kept(mapping, record)))) == repr(mapping.made(spread(record)))


def test_where_an_id_is_made_of_the_whole_record_everything_is_read() -> None:
    assert names_read(Mapping.parse(MAPPING.replace('{template: "visit-{item.id}"}', "{hash: record}"), families())) is None
