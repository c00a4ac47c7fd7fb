"""Deadlines, n-th occurrences, recurrences, dates from data, recording, the integrity of the record; and what is gathered over events."""

# ruff: noqa: E501  (a table of cases reads best a line each)

from __future__ import annotations

from pathlib import Path

import pytest

from rules.model import Event, Verdict
from rules.policy import Policy, load_shipped
from tests.support.core import ev, evaluated, fix, household, one, people, policy_of, said, told, visit

START = ev("k", "service.connected", "03-02 09:00", program="cfss")


@pytest.fixture
def of(tmp_path: Path):
    def make(**lines: str) -> Policy:
        return policy_of(tmp_path, "\n".join(f"{key}: {value}" for key, value in lines.items() if value))

    return make


def r1(policy: Policy, *events: Event, as_of: str = "06-01") -> Verdict:
    return one(evaluated(policy, [START, *events], as_of), "R1")


def all_of(policy: Policy, *events: Event, as_of: str = "06-01") -> dict[str, str]:
    return {key: said(v) for key, v in told(evaluated(policy, [START, *events], as_of), "R1").items()}


# --------------------------------------------------------------------------------------------------------------------------- deadline
ASSESSED = {"kind": "deadline", "anchor": "weeks", "requires": "assessment.completed", "within": "{weeks: 8}", "warn_from": "{weeks: 6}"}


def assessed(when: str, name: str = "a") -> Event:
    return ev(name, "assessment.completed", when)


@pytest.mark.parametrize(("as_of", "wanted"), [("04-12", "pending"), ("04-13", "due_soon"), ("04-27", "due_soon"), ("04-28", "breached")])
def test_a_deadline_counts_from_the_anchor_and_warns_from_a_day_of_its_own(of, as_of: str, wanted: str) -> None:
    found = r1(of(**ASSESSED), as_of=as_of)
    assert (said(found), found.due_on, found.due_soon_on) == (wanted, "2026-04-27", "2026-04-13")


@pytest.mark.parametrize(
    ("when", "wanted"), [("03-01 09:00", "met"), ("03-05 09:00", "met"), ("04-27 23:59", "met"), ("04-27", "met"), ("04-28 00:00", "late")]
)
def test_early_is_fine_and_the_due_day_is_whole(of, when: str, wanted: str) -> None:
    assert said(r1(of(**ASSESSED), assessed(when))) == wanted


def test_the_first_of_several_counts(of) -> None:
    found = r1(of(**ASSESSED), assessed("05-10 09:00", "b"), assessed("05-02 09:00"))
    assert (said(found), found.days_late, found.satisfied_on) == ("late", 5, "2026-05-02")


def test_without_an_anchor_there_is_no_deadline(of) -> None:
    events = [ev("n", "need.changed", "03-01 09:00", program="cfss")]
    assert said(one(evaluated(of(**ASSESSED), events, "06-01"), "R1")) == "not_applicable: not_triggered"


def test_a_doubtful_anchor_matters_only_if_the_verdicts_differ(of) -> None:
    doubtful = visit("v", "03-20 09:00", status=None)
    assert said(r1(of(**ASSESSED), doubtful, assessed("04-01 09:00"))) == "met"
    assert said(r1(of(**ASSESSED), doubtful, assessed("05-05 09:00"))) == "unknown: missing status"  # late, or in time
    assert said(r1(of(**ASSESSED), doubtful, as_of="05-05")) == "unknown: missing status"  # breached, or due soon
    assert said(r1(of(**ASSESSED), doubtful)) == "breached"


def test_a_closure_before_the_due_day_ends_a_deadline(of) -> None:
    assert said(r1(of(**ASSESSED), ev("x", "case.closed", "04-26 09:00"))) == "not_applicable: ended_before_due"
    assert said(r1(of(**ASSESSED), ev("x", "case.closed", "04-27 09:00"))) == "breached"


# --------------------------------------------------------------------------------------------------------------------- n-th occurrence
PLANNED = {"kind": "nth_occurrence", "when": "episode", "requires": "final_plan", "by": "{nth: 3, of: qualifying_visit, warn_after: 2}"}
THREE = [visit("v1", "03-03 09:00"), visit("v2", "03-10 09:00"), visit("v3", "03-17 09:00")]


