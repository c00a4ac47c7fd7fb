"""What rules see of an episode: selectors, terms, what counts once, the first, the last and the n-th, the anchor, who owns what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from rules.conditions import Selector, Term, Where
from rules.history import Entry
from rules.hits import Hit, possible_first, possible_last, possible_nth
from rules.matching import Context
from rules.model import Event, Fit
from rules.policy import load_shipped
from rules.view import View
from tests.support.core import day, ev, evaluated, household, view_of, visit

START = ev("k1", "service.connected", "03-02 09:00", program="cfss")
SAFE = Where.model_validate({"safe_at_home": True})


def view(*events: Event, **more: Any) -> View:
    return view_of([START, *events], **more)


def entry(seen: View, name: str) -> Entry:
    return next(e for e in seen.episode.entries if e.id == name)


def found(seen: View, selector: Any, context: Context | None = None) -> dict[str, Fit]:
    return {hit.entry.id: hit.fit for hit in seen.find(Selector.model_validate(selector), context)}


# -------------------------------------------------------------------------------------------------------------------------- selectors
def test_a_selector_answers_for_every_event_of_its_types() -> None:
    seen = view(visit("v1", "03-03 09:00"), visit("v2", "03-04 09:00", status="attempted"), visit("v3", "03-05 09:00", status=None))
    assert found(seen, "visit.held") == dict.fromkeys(("v1", "v2", "v3"), Fit.YES)
    assert found(seen, {"event": "visit.held", "where": {"status": "held"}}) == {"v1": Fit.YES, "v2": Fit.NO, "v3": Fit.UNCLEAR}


def test_a_term_brings_its_own_conditions() -> None:
    seen = view(visit("v1", "03-03 09:00"), visit("v2", "03-04 09:00", mode="phone"), visit("v3", "03-05 09:00", "c1"))
    assert found(seen, "qualifying_visit") == {"v1": Fit.YES, "v2": Fit.NO, "v3": Fit.YES}
    assert found(seen, {"event": "qualifying_visit", "where": {"seen": {"has": "c1"}}}) == {"v1": Fit.NO, "v2": Fit.NO, "v3": Fit.YES}


def test_several_types_come_in_one_order() -> None:
    seen = view(
        ev("b", "safety_plan.updated", "03-03 09:00"),
        ev("c", "safety_plan.recorded", "03-04 09:00"),
        ev("a", "safety_plan.recorded", "03-02 10:00"),
    )
    assert list(found(seen, ["safety_plan.recorded", "safety_plan.updated"])) == ["a", "b", "c"]


def test_a_term_of_several_types_comes_in_one_order() -> None:
    updated, recorded = (ev(name, f"safety_plan.{name}", when) for name, when in (("updated", "03-03 09:00"), ("recorded", "03-04 09:00")))
    seen = view(recorded, updated)
    seen.policy = replace(seen.policy, terms={"any_plan": Term(event=("safety_plan.recorded", "safety_plan.updated"))})
    assert list(found(seen, "any_plan")) == ["updated", "recorded"]


def test_same_compares_with_the_activating_event() -> None:
    seen = view(
        ev("n1", "network_meeting.held", "03-03 09:00", meeting="m1"),
        ev("n2", "network_meeting.held", "03-03 10:00"),
        ev("r1", "safety_plan.reviewed", "03-04 09:00", meeting="m1"),
        ev("r2", "safety_plan.reviewed", "03-04 09:00", meeting="m2"),
        ev("r3", "safety_plan.reviewed", "03-04 09:00"),
    )
    selector = {"event": "safety_plan.reviewed", "same": ["meeting"]}
    assert found(seen, selector, Context(seen, None, entry(seen, "n1"))) == {"r1": Fit.YES, "r2": Fit.NO, "r3": Fit.UNCLEAR}
    assert set(found(seen, selector, Context(seen, None, entry(seen, "n2"))).values()) == {Fit.UNCLEAR}


def test_of_attempt_takes_what_belongs_to_the_same_closure() -> None:
    seen = view(
        ev("s1", "closure_summary.completed", "03-09 09:00"),
        ev("x1", "case.closed", "03-10 09:00"),
        ev("r", "case.reopened", "03-12 09:00"),
        ev("s2", "closure_summary.completed", "03-13 09:00"),
        ev("x2", "case.closed", "03-14 09:00"),
    )
    selector = {"event": "closure_summary.completed", "of": "attempt"}
    assert found(seen, selector, Context(seen, None, entry(seen, "x1"))) == {"s1": Fit.YES, "s2": Fit.NO}
    assert found(seen, selector, Context(seen, None, entry(seen, "x2"))) == {"s1": Fit.NO, "s2": Fit.YES}


def test_related_looks_into_the_cases_that_share_a_child() -> None:
    own = [ev("o", "case.opened", "03-02 09:00", program="strengthening_families"), household("h", "03-02 09:30", "c1:child")]
    other = [
        ev("p", "referral.received", "02-01 09:00", case="cp", program="child_protection", children=["c1"]),
        ev("i", "investigation.completed", "02-10 09:00", case="cp"),
    ]
    stranger = [
        ev("q", "referral.received", "02-01 09:00", case="no", children=["c9"]),
        ev("j", "investigation.completed", "02-10 09:00", case="no"),
    ]
    seen = view_of(own, policy=load_shipped("strengthening_families"), linked={"cp": other, "no": stranger})
    assert found(seen, {"event": "investigation.completed", "related": True}) == {"i": Fit.YES}
    assert found(seen, "investigation.completed") == {}
    seen.policy = replace(seen.policy, terms={"safe": Term(event="investigation.completed", where=SAFE)})
    assert found(seen, {"event": "safe", "related": True}) == {"i": Fit.UNCLEAR}
    assert found(seen, "safe") == {}


# ----------------------------------------------------------------------------------------------------------------------- counted once
def counted(*visits: Event) -> dict[str, Fit]:
    return {hit.entry.id: hit.fit for hit in view(*visits).counted("qualifying_visit")}


def by(name: str, when: str, who: str | None, source: str = "urn:desk", **data: Any) -> Event:
    return visit(name, when, performer=None if who is None else {"id": who}, source=source, **data)


def test_what_two_sources_report_of_one_performer_and_day_counts_once() -> None:
    assert counted(by("a", "03-03 09:00", "w1"), by("b", "03-03 11:00", "w1", "urn:app")) == {"a": Fit.YES}


def test_the_pair_is_listed_as_a_data_query() -> None:
    events = [START, by("a", "03-03 09:00", "w1"), by("b", "03-03 11:00", "w1", "urn:app")]
    queries = evaluated(load_shipped("cfss"), events, "04-01").queries
    assert [(q.code, q.events) for q in queries] == [("reported_twice", ("a", "b"))]


@pytest.mark.parametrize(
    "other",
    [
        by("b", "03-04 09:00", "w1", "urn:app"),  # another day
        by("b", "03-03 11:00", "w2", "urn:app"),  # another performer
        by("b", "03-03 11:00", "w1"),  # the same source
    ],
)
def test_what_differs_in_day_or_performer_or_comes_from_one_source_counts_twice(other: Event) -> None:
    assert counted(by("a", "03-03 09:00", "w1"), other) == {"a": Fit.YES, "b": Fit.YES}


def test_two_visits_of_a_day_that_both_sources_report_count_twice() -> None:
    visits = [by("a1", "03-03 09:00", "w1"), by("a2", "03-03 15:00", "w1")]
    visits += [by("b1", "03-03 09:30", "w1", "urn:app"), by("b2", "03-03 15:30", "w1", "urn:app")]
    assert list(counted(*visits)) == ["a1", "a2"]
    assert list(counted(*visits[:3])) == ["a1", "a2"]


def test_of_a_pair_the_one_that_surely_fits_counts() -> None:
    assert counted(by("a", "03-03 09:00", "w1", mode=None), by("b", "03-03 11:00", "w1", "urn:app")) == {"b": Fit.YES}


def test_the_local_day_decides_whether_it_is_the_same_visit() -> None:
    assert list(counted(by("a", "03-03 00:15", "w1"), by("b", "03-03 23:45", "w1", "urn:app"))) == ["a"]
    assert list(counted(by("a", "03-03 23:45", "w1"), by("b", "03-04 00:15", "w1", "urn:app"))) == ["a", "b"]


def test_without_a_performer_it_may_be_the_same_visit() -> None:
    assert counted(by("a", "03-03 09:00", "w1"), by("b", "03-03 11:00", None, "urn:app")) == {"a": Fit.YES, "b": Fit.UNCLEAR}
    assert counted(by("a", "03-03 09:00", None), by("b", "03-03 11:00", None, "urn:app")) == {"a": Fit.YES, "b": Fit.UNCLEAR}
    assert counted(by("a", "03-03 09:00", None), by("b", "03-04 11:00", None, "urn:app")) == {"a": Fit.YES, "b": Fit.YES}
    assert counted(by("a", "03-03 09:00", None), by("b", "03-03 11:00", None)) == {"a": Fit.YES, "b": Fit.YES}


def test_what_one_source_reports_twice_is_twice_whatever_another_reports() -> None:
    other = by("c", "03-04 09:00", "w1", "urn:app")
    found_ = counted(by("a", "03-03 09:00", "w1"), by("b", "03-03 11:00", None), other)
    assert found_ == {"a": Fit.YES, "b": Fit.YES, "c": Fit.YES}


def test_what_is_missing_is_named() -> None:
    hits = view(by("a", "03-03 09:00", "w1"), by("b", "03-03 11:00", None, "urn:app")).counted("qualifying_visit")
    assert [hit.text for hit in hits] == ["", "performer.id"]


# -------------------------------------------------------------------------------------------------- the first, the last and the n-th one
def hits(*marks: tuple[str, str, Fit]) -> list[Hit]:
    seen = view(*(visit(name, when) for name, when, _ in marks))
    fits = {name: fit for name, _, fit in marks}
    return [Hit(e, fits[e.id]) for e in seen.episode.entries if e.id in fits]


def ids(possible: Sequence[Hit | None]) -> set[str | None]:
    return {None if hit is None else hit.entry.id for hit in possible}


Y, N, U = Fit.YES, Fit.NO, Fit.UNCLEAR


@pytest.mark.parametrize(
    ("marks", "first", "last"),
    [
        ([], {None}, {None}),
        ([("a", "03-03 09:00", N)], {None}, {None}),
        ([("a", "03-03 09:00", Y), ("b", "03-04 09:00", Y)], {"a"}, {"b"}),
        ([("a", "03-03 09:00", U), ("b", "03-04 09:00", Y), ("c", "03-05 09:00", U)], {"a", "b"}, {"b", "c"}),
        ([("a", "03-03 09:00", U)], {"a", None}, {"a", None}),
        ([("a", "03-03", Y), ("b", "03-03 09:00", Y)], {"a", "b"}, {"a", "b"}),  # a bare day on the same day
        ([("a", "03-03", Y), ("b", "03-04", Y)], {"a"}, {"b"}),
        ([("a", "03-03", U), ("b", "03-03 09:00", Y)], {"a", "b"}, {"a", "b"}),
        ([("a", "03-03 09:00", Y), ("b", "03-03", U), ("c", "03-03 08:00", N)], {"a", "b"}, {"a", "b"}),
        ([("a", "03-03 09:00", Y), ("b", "03-03 09:00", Y)], {"a"}, {"b"}),  # at one moment the record's order decides
    ],
)
def test_which_may_be_the_first_and_which_the_last(
    marks: list[tuple[str, str, Fit]], first: set[str | None], last: set[str | None]
) -> None:
    assert ids(possible_first(hits(*marks))) == first
    assert ids(possible_last(hits(*marks))) == last


@pytest.mark.parametrize(
    ("fits", "n", "wanted"),
    [
        ([Y, Y, Y], 3, {"c"}),
        ([Y, Y], 3, {None}),
        ([Y, U, Y, Y], 3, {"c", "d"}),
        ([U, U, U], 2, {"b", "c", None}),
        ([U, Y, N, Y], 2, {"b", "d"}),
        ([Y, U], 1, {"a"}),
        ([N, N], 1, {None}),
        ([U], 1, {"a", None}),
        ([Y, U, U, Y], 2, {"b", "c", "d"}),
    ],
)
def test_which_may_be_the_nth(fits: list[Fit], n: int, wanted: set[str | None]) -> None:
    marks = [("abcd"[index], f"03-0{index + 3} 09:00", fit) for index, fit in enumerate(fits)]
    assert ids(possible_nth(hits(*marks), n)) == wanted


# ---------------------------------------------------------------------------------------------------------------------------- anchor
def anchor(*events: Event) -> tuple[set[str | None], str]:
    trigger = view_of(events).anchor("weeks")
    return (set(), "") if trigger is None else ({None if e is None else e.id for e in trigger.entries}, trigger.missing)


PROGRAM = ev("n", "need.changed", "03-01 09:00", program="cfss")


@pytest.mark.parametrize(
    ("when", "chosen"),
    [
        ("03-02 10:00", "v"),
        ("04-13 23:59", "v"),  # the last day of six weeks
        ("04-14 00:00", "k1"),  # too late: it grants no new weeks
    ],
)
def test_the_first_visit_is_the_anchor_if_it_came_within_six_weeks(when: str, chosen: str) -> None:
    assert anchor(START, visit("v", when), visit("w", "04-20 09:00")) == ({chosen}, "")


def test_without_a_visit_the_connection_is_the_anchor_and_without_a_connection_the_visit() -> None:
    assert anchor(START) == ({"k1"}, "")
    assert anchor(PROGRAM, visit("v", "06-02 09:00")) == ({"v"}, "")
    assert anchor(PROGRAM) == (set(), "")
    assert anchor(START, visit("v", "03-03 09:00", status="attempted")) == ({"k1"}, "")


def test_a_visit_that_may_not_qualify_leaves_the_anchor_open() -> None:
    assert anchor(START, visit("v", "03-03 09:00", status=None)) == ({"k1", "v"}, "status")
    assert anchor(PROGRAM, visit("v", "03-03 09:00", status=None)) == ({None, "v"}, "status")
    assert anchor(START, visit("v", "04-20 09:00", status=None)) == ({"k1"}, "")  # too late anyway


def test_an_episode_begins_with_anchors_of_its_own() -> None:
    found_ = evaluated(
        load_shipped("cfss"),
        [
            START,
            visit("v", "03-03 09:00"),
            ev("x", "case.closed", "03-10 09:00"),
            ev("k2", "service.connected", "05-01 09:00", program="cfss"),
        ],
        "06-01",
    )
    second = next(one.view for one in found_.details if one.view.episode.number == 2)
    trigger = second.anchor("weeks")
    assert trigger is not None
    assert [e and e.id for e in trigger.entries] == ["k2"]


# ---------------------------------------------------------------------------------------------------------------------------- owners
def test_the_owner_is_the_last_one_named_by_the_day_and_before_that_the_first_at_all() -> None:

    seen = view(
        ev("o", "case.opened", "03-05 09:00", team="a", office="north", worker={"id": "w1"}),
        ev("t", "case.transferred", "03-20 09:00", from_team="a", to_team="b", worker={"id": "w2"}),
        ev("u", "case.transferred", "03-25 09:00", to_team="c"),
    )
    owned = [seen.owners(day(on)) for on in ("03-01", "03-19", "03-20", "03-25")]
    assert owned == [("a", "north", "w1"), ("a", "north", "w1"), ("b", "north", "w2"), ("c", "north", "w2")]


def test_nobody_is_named() -> None:

    assert view().owners(day("03-02")) == (None, None, None)
