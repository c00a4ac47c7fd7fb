"""Precedence, content and not-coexistence: rules that look at the moment or the day of an event."""

from __future__ import annotations

from pathlib import Path

import pytest

from rules.model import Event, Heartbeat, Verdict
from rules.policy import Policy, load_shipped
from tests.support.core import DARWIN, at, ev, evaluated, fix, household, one, people, policy_of, said, told

START = ev("k", "service.connected", "03-01 09:00", program="cfss")


@pytest.fixture
def of(tmp_path: Path):
    def make(**lines: str) -> Policy:
        return policy_of(tmp_path, "\n".join(f"{key}: {value}" for key, value in lines.items() if value))

    return make


def r1(policy: Policy, *events: Event, as_of: str = "06-01") -> Verdict:
    return one(evaluated(policy, [START, *events], as_of), "R1")


BEFORE = {"kind": "precedence", "when": "{each: case.closed}", "requires": "consultation.recorded"}
CLOSED, CLOSED_THAT_DAY = ev("x", "case.closed", "03-10 12:00"), ev("x", "case.closed", "03-10")


def talked(when: str, name: str = "c") -> Event:
    return ev(name, "consultation.recorded", when)


# ------------------------------------------------------------------------------------------------------------------------- precedence
@pytest.mark.parametrize(
    ("when", "moment", "day"),
    [
        ("03-09 09:00", "met", "met"),
        ("03-10 11:59", "met", "met"),
        ("03-10 12:01", "breached", "met"),
        ("03-10", "unknown: day_without_moment", "met"),
        ("03-09", "met", "met"),
        ("03-11 09:00", "breached", "breached"),
        ("03-11", "breached", "breached"),
    ],
)
def test_earlier_means_by_the_moment_unless_days_are_compared(of, when: str, moment: str, day: str) -> None:
    # what comes after the closure names the episode: or it would begin another
    named = [ev("k2", "need.changed", "03-01 10:00", episode="E"), ev("c", "consultation.recorded", when, episode="E"), CLOSED]
    assert said(r1(of(**BEFORE), *named)) == moment
    assert said(r1(of(**BEFORE, compare="day"), *named)) == day


@pytest.mark.parametrize(
    ("when", "moment", "day"),
    [("03-09 09:00", "met", "met"), ("03-10 09:00", "unknown: day_without_moment", "met"), ("03-10", "unknown: day_without_moment", "met")],
)
def test_a_closure_of_which_only_the_day_is_known(of, when: str, moment: str, day: str) -> None:
    assert said(r1(of(**BEFORE), talked(when), CLOSED_THAT_DAY)) == moment
    assert said(r1(of(**BEFORE, compare="day"), talked(when), CLOSED_THAT_DAY)) == day


def test_fulfilment_after_the_gate_mends_nothing(of) -> None:
    for compare in ("moment", "day"):
        found = r1(of(**BEFORE, compare=compare), CLOSED)
        assert (said(found), found.curable, found.days_late, found.due_on) == ("breached", False, None, "2026-03-10")


def test_each_closure_is_a_gate_of_its_own(of) -> None:
    policy = of(**{**BEFORE, "requires": "{event: consultation.recorded, of: attempt}"})
    events = [START, talked("03-09 09:00"), CLOSED, ev("r", "case.reopened", "03-12 09:00"), ev("x2", "case.closed", "03-20 09:00")]
    assert {key: said(v) for key, v in told(evaluated(policy, events, "06-01"), "R1").items()} == {
        "attempt:1": "met",
        "attempt:2": "breached",
    }


def test_before_the_gate_nothing_is_asked(of) -> None:
    assert said(r1(of(**BEFORE), CLOSED, as_of="03-10 11:59")) == "not_applicable: not_triggered"
    assert said(r1(of(**BEFORE), CLOSED, as_of="03-10 12:00")) == "breached"