def planned(when: str, status: str | None = "final", name: str = "p") -> Event:
    return ev(name, "safety_plan.recorded", when, plan="sp", status=status)


@pytest.mark.parametrize(
    ("as_of", "wanted", "due"),
    [
        ("03-09", "pending", None),
        ("03-10", "due_soon", None),  # after the second visit
        ("03-16", "due_soon", None),
        ("03-17", "due_soon", "2026-03-17"),
        ("03-18", "breached", "2026-03-17"),
    ],
)
def test_the_due_day_is_the_day_of_the_third(of, as_of: str, wanted: str, due: str | None) -> None:
    found = r1(of(**PLANNED), *THREE, as_of=as_of)
    assert (said(found), found.due_on) == (wanted, due)


@pytest.mark.parametrize(
    ("when", "wanted"), [("03-02 10:00", "met"), ("03-17 08:00", "met"), ("03-17 23:00", "met"), ("03-17", "met"), ("03-18 00:00", "late")]
)
def test_the_day_of_the_third_is_in_time(of, when: str, wanted: str) -> None:
    assert said(r1(of(**PLANNED), *THREE, planned(when))) == wanted


def test_what_does_not_qualify_is_not_counted(of) -> None:
    others = [visit("a", "03-04 09:00", status="attempted"), visit("b", "03-05 09:00", mode="phone"), visit("c", "03-06 09:00", seen=[])]
    assert r1(of(**PLANNED), *others, *THREE).due_on == "2026-03-17"


@pytest.mark.parametrize(
    ("events", "wanted"),
    [
        (THREE[:2], "not_applicable: ended_before_due"),  # the third never came
        ([*THREE[:2], planned("03-10 12:00")], "met"),  # it was completed
        (THREE, "breached"),
        ([*THREE[:2], planned("03-10 12:00", "draft")], "not_applicable: ended_before_due"),
    ],
)
def test_at_closure_it_is_judged_if_the_third_took_place_or_the_target_is_there(of, events: list[Event], wanted: str) -> None:
    assert said(r1(of(**PLANNED), *events, ev("x", "case.closed", "03-20 09:00"))) == wanted


def test_an_episode_that_begins_with_its_closure_is_closed(of) -> None:
    events = [ev("x", "case.closed", "03-20 09:00", program="cfss"), ev("s", "closure_summary.completed", "03-20 10:00")]
    assert said(one(evaluated(of(**PLANNED), events, "06-01"), "R1")) == "not_applicable: ended_before_due"


@pytest.mark.parametrize(
    ("plan", "wanted"),
    [
        ("03-16 09:00", "met"),
        ("03-20 09:00", "unknown: missing status"),  # late, or by the fourth visit in time
        ("03-25 09:00", "late"),
        (None, "breached"),
    ],
)
def test_a_visit_that_may_not_count_leaves_the_due_day_open(of, plan: str | None, wanted: str) -> None:
    events = [THREE[0], visit("v2", "03-10 09:00", status=None), THREE[2], visit("v4", "03-24 09:00")]
    assert said(r1(of(**PLANNED), *events, *([planned(plan)] if plan else []))) == wanted


def test_a_doubtful_second_visit_leaves_the_warning_open(of) -> None:
    events = [THREE[0], visit("v2", "03-10 09:00", status=None)]
    assert said(r1(of(**PLANNED), *events)) == "unknown: missing status"  # pending, or due soon


def test_a_visit_of_two_sources_counts_once(of) -> None:
    by = {"id": "w1"}
    events = [visit("a", "03-03 09:00", performer=by), visit("b", "03-03 09:30", performer=by, source="urn:app"), THREE[1]]
    assert r1(of(**PLANNED), *events).due_on is None
    nameless = [visit("a", "03-03 09:00", performer=by), visit("b", "03-03 09:30", source="urn:app"), THREE[1]]
    assert said(r1(of(**PLANNED), *nameless)) == "unknown: missing performer.id"


