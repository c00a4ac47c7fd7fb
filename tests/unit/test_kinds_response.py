"""Response, existence and co-existence: after an event, something must follow within a limit."""

from __future__ import annotations

from pathlib import Path

import pytest

from rules.model import Event, Verdict
from rules.policy import Policy
from tests.support.core import at, ev, evaluated, one, policy_of, said, told, visit

START = ev("k", "service.connected", "03-02 09:00", program="cfss")


@pytest.fixture
def of(tmp_path: Path):
    def make(rule: str) -> Policy:
        return policy_of(tmp_path, rule)

    return make


def rule(kind: str = "response", **more: str) -> str:
    lines = {"kind": kind, "when": "{each: new_information.recorded}", "requires": "assessment.updated", "within": "{days: 10}", **more}
    return "\n".join(f"{key}: {value}" for key, value in lines.items() if value)


def learnt(name: str, when: str) -> Event:
    return ev(name, "new_information.recorded", when)


def updated(name: str, when: str) -> Event:
    return ev(name, "assessment.updated", when)


def r1(policy: Policy, *events: Event, as_of: str = "06-01") -> Verdict:
    return one(evaluated(policy, [START, *events], as_of), "R1")


@pytest.mark.parametrize(
    ("as_of", "wanted"),
    [("03-04", "pending"), ("03-05", "due_soon"), ("03-12", "due_soon"), ("03-13", "breached")],  # due 12 March, warning 7 days before
)
def test_the_warning_window_is_a_week_and_the_due_day_is_whole(of, as_of: str, wanted: str) -> None:
    found = r1(of(rule()), learnt("n", "03-02 15:00"), as_of=as_of)
    assert (said(found), found.activated_on, found.due_on, found.due_soon_on) == (wanted, "2026-03-02", "2026-03-12", "2026-03-05")


@pytest.mark.parametrize(("warn", "opens"), [("{days: 2}", "2026-03-10"), ("{weeks: 1}", "2026-03-05"), ("{days: 0}", "2026-03-12")])
def test_the_warning_window_may_be_set(of, warn: str, opens: str) -> None:
    assert r1(of(rule(warn=warn)), learnt("n", "03-02 15:00")).due_soon_on == opens


@pytest.mark.parametrize(
    ("when", "wanted", "late"),
    [
        ("03-02 08:00", "met", None),  # the same day, earlier: later or same-day
        ("03-02", "met", None),
        ("03-12 23:59", "met", None),
        ("03-12", "met", None),
        ("03-13 00:00", "late", 1),
        ("03-20", "late", 8),
        ("03-01 23:59", "breached", None),  # it came before
    ],
)
def test_the_answer_counts_from_the_day_of_the_activation_to_the_end_of_the_due_day(of, when: str, wanted: str, late: int | None) -> None:
    found = r1(of(rule()), learnt("n", "03-02 15:00"), updated("u", when))
    assert (said(found), found.days_late) == (wanted, late)


def test_what_came_before_is_told_why_it_does_not_count(of) -> None:
    assert r1(of(rule()), learnt("n", "03-05 15:00"), updated("u", "03-04 09:00")).rejected == (("u", "it came before"),)


@pytest.mark.parametrize("kind", ["existence", "co_existence"])
def test_existence_takes_what_came_at_any_time(of, kind: str) -> None:
    assert said(r1(of(rule(kind)), learnt("n", "03-05 15:00"), updated("u", "03-02 10:00"))) == "met"


def test_each_activation_is_an_obligation_and_one_answer_may_serve_several(of) -> None:
    found = told(
        evaluated(of(rule()), [START, learnt("a", "03-02 15:00"), learnt("b", "03-20 09:00"), updated("u", "03-10 09:00")], "06-01"), "R1"
    )
    assert {key: said(v) for key, v in found.items()} == {"event:a@urn:desk": "met", "event:b@urn:desk": "breached"}
    both = told(
        evaluated(of(rule()), [START, learnt("a", "03-02 15:00"), learnt("b", "03-09 09:00"), updated("u", "03-10 09:00")], "06-01"), "R1"
    )
    assert {said(v) for v in both.values()} == {"met"}


