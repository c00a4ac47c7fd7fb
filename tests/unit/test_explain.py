"""Explanations: one sentence for every outcome, the day arithmetic, what was looked at, and what would have met it."""

# ruff: noqa: E501  (a table of sentences reads best a line each)

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from rules.explain import Explanation, explain, sentence
from rules.model import CaseFile, Event, Heartbeat, Outcome
from rules.policy import load_shipped
from rules.wording import day_words, days_words, listed
from tests.support.core import DARWIN, FOR_EVER, at, ev, evaluated, household, moment, one, visit

START = ev("k", "service.connected", "03-02 09:00", program="cfss")
OPENED = ev("o", "case.opened", "03-02 10:00", program="strengthening_families")
VISITS = [visit("v1", "03-03 09:00"), visit("v2", "03-10 09:00"), visit("v3", "03-17 09:00")]


def explained(
    events: Sequence[Event],
    as_of: str,
    rule: str,
    policy: str = "cfss",
    beats: Sequence[Heartbeat] = (),
    parameters: Mapping[str, Any] | None = None,
    **more: Any,
) -> Explanation:
    file = CaseFile("case-1", (START, *events), {}, tuple(beats))
    (found,) = explain(
        [load_shipped(policy).with_parameters(parameters or {})], file, as_of=moment(as_of), known_at=FOR_EVER, rule=rule, **more
    )
    return found


def baseline(when: str, **data: Any) -> Event:
    return ev("s", "snapshot.completed", when, **{"kind": "baseline", **data})


PAUSE = [
    ev("p", "clock.paused", "03-05 09:00"),
    ev("q", "clock.resumed", "03-15 09:00"),
    ev("a", "approval.granted", "04-20 09:00", of="pause"),
]


@pytest.mark.parametrize(
    ("events", "as_of", "rule", "wanted"),
    [
        ([baseline("04-10 09:00")], "06-01", "C12", "A family snapshot within 6 weeks: done on Fri 10 April 2026, due by Mon 13 April 2026."),
        ([baseline("04-13 09:00")], "06-01", "C12", "A family snapshot within 6 weeks: done on Mon 13 April 2026."),
        ([baseline("04-15 09:00")], "06-01", "C12", "No baseline family snapshot within 6 weeks, Mon 13 April 2026; done 2 days after it was due, on Wed 15 April 2026."),
        ([baseline("04-14 00:00")], "06-01", "C12", "No baseline family snapshot within 6 weeks, Mon 13 April 2026; done 1 day after it was due, on Tue 14 April 2026."),
        ([], "04-20", "C12", "No baseline family snapshot within 6 weeks, Mon 13 April 2026; 7 days overdue on Mon 20 April 2026."),
        ([], "04-13", "C12", "A family snapshot within 6 weeks: due by Mon 13 April 2026, today."),
        ([], "04-12", "C12", "A family snapshot within 6 weeks: due by Mon 13 April 2026, in 1 day."),
        ([], "03-10", "C12", "A family snapshot within 6 weeks: due by Mon 13 April 2026."),
        ([], "03-10", "C08", "A safety plan by the end of the 3rd visit: no due day yet."),
        (VISITS[:2], "03-12", "C08", "A safety plan by the end of the 3rd visit: due soon, with the next event that sets the day."),
        ([ev("x", "case.closed", "03-20 09:00", closure_reason="moved")], "06-01", "C12", "not applicable, since the case was closed before it was due."),
        ([], "06-01", "C09", "not applicable, since nothing has happened that calls for it."),
        ([], "04-20", "C04", "not applicable, since the policy's owner has not set the number that gives the limit (open for 49 days)."),
        ([baseline("04-10 09:00", kind=None)], "06-01", "C12", "cannot be judged, since the kind of snapshot is not stated."),
        ([], "06-01", "C05", "cannot be judged, since no household is on record."),
        ([ev("r", "referral.received", "03-02", received_by="pathways")], "06-01", "C02", "cannot be judged, since only the day is known, and the order within that day decides."),
        (PAUSE, "04-20", "C12", "No baseline family snapshot within 6 weeks, Mon 13 April 2026; excused: a pause that was approved after the due day covers it."),
        ([], "06-01", "C02", "No referral received by Pathways before the service was connected, Mon 2 March 2026."),
    ],
)  # fmt: skip
def test_the_sentence_says_it_all(events: list[Event], as_of: str, rule: str, wanted: str) -> None:
    found = explained(events, as_of, rule).sentence
    assert found == wanted or found.endswith(wanted)