# ------------------------------------------------------------------------------------------------------------------ for each person
SEEN = {
    "kind": "nth_occurrence",
    "when": "{first: service.connected}",
    "per": "[child]",
    "by": "{nth: 3, of: qualifying_visit, warn_after: 2}",
} | {"requires": "{event: qualifying_visit, where: {seen: {has: $person}}}"}
HOME = household("h", "03-02 09:30", "m1:parent", "c1:child", "c2:child")


def test_each_child_must_have_been_seen(of) -> None:
    visits = [visit("v1", "03-03 09:00", "c1"), visit("v2", "03-10 09:00"), visit("v3", "03-17 09:00", "m1")]
    assert all_of(of(**SEEN), HOME, *visits) == {"person:c1": "met", "person:c2": "breached"}
    assert all_of(of(**SEEN), HOME, *visits, visit("v4", "03-24 09:00", "c2")) == {"person:c1": "met", "person:c2": "late"}


def test_a_visit_by_telephone_is_no_sight_of_the_child(of) -> None:
    visits = [*THREE, visit("p", "03-05 09:00", "c1", "c2", mode="phone")]
    assert set(all_of(of(**SEEN), HOME, *visits).values()) == {"breached"}


@pytest.mark.parametrize(("gone", "there"), [("2026-03-16", False), ("2026-03-17", True)])
def test_who_left_before_the_day_of_the_third_has_no_obligation(of, gone: str, there: bool) -> None:
    home = household("h", "03-02 09:30", "c1:child", {"person": "c2", "role": "child", "to": gone})
    assert ("person:c2" in all_of(of(**SEEN), home, *THREE)) is there


def test_whoever_was_born_since_is_asked_for(of) -> None:
    home = household("h", "03-02 09:30", "c1:child", {"person": "c3", "role": "child", "from": "2026-03-12"})
    assert all_of(of(**SEEN), home, *THREE) == {"person:c1": "breached", "person:c3": "breached"}
    assert all_of(of(**SEEN), home, *THREE[:1], as_of="03-11") == {"person:c1": "pending"}


def test_without_a_household_there_is_one_unknown(of) -> None:
    assert all_of(of(**SEEN), *THREE) == {"case": "unknown: missing household"}
    assert all_of(of(**SEEN), household("h", "03-02 09:30"), *THREE) == {"case": "not_applicable: not_triggered"}


def test_at_a_visit_that_does_not_say_who_was_seen_it_may_have_been_the_child(of) -> None:
    visits = [
        visit("v1", "03-03 09:00"),
        visit("v2", "03-10 09:00"),
        ev("v3", "visit.held", "03-17 09:00", status="held", mode="school"),
        visit("v4", "03-24 09:00"),
    ]
    assert set(all_of(of(**SEEN), HOME, *visits).values()) == {"unknown: missing seen"}


# --------------------------------------------------------------------------------------------------------- gathered over several events
TOPICS = {"kind": "existence", "when": "{first: service.connected}", "within": "{days: 10}"} | {
    "requires": "{event: discussion.recorded, collects: {topics: [a, b, c]}}"
}


def talk(name: str, when: str, *topics: str, audience: list[str] | None = None, none: bool = False) -> Event:
    return ev(name, "discussion.recorded", when, topics=None if none else list(topics), audience=audience)