@pytest.mark.parametrize(
    ("within", "due"),
    [
        ("{days: 0}", "2026-03-06"),
        ("{weeks: 2}", "2026-03-20"),
        ("{months: 1}", "2026-04-06"),
        ("{business_days: 1}", "2026-03-09"),  # no calendar: only weekends are left out
        ("{days: 1, roll: forward}", "2026-03-09"),  # 7 March is a Saturday
        ("{days: $set_days}", "2026-03-16"),
    ],
)
def test_periods(of, within: str, due: str) -> None:
    assert r1(of(rule(within=within)), learnt("n", "03-06 15:00")).due_on == due  # a Friday


def test_holidays_move_nothing_unless_asked(tmp_path: Path) -> None:
    (tmp_path / "calendars").mkdir()
    (tmp_path / "calendars" / "c.yaml").write_text("holidays: {2026-03-09: A holiday}\n")
    for within, due in (("{days: 3}", "2026-03-09"), ("{days: 3, roll: forward}", "2026-03-10"), ("{business_days: 1}", "2026-03-10")):
        policy = policy_of(tmp_path, rule(within=within), calendar="c")
        assert one(evaluated(policy, [START, learnt("n", "03-06 15:00")], "06-01"), "R1").due_on == due


def test_what_is_asked_of_every_item_must_hold_at_the_end_of_the_due_day(of) -> None:
    policy = of(rule(requires="{event: assessment.updated, and_each: {collection: goals, where: {measure: true}}}"))

    def judged(**measures: bool) -> str:
        plans = [
            ev(
                f"p{when}",
                "safety_plan.recorded",
                when.replace("_", "-")[1:] + " 12:00",
                plan="sp",
                goals=[{"id": "g1", "measure": measure}],
            )
            for when, measure in measures.items()
        ]
        return said(r1(policy, learnt("n", "03-02 15:00"), updated("u", "03-03 09:00"), *plans))

    assert judged(_03_05=True) == "met"
    assert judged(_03_05=True, _03_12=False) == "breached"  # on the due day itself
    assert judged(_03_05=False, _03_12=True) == "met"
    assert judged(_03_05=True, _03_13=False) == "met"
    assert judged(_03_05=False, _03_13=True) == "late"


# ------------------------------------------------------------------------------------------------------------------ unset parameters
def test_an_unset_parameter_accuses_nobody_and_shows_how_long_it_has_been_open(of) -> None:
    policy = of(rule(within="{days: $some_days}"))
    for events in ([], [updated("u", "03-05 09:00")], [ev("x", "case.closed", "03-10 09:00")]):
        found = r1(policy, learnt("n", "03-02 15:00"), *events)
        assert (said(found), found.activated_on, found.due_on) == ("not_applicable: parameter_unset", "2026-03-02", None)
    assert said(r1(policy)) == "not_applicable: not_triggered"
    assert said(r1(policy.with_parameters({"some_days": 10}), learnt("n", "03-02 15:00"))) == "breached"


# -------------------------------------------------------------------------------------------------------------------- the episode's end
@pytest.mark.parametrize(
    ("closed", "wanted"),
    [
        ("03-11 09:00", "not_applicable: ended_before_due"),
        ("03-11", "not_applicable: ended_before_due"),
        ("03-12 00:00", "breached"),  # on the due day: not before it
        ("03-20 09:00", "breached"),
    ],
)
def test_a_closure_before_the_due_day_ends_it(of, closed: str, wanted: str) -> None:
    assert said(r1(of(rule()), learnt("n", "03-02 15:00"), ev("x", "case.closed", closed))) == wanted


def test_what_was_fulfilled_is_met_whatever_ends_later(of) -> None:
    assert said(r1(of(rule()), learnt("n", "03-02 15:00"), updated("u", "03-05 09:00"), ev("x", "case.closed", "03-08 09:00"))) == "met"


