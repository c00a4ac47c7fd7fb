"""The effective history: order, what has happened by as_of, episodes, closures and their attempts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from rules.clock import zone
from rules.course import Closes, Course, CourseOfCase, Reopens
from rules.history import Entry, Episode, History, build
from rules.model import Event
from rules.record import standing
from tests.support.core import ADELAIDE, CATALOGUE, DARWIN, FOR_EVER, at, day, ev, fix, history_of, visit, void


def ids(entries: Iterable[Entry]) -> list[str]:
    return [entry.id for entry in entries]


def episodes(history: History) -> list[list[str]]:
    return [ids(episode.entries) for episode in history.episodes]


def entry(history: History, name: str) -> Entry:
    return next(e for e in history.entries if e.id == name)


def closed(name: str, when: str, reason: str = "moved", **data: Any) -> Event:
    return ev(name, "case.closed", when, closure_reason=reason, **data)


def reopened(name: str, when: str, *, error: bool = False) -> Event:
    return ev(name, "case.reopened", when, closure_was_error=error)


START = ev("k1", "service.connected", "03-02 09:00", program="cfss")


# ----------------------------------------------------------------------------------------------------------------------------- order
def test_entries_go_by_when_they_happened_then_recorded_then_source_then_id() -> None:
    events = [
        ev("d", "need.changed", "03-02 10:00", rec="03-03 09:00"),
        ev("c", "need.changed", "03-02 10:00", source="urn:b"),
        ev("b", "need.changed", "03-02 10:00", source="urn:a"),
        ev("a", "need.changed", "03-02 10:00", source="urn:a"),
        ev("z", "need.changed", "03-02 09:00", rec="03-09 09:00"),
    ]
    assert ids(history_of(events).entries) == ids(history_of(reversed(events)).entries) == ["z", "a", "b", "c", "d"]


def test_a_bare_day_stands_at_the_start_of_its_day_and_spans_it() -> None:
    history = history_of([visit("exact", "03-02 00:00"), visit("day", "03-02"), visit("before", "03-01 23:59")])
    assert ids(history.entries) == ["before", "exact", "day"]
    whole = entry(history, "day")
    assert (whole.first, whole.last, whole.exact) == (at("03-02 00:00"), at("03-03 00:00") - 1, False)
    assert entry(history, "exact").exact


def test_the_bare_day_is_one_of_the_policys_zone() -> None:
    whole = entry(history_of([visit("v", "03-02")], where=DARWIN), "v")
    assert whole.first == at("03-02 00:00", DARWIN) == at("03-02 01:00")


@pytest.mark.parametrize(
    ("one", "other", "sure"),
    [
        ("03-02 09:00", "03-02 09:01", True),
        ("03-02 09:01", "03-02 09:00", False),
        ("03-02", "03-02 09:00", False),
        ("03-02 09:00", "03-02", False),
        ("03-02", "03-02", False),
        ("03-02", "03-03", True),
        ("03-01 23:59", "03-02", True),
        ("03-02", "03-03 00:00", True),
    ],
)
def test_one_event_is_surely_before_another_only_if_every_possible_moment_is(one: str, other: str, sure: bool) -> None:
    history = history_of([visit("one", one), visit("other", other)])
    assert entry(history, "one").surely_before(entry(history, "other")) is sure


def test_a_bare_day_is_not_surely_before_its_own_last_instant() -> None:
    last = replace(visit("last", "03-02 23:59"), time=at("03-03 00:00") - 1)
    history = history_of([visit("day", "03-02"), last])
    assert not entry(history, "day").surely_before(entry(history, "last"))
    assert not entry(history, "last").surely_before(entry(history, "day"))


def test_a_bare_day_and_its_first_instant_are_not_sure_whichever_was_recorded_first() -> None:
    for first, second in (("day", "midnight"), ("midnight", "day")):
        when = {"day": "03-02", "midnight": "03-02 00:00"}
        history = history_of([replace(visit(name, when[name]), recorded=at(f"03-0{n} 09:00")) for n, name in ((3, first), (4, second))])
        assert ids(history.entries) == [first, second]
        assert not entry(history, first).surely_before(entry(history, second))
        assert not entry(history, second).surely_before(entry(history, first))


def test_the_last_instant_of_a_day_is_not_surely_before_a_closure_on_it() -> None:
    last = replace(visit("v", "03-10 23:59"), time=at("03-11 00:00") - 1, recorded=at("03-11 09:00"))
    history = history_of([START, last, closed("x", "03-10", rec="03-12 09:00")])
    assert ids(history.entries) == ["k1", "v", "x"]
    assert not entry(history, "v").surely_before(entry(history, "x"))


def test_nothing_is_before_itself() -> None:
    history = history_of([visit("v", "03-02 09:00"), visit("d", "03-03")])
    assert not any(one.surely_before(one) for one in history.entries)


def test_at_the_same_moment_the_order_of_the_record_decides() -> None:
    history = history_of([visit("b", "03-02 09:00"), visit("a", "03-02 09:00")])
    assert entry(history, "a").surely_before(entry(history, "b"))
    assert not entry(history, "b").surely_before(entry(history, "a"))


@pytest.mark.parametrize(("as_of", "seen"), [("03-02 09:59", []), ("03-02 10:00", ["v"]), ("03-02 10:01", ["v"])])
def test_what_happens_later_does_not_exist_yet(as_of: str, seen: list[str]) -> None:
    assert ids(history_of([visit("v", "03-02 10:00")], as_of).entries) == seen


def test_a_bare_day_exists_from_its_first_instant() -> None:
    assert ids(history_of([visit("v", "03-02")], "03-01 23:59").entries) == []
    assert ids(history_of([visit("v", "03-02")], "03-02 00:00").entries) == ["v"]


def test_as_of_and_known_at_are_two_things() -> None:
    late = replace(visit("v", "03-02 10:00"), recorded=at("03-20 09:00"))
    assert ids(history_of([late], "03-10 00:00", "03-10 00:00").entries) == []
    assert ids(history_of([late], "03-10 00:00", "03-20 09:00").entries) == ["v"]
    assert ids(history_of([late], "03-02 09:59", "03-20 09:00").entries) == []


def test_a_corrected_time_moves_the_event() -> None:
    events = [visit("a", "03-02 10:00"), visit("b", "03-03 10:00"), fix("k", "a", "03-10 09:00", time="2026-03-04T10:00:00+10:30")]
    assert ids(history_of(events).entries) == ["b", "a"]
    assert ids(history_of(events, known_at="03-09 00:00").entries) == ["a", "b"]


# -------------------------------------------------------------------------------------------------------------------------- episodes
def test_an_episode_runs_to_its_closure_and_the_next_event_begins_another() -> None:
    history = history_of([START, closed("x", "03-10 09:00"), visit("v", "03-11 09:00"), visit("w", "03-12 09:00")])
    assert episodes(history) == [["k1", "x"], ["v", "w"]]
    assert [e.number for e in history.episodes] == [1, 2]
    assert history.episodes[0].closed is entry(history, "x")
    assert history.episodes[1].closed is None


@pytest.mark.parametrize(
    ("type_", "episode"),
    [
        ("closure_summary.completed", 1),
        ("snapshot.completed", 1),
        ("approval.granted", 1),
        ("approval.rejected", 1),
        ("approval.revoked", 1),
        ("minutes.recorded", 1),
        ("visit.held", 2),
        ("referral.received", 2),
        ("service.connected", 2),
        ("consultation.recorded", 2),
        ("supervision.held", 2),
    ],
)
def test_after_a_closure_only_closing_papers_belong_to_it(type_: str, episode: int) -> None:
    assert entry(history_of([START, closed("x", "03-10 09:00"), ev("e", type_, "03-12 09:00")]), "e").episode == episode


def test_closing_papers_go_with_the_new_episode_once_that_has_begun() -> None:
    events = [START, closed("x", "03-10 09:00"), visit("v", "03-11 09:00"), ev("s", "snapshot.completed", "03-12 09:00")]
    assert episodes(history_of(events)) == [["k1", "x"], ["v", "s"]]


def test_closing_papers_before_the_next_episode_stay_with_the_old_one_whenever_they_arrive() -> None:
    events = [
        ev("s", "closure_summary.completed", "03-10 12:00", rec="03-20 09:00"),
        visit("v", "03-11 09:00"),
        START,
        closed("x", "03-10 09:00"),
    ]
    assert episodes(history_of(events)) == [["k1", "x", "s"], ["v"]]


@pytest.mark.parametrize("when", ["03-12 09:00", "05-12 09:00"])
def test_an_event_that_names_the_closed_episode_belongs_to_it(when: str) -> None:
    events = [
        ev("k1", "service.connected", "03-02 09:00", program="cfss", episode="E1"),
        closed("x", "03-10 09:00"),
        visit("new", "03-11 09:00", episode="E2"),
        visit("old", when, episode="E1"),
    ]
    history = history_of(events)
    assert {e.id: e.episode for e in history.entries} == {"k1": 1, "x": 1, "new": 2, "old": 1}


def test_a_closing_paper_that_names_another_episode_begins_that_one() -> None:
    events = [
        ev("k1", "service.connected", "03-02 09:00", episode="E1"),
        closed("x", "03-10 09:00"),
        ev("s", "snapshot.completed", "03-12 09:00", episode="E2"),
    ]
    assert episodes(history_of(events)) == [["k1", "x"], ["s"]]


def test_an_open_episode_takes_in_every_event_whatever_it_names() -> None:
    events = [
        ev("k1", "service.connected", "03-02 09:00", episode="E1"),
        visit("v", "03-03 09:00", episode="E9"),
        visit("w", "03-04 09:00"),
    ]
    assert episodes(history_of(events)) == [["k1", "v", "w"]]


def test_what_is_known_by_its_day_only_and_lies_on_the_day_of_a_closure_belongs_to_what_was_closed() -> None:
    assert episodes(history_of([START, closed("x", "03-10 09:00"), visit("v", "03-10")])) == [["k1", "v", "x"]]
    assert episodes(history_of([START, closed("x", "03-10"), visit("v", "03-10 17:00")])) == [["k1", "v", "x"]]
    assert episodes(history_of([START, closed("x", "03-10"), visit("v", "03-10")])) == [["k1", "v", "x"]]
    assert episodes(history_of([START, closed("x", "03-10 09:00"), visit("v", "03-10 17:00")])) == [["k1", "x"], ["v"]]


def test_a_closure_that_has_not_happened_yet_closes_nothing() -> None:
    events = [START, closed("x", "03-10 09:00"), visit("v", "03-11 09:00")]
    history = history_of(events, "03-09 12:00")
    assert episodes(history) == [["k1"]]
    assert history.episodes[0].closed is None


def test_a_voided_closure_closes_nothing() -> None:
    events = [START, closed("x", "03-10 09:00"), visit("v", "03-11 09:00"), void("o", "x", "03-12 09:00")]
    assert episodes(history_of(events)) == [["k1", "v"]]
    assert episodes(history_of(events, known_at="03-11 12:00")) == [["k1", "x"], ["v"]]


def test_an_episode_keeps_the_name_that_was_given_first() -> None:
    events = [
        ev("k1", "service.connected", "03-02 09:00", episode="E1"),
        visit("v", "03-03 09:00", episode="E9"),
        closed("x", "03-10 09:00"),
        visit("w", "03-11 09:00", episode="E9"),
        visit("late", "03-12 09:00", episode="E1"),
    ]
    assert episodes(history_of(events)) == [["k1", "v", "x", "late"], ["w"]]


def test_a_merge_after_the_closure_begins_no_episode() -> None:
    events = [START, closed("x", "03-10 09:00"), ev("m", "case.merged", "03-12 09:00", into="case-2")]
    assert episodes(history_of(events)) == [["k1", "x", "m"]]


# ----------------------------------------------------------------------------------------------------------------------- other domains
def history_in(course: Course, events: Iterable[Event]) -> History:
    facts, _ = standing(events, FOR_EVER, CATALOGUE)
    return build("case-1", facts, zone=zone(ADELAIDE), as_of=FOR_EVER, domain=CourseOfCase(course=course))


def test_where_nothing_closes_a_case_it_has_one_episode() -> None:
    events = [START, closed("x", "03-10 09:00"), reopened("r", "03-11 09:00", error=True), visit("v", "03-12 09:00")]
    for course in (Course(), Course(reopens=Reopens(event="case.reopened", error_flag="closure_was_error"))):
        history = history_in(course, events)
        assert episodes(history) == [["k1", "x", "r", "v"]]
        assert (history.episodes[0].closings, history.episodes[0].programs, history.queries) == ([], set(), [])


def test_where_nothing_reopens_a_case_what_comes_after_a_closure_begins_an_episode() -> None:
    events = [START, closed("x", "03-10 09:00"), reopened("r", "03-11 09:00", error=True)]
    assert episodes(history_in(Course(closes=Closes(event="case.closed")), events)) == [["k1", "x"], ["r"]]


def test_where_a_reopening_never_says_that_the_closure_was_an_error_none_was() -> None:
    course = Course(closes=Closes(event="case.closed"), reopens=Reopens(event="case.reopened"))
    history = history_in(course, [START, closed("x", "03-10 09:00"), reopened("r", "03-11 09:00", error=True)])
    assert [(c.entry.id, c.reopened and c.reopened.id) for c in only(history).closings] == [("x", "r")]


# ------------------------------------------------------------------------------------------------------------------------ reopenings
def only(history: History) -> Episode:
    (episode,) = history.episodes
    return episode


def test_a_reopening_continues_the_episode_and_the_next_closure_is_a_new_attempt() -> None:
    history = history_of(
        [START, closed("x1", "03-10 09:00"), reopened("r", "03-12 09:00"), visit("v", "03-13 09:00"), closed("x2", "03-20 09:00")]
    )
    assert [(c.entry.id, c.attempt, c.reopened and c.reopened.id) for c in only(history).closings] == [("x1", 1, "r"), ("x2", 2, None)]
    assert {e.id: e.attempt for e in history.entries} == {"k1": 1, "x1": 1, "r": 2, "v": 2, "x2": 2}
    assert only(history).closed is entry(history, "x2")
    assert only(history).closing_of(1) is entry(history, "x1")
    assert only(history).closing_of(3) is None


def test_a_reopened_episode_is_open() -> None:
    history = history_of([START, closed("x1", "03-10 09:00"), reopened("r", "03-12 09:00")])
    assert only(history).closed is None
    assert list(only(history).open_days()) == [(day("03-02"), day("03-10")), (day("03-12"), None)]


def test_closing_papers_after_the_closure_belong_to_its_attempt() -> None:
    events = [START, closed("x1", "03-10 09:00"), ev("s1", "closure_summary.completed", "03-11 09:00"), reopened("r", "03-12 09:00")]
    events += [
        ev("s2", "closure_summary.completed", "03-13 09:00"),
        closed("x2", "03-20 09:00"),
        ev("s3", "closure_summary.completed", "03-21 09:00"),
    ]
    assert {e.id: e.attempt for e in history_of(events).entries if e.id.startswith("s")} == {"s1": 1, "s2": 2, "s3": 2}


def test_a_closure_that_was_an_error_is_as_if_it_had_not_happened() -> None:
    history = history_of([START, closed("x1", "03-10 09:00"), reopened("r", "03-12 09:00", error=True), closed("x2", "03-20 09:00")])
    assert [(c.entry.id, c.attempt) for c in only(history).closings] == [("x2", 1)]
    assert "case.closed" in only(history).by_type
    assert ids(only(history).by_type["case.closed"]) == ["x2"]


def test_events_between_a_mistaken_closure_and_its_reopening_are_no_episode_of_their_own() -> None:
    events = [START, closed("x", "03-10 09:00"), visit("v", "03-11 09:00"), reopened("r", "03-12 09:00", error=True)]
    assert episodes(history_of(events)) == [["k1", "x", "v", "r"]]
    assert episodes(history_of(events, "03-11 12:00")) == [["k1", "x"], ["v"]]  # before anybody said so


def test_two_mistaken_closures_are_taken_back_one_by_one() -> None:
    events = [START, closed("x1", "03-10 09:00"), reopened("r1", "03-11 09:00", error=True)]
    events += [
        closed("x2", "03-12 09:00"),
        reopened("r2", "03-13 09:00"),
        closed("x3", "03-14 09:00"),
        reopened("r3", "03-15 09:00", error=True),
    ]
    assert [(c.entry.id, c.reopened and c.reopened.id) for c in only(history_of(events)).closings] == [("x2", "r2")]


def test_a_second_reopening_speaks_of_no_closure() -> None:
    events = [START, closed("x1", "03-10 09:00"), reopened("r1", "03-11 09:00"), reopened("r2", "03-12 09:00", error=True)]
    assert [(c.entry.id, c.reopened and c.reopened.id) for c in only(history_of(events)).closings] == [("x1", "r1")]


def test_a_reopening_without_a_closure_changes_nothing() -> None:
    history = history_of([START, reopened("r", "03-05 09:00"), visit("v", "03-06 09:00")])
    assert {e.attempt for e in only(history).entries} == {1}
    assert only(history).closings == []


def test_a_reopening_after_the_next_episode_began_belongs_to_that() -> None:
    history = history_of([START, closed("x", "03-10 09:00"), visit("v", "03-11 09:00"), reopened("r", "03-12 09:00")])
    assert episodes(history) == [["k1", "x"], ["v", "r"]]
    assert history.episodes[0].closed is entry(history, "x")


def test_a_second_closure_without_a_reopening_closes_nothing_and_is_listed() -> None:
    history = history_of([START, closed("x1", "03-10 09:00"), closed("x2", "03-15 09:00")])
    assert only(history).closed is entry(history, "x1")
    assert entry(history, "x2").stray_closure
    assert ids(only(history).by_type["case.closed"]) == ["x1"]
    told = "episode 1 was closed again without having been reopened"
    assert ("closed_twice", ("x2",), told) in [(q.code, q.events, q.message) for q in history.queries]


def test_a_closure_and_a_reopening_of_bare_days_keep_the_order_in_which_they_were_recorded() -> None:
    events = [START, ev("r", "case.reopened", "03-10", rec="03-10 11:00"), closed("x", "03-10", rec="03-10 10:00")]
    assert only(history_of(events)).closings[0].reopened is not None


# --------------------------------------------------------------------------------------------------------------------------- programs
def test_an_episode_knows_every_program_that_its_events_name() -> None:
    events = [
        START,
        ev("o", "case.opened", "03-03 09:00", program="strengthening_families"),
        closed("x", "03-10 09:00"),
        visit("v", "03-11 09:00"),
    ]
    history = history_of(events)
    assert [e.programs for e in history.episodes] == [{"cfss", "strengthening_families"}, set()]
    assert [(q.code, q.events) for q in history.queries] == [("program_not_known", ("v",))]


def test_a_case_without_events_has_no_episode() -> None:
    assert episodes(history_of([])) == []