@pytest.mark.parametrize(
    ("events", "wanted", "satisfied", "evidence"),
    [
        ([talk("d1", "03-03 09:00", "a", "b", "c")], "met", "2026-03-03", ("k", "d1")),
        ([talk("d1", "03-03 09:00", "a"), talk("d2", "03-05 09:00", "b", "c")], "met", "2026-03-05", ("k", "d1", "d2")),
        ([talk("d1", "03-03 09:00", "a"), talk("d2", "03-04 09:00", "a"), talk("d3", "03-05 09:00", "c", "b")], "met", "2026-03-05", ("k", "d1", "d3")),
        ([talk("d1", "03-03 09:00", "a"), talk("d2", "03-20 09:00", "b", "c")], "late", "2026-03-20", ("k", "d1", "d2")),
        ([talk("d1", "03-03 09:00", "a", "b")], "breached", None, ("k",)),
        ([talk("d1", "03-03 09:00", "a", "b"), talk("d2", "03-05 09:00", none=True)], "unknown: missing topics", None, ("k", "d1", "d2")),
        ([talk("d1", "03-03 09:00", none=True)], "unknown: missing topics", None, ("k", "d1")),
        ([talk("d1", "03-03 09:00", none=True), talk("d2", "03-05 09:00", "a", "b", "c")], "met", "2026-03-05", ("k", "d2")),
        ([talk("d1", "03-03 09:00", "a", "b"), talk("d2", "03-20 09:00", none=True), talk("d3", "03-21 09:00", "c")], "late", "2026-03-21", ("k", "d1", "d3")),
    ],
)  # fmt: skip
def test_what_is_asked_may_come_from_several_events(
    of, events: list[Event], wanted: str, satisfied: str | None, evidence: tuple[str, ...]
) -> None:
    found = r1(of(**TOPICS), *events)
    assert (said(found), found.satisfied_on, found.evidence) == (wanted, satisfied, evidence)


def test_what_still_lacks_is_told(of) -> None:
    assert r1(of(**TOPICS), talk("d1", "03-03 09:00", "a")).rejected == (("d1", "still lacking: b; c"),)


@pytest.mark.parametrize(
    ("events", "wanted"),
    [
        ([talk("d1", "03-03 09:00", "x", "y", audience=["p", "n"])], "met"),
        ([talk("d1", "03-03 09:00", "x", audience=["p", "n"]), talk("d2", "03-04 09:00", "y", audience=["p"])], "breached"),
        ([talk("d1", "03-03 09:00", "x", audience=["p", "n"]), talk("d2", "03-04 09:00", "y", audience=["p"]), talk("d3", "03-05 09:00", "y", audience=["n"])], "met"),
        ([talk("d1", "03-03 09:00", "x", "y", audience=["p"]), talk("d2", "03-04 09:00", "x", "y")], "unknown: missing audience"),
    ],
)  # fmt: skip
def test_of_several_attributes_every_combination_is_asked(of, events: list[Event], wanted: str) -> None:
    policy = of(**{**TOPICS, "requires": "{event: discussion.recorded, collects: {audience: [p, n], topics: [x, y]}}"})
    assert said(r1(policy, *events)) == wanted


ROLES = {"kind": "existence", "when": "{first: network_meeting.held}", "within": "{days: 30}"} | {
    "requires": "{event: network_meeting.held, collects: {participants: [child, [family, parent, carer], network]}, roles: participants}"
}


def test_objects_where_values_are_collected_cannot_be_judged(of) -> None:
    policy = of(**{**ROLES, "requires": "{event: network_meeting.held, collects: {participants: [child]}}"})
    assert said(r1(policy, meeting("m1", "03-03 09:00", "c1:child"))) == "unknown: missing participants"


def meeting(name: str, when: str, *participants: str, none: bool = False) -> Event:
    return ev(name, "network_meeting.held", when, participants=None if none else people(*participants))


@pytest.mark.parametrize(
    ("events", "wanted"),
    [
        ([meeting("m1", "03-03 09:00", "c1:child", "m1:parent", "n1:network")], "met"),
        ([meeting("m1", "03-03 09:00", "c1:child", "m1:carer"), meeting("m2", "03-05 09:00", "n1:network")], "met"),
        ([meeting("m1", "03-03 09:00", "c1:child", "n1:network")], "breached"),
        ([meeting("m1", "03-03 09:00", "c1:child", "n1:network", "x")], "unknown: missing participants.role"),
        ([meeting("m1", "03-03 09:00", "c1:child", "x")], "breached"),  # one person does not bring two roles
        ([meeting("m1", "03-03 09:00", "c1:child", "x"), meeting("m2", "03-04 09:00", "y")], "unknown: missing participants.role"),
        ([meeting("m1", "03-03 09:00", "c1:child"), meeting("m2", "03-04 09:00", none=True)], "unknown: missing participants"),
        ([household("h", "03-02 10:00", "x:parent"), meeting("m1", "03-03 09:00", "c1:child", "n1:network", "x")], "met"),
    ],
)
def test_roles_may_come_from_several_meetings(of, events: list[Event], wanted: str) -> None:
    assert said(r1(of(**ROLES), *events)) == wanted