def test_a_gate_that_was_passed_is_not_called_overdue() -> None:
    assert "overdue" not in explained([], "06-01", "C02").sentence


def test_waivers_quiet_sources_and_other_programs_are_told() -> None:
    assert explained([], "06-01", "C12", waived=[("1", "C12", "case")]).sentence.endswith("excused: a waiver covers it.")
    quiet = [Heartbeat("urn:desk", at("04-01 00:00"), at("04-01 00:00"))]
    assert "has not reported up to the due day yet" in explained([], "06-01", "C12", beats=quiet).sentence
    assert "the case is not in the program of this policy" in explained([], "06-01", "S22", "strengthening_families").sentence
    early = CaseFile("case-1", (ev("k", "service.connected", "2019-06-01 09:00", program="cfss"),))
    (found,) = explain([load_shipped("cfss")], early, as_of=moment("06-01"), known_at=FOR_EVER, rule="C12")
    assert "before the policy was in force" in found.sentence


@pytest.mark.parametrize("outcome", Outcome)
def test_there_is_a_sentence_for_every_outcome_even_without_days(outcome: Outcome) -> None:
    from dataclasses import replace

    verdict = one(evaluated(load_shipped("cfss"), [START], "06-01"), "C12")
    bare = replace(verdict, verdict=outcome, reason="engines_disagree", due_on=None, satisfied_on=None, days_late=None, activated_on=None)
    for today in ("2026-06-01", ""):
        found = sentence(bare, "A title", "", today=today)
        assert found.startswith("A title")
        assert found.endswith(".")
        assert "None" not in found


# ---------------------------------------------------------------------------------------------------------------------------- reasoning
def test_the_arithmetic_of_weeks_is_shown() -> None:
    found = explained([], "06-01", "C12")
    assert "6 weeks after Mon 2 March 2026 is Mon 13 April 2026, to the end of that day." in found.reasoning
    assert "The warning window opens on Mon 6 April 2026." in found.reasoning
    assert any("service.connected (k) on Mon 2 March 2026, 09:00" in line for line in found.reasoning)


def test_the_visits_that_set_the_day_are_named() -> None:
    found = explained(VISITS, "06-01", "C08")
    assert "Due on Tue 17 March 2026: the day of visit.held (v1), visit.held (v2), visit.held (v3)." in found.reasoning


def test_a_pause_is_shown_with_what_it_moves() -> None:
    events = [ev("p", "clock.paused", "03-05 09:00", approved_by={"id": "m9"}), ev("q", "clock.resumed", "03-15 09:00")]
    found = explained(events, "06-01", "C12")
    assert "6 weeks after Mon 2 March 2026 is Mon 13 April 2026, to the end of that day." in found.reasoning
    assert "Moved by 10 days of pause (clock.paused (p)) to Thu 23 April 2026." in found.reasoning


PLAN = ev(
    "p", "sf_plan.recorded", "03-03 09:00", program="strengthening_families", plan="sf", actions=[{"id": "a1", "due_on": "2026-03-20"}]
)


def test_the_day_that_was_stated_is_told_before_a_pause_moves_it() -> None:
    events = [PLAN, ev("q", "clock.paused", "03-05 09:00", approved_by={"id": "m9"}), ev("r", "clock.resumed", "03-10 09:00")]
    found = explained(events, "03-12", "S11", "strengthening_families").reasoning
    assert "Due on Fri 20 March 2026: the date stated for it in sf_plan.recorded (p)." in found
    assert "Moved by 5 days of pause (clock.paused (q)) to Wed 25 March 2026." in found