def test_after_a_reopening_the_clock_goes_on(of) -> None:
    events = [learnt("n", "03-02 15:00"), ev("x", "case.closed", "03-08 09:00"), ev("r", "case.reopened", "03-10 09:00")]
    assert said(r1(of(rule()), *events, as_of="03-09")) == "not_applicable: ended_before_due"
    assert said(r1(of(rule()), *events, as_of="03-12")) == "due_soon"
    assert said(r1(of(rule()), *events)) == "breached"


def said_of_consent(of, *events: Event, as_of: str = "06-01") -> str:
    policy = of(
        rule(
            when="{each: {event: consent.recorded, where: {decision: [refuse, withdraw]}}}",
            requires="decision.recorded",
            ends_with="{event: consent.recorded, where: {decision: agree}, same: [person]}",
        )
    )
    found = told(evaluated(policy, [START, *events], as_of), "R1")
    return said(next(iter(found.values())))


def consent(name: str, when: str, decision: str | None, person: str | None = "m1") -> Event:
    return ev(name, "consent.recorded", when, decision=decision, person=person)


REFUSED = consent("a", "03-05 12:00", "refuse")


@pytest.mark.parametrize(
    ("other", "wanted"),
    [
        (consent("b", "03-10 09:00", "agree"), "not_applicable: ended_before_due"),
        (consent("b", "03-15 23:00", "agree"), "not_applicable: ended_before_due"),  # on the due day itself
        (consent("b", "03-16 00:00", "agree"), "breached"),
        (consent("b", "03-10 09:00", "agree", "m2"), "breached"),  # somebody else's
        (consent("b", "03-04 09:00", "agree"), "breached"),  # before the refusal
        (consent("b", "03-05 11:00", "agree"), "breached"),
        (consent("b", "03-05 13:00", "agree"), "not_applicable: ended_before_due"),
        (consent("b", "03-05", "agree"), "unknown: day_without_moment"),
        (consent("b", "03-10 09:00", "agree", None), "unknown: missing person"),
        (consent("b", "03-10 09:00", None), "unknown: missing decision"),
    ],
)
def test_something_else_may_end_it(of, other: Event, wanted: str) -> None:
    assert said_of_consent(of, REFUSED, other) == wanted


def test_of_several_endings_the_first_counts(of) -> None:
    after = consent("b", "03-20 09:00", "agree")
    assert said_of_consent(of, REFUSED, consent("a2", "03-10 09:00", "agree"), after) == "not_applicable: ended_before_due"
    assert said_of_consent(of, REFUSED, consent("a2", "03-10 09:00", None), after) == "unknown: missing decision"


def test_of_an_ending_and_a_closure_the_first_counts(of) -> None:
    ended = consent("b", "03-10 09:00", "agree")
    assert said_of_consent(of, REFUSED, ended, ev("x", "case.closed", "04-01 09:00")) == "not_applicable: ended_before_due"


def test_the_reason_is_what_leaves_it_open_even_if_another_limit_is_looked_for(of) -> None:
    policy = of(
        rule(
            when="{each: {event: consent.recorded, where: {decision: refuse}}}",
            requires="decision.recorded",
            at_latest="closure",
            ends_with="{event: consent.recorded, where: {decision: agree}}",
        )
    )
    found = told(
        evaluated(policy, [START, REFUSED, consent("b", "03-10 09:00", "agree", "m2"), consent("c", "03-07 09:00", None)], "06-01"), "R1"
    )
    assert said(found["event:a@urn:desk"]) == "not_applicable: ended_before_due"
    found = told(evaluated(policy, [START, REFUSED, consent("b", "03-10 09:00", None)], "06-01"), "R1")
    assert said(found["event:a@urn:desk"]) == "unknown: missing decision"


def test_an_answer_before_the_end_is_still_an_answer(of) -> None:
    assert said_of_consent(of, REFUSED, ev("d", "decision.recorded", "03-08 09:00"), consent("b", "03-10 09:00", "agree")) == "met"