def test_or_the_event_itself_says_so(of) -> None:
    policy = of(
        kind="precedence",
        compare="day",
        when="{first_of_each: {event: case_plan.recorded, by: plan}}",
        requires="{event: assessment.completed, itself: {assessment: {present: true}}}",
    )
    assert said(r1(policy, ev("p", "case_plan.recorded", "03-10 09:00", plan="cp", assessment="as1"))) == "met"
    assert said(r1(policy, ev("p", "case_plan.recorded", "03-10 09:00", plan="cp"))) == "breached"
    assert (
        said(r1(policy, ev("a", "assessment.completed", "03-10 17:00"), ev("p", "case_plan.recorded", "03-10 09:00", plan="cp"))) == "met"
    )


def test_the_first_of_each_document_is_looked_at(of) -> None:
    policy = of(kind="precedence", compare="day", when="{first_of_each: {event: final_plan, by: plan}}", requires="assessment.completed")

    def plan(name: str, when: str, plan_: str | None = "sp", status: str | None = "final") -> Event:
        return ev(name, "safety_plan.updated", when, plan=plan_, status=status)

    done = ev("a", "assessment.completed", "03-10 09:00")
    assert said(r1(policy, plan("p1", "03-09 09:00"), done, plan("p2", "03-12 09:00"))) == "breached"  # the later version does not count
    assert said(r1(policy, plan("p1", "03-09 09:00", status="draft"), done, plan("p2", "03-12 09:00"))) == "met"
    found = told(
        evaluated(
            policy, [START, done, plan("p1", "03-12 09:00"), plan("p2", "03-12 10:00", "sp2"), plan("p3", "03-12 11:00", None)], "06-01"
        ),
        "R1",
    )
    assert {key: said(v) for key, v in found.items()} == {"plan:sp": "met", "plan:sp2": "met", "plan:-": "met"}
    assert said(r1(policy, plan("p1", "03-09 09:00", status=None), done, plan("p2", "03-12 09:00"))) == "unknown: missing status"
    assert said(r1(policy, done, plan("p1", "03-11 09:00", status=None), plan("p2", "03-12 09:00"))) == "met"  # whichever came first


def test_of_two_versions_of_a_day_either_may_have_been_the_first(of) -> None:
    policy = of(kind="content", when="{first_of_each: {event: final_plan, by: plan}}", where="{immediate_risks: {at_least: 1}}")

    def plan(name: str, when: str, risks: int) -> Event:
        return ev(name, "safety_plan.updated", when, plan="sp", status="final", immediate_risks=risks)

    assert said(r1(policy, plan("p1", "03-09", 1), plan("p2", "03-09 09:00", 0))) == "unknown: day_without_moment"
    assert said(r1(policy, plan("p1", "03-09", 1), plan("p2", "03-09 09:00", 1))) == "met"
    assert said(r1(policy, plan("p1", "03-09 08:00", 1), plan("p2", "03-09 09:00", 0))) == "met"


# ------------------------------------------------------------------------------------------------------------ the last one, taken back
LAST = {"kind": "precedence", "compare": "day", "when": "{first: case.opened}"} | {
    "requires": "{event: consent.recorded, where: {person: m1}, takes: last, that: {decision: agree, undertaking: true}}"
}
OPENED = ev("o", "case.opened", "03-10 12:00")


