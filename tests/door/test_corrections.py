"""Corrections: what they may set, what of it is kept, and what an event is after them."""

from itertools import permutations
from typing import Any

import pytest

from rules.errors import EventRefused
from tests.support.door import families, parsed, refused, visit

HOUSEHOLD = {
    "members": [{"person": "m1", "role": "parent"}, {"person": "c1", "role": "child"}, {"person": "c2", "role": "child"}],
    "occurred_on": "2026-03-02",
}


def kept(changes: dict[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    found = parsed(visit(type="event.corrected", data={"target": "v0", "set": changes}))
    assert found.event is not None
    return found.event.data["set"], found.dropped


def faults(changes: Any) -> dict[str, str]:
    return refused(visit(type="event.corrected", data={"target": "v0", "set": changes}))


def applied(changes: dict[str, Any], data: dict[str, Any] = HOUSEHOLD, kind: str = "household.recorded") -> dict[str, Any]:
    return families().apply_set(kind, data, changes)


def not_applied(changes: dict[str, Any], data: dict[str, Any] = HOUSEHOLD, kind: str = "household.recorded") -> dict[str, str]:
    with pytest.raises(EventRefused) as caught:
        families().apply_set(kind, data, changes)
    return {problem.pointer: problem.code for problem in caught.value.problems}


# --- at the door
def test_paths_are_kept_without_their_leading_data() -> None:
    changes = {
        "time": "2026-03-01T10:00:00Z",
        "data.status": "attempted",
        "performer.role": "practitioner",
        "members.0.role": "carer",
        "seen": None,
    }
    assert kept(changes) == (
        {"time": "2026-03-01T10:00:00Z", "status": "attempted", "performer.role": "practitioner", "members.0.role": "carer", "seen": None},
        (),
    )


def test_a_path_that_no_type_has_is_dropped_as_the_attribute_would_be() -> None:
    assert kept({"notes": "Jane said", "status": "held"}) == ({"status": "held"}, ("set.notes",))
    assert kept({"performer": {"id": "w", "name": "Jane"}}) == ({"performer": {"id": "w"}}, ("set.performer.name",))


def test_a_value_is_held_against_the_types_that_have_the_path() -> None:
    assert kept({"goals": [{"id": "g", "owner": "family"}]}) == ({"goals": [{"id": "g", "owner": "family"}]}, ())
    assert kept({"goals": [{"id": "g", "measure": True}]}) == ({"goals": [{"id": "g", "measure": True}]}, ())
    assert kept({"plan": 7}) == ({"plan": "7"}, ())
    assert faults({"seen": "m1"}) == {"/data/set/seen": "wrong_type"}
    assert faults({"seen.0": "x\x00"}) == {"/data/set/seen.0": "wrong_value"}


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"time": "2026-03-01T10:00:00"}, "/data/set/time"),
        ({"time": None}, "/data/set/time"),
        ({"time": 5}, "/data/set/time"),
        ({"data.time": "yesterday"}, "/data/set/data.time"),
        ({"occurred_on": "2026-02-30"}, "/data/set/occurred_on"),
        ({"subject": "case-2"}, "/data/set/subject"),
        ({"type": "visit.held"}, "/data/set/type"),
        ({"recordedtime": "2026-03-01T10:00:00Z"}, "/data/set/recordedtime"),
        ([], "/data/set"),
        ("time", "/data/set"),
    ],
)
def test_what_cannot_be_set_is_refused(changes: Any, pointer: str) -> None:
    assert list(faults(changes)) == [pointer]


# --- applied
def test_values_are_set_and_the_event_itself_stays_as_it_is() -> None:
    before = repr(HOUSEHOLD)
    assert applied({"members.1.role": "other", "program": "cfss"}) == {
        "members": [{"person": "m1", "role": "parent"}, {"person": "c1", "role": "other"}, {"person": "c2", "role": "child"}],
        "occurred_on": "2026-03-02",
        "program": "cfss",
    }
    assert repr(HOUSEHOLD) == before


def test_null_takes_away() -> None:
    assert applied({"members": None, "occurred_on": None}) == {}
    assert applied({"members.0.role": None, "episode": None, "performer.id": None})["members"][0] == {"person": "m1"}


def test_list_indexes_count_in_the_list_as_it_was_in_whatever_order_they_stand() -> None:
    changes = {"members.0": None, "members.1.role": "other", "members.2": {"person": "c9"}, "members.3": {"person": "c4", "role": "child"}}
    results = [applied(dict(order))["members"] for order in permutations(changes.items())]
    assert results == [[{"person": "c1", "role": "other"}, {"person": "c9"}, {"person": "c4", "role": "child"}]] * len(results)


def test_a_whole_and_its_part_can_be_set_together() -> None:
    assert applied({"members.0.role": "child", "members": [{"person": "x"}]})["members"] == [{"person": "x", "role": "child"}]


def test_what_is_not_there_is_made_on_the_way() -> None:
    assert applied({"performer.role": "practitioner"}, {}, "visit.held") == {"performer": {"role": "practitioner"}}
    assert applied({"members.0.person": "m1"}, {}) == {"members": [{"person": "m1"}]}
    assert applied({"seen.0": "m1"}, {}, "visit.held") == {"seen": ["m1"]}


def test_setting_the_time_takes_the_bare_day_away_unless_it_is_set_too() -> None:
    assert "occurred_on" not in applied({"time": "2026-03-05T10:00:00Z"})
    assert applied({"time": "2026-03-05T10:00:00Z", "occurred_on": "2026-03-04"})["occurred_on"] == "2026-03-04"
    assert applied({"data.occurred_on": "2026-03-04"})["occurred_on"] == "2026-03-04"


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"seen": ["m1"]}, "/data/set/seen"),
        ({"members.0.colour": "red"}, "/data/set/members.0.colour"),
        ({"members.7.role": "child"}, "/data/set/members.7.role"),
        ({"members.4": {"person": "x"}}, "/data/set/members.4"),
        ({"members.role": "child"}, "/data/set/members.role"),
        ({"members.-1.role": "child"}, "/data/set/members.-1.role"),
        ({"members.0.person": True}, "/data/set/members/0/person"),
        ({"members.0": {"name": "Jane"}}, "/data/set/members.0.name"),
        ({"occurred_on": "2026-13-01"}, "/data/set/occurred_on"),
        ({"": "x"}, "/data/set/"),
    ],
)
def test_what_does_not_fit_the_event_is_refused(changes: dict[str, Any], pointer: str) -> None:
    assert list(not_applied(changes)) == [pointer]
