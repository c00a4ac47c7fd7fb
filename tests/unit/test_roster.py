"""Who belongs to a case on which day."""

from __future__ import annotations

from typing import Any

import pytest

from rules.model import Event
from rules.roster import FAR_FUTURE, FAR_PAST, Roster
from tests.support.core import DOMAIN, at, day, ev, history_of, household, visit, void


def roster(*events: Event) -> Roster:
    return Roster(history_of(events).episodes[0], DOMAIN.roster)


def listed(on: str, *events: Event) -> list[str]:
    return sorted(f"{m.person}:{m.role}" for m in roster(*events).members(day(on)))


FIRST = household("h1", "03-10 09:00", "m1:parent", "c1:child")


@pytest.mark.parametrize("on", ["2020-01-01", "03-01", "03-10", "04-30", "2030-01-01"])
def test_the_first_list_holds_from_the_start_and_until_another_comes(on: str) -> None:
    assert listed(on, FIRST) == ["c1:child", "m1:parent"]


@pytest.mark.parametrize(("on", "names"), [("03-19", ["c1:child", "m1:parent"]), ("03-20", ["c2:child"]), ("05-01", ["c2:child"])])
def test_every_other_list_holds_from_its_own_day_and_replaces_the_one_before(on: str, names: list[str]) -> None:
    assert listed(on, FIRST, household("h2", "03-20 17:00", "c2:child")) == names


def test_an_event_without_a_list_is_none() -> None:
    assert listed("03-12", ev("h0", "household.recorded", "03-05 09:00"), FIRST) == ["c1:child", "m1:parent"]
    assert not roster(ev("h0", "household.recorded", "03-05 09:00")).known


@pytest.mark.parametrize(("on", "there"), [("03-14", False), ("03-15", True), ("04-01", True), ("04-20", True), ("04-21", False)])
def test_a_member_counts_from_and_to_both_inclusive(on: str, there: bool) -> None:
    line = {"person": "c1", "role": "child", "from": "2026-03-15", "to": "2026-04-20"}
    assert bool(listed(on, household("h1", "03-10 09:00", line))) is there


def test_whoever_moved_in_before_the_first_list_counts_from_then() -> None:
    line = {"person": "c1", "role": "child", "from": "2026-02-01"}
    assert listed("01-31", household("h1", "03-10 09:00", line)) == []
    assert listed("02-01", household("h1", "03-10 09:00", line)) == ["c1:child"]


def test_an_empty_list_is_a_list_and_an_absent_one_is_none() -> None:
    assert roster(household("h1", "03-10 09:00")).known
    assert listed("05-01", FIRST, household("h2", "03-20 09:00")) == []
    nothing = ev("h2", "household.recorded", "03-20 09:00")
    assert not roster(nothing).known
    assert listed("05-01", FIRST, nothing) == ["c1:child", "m1:parent"]


def test_a_case_without_a_list_knows_nobody() -> None:
    found = roster(visit("v", "03-02 10:00"))
    assert (found.known, found.members(day("03-02")), found.entry_on(day("03-02"))) == (False, [], None)


def test_a_voided_list_never_was() -> None:
    later = household("h2", "03-20 09:00", "c2:child")
    assert listed("05-01", FIRST, later, void("x", "h2", "03-21 09:00")) == ["c1:child", "m1:parent"]
    assert listed("03-01", FIRST, later, void("x", "h1", "03-21 09:00")) == ["c2:child"]


def test_the_list_in_force_says_from_which_event_it_is() -> None:
    found = roster(FIRST, household("h2", "03-20 09:00", "c2:child"))
    assert [entry.id for on in ("03-01", "03-19", "03-20") if (entry := found.entry_on(day(on))) is not None] == ["h1", "h1", "h2"]


def test_lists_belong_to_their_episode() -> None:
    events = [FIRST, ev("x", "case.closed", "03-12 09:00"), visit("v", "03-13 09:00")]
    assert not Roster(history_of(events).episodes[1], DOMAIN.roster).known


def test_a_person_may_have_several_roles_and_lines_may_lack_parts() -> None:
    lines: list[Any] = [{"person": "m1", "role": "parent"}, {"person": "m1", "role": "carer"}, {"person": "c1"}, {"role": "child"}]
    found = roster(household("h1", "03-10 09:00", *lines))
    assert found.roles("m1", day("03-10")) == {"parent", "carer"}
    assert found.roles("c1", day("03-10")) == set()
    assert found.roles("nobody", day("03-10")) == set()


# ------------------------------------------------------------------------------------------------------------------------------ spans
def spans(*events: Event) -> dict[str, list[tuple[int, int]]]:
    return roster(*events).spans(["child"])


def test_spans_are_cut_by_the_lists_and_by_the_members_own_days() -> None:
    lines = [{"person": "c1", "role": "child", "from": "2026-03-01", "to": "2026-06-30"}, {"person": "m1", "role": "parent"}]
    assert spans(household("h1", "03-10 09:00", *lines), household("h2", "05-01 09:00", "m1:parent")) == {
        "c1": [(day("03-01"), day("04-30"))]
    }


def test_spans_that_touch_are_one() -> None:
    again = household("h2", "05-01 09:00", "c1:child")
    assert spans(FIRST, again) == {"c1": [(FAR_PAST, FAR_FUTURE)]}


def test_whoever_comes_back_has_two_spans() -> None:
    gone, back = household("h2", "04-01 09:00", "m1:parent"), household("h3", "05-01 09:00", "c1:child")
    assert spans(FIRST, gone, back) == {"c1": [(FAR_PAST, day("03-31")), (day("05-01"), FAR_FUTURE)]}


def test_a_span_that_ends_before_it_begins_is_none() -> None:
    assert spans(household("h1", "03-10 09:00", {"person": "c1", "role": "child", "from": "2026-05-01", "to": "2026-04-01"})) == {}


def test_a_line_that_was_over_before_its_list_came_counts_only_in_the_first_list() -> None:
    past = {"person": "c1", "role": "child", "to": "2026-03-05"}
    assert spans(household("h1", "03-10 09:00", past)) == {"c1": [(FAR_PAST, day("03-05"))]}
    assert spans(household("h0", "03-08 09:00"), household("h1", "03-10 09:00", past)) == {}


def test_boundaries_are_the_days_on_which_membership_changes_by_itself() -> None:
    line = {"person": "c1", "role": "child", "from": "2026-03-15", "to": "2026-04-20"}
    assert {day("03-15"), day("04-21")} <= set(roster(household("h1", "03-10 09:00", line)).boundaries())


def test_days_are_local() -> None:
    """A list of 00:15 local time lies on the day before in UTC."""
    found = roster(FIRST, household("h2", "03-20 00:15", "c2:child"))
    assert at("03-20 00:15") // 86_400_000 + 719_163 == day("03-19")
    assert [m.person for m in found.members(day("03-20"))] == ["c2"]
    assert [m.person for m in found.members(day("03-19"))] == ["m1", "c1"]