def consent(name: str, when: str, decision: str | None = "agree", *, undertaking: bool | None = True, person: str | None = "m1") -> Event:
    return ev(name, "consent.recorded", when, decision=decision, undertaking=undertaking, person=person)


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ([], "breached"),
        ([consent("a", "03-09 09:00")], "met"),
        ([consent("a", "03-09 09:00", undertaking=False)], "breached"),
        ([consent("a", "03-09 09:00", undertaking=None)], "unknown: missing undertaking"),
        ([consent("a", "03-09 09:00", None)], "unknown: missing decision"),
        ([consent("a", "03-08 09:00"), consent("b", "03-09 09:00", "withdraw")], "breached"),
        ([consent("a", "03-08 09:00", "refuse"), consent("b", "03-09 09:00")], "met"),
        ([consent("a", "03-09 09:00"), consent("b", "03-10 18:00", "withdraw")], "breached"),  # on that day
        ([consent("a", "03-09 09:00"), consent("b", "03-11 09:00", "withdraw")], "met"),  # a day later
        ([consent("b", "03-11 09:00")], "breached"),
        ([consent("a", "03-08 09:00", "refuse"), consent("b", "03-08")], "unknown: day_without_moment"),
        ([consent("a", "03-08 09:00"), consent("b", "03-08")], "met"),  # whichever was the last
        ([consent("a", "03-08 09:00"), consent("b", "03-09 09:00", "refuse", person=None)], "unknown: missing person"),
        ([consent("a", "03-08 09:00", "refuse"), consent("b", "03-09 09:00", "refuse", person=None)], "breached"),
        ([consent("b", "03-09 09:00", person=None)], "unknown: missing person"),
    ],
)
def test_only_the_last_word_counts(of, words: list[Event], wanted: str) -> None:
    assert said(r1(of(**LAST), *words, OPENED)) == wanted


APPROVED = {"kind": "precedence", "when": "{each: case.closed}"} | {
    "requires": "{event: approval.granted, where: {of: closure}, unless_followed_by: [{event: approval.rejected, where: {of: closure}}, "
    "{event: approval.revoked, where: {of: closure}, names: approval}]}"
}


def granted(name: str, when: str) -> Event:
    return ev(name, "approval.granted", when, of="closure")


def revoked(when: str, approval: str | None = None, of_: str | None = "closure") -> Event:
    return ev("v", "approval.revoked", when, of=of_, approval=approval)


@pytest.mark.parametrize(
    ("events", "wanted"),
    [
        ([granted("a", "03-09 09:00")], "met"),
        ([granted("a", "03-09 09:00"), ev("j", "approval.rejected", "03-09 10:00", of="closure")], "breached"),
        ([ev("j", "approval.rejected", "03-09 08:00", of="closure"), granted("a", "03-09 09:00")], "met"),
        ([granted("a", "03-09 09:00"), ev("j", "approval.rejected", "03-09 10:00", of="case_plan")], "met"),
        ([granted("a", "03-09 09:00"), ev("j", "approval.rejected", "03-09 10:00")], "unknown: missing of"),
        ([granted("a", "03-09 09:00"), ev("j", "approval.rejected", "03-09", of="closure")], "unknown: day_without_moment"),
        ([granted("a", "03-09 09:00"), ev("j", "approval.rejected", "03-10 13:00", of="closure")], "met"),  # after the closure
        ([granted("a", "03-09 09:00"), revoked("03-09 10:00", "a")], "breached"),
        ([granted("a", "03-09 09:00"), revoked("03-09 10:00", "other")], "met"),
        ([granted("a", "03-09 09:00"), revoked("03-09 10:00")], "breached"),  # names none: takes back whatever came before
        ([granted("a", "03-09 09:00"), granted("b", "03-09 11:00"), revoked("03-09 10:00")], "met"),
        ([granted("a", "03-09 09:00"), granted("b", "03-09 11:00"), revoked("03-09 12:00", "b")], "met"),
        ([granted("a", "03-09 09:00"), revoked("03-09", "a")], "breached"),  # it names it, so it came after it
        ([granted("a", "03-09 09:00"), revoked("03-10", "a")], "unknown: day_without_moment"),  # before or after the closure
    ],
)
def test_what_is_taken_back_does_not_count(of, events: list[Event], wanted: str) -> None:
    assert said(r1(of(**APPROVED), *events, CLOSED)) == wanted


AFTER_LAST = {"kind": "precedence", "when": "{each: network_meeting.held}"} | {
    "requires": "{event: safety_plan.reviewed, after_last: safety_plan.updated}"
}