# --------------------------------------------------------------------------------------------- together with a condition on every item
TOGETHER = {"kind": "existence", "when": "{first: service.connected}", "within": "{days: 10}"} | {
    "requires": "{event: danger_statement.recorded, and_each: {collection: goals, where: {danger_statement: {present: true}}}}"
}


def plan(name: str, when: str, *answers: bool) -> Event:
    goals = [{"id": f"g{n}", **({"danger_statement": "d1"} if answer else {})} for n, answer in enumerate(answers)]
    return ev(name, "safety_plan.updated", when, plan="sp", goals=goals)


DANGER = ev("d", "danger_statement.recorded", "03-05 09:00")


@pytest.mark.parametrize(
    ("events", "wanted", "satisfied"),
    [
        ([], "breached", None),
        ([DANGER], "met", "2026-03-05"),  # no goals: none that does not answer it
        ([DANGER, plan("p", "03-06 09:00", True)], "met", "2026-03-05"),
        ([DANGER, plan("p", "03-06 09:00", True, False)], "breached", None),
        ([DANGER, plan("p", "03-06 09:00", False), plan("q", "03-08 09:00", True)], "met", "2026-03-08"),
        ([DANGER, plan("p", "03-06 09:00", False), plan("q", "03-20 09:00", True)], "late", "2026-03-20"),
        ([DANGER, plan("p", "03-06 09:00", True), plan("q", "03-20 09:00", False)], "met", "2026-03-05"),  # after the limit
        ([plan("p", "03-06 09:00", True), ev("d", "danger_statement.recorded", "03-20 09:00")], "late", "2026-03-20"),
        ([DANGER, ev("p", "safety_plan.updated", "03-06 09:00", plan="sp")], "unknown: missing goals", None),
    ],
)
def test_requirement_and_condition_must_hold_together(of, events: list[Event], wanted: str, satisfied: str | None) -> None:
    found = r1(of(**TOGETHER), *events)
    assert (said(found), found.satisfied_on) == (wanted, satisfied)


@pytest.mark.parametrize(("when", "wanted"), [("03-12 23:59", "breached"), ("03-13 00:00", "met"), ("03-13", "met")])
def test_of_a_deadline_too_it_must_hold_at_the_end_of_the_due_day(of, when: str, wanted: str) -> None:
    policy = of(**{**TOGETHER, "kind": "deadline", "when": "", "anchor": "weeks"})
    found = r1(policy, DANGER, plan("p", "03-06 09:00", True), plan("q", when, False))
    assert (said(found), found.due_on) == (wanted, "2026-03-12")


def test_only_the_version_that_lacks_it_is_told_as_looked_at_in_vain(of) -> None:
    found = r1(of(**TOGETHER), DANGER, plan("p", "03-06 09:00", False), plan("q", "03-20 09:00", True))
    assert [name for name, _ in found.rejected] == ["p"]


# ------------------------------------------------------------------------------------------------------------------------- recurrence
REGULAR = {"kind": "recurrence", "when": "{first: final_plan}", "requires": "qualifying_visit", "every": "{days: 14}"}
AGREED = planned("03-02 12:00")


def test_there_is_one_obligation_for_each_interval_and_the_last_is_open(of) -> None:
    visits = [visit("v1", "03-10 09:00"), visit("v2", "03-30 09:00")]
    found = told(evaluated(of(**REGULAR), [START, AGREED, *visits], "04-05"), "R1")
    assert {key: (said(v), v.activated_on, v.due_on) for key, v in found.items()} == {
        "interval:start": ("met", "2026-03-02", "2026-03-16"),
        "interval:v1@urn:desk": ("late", "2026-03-10", "2026-03-24"),
        "interval:v2@urn:desk": ("pending", "2026-03-30", "2026-04-13"),
    }