# ------------------------------------------------------------------------------------------------------------- at the latest, by closure
def latest(at_latest: str, within: str = "{days: $some_days}") -> str:
    return rule("existence", when="{first: case.opened}", requires="danger_statement.recorded", within=within, at_latest=at_latest)


OPENED = ev("o", "case.opened", "03-02 10:00")
DONE = ev("d", "danger_statement.recorded", "03-20 09:00")
MEETING = ev("m", "network_meeting.held", "03-15 09:00")


@pytest.mark.parametrize(
    ("events", "wanted", "due"),
    [
        ([], "not_applicable: parameter_unset", None),
        ([MEETING], "breached", "2026-03-15"),  # once the day has come, it is the due day
        ([MEETING, DONE], "late", "2026-03-15"),
        ([DONE], "met", None),  # the target is there
        ([ev("m2", "network_meeting.held", "04-01 09:00"), DONE, MEETING], "late", "2026-03-15"),  # the first one counts
    ],
)
def test_at_the_latest_an_event_comes(of, events: list[Event], wanted: str, due: str | None) -> None:
    found = r1(of(latest("{first: network_meeting.held}")), OPENED, *events)
    assert (said(found), found.due_on) == (wanted, due)


def test_the_earlier_of_the_two_limits_counts(of) -> None:
    policy = of(latest("{first: network_meeting.held}", "{days: 5}"))
    assert r1(policy, OPENED, MEETING).due_on == "2026-03-07"
    assert r1(of(latest("{first: network_meeting.held}", "{days: 50}")), OPENED, MEETING).due_on == "2026-03-15"
    assert r1(of(latest("{first: network_meeting.held}", "{days: 50}")), OPENED).due_on == "2026-04-21"


def test_at_the_latest_the_closure(of) -> None:
    policy = of(latest("closure"))
    closed = ev("x", "case.closed", "03-25 09:00")
    assert said(r1(policy, OPENED, closed, as_of="03-24")) == "not_applicable: parameter_unset"
    assert (said(r1(policy, OPENED, closed)), r1(policy, OPENED, closed).due_on) == ("breached", "2026-03-25")
    assert said(r1(policy, OPENED, DONE, closed)) == "met"
    assert said(r1(policy, OPENED, closed, ev("r", "case.reopened", "03-27 09:00"))) == "breached"  # that closure has come
    wrong = ev("r", "case.reopened", "03-27 09:00", closure_was_error=True)
    assert said(r1(policy, OPENED, closed, wrong)) == "not_applicable: parameter_unset"


def test_the_event_that_sets_the_latest_day_is_evidence_and_else_it_is_not(of) -> None:
    for within, evidence in (("{days: 50}", ("o", "m")), ("{days: 13}", ("o", "m")), ("{days: 12}", ("o",))):
        assert r1(of(latest("{first: network_meeting.held}", within)), OPENED, MEETING).evidence == evidence


def test_the_warning_window_waits_for_the_due_day(of) -> None:
    policy = of(rule(when="{each: network_meeting.held}", requires="minutes.recorded", within="", by="closure", warn="{days: 3}"))
    assert r1(policy, MEETING).due_soon_on is None
    assert r1(policy, MEETING, ev("x", "case.closed", "03-25 09:00")).due_soon_on == "2026-03-22"


def test_at_the_latest_may_be_the_only_limit(of) -> None:
    found = r1(of(latest("closure", "")), OPENED, ev("x", "case.closed", "03-25 09:00"))
    assert (said(found), found.due_on) == ("breached", "2026-03-25")


