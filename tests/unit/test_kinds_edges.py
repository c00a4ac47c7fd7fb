"""Kinds of rule at their edges: the last day of a membership, ties of days, several possible activations, what is told of each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from rules.kinds.base import When
from rules.model import Event
from rules.policy import Policy, load_shipped
from tests.support.core import at, ev, evaluated, household, one, policy_of, said, told, visit

START = ev("k", "service.connected", "03-02 09:00", program="cfss")


@pytest.fixture
def of(tmp_path: Path):
    def make(**lines: str) -> Policy:
        return policy_of(tmp_path, "\n".join(f"{key}: {value}" for key, value in lines.items() if value))

    return make


def all_of(policy: Policy, *events: Event, as_of: str = "06-01") -> dict[str, str]:
    return {key: said(v) for key, v in told(evaluated(policy, [START, *events], as_of), "R1").items()}


def plan(name: str, when: str, status: str | None = "final", plan: str | None = "sp") -> Event:
    return ev(name, "safety_plan.recorded", when, plan=plan, status=status)


# ------------------------------------------------------------------------------------------------------------------------- recurrence
REGULAR = {"kind": "recurrence", "when": "{first: final_plan}", "requires": "qualifying_visit", "every": "{days: 14}"}
CHILDREN = {**REGULAR, "per": "[child]", "requires": "{event: qualifying_visit, where: {seen: {has: $person}}}"}
AGREED = plan("p", "03-02 12:00")


def test_a_member_who_leaves_is_a_member_to_the_end_of_the_last_day(of) -> None:
    home = household("h", "03-02 09:30", {"person": "c1", "role": "child", "to": "2026-03-10"})
    for as_of, wanted in (("03-10", "due_soon"), ("03-11", "not_applicable: ended_before_due")):
        assert all_of(of(**CHILDREN), AGREED, home, as_of=as_of) == {"person:c1/interval:start": wanted}


def test_a_member_who_comes_counts_from_the_first_day(of) -> None:
    homes = [household("h", "03-02 09:30", "m1:parent"), household("h2", "03-20 09:30", "m1:parent", "c1:child")]
    assert all_of(of(**CHILDREN), AGREED, *homes, as_of="03-19") == {"case": "not_applicable: not_triggered"}
    assert all_of(of(**CHILDREN), AGREED, *homes, as_of="03-20") == {"person:c1/interval:start": "pending"}


def test_members_come_in_the_order_of_their_ids(of) -> None:
    home = household("h", "03-02 09:30", "c2:child", "c1:child")
    assert list(all_of(of(**CHILDREN), AGREED, home, as_of="03-05")) == ["person:c1/interval:start", "person:c2/interval:start"]


def test_a_recurrence_that_may_have_begun_on_several_days_is_dated_by_the_last(of) -> None:
    found = one(evaluated(of(**REGULAR), [START, plan("p", "03-02 12:00", None), plan("q", "03-09 12:00")], "04-01"), "R1")
    assert (said(found), found.activated_on, found.evidence) == ("unknown: missing status", "2026-03-09", ("p", "q"))


@pytest.mark.parametrize(
    ("when", "wanted"),
    [
        ("03-05 09:00", {"start": "met", "v@urn:desk": "not_applicable: ended_before_due"}),
        ("03-10 09:00", {"start": "met", "v@urn:desk": "not_applicable: ended_before_due"}),  # the last day
        ("03-11 09:00", {"start": "not_applicable: ended_before_due"}),  # no member any more
    ],
)
def test_only_what_was_done_during_the_membership_counts(of, when: str, wanted: dict[str, str]) -> None:
    home = household("h", "03-02 09:30", {"person": "c1", "role": "child", "to": "2026-03-10"})
    found = all_of(of(**CHILDREN), AGREED, home, visit("v", when, "c1"))
    assert found == {f"person:c1/interval:{name}": verdict for name, verdict in wanted.items()}


def test_what_does_not_count_is_told_with_the_last_interval(of) -> None:
    visits = [visit("no", "03-05 09:00", status="attempted"), visit("v", "03-10 09:00"), visit("no2", "03-12 09:00", mode="phone")]
    found = told(evaluated(of(**REGULAR), [START, AGREED, *visits], "03-15"), "R1")
    assert found["interval:start"].rejected == ()
    assert [name for name, _ in found["interval:v@urn:desk"].rejected] == ["no", "no2"]
    assert found["interval:start"].evidence == ("p", "v")


def test_a_doubtful_visit_is_no_new_step(of) -> None:
    """It may end the interval, but does not surely begin another; behind a sure one it says nothing of the interval before."""
    found = all_of(of(**REGULAR), AGREED, visit("v1", "03-08 09:00"), visit("d", "03-10 09:00", status=None), as_of="03-23")
    assert found == {"interval:start": "met", "interval:v1@urn:desk": "unknown: missing status"}
    after = all_of(of(**REGULAR), AGREED, visit("v1", "03-08 09:00"), visit("v2", "03-10 09:00"), visit("d", "03-12 09:00", status=None))
    assert after == {"interval:start": "met", "interval:v1@urn:desk": "met", "interval:v2@urn:desk": "unknown: missing status"}


def test_a_warning_may_be_given_for_each_interval(of) -> None:
    found = told(evaluated(of(**REGULAR, warn="{days: 3}"), [START, AGREED, visit("v", "03-10 09:00")], "03-12"), "R1")
    assert [v.due_soon_on for v in found.values()] == ["2026-03-13", "2026-03-21"]


def test_somebody_who_comes_back_twice_has_three_series(of) -> None:
    homes = [
        household("h", "03-02 09:30", {"person": "c1", "role": "child", "to": "2026-03-05"}),
        household("h2", "03-10 09:30", {"person": "c1", "role": "child", "to": "2026-03-12"}),
        household("h3", "03-20 09:30", "c1:child"),
    ]
    assert list(all_of(of(**CHILDREN), AGREED, *homes, as_of="03-25")) == [
        "person:c1/interval:start",
        "person:c1/again:1/interval:start",
        "person:c1/again:2/interval:start",
    ]


def test_who_left_before_the_recurrence_began_is_not_in_it(of) -> None:
    homes = [
        household(
            "h", "03-01 09:30", {"person": "c1", "role": "child", "to": "2026-03-01"}, {"person": "c2", "role": "child", "to": "2026-03-02"}
        )
    ]
    assert list(all_of(of(**CHILDREN), AGREED, *homes, as_of="03-25")) == ["person:c2/interval:start"]
    unset = of(**{**CHILDREN, "every": "{days: $some_days}"})
    assert all_of(unset, AGREED, *homes, as_of="03-25") == {"person:c2": "not_applicable: parameter_unset"}
    assert all_of(unset, AGREED, household("h", "03-02 09:30", "m1:parent")) == {"case": "not_applicable: not_triggered"}


FOR_EACH_CHILD = {
    "kind": "nth_occurrence",
    "when": "episode",
    "requires": "final_plan",
    "by": "{nth: 1, of: qualifying_visit}",
    "per": "[child]",
}


@pytest.mark.parametrize(
    ("status", "roles", "wanted"),
    [
        ("held", ("child", "child"), "breached"),
        ("held", (None, "child"), "unknown: missing members.role"),
        (None, ("child", "child"), "breached"),  # whichever visit was the first
        (None, (None, "child"), "unknown: missing members.role"),  # on the earlier of the two days it may have been no child
        (None, ("child", None), "unknown: missing members.role"),
        ("attempted", (None, "child"), "breached"),  # by the day of the visit the role was told
    ],
)
def test_a_role_that_one_of_the_possible_days_leaves_open_accuses_nobody(
    of, status: str | None, roles: tuple[str | None, str | None], wanted: str
) -> None:
    lists = [{"person": "c1"} if role is None else {"person": "c1", "role": role} for role in roles]
    homes = [household("h", "03-02 09:30", lists[0]), household("h2", "03-06 09:30", lists[1])]
    visits = [visit("v", "03-05 09:00", status=status), visit("w", "03-08 09:00")]
    assert all_of(of(**FOR_EACH_CHILD), *homes, *visits) == {"person:c1": wanted}


# ------------------------------------------------------------------------------------------------------------------ what activates it
@pytest.mark.parametrize(
    ("final", "meeting", "wanted"),
    [
        (True, "m1", {"event:m@urn:desk": "breached"}),
        (True, None, {"event:m@urn:desk": "breached"}),  # one of the two is enough
        (None, "m1", {"event:m@urn:desk": "breached"}),
        (False, None, {"event:m@urn:desk": "unknown: missing meeting"}),
        (None, None, {"event:m@urn:desk": "unknown: missing final"}),
        (False, "m2", {"case": "not_applicable: not_triggered"}),
    ],
)
def test_an_event_that_two_selectors_find_activates_once(of, final: bool | None, meeting: str | None, wanted: dict[str, str]) -> None:
    either = "[{event: network_meeting.held, where: {final: true}}, {event: network_meeting.held, where: {meeting: m1}}]"
    policy = of(kind="response", when=f"{{each: {either}}}", requires="minutes.recorded", within="{days: 1}")
    assert all_of(policy, ev("m", "network_meeting.held", "03-05 09:00", final=final, meeting=meeting)) == wanted


@pytest.mark.parametrize("given", [{}, {"episode": True, "first": {"event": "case.closed"}}, {"each": {"event": "a"}, "all_done": "goals"}])
def test_exactly_one_thing_activates_a_rule(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="give exactly one of"):
        When.model_validate(given)


# ------------------------------------------------------------------------------------------------------ whom and what it is told about
HOME = household("h", "03-02 09:30", "m1:parent", "c1:child")
ADVISED = {"kind": "precedence", "when": "{each: case.closed}", "requires": "consultation.recorded"}


@pytest.mark.parametrize(
    ("lines", "about", "arithmetic"),
    [
        (REGULAR, "", "14 days after"),
        (CHILDREN, "c1", "14 days after"),
        ({**REGULAR, "every": "{days: $some_days}"}, "", ""),
        ({**CHILDREN, "every": "{days: $some_days}"}, "c1", ""),
        (ADVISED, "", ""),
        ({**ADVISED, "per": "[child]"}, "c1", ""),
        ({"kind": "nth_occurrence", "when": "episode", "requires": "final_plan", "by": "{nth: 1, of: qualifying_visit}"}, "", "the day of"),
        (
            {
                "kind": "nth_occurrence",
                "when": "episode",
                "requires": "final_plan",
                "by": "{nth: 1, of: qualifying_visit}",
                "per": "[child]",
            },
            "c1",
            "the day of",
        ),
        ({"kind": "deadline", "anchor": "weeks", "requires": "assessment.completed", "within": "{weeks: 8}"}, "", "8 weeks after"),
        ({"kind": "response", "when": "{each: case.closed}", "requires": "minutes.recorded", "within": "{days: 1}"}, "", "1 day after"),
        ({"kind": "recording", "within": "{days: 2}"}, "", "2 days after"),
    ],
)
def test_an_obligation_says_whom_it_is_about_and_how_its_due_day_came(of, lines: dict[str, str], about: str, arithmetic: str) -> None:
    events = [START, HOME, AGREED, visit("v", "03-05 09:00"), ev("x", "case.closed", "03-20 09:00")]
    found = [one for one in evaluated(of(**lines), events, "06-01").details if one.rule.id == "R1"]
    assert {(one.obligation.about, one.world.arithmetic) for one in found} == {(about, arithmetic)}


def test_a_rule_for_each_member_whose_activation_is_in_doubt_concerns_the_members_of_the_last_possible_day(of) -> None:
    policy = of(**{**ADVISED, "when": "{first: final_plan}", "per": "[child]"})
    homes = [household("h", "03-02 09:30", "c1:child"), household("h2", "03-08 09:30", "c2:child")]
    doubtful = plan("p", "03-05 12:00", None)
    assert all_of(policy, *homes, doubtful) == {"person:c1": "unknown: missing status"}
    assert all_of(policy, *homes, doubtful, plan("q", "03-10 12:00")) == {"person:c2": "breached"}


def test_an_excuse_on_the_day_itself_is_in_time_and_only_sure_ones_are_named(of) -> None:
    policy = of(**{**ADVISED, "per": "[child]", "excused_by": "{event: consent.excused, where: {person: {equals: $person}}}"})
    excuses = [ev("nobodys", "consent.excused", "03-09 09:00"), ev("e", "consent.excused", "03-20 15:00", person="c1")]
    events = [START, HOME, ev("k2", "need.changed", "03-03 09:00", episode="E"), ev("x", "case.closed", "03-20 18:00")]
    found = told(evaluated(policy, [*events, *excuses], "06-01"), "R1")["person:c1"]
    assert (said(found), found.evidence) == ("not_applicable: not_triggered", ("x", "e"))


# --------------------------------------------------------------------------------------------------------------------- n-th occurrence
NTH = {"kind": "nth_occurrence", "when": "{each: final_plan}", "requires": "assessment.completed", "by": "{nth: 2, of: qualifying_visit}"}


def test_each_activation_has_the_same_limit(of) -> None:
    plans = [plan("p", "03-03 09:00"), plan("q", "03-04 09:00", plan="sp2")]
    visits = [visit("v1", "03-05 09:00"), visit("v2", "03-10 09:00")]
    found = told(evaluated(of(**NTH), [START, *plans, *visits], "06-01"), "R1")
    assert {key: (said(v), v.due_on) for key, v in found.items()} == {
        "event:p@urn:desk": ("breached", "2026-03-10"),
        "event:q@urn:desk": ("breached", "2026-03-10"),
    }


def test_without_a_household_the_unknown_is_dated_by_the_last_possible_activation(of) -> None:
    plans = [plan("p", "03-05 12:00", None), plan("q", "03-10 12:00")]
    for lines in (NTH, ADVISED):
        found = one(evaluated(of(**{**lines, "when": "{first: final_plan}", "per": "[child]"}), [START, *plans], "06-01"), "R1")
        assert (said(found), found.activated_on, found.evidence) == ("unknown: missing household", "2026-03-10", ("q",))


def test_a_warning_that_would_come_after_the_limit_is_none(of) -> None:
    policy = of(**{**NTH, "when": "episode", "by": "{nth: 1, of: qualifying_visit, warn_after: 2}"})
    found = one(evaluated(policy, [START, visit("v1", "03-05 09:00"), visit("v2", "03-10 09:00")], "06-01"), "R1")
    assert (said(found), found.due_on, found.due_soon_on) == ("breached", "2026-03-05", None)


THREE = [visit("v1", "03-05 09:00"), visit("v2", "03-10 09:00"), visit("v3", "03-17 09:00")]
THIRD = {**NTH, "when": "episode", "by": "{nth: 3, of: qualifying_visit, warn_after: 2}"}


def test_a_pause_does_not_move_the_day_of_the_third_visit(of) -> None:
    pause = [ev("s", "clock.paused", "03-06 09:00", approved_by={"id": "m9"}), ev("r", "clock.resumed", "03-09 09:00")]
    found = one(evaluated(of(**THIRD), [START, *THREE, *pause], "03-18"), "R1")
    assert (said(found), found.due_on) == ("breached", "2026-03-17")


def test_visits_that_all_may_not_count_leave_the_third_open(of) -> None:
    doubtful = [visit(f"v{n}", f"03-{10 + n} 09:00", status=None) for n in (1, 2, 3)]
    assert all_of(of(**THIRD), *doubtful) == {"case": "unknown: missing status"}


def test_the_third_visit_with_evidence_in_doubt_says_what_is_missing(of) -> None:
    policy = of(**{**THIRD, "requires": "{event: safety_plan.recorded, takes: last, that: {status: final}}"})
    of_a_day = [plan("p", "03-12", "draft"), plan("q", "03-12 12:00")]
    assert all_of(policy, *THREE, *of_a_day) == {"case": "unknown: day_without_moment"}
    found = one(evaluated(policy, [START, *THREE, plan("p", "03-12 09:00"), plan("q", "03-13 09:00", "draft")], "06-01"), "R1")
    assert (said(found), found.rejected) == ("breached", (("p", "a later one took its place"), ("q", "status is draft, not final")))


# -------------------------------------------------------------------------------------------------------------- what is shown, and when
ANSWERED = {
    "kind": "response",
    "when": "{each: {event: goal.achieved, where: {plan: safety}}}",
    "requires": "assessment.updated",
    "within": "{days: 10}",
}


def test_of_a_duty_that_may_not_be_one_the_due_day_is_shown(of) -> None:
    found = one(evaluated(of(**ANSWERED), [START, ev("g", "goal.achieved", "03-05 09:00", goal="g1")], "06-01"), "R1")
    assert (said(found), found.activated_on, found.due_on) == ("unknown: missing plan", "2026-03-05", "2026-03-15")


def test_while_a_pause_is_open_everything_may_change_at_midnight(of) -> None:
    paused = ev("s", "clock.paused", "03-07 09:00", approved_by={"id": "m9"})
    events = [START, ev("g", "goal.achieved", "03-05 09:00", goal="g1", plan="safety"), paused]
    assert one(evaluated(of(**ANSWERED), events, "03-09 10:00"), "R1").next_change == at("03-10 00:00")


def test_a_case_that_was_merged_is_judged_elsewhere_and_says_so(of) -> None:
    found = evaluated(of(**ANSWERED), [START, ev("m", "case.merged", "03-05 09:00", into="case-2")], "06-01")
    assert (found.merged_into, found.verdicts) == ("case-2", ())
    assert [(q.code, q.message) for q in found.queries] == [("merged", "this case was merged into case-2 and is judged there")]


def test_out_of_scope_is_said_of_the_rules_that_are_asked_for_only(of) -> None:
    other = ev("k", "service.connected", "03-02 09:00", program="strengthening_families")
    for statuses, wanted in ((("enforced",), ["not_applicable: out_of_scope"]), (("draft",), [])):
        assert [said(v) for v in evaluated(of(**ANSWERED), [other], "06-01", statuses=statuses).verdicts] == wanted
    assert evaluated(of(kind="metric", event="visit.held"), [other], "06-01").verdicts == ()


# ------------------------------------------------------------------------------------------------------- what two sources report alike
def twice(*events: Event) -> list[tuple[str, ...]]:
    policy_events = [START, *events]
    return [q.events for q in evaluated(load_shipped("cfss"), policy_events, "06-01").queries if q.code == "reported_twice"]


def test_a_pair_is_listed_by_ids_and_only_of_visits_that_count() -> None:
    who: Any = {"performer": {"id": "w1"}}
    held = visit("z", "03-05 09:00", **who)
    assert twice(held, ev("a", "visit.held", "03-05 09:30", source="urn:app", status="held", mode="in_person", seen=["m1"], **who)) == [
        ("a", "z")
    ]
    assert (
        twice(held, ev("a", "visit.held", "03-05 09:30", source="urn:app", status="attempted", mode="in_person", seen=["m1"], **who)) == []
    )


def test_the_greatest_of_several_says_what_one_of_them_lacks(of) -> None:
    greatest = "{greatest: {event: safety_plan.recorded, where: {status: final}}, attribute: immediate_risks}"
    policy = of(kind="content", when="{each: risk.assessed}", where=f"{{level: {{at_least: {greatest}}}}}")

    def judged(status: str | None) -> dict[str, str]:
        plans = [
            ev("p", "safety_plan.recorded", "03-03 09:00", status="final", immediate_risks=1),
            ev("q", "safety_plan.recorded", "03-04 09:00", status=status, immediate_risks=5),
        ]
        return all_of(policy, *plans, ev("r", "risk.assessed", "03-05 09:00", level=3))

    assert judged(None) == {"event:r@urn:desk": "unknown: missing status"}
    assert judged("final") == {"event:r@urn:desk": "breached"}
    assert judged("draft") == {"event:r@urn:desk": "met"}


def test_what_may_have_come_earlier_leaves_the_activation_open(of) -> None:
    when = "{each: case.closed, given: {earlier: {event: safety_plan.recorded, where: {status: final}}}}"
    policy = of(**{**ADVISED, "when": when})
    closed = ev("x", "case.closed", "03-20 09:00")
    for status, wanted in (("final", "breached"), ("draft", "not_applicable: not_triggered"), (None, "unknown: missing status")):
        assert list(all_of(policy, plan("p", "03-05 09:00", status), closed).values()) == [wanted]