@pytest.mark.parametrize(
    ("events", "wanted"),
    [
        (["plan 03-03 09:00", "review 03-04 09:00"], "met"),
        (["review 03-03 09:00", "plan 03-04 09:00"], "breached"),
        (["plan 03-03 09:00", "review 03-04 09:00", "plan 03-05 09:00"], "breached"),
        (["plan 03-03 09:00", "review 03-04 09:00", "plan 03-12 09:00"], "met"),  # a version after the meeting plays no part
        (["plan 03-03", "review 03-03 09:00"], "unknown: day_without_moment"),
        (["plan 03-03 09:00", "review 03-03"], "unknown: day_without_moment"),
        (["plan 03-03", "review 03-04 09:00"], "met"),
        (["plan 03-03 09:00", "review 03-10 13:00"], "breached"),  # after the meeting
        (["review 03-04 09:00"], "breached"),  # nothing that it could follow
        (["plan 03-03 09:00", "review 03-04 09:00", "plan 03-10"], "unknown: day_without_moment"),  # before or after the meeting
    ],
)
def test_only_what_came_after_the_last_version_counts(of, events: list[str], wanted: str) -> None:
    types = {"plan": "safety_plan.updated", "review": "safety_plan.reviewed"}
    made = [ev(f"e{index}", types[text.split(" ", 1)[0]], text.split(" ", 1)[1]) for index, text in enumerate(events)]
    assert said(r1(of(**AFTER_LAST), *made, ev("m", "network_meeting.held", "03-10 12:00"))) == wanted


@pytest.mark.parametrize(
    ("meeting", "wanted"), [("m1", "unknown: day_without_moment"), ("m2", "breached"), (None, "unknown: missing meeting")]
)
def test_what_does_not_fit_is_no_evidence_whenever_that_day_it_came(of, meeting: str | None, wanted: str) -> None:
    needs = "{event: safety_plan.reviewed, where: {meeting: m1}, after_last: safety_plan.updated}"
    events = [
        ev("p", "safety_plan.updated", "03-03 09:00"),
        ev("r", "safety_plan.reviewed", "03-03", meeting=meeting),
        ev("m", "network_meeting.held", "03-10 12:00"),
    ]
    assert said(r1(of(**{**AFTER_LAST, "requires": needs}), *events)) == wanted


@pytest.mark.parametrize(
    ("status", "wanted"), [("draft", "met"), ("final", "unknown: day_without_moment"), (None, "unknown: missing status")]
)
def test_only_a_version_that_fits_may_take_something_back_on_the_day_of_the_gate(of, status: str | None, wanted: str) -> None:
    needs = "{event: safety_plan.reviewed, after_last: {event: safety_plan.updated, where: {status: final}}}"
    events = [
        ev("p", "safety_plan.updated", "03-03 09:00", status="final"),
        ev("r", "safety_plan.reviewed", "03-04 09:00"),
        ev("q", "safety_plan.updated", "03-10", status=status),
        ev("m", "network_meeting.held", "03-10 12:00"),
    ]
    assert said(r1(of(**{**AFTER_LAST, "requires": needs}), *events)) == wanted


# ------------------------------------------------------------------------------------------------------------------- for every, and each
EVERY = {"kind": "precedence", "compare": "day", "when": "{each: case.closed}", "requires": "{for_every: goals}"}


def plan(name: str, when: str, *goals: str, plan_: str | None = "sp", none: bool = False) -> Event:
    return ev(name, "safety_plan.updated", when, plan=plan_, goals=None if none else [{"id": goal} for goal in goals])


def achieved(when: str, goal: str | None, name: str | None = None) -> Event:
    return ev(name or f"g{when}{goal}", "goal.achieved", when, plan="safety", goal=goal)