def test_what_ended_it_before_it_was_due_is_told() -> None:
    closing = ev("z", "case.closed", "03-10 09:00", closure_reason="moved")
    assert explained([closing], "06-01", "C12").sentence.endswith("since the case was closed before it was due.")
    people = household("h", "03-02 09:00", {"person": "c1", "role": "child", "to": "2026-03-10"})
    plan = ev("p", "case_plan.recorded", "03-03 09:00", plan="cp", status="agreed")
    left = explained([people, plan], "06-01", "C21", parameters={"child_contact_days": 21})
    assert left.sentence.endswith("since the person left before it was due.")
    words = [
        ev(n, "consent.recorded", f"03-0{day} 09:00", person="m1", decision=said)
        for n, day, said in (("a", 3, "refuse"), ("b", 5, "agree"))
    ]
    again = explained([OPENED, *words], "06-01", "S05", "strengthening_families", parameters={"refusal_decision_days": 10})
    ended = "it ended before it was due: the word of a parent is recorded, where the decision is an agreement."
    assert again.sentence.endswith(f"not applicable, since {ended}")


@pytest.mark.parametrize(
    ("event", "rule", "policy", "wanted"),
    [
        (ev("h", "household.recorded", "03-02 09:00", members=[{"person": "c1"}]), "C05", "cfss", "the role in the household is not stated"),
        (ev("a", "approval.granted", "03-05 09:00", of="closure", by={"id": "m9"}), "S24", "strengthening_families", "the worker who holds the case is not stated"),
        (ev("z", "case.closed", "03-05 09:00", closure_reason="safety_achieved"), "S18", "strengthening_families", "the goals are not stated"),
        (ev("d", "discussion.recorded", "03-05 09:00", topics=["network_participation", "timeframes", "agency_role"]), "S06", "strengthening_families", "the audience is not stated"),
    ],
)  # fmt: skip
def test_what_is_missing_is_told_in_the_words_of_the_catalogue(event: Event, rule: str, policy: str, wanted: str) -> None:
    events = [event, OPENED, ev("n", "network_meeting.held", "03-06 09:00")]
    assert explained(events, "06-01", rule, policy).sentence.endswith(f"cannot be judged, since {wanted}.")


def test_an_unset_parameter_shows_the_question_to_its_owner() -> None:
    found = explained([], "06-01", "C04")
    question = load_shipped("cfss").parameters["household_days"].question
    assert any(question in line and "cfss.household_days" in line for line in found.reasoning)


def test_a_contested_date_is_put_before_a_person() -> None:
    plan = ev(
        "p", "sf_plan.recorded", "03-03 09:00", program="strengthening_families", plan="sf", actions=[{"id": "a1", "due_on": "2026-04-01"}]
    )
    moved = ev("m", "action.rescheduled", "04-05 09:00", action="a1", due_on="2026-05-01")
    found = explained([plan, moved], "06-01", "S11", "strengthening_families")
    assert "To be looked at by a person: the date was moved after it had passed." in found.reasoning


# --------------------------------------------------------------------------------------------------------------------------- considered
def test_every_event_that_was_looked_at_is_told_with_why() -> None:
    events = [
        baseline("04-10 09:00", kind="follow_up"),
        ev("s2", "snapshot.completed", "04-11"),
        ev("s3", "snapshot.completed", "04-12 09:00", kind="baseline"),
    ]
    found = {c.event: (c.counts, c.why) for c in explained(events, "06-01", "C12").considered}
    assert found == {
        "s3": ("yes", ""),
        "s2": ("unclear", "the kind of snapshot is not stated"),
        "s": ("no", "the kind of snapshot is follow-up, not baseline"),
    }


