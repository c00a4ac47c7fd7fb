"""The record as it stood: voids, corrections, repeated delivery, what was known when."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from rules.model import DataQuery, Event
from rules.record import Fact, standing
from tests.support.core import CATALOGUE, FOR_EVER, at, ev, fix, visit, void


def facts_of(events: Iterable[Event], known_at: str | None = None) -> dict[str, Fact]:
    return {fact.event.id: fact for fact in standing(events, FOR_EVER if known_at is None else at(known_at), CATALOGUE)[0]}


def queries_of(events: Iterable[Event]) -> list[DataQuery]:
    return standing(events, FOR_EVER, CATALOGUE)[1]


V1 = visit("v1", "03-02 10:00")


def test_what_had_not_been_recorded_is_not_known() -> None:
    late = ev("v2", "visit.held", "03-01 10:00", rec="03-09 08:00", status="held")
    assert set(facts_of([V1, late], "03-08 00:00")) == {"v1"}
    assert set(facts_of([V1, late], "03-09 08:00")) == {"v1", "v2"}


# ----------------------------------------------------------------------------------------------------------------------------- voids
def voids(*pairs: tuple[str, str]) -> list[Event]:
    """Voids by (id, target), each recorded a day after the one before."""
    return [void(name, target, f"03-{10 + index} 09:00") for index, (name, target) in enumerate(pairs)]


@pytest.mark.parametrize(
    ("chain", "stands"),
    [
        ([("x1", "v1")], False),
        ([("x1", "v1"), ("x2", "x1")], True),  # voiding a void restores
        ([("x1", "v1"), ("x2", "x1"), ("x3", "x2")], False),
        ([("x1", "v1"), ("x2", "x1"), ("x3", "x2"), ("x4", "x3")], True),
        ([("x1", "v1"), ("x2", "v1"), ("x3", "x1")], False),  # the second void still stands
        ([("x1", "v1"), ("x2", "v1"), ("x3", "x1"), ("x4", "x2")], True),
        ([("x1", "x1")], True),  # a void of itself says nothing
        ([("x1", "v1"), ("x2", "x2")], False),
        ([("x1", "x2"), ("x2", "x1")], True),  # a ring voids nothing
        ([("x1", "v1"), ("x2", "x1"), ("x1b", "x2"), ("x2b", "x1b")], True),
        ([("x1", "x3"), ("x2", "x1"), ("x3", "x2")], True),  # a ring of three
        ([("x1", "nobody")], True),
    ],
)
def test_a_void_takes_its_target_out(chain: Sequence[tuple[str, str]], stands: bool) -> None:
    assert ("v1" in facts_of([V1, *voids(*chain)])) is stands


def test_a_ring_of_voids_does_not_reach_beyond_itself() -> None:
    ring = voids(("x1", "x2"), ("x2", "x1"), ("x3", "v1"))
    assert "v1" not in facts_of([V1, *ring])


@pytest.mark.parametrize("backwards", [False, True])
def test_the_order_of_arrival_changes_nothing(backwards: bool) -> None:
    events = [V1, *voids(("x1", "v1"), ("x2", "x1"), ("x3", "x2"), ("y1", "y2"), ("y2", "y1"))]
    assert facts_of(reversed(events) if backwards else events) == {}


def test_only_known_at_governs_a_void() -> None:
    word = Event("urn:desk", "x1", "event.voided", "case-1", at("05-01 09:00"), at("03-10 09:00"), True, {"target": "v1"})
    assert "v1" in facts_of([V1, word], "03-10 08:59")
    assert "v1" not in facts_of([V1, word], "03-10 09:00")  # though it "happened" only in May


def test_a_restoring_void_counts_from_when_it_was_recorded() -> None:
    events = [V1, *voids(("x1", "v1"), ("x2", "x1"))]
    assert [bool(facts_of(events, f"03-{day} 12:00")) for day in ("09", "10", "11")] == [True, False, True]


def test_a_void_speaks_of_its_own_source_only() -> None:
    other = void("x1", "v1", "03-10 09:00", source="urn:other")
    assert "v1" in facts_of([V1, other])
    (query,) = queries_of([V1, other])
    assert (query.code, query.events) == ("target_not_on_record", ("x1",))
    assert query.message == "event.voided speaks of an event that is not on record"


def test_only_voids_and_corrections_speak_of_other_events() -> None:
    assert queries_of([V1, ev("g1", "goal.set", "03-03 10:00", target="nobody")]) == []


def test_a_void_may_be_recorded_before_its_target_arrives() -> None:
    late = ev("v1", "visit.held", "03-02 10:00", rec="03-20 09:00", status="held")
    assert facts_of([void("x1", "v1", "03-10 09:00"), late]) == {}


def test_voids_corrections_and_heartbeats_are_no_facts() -> None:
    beat = Event("urn:desk", "b", "source.heartbeat", "-", at("03-02 00:00"), at("03-02 00:00"), True, {})
    assert set(facts_of([V1, void("x1", "nobody", "03-10 09:00"), fix("k1", "v1", "03-10 09:00", mode="phone"), beat])) == {"v1"}
    assert set(facts_of([V1, beat])) == {"v1"}


def test_a_void_without_a_target_is_left_alone() -> None:
    word = Event("urn:desk", "x1", "event.voided", "case-1", at("03-10 09:00"), at("03-10 09:00"), True, {})
    assert set(facts_of([V1, word])) == {"v1"}


def test_a_deep_chain_of_voids_is_followed_to_its_end() -> None:
    depth = 3000
    chain = [V1, *(void(f"x{i}", "v1" if i == 0 else f"x{i - 1}", "03-10 09:00") for i in range(depth))]
    assert ("v1" in facts_of(chain)) is (depth % 2 == 0)


# ------------------------------------------------------------------------------------------------------------------------- deliveries
def test_the_same_event_twice_is_one() -> None:
    assert len(standing([V1, V1, V1], FOR_EVER, CATALOGUE)[0]) == 1


def test_of_two_contents_the_first_received_is_kept() -> None:
    other = visit("v1", "03-02 10:00", "c9")
    assert facts_of([V1, other])["v1"].data["seen"] == ["m1"]
    assert facts_of([other, V1])["v1"].data["seen"] == ["c9"]


def test_the_same_id_of_another_source_is_another_event() -> None:
    assert len(standing([V1, ev("v1", "visit.held", "03-02 10:00", source="urn:other")], FOR_EVER, CATALOGUE)[0]) == 2


# ------------------------------------------------------------------------------------------------------------------------ corrections
def test_a_correction_sets_what_it_names_and_nothing_else() -> None:
    fact = facts_of([V1, fix("k1", "v1", "03-10 09:00", mode="phone")])["v1"]
    assert fact.data == {**V1.data, "mode": "phone"}
    assert fact.time == V1.time
    assert V1.data["mode"] == "in_person"  # the event itself is left as it was


def test_a_correction_counts_from_when_it_was_recorded() -> None:
    events = [V1, fix("k1", "v1", "03-10 09:00", mode="phone")]
    assert facts_of(events, "03-10 08:59")["v1"].data["mode"] == "in_person"
    assert facts_of(events, "03-10 09:00")["v1"].data["mode"] == "phone"


def test_a_later_correction_wins_whatever_arrived_first() -> None:
    first, second = fix("k1", "v1", "03-10 09:00", mode="phone"), fix("k2", "v1", "03-11 09:00", mode="school")
    assert facts_of([V1, first, second])["v1"].data["mode"] == facts_of([second, V1, first])["v1"].data["mode"] == "school"


def test_corrections_recorded_together_go_by_their_ids() -> None:
    first, second = fix("k1", "v1", "03-10 09:00", mode="phone"), fix("k2", "v1", "03-10 09:00", mode="school")
    assert facts_of([second, first, V1])["v1"].data["mode"] == "school"


def test_setting_time_takes_the_bare_day_away() -> None:
    paper = ev("v1", "visit.held", "03-02", status="held")
    fact = facts_of([paper, fix("k1", "v1", "03-10 09:00", time="2026-03-03T10:00:00+10:30")])["v1"]
    assert (fact.time, fact.day, "occurred_on" in fact.data) == (at("03-03 10:00"), None, False)


def test_setting_time_and_day_keeps_the_day() -> None:
    fact = facts_of([V1, fix("k1", "v1", "03-10 09:00", time="2026-03-03T10:00:00+10:30", occurred_on="2026-03-03")])["v1"]
    assert (fact.time, fact.day) == (at("03-03 10:00"), "2026-03-03")


def test_setting_the_day_keeps_the_time_beside_it() -> None:
    fact = facts_of([V1, fix("k1", "v1", "03-10 09:00", occurred_on="2026-03-05")])["v1"]
    assert (fact.time, fact.day) == (V1.time, "2026-03-05")


@pytest.mark.parametrize(
    "changes",
    [
        {"nothing_like_it": 1},
        {"goals": []},  # an attribute of another type
        {"seen": "c1"},
        {"seen__7": "c1"},  # leads to no item
        {"time": "yesterday"},
        {"time": "2026-03-03T10:00:00"},  # no zone
        {"time": 5},
        {"occurred_on": "2026-02-30"},
        {"mode": 7},
    ],
)
def test_a_correction_that_cannot_be_applied_is_left_out_and_listed(changes: dict[str, Any]) -> None:
    events = [V1, fix("k1", "v1", "03-10 09:00", **changes), fix("k2", "v1", "03-11 09:00", mode="phone")]
    assert facts_of(events)["v1"].data == {**V1.data, "mode": "phone"}
    (query,) = queries_of(events)
    assert (query.code, query.events) == ("correction_not_applied", ("k1", "v1"))


def test_a_correction_of_what_speaks_of_the_record_itself_is_listed() -> None:
    events = [V1, fix("k1", "v1", "03-10 09:00", mode="phone"), fix("k2", "k1", "03-11 09:00", mode="school")]
    assert facts_of(events)["v1"].data["mode"] == "phone"
    (query,) = queries_of(events)
    assert (query.code, query.events) == ("correction_not_applied", ("k2", "k1"))
    assert query.message.endswith("event.corrected speaks of the record itself; void it and send another one")
    assert queries_of([*events, void("x", "k2", "03-12 09:00")]) == []
    assert queries_of([*events, void("x", "k1", "03-12 09:00")]) == []


def test_a_correction_that_sets_nothing_changes_nothing() -> None:
    word = Event("urn:desk", "k1", "event.corrected", "case-1", at("03-10 09:00"), at("03-10 09:00"), True, {"target": "v1"})
    assert (facts_of([V1, word])["v1"].data, queries_of([V1, word])) == (V1.data, [])


def test_the_time_that_is_set_may_be_written_with_a_small_z() -> None:
    assert facts_of([V1, fix("k1", "v1", "03-10 09:00", time="2026-03-02T23:30:00z")])["v1"].time == at("03-03 10:00")


def test_a_correction_is_applied_whole_or_not_at_all() -> None:
    fact = facts_of([V1, fix("k1", "v1", "03-10 09:00", time="2026-03-03T10:00:00+10:30", seen="c1")])["v1"]
    assert fact.time == V1.time


def test_the_text_of_a_data_query_says_no_value_of_the_event() -> None:
    (query,) = queries_of([V1, fix("k1", "v1", "03-10 09:00", mode=777123)])
    assert "777123" not in query.message


def test_a_correction_may_be_voided_and_restored() -> None:
    events = [V1, fix("k1", "v1", "03-10 09:00", mode="phone"), void("x1", "k1", "03-11 09:00")]
    assert facts_of(events)["v1"].data["mode"] == "in_person"
    assert facts_of([*events, void("x2", "x1", "03-12 09:00")])["v1"].data["mode"] == "phone"


def test_a_correction_of_a_voided_event_shows_again_when_the_event_does() -> None:
    events = [V1, fix("k1", "v1", "03-10 09:00", mode="phone"), void("x1", "v1", "03-11 09:00")]
    assert facts_of(events) == {}
    assert facts_of([*events, void("x2", "x1", "03-12 09:00")])["v1"].data["mode"] == "phone"


def test_a_correction_of_another_source_does_not_count() -> None:
    assert facts_of([V1, fix("k1", "v1", "03-10 09:00", source="urn:other", mode="phone")])["v1"].data["mode"] == "in_person"


def test_null_takes_an_attribute_away() -> None:
    assert "mode" not in facts_of([V1, fix("k1", "v1", "03-10 09:00", mode=None)])["v1"].data


@pytest.mark.parametrize(
    ("changes", "moved"),
    [
        ({"time": "2026-03-01T10:00:00+10:30"}, True),
        ({"time": "2026-03-05T10:00:00+10:30"}, False),
        ({"occurred_on": "2026-02-28"}, True),
        ({"occurred_on": "2026-03-05"}, False),
        ({"mode": "phone"}, False),
    ],
)
def test_it_is_kept_when_a_date_was_moved_to_an_earlier_one(changes: dict[str, Any], moved: bool) -> None:
    fact = facts_of([V1, fix("k1", "v1", "03-10 09:00", **changes)])["v1"]
    assert fact.moved_back == (at("03-10 09:00") if moved else None)