@pytest.mark.parametrize(
    ("events", "wanted"),
    [
        ([plan("p", "03-03 09:00", "g1"), achieved("03-05 09:00", "g1")], "met"),
        ([plan("p", "03-03 09:00", "g1"), achieved("03-10", "g1")], "met"),  # the same day
        ([plan("p", "03-03 09:00", "g1"), achieved("03-02 09:00", "g1")], "met"),
        ([plan("p", "03-03 09:00", "g1", "g2"), achieved("03-05 09:00", "g1")], "breached"),
        ([plan("p", "03-03 09:00", "g1", "g2"), plan("q", "03-06 09:00", "g1"), achieved("03-05 09:00", "g1")], "met"),  # dropped
        ([plan("p", "03-03 09:00")], "met"),  # no goals: nothing to achieve
        ([], "unknown: missing goals"),  # no plan at all
        ([plan("p", "03-03 09:00", none=True)], "unknown: missing goals"),
        ([plan("p", "03-03 09:00", "g1"), achieved("03-05 09:00", None)], "unknown: missing goal"),
        ([plan("p", "03-03 09:00", "g1", "g2"), achieved("03-05 09:00", None)], "breached"),  # one event achieves one goal
        ([plan("p", "03-03 09:00", "g1", "g2"), achieved("03-05 09:00", None), achieved("03-06 09:00", None)], "unknown: missing goal"),
        (
            [plan("p", "03-03 09:00", "g1", "g2", plan_=None), plan("q", "03-04 09:00", "g1"), achieved("03-05 09:00", "g1")],
            "unknown: missing plan",
        ),
        ([plan("p", "03-03 09:00", "g1", plan_=None), plan("q", "03-04 09:00", "g1"), achieved("03-05 09:00", "g1")], "met"),
        ([plan("p", "03-03", "g1"), plan("q", "03-03 09:00", "g1", "g2"), achieved("03-05 09:00", "g1")], "unknown: day_without_moment"),
    ],
)
def test_every_current_item_must_be_done_by_the_day(of, events: list[Event], wanted: str) -> None:
    assert said(r1(of(**EVERY), *events, CLOSED)) == wanted


# ---------------------------------------------------------------------------------------------------------------------- for each person
PER = {"kind": "precedence", "compare": "day", "when": "{first: case.opened}", "per": "[parent, carer]"} | {
    "requires": "{event: consent.recorded, where: {person: {equals: $person}}, takes: last, that: {decision: agree}}",
    "excused_by": "{event: consent.excused, where: {person: {equals: $person}}}",
}


def per_person(of, *events: Event) -> dict[str, str]:
    return {key: said(v) for key, v in told(evaluated(of(**PER), [START, *events], "06-01"), "R1").items()}


HOME = household("h", "03-02 09:00", "m1:parent", "f1:carer", "c1:child")


def test_each_parent_and_carer_has_an_obligation(of) -> None:
    assert per_person(of, HOME, consent("a", "03-05 09:00"), OPENED) == {"person:f1": "breached", "person:m1": "met"}


def test_who_is_a_member_on_the_day_counts(of) -> None:
    line = {"person": "f1", "role": "carer", "to": "2026-03-09"}
    assert per_person(of, household("h", "03-02 09:00", "m1:parent", line), OPENED) == {"person:m1": "breached"}
    line = {"person": "f1", "role": "carer", "to": "2026-03-10"}
    assert set(per_person(of, household("h", "03-02 09:00", "m1:parent", line), OPENED)) == {"person:f1", "person:m1"}


def test_whoever_is_excused_is_shown_and_not_asked(of) -> None:
    excused = ev("e", "consent.excused", "03-09 09:00", person="m1")
    policy = of(**PER)
    found = told(evaluated(policy, [START, HOME, excused, OPENED], "06-01"), "R1")
    assert {key: said(v) for key, v in found.items()} == {"person:f1": "breached", "person:m1": "not_applicable: not_triggered"}
    assert found["person:m1"].evidence == ("o", "e")
    assert per_person(of, HOME, ev("e", "consent.excused", "03-11 09:00", person="m1"), OPENED)["person:m1"] == "breached"  # too late