def test_a_closure_that_may_not_be_one_that_the_rule_speaks_of_leaves_the_limit_open(of) -> None:
    given = "{closed_as: {of: episode, where: {closure_reason: {differs_from: opened_in_error}}}}"
    policy = of(
        rule(
            "existence",
            when=f"{{first: case.opened, given: {given}}}",
            requires="danger_statement.recorded",
            within="{days: 50}",
            at_latest="closure",
        )
    )

    def judged(reason: str | None, *more: Event) -> str:
        closed = ev("x", "case.closed", "03-25 09:00", closure_reason=reason)
        return said(r1(policy, OPENED, closed, ev("r", "case.reopened", "03-27 09:00"), *more, as_of="04-10"))

    assert judged("moved") == "breached"
    assert judged("opened_in_error") == "pending"
    assert judged(None) == "unknown: missing closure_reason"
    assert judged(None, DONE) == "met"  # either way
    again = [ev("x2", "case.closed", "04-05 09:00", closure_reason="moved")]
    assert judged("opened_in_error", *again) == "breached"
    assert judged(None, *again) == "breached"  # by the one or by the other


def test_by_closure_it_is_due_on_the_day_of_the_attempts_closure(of) -> None:
    policy = of(rule(when="{each: network_meeting.held}", requires="minutes.recorded", within="", by="closure"))
    found = r1(policy, MEETING)
    assert (said(found), found.due_on) == ("pending", None)
    closed = ev("x", "case.closed", "03-25 09:00")
    assert (said(r1(policy, MEETING, closed)), r1(policy, MEETING, closed).due_on) == ("breached", "2026-03-25")
    assert said(r1(policy, MEETING, closed, as_of="03-25")) == "due_soon"
    assert said(r1(policy, MEETING, ev("p", "minutes.recorded", "03-25 17:00"), closed)) == "met"
    assert said(r1(policy, MEETING, ev("p", "minutes.recorded", "03-26 17:00"), closed)) == "late"


def test_a_closures_own_obligation_is_not_ended_by_it(of) -> None:
    policy = of(
        rule("co_existence", when="{each: case.closed}", requires="{event: closure_summary.completed, of: attempt}", within="{days: 3}")
    )
    closed = ev("x", "case.closed", "03-25 09:00")
    assert said(r1(policy, closed, as_of="03-27")) == "due_soon"
    assert (said(r1(policy, closed)), r1(policy, closed).due_on) == ("breached", "2026-03-28")
    assert said(r1(policy, closed, ev("s", "closure_summary.completed", "03-28 23:00"))) == "met"
    assert said(r1(policy, closed, ev("s", "closure_summary.completed", "03-29 00:00"))) == "late"


def test_each_closure_attempt_needs_its_own(of) -> None:
    policy = of(
        rule("co_existence", when="{each: case.closed}", requires="{event: closure_summary.completed, of: attempt}", within="{days: 0}")
    )
    events = [
        ev("s1", "closure_summary.completed", "03-09 09:00"),
        ev("x1", "case.closed", "03-10 09:00"),
        ev("r", "case.reopened", "03-12 09:00"),
    ]
    events.append(ev("x2", "case.closed", "03-20 09:00"))
    found = told(evaluated(policy, [START, *events], "06-01"), "R1")
    assert {key: said(v) for key, v in found.items()} == {"attempt:1": "met", "attempt:2": "breached"}
    assert found["attempt:2"].rejected == (("s1", "it belongs to another closure attempt"),)


# ----------------------------------------------------------------------------------------------------------------------------- pauses
BY = {"id": "m9"}


@pytest.mark.parametrize(
    ("events", "as_of", "wanted", "due"),
    [
        (
            [ev("p", "clock.paused", "03-05 09:00", approved_by=BY), ev("q", "clock.resumed", "03-15 09:00")],
            "06-01",
            "breached",
            "2026-03-22",
        ),
        (
            [ev("p", "clock.paused", "03-05 09:00", approved_by=BY), ev("q", "clock.resumed", "03-15 09:00"), updated("u", "03-22 09:00")],
            "06-01",
            "met",
            "2026-03-22",
        ),
        ([ev("p", "clock.paused", "03-05 09:00", approved_by=BY)], "05-04", "due_soon", "2026-05-11"),  # still open: it moves on
        ([ev("p", "clock.paused", "03-05 09:00"), ev("q", "clock.resumed", "03-15 09:00")], "06-01", "breached", "2026-03-12"),
        ([ev("p", "clock.paused", "03-13 09:00", approved_by=BY)], "06-01", "breached", "2026-03-12"),  # begun after the due day
    ],
)
def test_an_approved_pause_moves_the_due_day_and_its_warning(of, events: list[Event], as_of: str, wanted: str, due: str) -> None:
    found = r1(of(rule()), learnt("n", "03-02 15:00"), *events, as_of=as_of)
    assert (said(found), found.due_on) == (wanted, due)