def test_two_visits_of_a_day_are_one_step(of) -> None:
    found = all_of(of(**REGULAR), AGREED, visit("v1", "03-10 09:00"), visit("v2", "03-10 15:00"), as_of="03-12")
    assert found == {"interval:start": "met", "interval:v1@urn:desk": "pending"}


def test_a_visit_on_the_day_of_the_start_is_no_step(of) -> None:
    assert all_of(of(**REGULAR), AGREED, visit("v1", "03-02 15:00"), as_of="03-05") == {"interval:start": "pending"}


def test_closure_ends_the_open_interval(of) -> None:
    closed = ev("x", "case.closed", "03-20 09:00")
    assert all_of(of(**REGULAR), AGREED, visit("v1", "03-10 09:00"), closed) == {
        "interval:start": "met",
        "interval:v1@urn:desk": "not_applicable: ended_before_due",
    }
    assert all_of(of(**REGULAR), AGREED, closed) == {"interval:start": "breached"}  # due on the 16th


def test_before_the_start_there_is_no_obligation(of) -> None:
    assert all_of(of(**REGULAR), visit("v1", "03-10 09:00")) == {"case": "not_applicable: not_triggered"}


def test_unset_shows_one_verdict(of) -> None:
    policy = of(**{**REGULAR, "every": "{days: $some_days}"})
    assert all_of(policy, AGREED, visit("v1", "03-10 09:00")) == {"case": "not_applicable: parameter_unset"}
    per = of(**{**REGULAR, "every": "{days: $some_days}", "per": "[child]"})
    assert all_of(per, AGREED, HOME) == {"person:c1": "not_applicable: parameter_unset", "person:c2": "not_applicable: parameter_unset"}


CHILDREN = {**REGULAR, "per": "[child]", "requires": "{event: qualifying_visit, where: {seen: {has: $person}}}"}


def test_each_child_has_intervals_of_its_own(of) -> None:
    found = all_of(of(**CHILDREN), AGREED, HOME, visit("v1", "03-10 09:00", "c1"), as_of="03-15")
    assert found == {
        "person:c1/interval:start": "met",
        "person:c1/interval:v1@urn:desk": "pending",
        "person:c2/interval:start": "due_soon",
    }


def test_leaving_ends_a_childs_obligation_and_coming_back_begins_another(of) -> None:
    home = household("h", "03-02 09:30", "c1:child", {"person": "c2", "role": "child", "to": "2026-03-10"})
    assert all_of(of(**CHILDREN), AGREED, home)["person:c2/interval:start"] == "not_applicable: ended_before_due"
    back = household("h2", "05-01 09:00", "c2:child")
    found = told(evaluated(of(**CHILDREN), [START, AGREED, home, back], "06-01"), "R1")
    again = next(v for key, v in found.items() if key.startswith("person:c2/again"))
    assert (said(again), again.activated_on) == ("breached", "2026-05-01")


def test_without_a_household_the_recurrence_cannot_be_judged(of) -> None:
    assert all_of(of(**CHILDREN), AGREED) == {"case": "unknown: missing household"}


def test_a_doubtful_start_cannot_be_judged(of) -> None:
    assert all_of(of(**REGULAR), planned("03-02 12:00", None)) == {"case": "unknown: missing status"}


def test_a_start_of_which_only_the_day_is_known_begins_on_that_day(of) -> None:
    both = [planned("03-02"), ev("p2", "safety_plan.updated", "03-02 12:00", plan="sp", status="final")]
    assert all_of(of(**REGULAR), *both, as_of="03-05") == {"interval:start": "pending"}


def test_a_doubtful_visit_leaves_the_interval_open(of) -> None:
    doubtful = visit("v1", "03-10 09:00", status=None)
    assert all_of(of(**REGULAR), AGREED, doubtful, as_of="03-20") == {"interval:start": "unknown: missing status"}
    assert all_of(of(**REGULAR), AGREED, doubtful, visit("v2", "03-12 09:00"), as_of="03-20")["interval:start"] == "met"