def test_an_excuse_that_names_nobody_may_be_anybodys(of) -> None:
    nameless = ev("e", "consent.excused", "03-09 09:00")
    assert per_person(of, HOME, nameless, consent("a", "03-05 09:00"), OPENED) == {
        "person:f1": "unknown: missing person",
        "person:m1": "unknown: missing person",  # met, or not asked
    }
    both = [nameless, ev("e2", "consent.excused", "03-09 09:00", person="m1")]
    assert per_person(of, HOME, *both, OPENED)["person:m1"] == "not_applicable: not_triggered"


def test_without_a_household_there_is_one_unknown(of) -> None:
    assert per_person(of, OPENED) == {"case": "unknown: missing household"}
    assert per_person(of, household("h", "03-02 09:00"), OPENED) == {"case": "not_applicable: not_triggered"}


def test_a_member_whose_role_or_id_is_missing_cannot_be_judged(of) -> None:
    lines = household("h", "03-02 09:00", {"person": "x"}, {"role": "parent"}, "c1:child")
    assert per_person(of, lines, OPENED) == {"person:?2": "unknown: missing members.person", "person:x": "unknown: missing members.role"}
    assert (
        per_person(of, lines, ev("e", "consent.excused", "03-09 09:00", person="x"), OPENED)["person:x"] == "not_applicable: not_triggered"
    )


# ---------------------------------------------------------------------------------------------------------------------------- content
def test_content_is_asked_of_the_event_itself(of) -> None:
    policy = of(kind="content", when="{each: snapshot.completed}", where="{covers: {has_all: [a, b]}}")
    for covers, wanted in ((["a", "b", "c"], "met"), (["a"], "breached"), ([], "breached"), (None, "unknown: missing covers")):
        found = r1(policy, ev("s", "snapshot.completed", "03-05 09:00", covers=covers))
        assert (said(found), found.due_on, found.curable) == (wanted, "2026-03-05", False)
    assert said(r1(policy)) == "not_applicable: not_triggered"


def test_a_corrected_event_mends_its_content(of) -> None:
    policy = of(kind="content", when="{each: snapshot.completed}", where="{covers: {has_all: [a, b]}}")
    events = [ev("s", "snapshot.completed", "03-05 09:00", covers=["a"]), fix("f", "s", "03-20 09:00", covers=["a", "b"])]
    assert said(one(evaluated(policy, [START, *events], "06-01", "03-19"), "R1")) == "breached"
    assert said(one(evaluated(policy, [START, *events], "06-01", "03-20"), "R1")) == "met"


def test_the_bare_day_of_an_event_is_enough_for_its_content(of) -> None:
    policy = of(kind="content", when="{each: snapshot.completed}", where="{covers: {has_all: [a]}}")
    assert said(r1(policy, ev("s", "snapshot.completed", "03-05", covers=["a"]))) == "met"


EXAMINES = {"kind": "content", "when": "{first: case.opened}", "examines": "investigation.completed", "where": "{safe_at_home: true}"}


def probe(name: str, when: str, *, safe: bool | None) -> Event:
    return ev(name, "investigation.completed", when, safe_at_home=safe)