def test_the_warning_window_moves_with_the_due_day(of) -> None:
    events = [learnt("n", "03-02 15:00"), ev("p", "clock.paused", "03-05 09:00", approved_by=BY), ev("q", "clock.resumed", "03-15 09:00")]
    assert r1(of(rule()), *events).due_soon_on == "2026-03-15"


@pytest.mark.parametrize(
    ("answer", "as_of", "wanted"),
    [
        (None, "03-22", "excused: pause_approved_later"),  # still inside the moved limit
        (None, "03-23", "breached"),
        ("03-20 09:00", "06-01", "excused: pause_approved_later"),
        ("03-23 09:00", "06-01", "late"),
        ("03-10 09:00", "06-01", "met"),
    ],
)
def test_a_pause_approved_after_the_due_day_excuses_what_it_covers(of, answer: str | None, as_of: str, wanted: str) -> None:
    events = [learnt("n", "03-02 15:00"), ev("p", "clock.paused", "03-05 09:00"), ev("q", "clock.resumed", "03-15 09:00")]
    events += [ev("a", "approval.granted", "03-16 09:00", of="pause"), *([updated("u", answer)] if answer else [])]
    found = r1(of(rule()), *events, as_of=as_of)
    assert (said(found), found.due_on) == (wanted, "2026-03-12")


def test_while_excused_the_next_change_is_the_end_of_the_moved_limit(of) -> None:
    events = [START, learnt("n", "03-02 15:00"), ev("p", "clock.paused", "03-05 09:00"), ev("q", "clock.resumed", "03-15 09:00")]
    events.append(ev("a", "approval.granted", "03-16 09:00", of="pause"))
    assert one(evaluated(of(rule()), events, "03-20"), "R1").next_change == at("03-23 00:00")


def test_missing_data_in_the_answer_leave_it_open_unless_another_settles_it(of) -> None:
    policy = of(rule(requires="{event: action_taken.recorded, where: {rationale: true}}"))
    unclear = ev("u", "action_taken.recorded", "03-05 09:00")
    assert said(r1(policy, learnt("n", "03-02 15:00"), unclear)) == "unknown: missing rationale"
    assert said(r1(policy, learnt("n", "03-02 15:00"), unclear, ev("w", "action_taken.recorded", "03-06 09:00", rationale=True))) == "met"
    assert said(r1(policy, learnt("n", "03-02 15:00"), ev("w", "action_taken.recorded", "03-06 09:00", rationale=False))) == "breached"
    late = [ev("u", "action_taken.recorded", "03-20 09:00"), ev("w", "action_taken.recorded", "03-25 09:00", rationale=True)]
    assert said(r1(policy, learnt("n", "03-02 15:00"), *late)) == "late"


def test_an_activation_that_may_not_be_one(of) -> None:
    policy = of(rule(when="{each: {event: goal.achieved, where: {plan: safety}}}"))
    unclear = ev("g", "goal.achieved", "03-02 15:00", goal="g1")
    assert said(r1(policy, unclear)) == "unknown: missing plan"
    assert said(r1(policy, unclear, updated("u", "03-05 09:00"))) == "unknown: missing plan"  # met, or not asked for
    assert said(r1(policy, ev("g", "goal.achieved", "03-02 15:00", plan="case"))) == "not_applicable: not_triggered"


def test_visits_of_another_kind_say_nothing(of) -> None:
    assert said(r1(of(rule()), visit("v", "03-03 09:00"))) == "not_applicable: not_triggered"