# ---------------------------------------------------------------------------------------------------------------------- dates from data
DATED = {"kind": "due_from_data", "items": "actions"}


def actions(name: str, when: str, **due: str | None) -> Event:
    listed = [{"id": item, **({} if on is None else {"due_on": f"2026-{on}"})} for item, on in due.items()]
    return ev(name, "sf_plan.recorded", when, plan="sf", actions=listed)


def test_each_item_is_due_on_its_own_date(of) -> None:
    policy = of(**DATED)
    events = [actions("p", "03-03 09:00", a1="04-01", a2="05-20", a3=None), ev("d", "action.completed", "04-03 09:00", action="a1")]
    found = told(evaluated(policy, [START, *events], "05-15"), "R1")
    assert {key: (said(v), v.due_on, v.days_late) for key, v in found.items()} == {
        "item:a1": ("late", "2026-04-01", 2),
        "item:a2": ("due_soon", "2026-05-20", None),
    }


def test_a_date_that_was_moved_after_it_had_passed_is_put_before_a_reviewer(of) -> None:
    moved = ev("m", "action.rescheduled", "04-05 09:00", action="a1", due_on="2026-05-01")
    found = told(evaluated(of(**DATED), [START, actions("p", "03-03 09:00", a1="04-01"), moved], "06-01"), "R1")["item:a1"]
    assert (said(found), found.due_on, found.contested) == ("breached", "2026-05-01", "the date was moved after it had passed")
    early = ev("m", "action.rescheduled", "03-20 09:00", action="a1", due_on="2026-05-01")
    assert told(evaluated(of(**DATED), [START, actions("p", "03-03 09:00", a1="04-01"), early], "06-01"), "R1")["item:a1"].contested is None


def test_a_move_without_a_date_leaves_it_open(of) -> None:
    moved = ev("m", "action.rescheduled", "03-20 09:00", action="a1")
    assert all_of(of(**DATED), actions("p", "03-03 09:00", a1="04-01"), moved) == {"item:a1": "unknown: missing due_on"}


def test_an_item_without_an_id_cannot_be_judged(of) -> None:
    event = ev("p", "sf_plan.recorded", "03-03 09:00", plan="sf", actions=[{"due_on": "2026-04-01"}])
    assert all_of(of(**DATED), event) == {"item:?1": "unknown: missing actions.id"}


def test_no_dated_item_no_obligation(of) -> None:
    assert all_of(of(**DATED), actions("p", "03-03 09:00", a1=None)) == {"case": "not_applicable: not_triggered"}


# -------------------------------------------------------------------------------------------------------------- recording and integrity
QUALITY = load_shipped("record_quality")


def quality(rule: str, *events: Event, as_of: str = "06-01") -> dict[str, str]:
    found = told(evaluated(QUALITY, [START, *events], as_of), rule)
    return {key.removeprefix("event:").split("@")[0]: said(v) for key, v in found.items()}


@pytest.mark.parametrize(
    ("rec", "wanted"),
    [("03-03 10:00", "met"), ("03-10 23:59", "met"), ("03-11 00:00", "late"), ("04-01 09:00", "late")],
)
def test_an_event_must_be_recorded_within_a_week_of_its_day(rec: str, wanted: str) -> None:
    assert quality("X01", visit("v", "03-03 09:00", rec=rec))["v"] == wanted
    assert quality("X01", visit("v", "03-03", rec=rec))["v"] == wanted


def test_practice_and_recording_are_judged_apart() -> None:
    cfss = load_shipped("cfss")
    late = ev("s", "snapshot.completed", "03-10 09:00", rec="05-01 09:00", kind="baseline")
    assert said(one(evaluated(cfss, [START, late], "06-01"), "C12")) == "met"
    assert quality("X01", late)["s"] == "late"


def test_an_event_whose_sender_does_not_say_when_it_was_recorded_is_not_judged() -> None:
    assert "v" not in quality("X01", visit("v", "03-03 09:00", given=False))