@pytest.mark.parametrize(
    ("events", "wanted"),
    [
        ([], "not_applicable: not_triggered"),
        ([probe("a", "03-05 09:00", safe=True)], "met"),
        ([probe("a", "03-05 09:00", safe=False)], "breached"),
        ([probe("a", "03-05 09:00", safe=None)], "unknown: missing safe_at_home"),
        ([probe("a", "03-05 09:00", safe=False), probe("b", "03-06 09:00", safe=True)], "met"),  # the last one before counts
        ([probe("a", "03-05 09:00", safe=True), probe("b", "03-11 09:00", safe=False)], "met"),  # that one came later
        ([probe("b", "03-11 09:00", safe=False)], "not_applicable: not_triggered"),
        ([probe("a", "03-05 09:00", safe=True), probe("b", "03-10", safe=False)], "unknown: day_without_moment"),
        ([probe("a", "03-05 09:00", safe=True), probe("b", "03-10", safe=True)], "met"),
        ([probe("a", "03-05 09:00", safe=True), probe("b", "03-05", safe=False)], "unknown: day_without_moment"),
    ],
)
def test_content_may_be_asked_of_the_last_such_event_before(of, events: list[Event], wanted: str) -> None:
    assert said(r1(of(**EXAMINES), *events, OPENED)) == wanted


@pytest.mark.parametrize("safe", [True, False])
def test_on_the_day_of_a_gate_without_a_moment_it_may_have_come_before(of, *, safe: bool) -> None:
    """Nothing is asked where there was none before; where there was, its content counts."""
    day_only = ev("o", "case.opened", "03-10")
    assert said(r1(of(**EXAMINES), probe("a", "03-10 09:00", safe=safe), day_only)) == "unknown: day_without_moment"
    assert said(r1(of(**EXAMINES), probe("a", "03-11 00:00", safe=safe), day_only)) == "not_applicable: not_triggered"


def test_a_condition_on_the_closure_applies_once_there_is_one(of) -> None:
    policy = of(
        kind="content",
        when="{each: network_meeting.held, given: {closed_as: {where: {closure_reason: safety_achieved}}}}",
        where="{final: true}",
    )
    meeting = ev("m", "network_meeting.held", "03-05 09:00", final=False)
    assert said(r1(policy, meeting)) == "breached"
    for reason, wanted in (
        ("safety_achieved", "breached"),
        ("moved", "not_applicable: not_triggered"),
        (None, "unknown: missing closure_reason"),
    ):
        assert said(r1(policy, meeting, ev("x", "case.closed", "03-10 09:00", closure_reason=reason))) == wanted


def test_given_that_something_exists_or_came_earlier(of) -> None:
    exists = of(
        kind="content",
        when="{each: case.closed, given: {exists: {event: snapshot.completed, where: {kind: baseline}}}}",
        where="{closure_reason: moved}",
    )
    closed = ev("x", "case.closed", "03-10 09:00", closure_reason="other")
    for kind, wanted in (("baseline", "breached"), ("follow_up", "not_applicable: not_triggered"), (None, "unknown: missing kind")):
        assert said(r1(exists, ev("s", "snapshot.completed", "03-12 09:00", kind=kind), closed)) == wanted
    earlier = of(kind="content", when="{each: network_meeting.held, given: {earlier: safety_plan.recorded}}", where="{final: true}")
    meeting = ev("m", "network_meeting.held", "03-10 09:00", final=False)
    for when, wanted in (
        ("03-09 09:00", "breached"),
        ("03-10 10:00", "not_applicable: not_triggered"),
        ("03-10", "unknown: day_without_moment"),
    ):
        assert said(r1(earlier, ev("p", "safety_plan.recorded", when), meeting)) == wanted


# ----------------------------------------------------------------------------------------------------------------- not-coexistence (S03)
SF = load_shipped("strengthening_families")
OWN = [
    ev("o", "case.opened", "03-10 12:00", where=DARWIN, program="strengthening_families"),
    household("h", "03-10 09:00", "c1:child", where=DARWIN),
]


def beside(
    *events: Event, as_of: str = "06-01", days: int = 0, own: list[Event] | None = None, beats: tuple[Heartbeat, ...] = ()
) -> Verdict:
    policy = SF.with_parameters({"cp_overlap_days": days})
    first = ev("r", "referral.received", "02-01 09:00", where=DARWIN, case="cp", program="child_protection", children=["c1"])
    return told(evaluated(policy, own or OWN, as_of, linked={"cp": [first, *events]}, beats=beats), "S03")["case"]