def test_a_bare_day_is_told_as_one() -> None:
    (row,) = explained([ev("s", "snapshot.completed", "04-11", kind="baseline")], "06-01", "C12").considered
    assert (row.happened, row.words()) == (
        "Sat 11 April 2026 (only the day is known)",
        "s snapshot.completed, Sat 11 April 2026 (only the day is known): counts",
    )


def test_when_it_was_recorded_is_told_in_the_policys_zone() -> None:
    (row,) = explained([baseline("04-10 09:00", rec="05-01 23:50")], "06-01", "C12").considered
    assert (row.happened, row.recorded) == ("Fri 10 April 2026, 09:00", "Fri 1 May 2026")


# ----------------------------------------------------------------------------------------------------------------- what would have met it
@pytest.mark.parametrize(
    ("events", "as_of", "rule", "wanted"),
    [
        (
            [],
            "06-01",
            "C12",
            "It would have been met with a family snapshot completed, where the kind of snapshot is baseline, by Mon 13 April 2026.",
        ),
        ([], "04-01", "C12", "It is met with a family snapshot completed, where the kind of snapshot is baseline, by Mon 13 April 2026."),
        (
            [],
            "06-01",
            "C02",
            "It would have been met with a referral received, where the desk that received it is the Pathways Service, before Mon 2 March 2026, 09:00.",
        ),
        ([baseline("04-10 09:00")], "06-01", "C12", ""),
        ([], "06-01", "C09", ""),
        ([], "06-01", "C04", ""),  # unset: nobody is accused of anything
    ],
)
def test_what_would_have_met_it_is_said_where_it_is_not_met(events: list[Event], as_of: str, rule: str, wanted: str) -> None:
    assert explained(events, as_of, rule).would_have_met == wanted


def test_what_was_wanting_is_named_for_the_person_the_day_and_the_meeting() -> None:
    family = household("h", "03-02 10:00", "c1:child")
    unseen = [visit("v1", "03-03 09:00", "m1"), visit("v2", "03-10 09:00", "m1"), visit("v3", "03-17 09:00", "m1")]
    told = explained([family, *unseen], "06-01", "C05").would_have_met
    assert "where c1 is among the persons seen" in told
    assert told.endswith("by Tue 17 March 2026.")


def test_of_what_is_gathered_only_the_rest_is_asked_for() -> None:
    told = [
        visit("v1", "03-03 09:00", topics=["why_here", "importance"]),
        visit("v2", "03-10 09:00", topics=["why_here"]),
        visit("v3", "03-17 09:00", topics=[]),
    ]
    found = explained(told, "06-01", "C06").would_have_met
    assert "bringing what is still lacking: what the service does and the safety concerns, by Tue 17 March 2026." in found


def test_an_event_that_had_to_be_otherwise_is_told_by_what_it_lacks() -> None:
    short = ev("a", "assessment.completed", "04-01 09:00", performer={"role": "practitioner"}, covers=["chronology"])
    found = explained([short], "06-01", "C15").would_have_met
    assert found == (
        "It would have been met if this had held in that event (a): the areas covered take in the current situation and cumulative harm."
    )


def test_after_the_closure_nothing_would_have_served_any_more() -> None:
    meeting = ev("n", "network_meeting.held", "03-05 10:00", where=DARWIN, program="strengthening_families", participants=[])
    closed = ev("x", "case.closed", "04-10 09:00", where=DARWIN, closure_reason="moved")
    file = CaseFile("case-1", (meeting, closed))
    (found,) = explain([load_shipped("strengthening_families")], file, as_of=moment("06-01"), known_at=FOR_EVER, rule="S15")
    assert found.would_have_met.endswith(", before the case was closed on Fri 10 April 2026, 09:00.")