def test_what_is_recorded_after_as_of_has_not_been_recorded_yet() -> None:
    event = visit("v", "03-03 09:00", rec="03-20 09:00")
    assert [quality("X01", event, as_of=when)["v"] for when in ("03-20 08:59", "03-20 09:00")] == ["breached", "late"]
    assert quality("X01", event, as_of="03-09")["v"] == "due_soon"
    assert quality("X01", event, as_of="03-12")["v"] == "breached"


def test_recording_is_not_moved_by_pauses_nor_ended_by_closures() -> None:
    pause = ev("p", "clock.paused", "03-04 09:00", approved_by={"id": "m9"})
    closed = ev("x", "case.closed", "03-05 09:00")
    assert quality("X01", visit("v", "03-03 09:00", rec="03-20 09:00"), pause, closed)["v"] == "late"


@pytest.mark.parametrize(
    ("events", "name", "wanted"),
    [
        ([visit("v", "03-03 09:00", "m1", rec="03-03 08:59")], "v", "breached"),  # recorded before it happened
        ([visit("v", "03-03 09:00", "m1", rec="03-03 09:00")], "v", "met"),
        ([visit("v", "03-03", "m1", rec="03-03 00:00")], "v", "met"),  # that day
        ([visit("v", "03-03", "m1", rec="03-02 23:59")], "v", "breached"),
        ([visit("v", "03-03 09:00", "m1", "c9")], "v", "breached"),  # no member
        ([visit("v", "03-03 09:00", seen=[])], "v", "met"),
        ([ev("x1", "case.closed", "03-10 09:00"), ev("x2", "case.closed", "03-12 09:00")], "x2", "breached"),
        ([ev("x1", "case.closed", "03-10 09:00"), ev("r", "case.reopened", "03-11 09:00"), ev("x2", "case.closed", "03-12 09:00")], "x2", "met"),
        ([ev("n", "need.changed", "03-05 09:00", episode="E"), ev("x1", "case.closed", "03-10 09:00"), ev("a", "need.changed", "03-12 09:00", episode="E")], "a", "breached"),
        ([ev("n", "need.changed", "03-05 09:00", episode="E"), ev("x1", "case.closed", "03-10 09:00"), ev("a", "snapshot.completed", "03-12 09:00", episode="E")], "a", "met"),
        ([ev("n", "need.changed", "03-05 09:00", episode="E"), ev("x1", "case.closed", "03-10 09:00"), ev("a", "need.changed", "03-09 09:00", episode="E")], "a", "met"),
        ([ev("n", "need.changed", "03-05 09:00", episode="E"), ev("x1", "case.closed", "03-10"), ev("a", "need.changed", "03-10 09:00", episode="E")], "a", "met"),
        ([ev("n", "need.changed", "03-05 09:00", episode="E"), ev("x1", "case.closed", "03-10 09:00"), ev("r", "case.reopened", "03-11 09:00"), ev("a", "need.changed", "03-12 09:00", episode="E")], "a", "met"),
    ],
)  # fmt: skip
def test_the_record_must_be_possible(events: list[Event], name: str, wanted: str) -> None:
    assert quality("X02", household("h", "03-02 09:30", "m1:parent"), *events)[name] == wanted


def test_what_cannot_be_is_told_of_the_event_and_of_no_other() -> None:
    found = told(evaluated(QUALITY, [START, visit("v", "03-03 09:00", rec="03-03 08:59", seen=[])], "06-01"), "X02")
    assert {v.evidence: v.rejected for v in found.values()} == {
        ("k",): (),
        ("v",): (("v", "it was recorded before it happened"),),
    }


def test_who_was_seen_cannot_be_judged_without_a_household() -> None:
    assert quality("X02", visit("v", "03-03 09:00", "m1"))["v"] == "unknown: missing household"
    nameless = household("h", "03-02 09:30", {"role": "child"})
    assert quality("X02", nameless, visit("v", "03-03 09:00", "m1"))["v"] == "unknown: missing members.person"


def test_voids_and_corrections_have_no_verdict() -> None:
    assert set(quality("X02", visit("v", "03-03 09:00", seen=[]), fix("f", "v", "03-04 09:00", mode="phone"))) == {"k", "v"}