def ended(when: str) -> Event:
    return ev("cx", "case.closed", when, where=DARWIN, case="cp")


@pytest.mark.parametrize(
    ("events", "as_of", "days", "wanted"),
    [
        ([], "06-01", 0, "breached"),
        ([], "03-10", 0, "due_soon"),  # the day of opening is not over
        ([ended("03-09 09:00")], "06-01", 0, "met"),
        ([ended("03-10 23:00")], "06-01", 0, "met"),  # on the day of opening
        ([ended("03-11 00:30")], "06-01", 0, "breached"),
        ([ended("03-20 09:00")], "06-01", 0, "breached"),  # an overlap stays one
        ([ended("03-20 09:00")], "06-01", 10, "met"),
        ([ended("03-21 09:00")], "06-01", 10, "breached"),
        ([], "03-15", 10, "due_soon"),
    ],
)
def test_an_episode_of_the_other_program_may_overlap_only_so_long(events: list[Event], as_of: str, days: int, wanted: str) -> None:
    assert said(beside(*events, as_of=as_of, days=days)) == wanted


def test_the_case_that_overlaps_is_named() -> None:
    for events in ([], [ended("03-20 09:00")]):
        assert beside(*events).rejected == (("r", "case cp was open beside it after the limit"),)
    assert beside(as_of="03-10").rejected == (("r", "case cp is still open"),)
    assert beside(ended("03-10 23:00")).rejected == ()


def test_an_episode_that_begins_later_and_overlaps_is_a_breach_too() -> None:
    later = [
        ended("03-01 09:00"),
        ev("r2", "referral.received", "04-01 09:00", where=DARWIN, case="cp", program="child_protection", children=["c1"]),
    ]
    assert said(beside(*later, as_of="03-31")) == "met"
    assert said(beside(*later, as_of="04-02")) == "breached"


def test_what_begins_after_the_own_closure_overlaps_nothing() -> None:
    own = [*OWN, ev("x", "case.closed", "03-20 09:00", where=DARWIN, closure_reason="moved")]
    again = ev("r2", "referral.received", "04-01 09:00", where=DARWIN, case="cp", program="child_protection", children=["c1"])
    assert said(beside(ended("03-01 09:00"), again, own=own)) == "met"


def test_a_reopened_child_protection_case_is_open_again() -> None:
    reopened = ev("cr", "case.reopened", "03-15 09:00", where=DARWIN, case="cp", closure_was_error=False)
    assert said(beside(ended("03-01 09:00"), reopened, as_of="03-14")) == "met"
    assert said(beside(ended("03-01 09:00"), reopened)) == "breached"


def test_without_a_household_it_cannot_be_judged() -> None:
    assert said(beside(own=OWN[:1])) == "unknown: missing household"


def test_a_quiet_source_of_the_other_case_makes_it_unknown() -> None:
    quiet = Heartbeat("urn:desk", at("03-01 00:00"), at("03-01 00:00"))
    assert said(beside(beats=(quiet,))) == "unknown: source_stale"


def test_another_program_or_another_child_does_not_matter() -> None:
    other = ev("r", "referral.received", "02-01 09:00", case="cp", program="cfss", children=["c1"])
    stranger = ev("r", "referral.received", "02-01 09:00", case="cp", program="child_protection", children=["c9"])
    for event in (other, stranger):
        assert said(told(evaluated(SF, OWN, "06-01", linked={"cp": [event]}), "S03")["case"]) == "met"


def test_the_participants_of_a_meeting_may_be_known_from_the_household(of) -> None:
    policy = of(kind="content", when="{each: network_meeting.held}", where="{participants: {includes_role: [parent, carer]}}")
    meeting = ev("m", "network_meeting.held", "03-05 09:00", participants=people("m1", "c1:child"))
    assert said(r1(policy, meeting)) == "unknown: missing participants.role"
    assert said(r1(policy, meeting, HOME)) == "met"