@pytest.mark.parametrize(
    ("events", "rule", "wanted"),
    [
        ([], "C05", "It can be judged once the household is on record."),
        ([baseline("04-10 09:00", kind=None)], "C12", "It can be judged once this is mended: the kind of snapshot is not stated."),
        (
            [ev("r", "referral.received", "03-02", received_by="pathways")],
            "C02",
            "It can be judged once the moments of that day are on record.",
        ),
    ],
)
def test_what_cannot_be_judged_says_what_would_settle_it(events: list[Event], rule: str, wanted: str) -> None:
    assert explained(events, "06-01", rule).would_have_met == wanted


def test_near_misses_come_first_with_all_that_they_lack() -> None:
    far = visit("far", "03-04 09:00", status="attempted", mode="phone", seen=[])
    near = visit("near", "03-05 09:00", mode="phone")
    plan = ev("p", "safety_plan.recorded", "03-20 09:00", plan="sp", status="final")
    rows = explained([far, near, plan], "06-01", "C28").considered
    assert [(row.event, row.why) for row in rows] == [
        ("near", "the way of meeting is by telephone, not in person or at school"),
        (
            "far",
            "the status is attempted, not held; the way of meeting is by telephone, not in person or at school; the number of persons seen is 0, below 1",
        ),
    ]


# --------------------------------------------------------------------------------------------------------------------------- the whole
def test_an_explanation_says_where_the_rule_comes_from() -> None:
    found = explained([], "06-01", "C12")
    rule = load_shipped("cfss").rule("C12")
    assert (
        found.citation
        == "Child and Family Journey to Safety and Wellbeing (Child and Family Support System), Step 6, Family snapshot completed"
    )
    assert (found.title, found.guidance) == (rule.title, rule.guidance)


def test_text_and_dict_tell_the_same() -> None:
    found = explained([baseline("04-10 09:00", kind="follow_up")], "06-01", "C12")
    text, data = found.as_text(), found.as_dict()
    assert text.startswith("C12 A family snapshot within 6 weeks: breached\n")
    assert found.sentence in text
    assert data["verdict"]["verdict"] == "breached"
    assert data["sentence"] == found.sentence
    assert data["considered"] == [
        {
            "event": "s",
            "type": "snapshot.completed",
            "happened": "Fri 10 April 2026, 09:00",
            "recorded": "Fri 10 April 2026",
            "counts": "no",
            "why": "the kind of snapshot is follow-up, not baseline",
        }
    ]
    assert all(line in text for line in found.lines)


def test_one_obligation_can_be_asked_for() -> None:
    file = CaseFile("case-1", (START, household("h", "03-02 10:00", "c1:child", "c2:child"), *VISITS))
    policies = [load_shipped("cfss")]
    both = explain(policies, file, as_of=moment("06-01"), known_at=FOR_EVER, rule="C05")
    assert [e.verdict.obligation for e in both] == ["person:c1", "person:c2"]
    (one_,) = explain(policies, file, as_of=moment("06-01"), known_at=FOR_EVER, rule="C05", obligation="person:c2")
    assert one_.verdict.obligation == "person:c2"
    assert len(explain(policies, file, as_of=moment("06-01"), known_at=FOR_EVER)) > 20


def test_explaining_and_judging_say_the_same() -> None:
    events = [START, *VISITS, baseline("04-10 09:00")]
    judged = evaluated(load_shipped("cfss"), events, "06-01")
    told = explain([load_shipped("cfss")], CaseFile("case-1", tuple(events)), as_of=moment("06-01"), known_at=FOR_EVER)
    assert [e.verdict for e in told] == list(judged.verdicts)


# --------------------------------------------------------------------------------------------------------------------------------- words
def test_days_and_lists_in_words() -> None:
    assert day_words("2026-03-02") == "Mon 2 March 2026"
    assert day_words(None) == "no day"
    assert [days_words(n) for n in (0, 1, 2)] == ["0 days", "1 day", "2 days"]
    assert [listed(words) for words in (["a"], ["a", "b"], ["a", "b", "c"])] == ["a", "a or b", "a, b or c"]
    assert listed(["a", "b"], "and") == "a and b"
