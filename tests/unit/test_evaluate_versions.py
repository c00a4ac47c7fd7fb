"""Judging a case: versions of a policy, scope, instants and dates, statuses, waivers, quiet sources, what changes when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from rules.clock import parse_day
from rules.evaluate import Evaluation
from rules.model import Event, Heartbeat, Outcome
from rules.policy import Policy, load_shipped
from tests.support.core import ADELAIDE, DARWIN, at, ev, evaluated, household, one, policy_of, said, told, visit, void

CFSS = load_shipped("cfss")
SF = load_shipped("strengthening_families")
START = ev("k", "service.connected", "03-02 09:00", program="cfss")


# -------------------------------------------------------------------------------------------------------------------------- versions
def snapshot_within(weeks: int) -> str:
    return f"""
kind: response
when: {{each: referral.received}}
requires: service.connected
within: {{weeks: {weeks}}}
"""


@pytest.fixture
def versions(tmp_path: Path) -> list[Policy]:
    """Four weeks from 2026, two weeks from 1 April 2026."""
    first = policy_of(tmp_path, snapshot_within(4), effective="2026-01-01", version='"1"')
    return [first, policy_of(tmp_path, snapshot_within(2), effective="2026-04-01", version='"2"')]


def referral(name: str, when: str) -> Event:
    return ev(name, "referral.received", when, program="cfss")


def dues(found: Evaluation) -> dict[str, tuple[str, str | None]]:
    return {name.removeprefix("event:").split("@")[0]: (said(v), v.due_on) for name, v in told(found, "R1").items()}


EVENTS = [referral("a", "03-31 23:59"), referral("b", "04-01 00:00"), referral("z", "2025-12-31 12:00")]


@pytest.mark.parametrize("backwards", [False, True])
def test_the_version_in_force_on_the_day_of_the_activation_judges(versions: list[Policy], backwards: bool) -> None:
    found = evaluated(versions[::-1] if backwards else versions, EVENTS, "06-01")
    assert dues(found) == {
        "a": ("breached", "2026-04-28"),
        "b": ("breached", "2026-04-15"),
        "z": ("not_applicable: before_policy", None),
    }
    digests = {v.obligation: v.policy_digest for v in found.verdicts}
    assert digests["event:a@urn:desk"] == versions[0].digest != digests["event:b@urn:desk"] == versions[1].digest


def test_each_obligation_is_judged_once(versions: list[Policy]) -> None:
    keys = [v.key for v in evaluated(versions, EVENTS, "06-01").verdicts]
    assert len(keys) == len(set(keys)) == 3


def test_a_version_that_is_not_in_force_yet_judges_nothing(versions: list[Policy]) -> None:
    found = evaluated(versions, EVENTS[:1], "03-31")
    assert dues(found) == {"a": ("pending", "2026-04-28")}
    assert one(found, "R1").policy_digest == versions[0].digest
    assert found.next_change is not None
    assert found.next_change <= at("04-01 00:00")


def test_before_the_first_version_nothing_is_judged(versions: list[Policy]) -> None:
    assert dues(evaluated(versions, EVENTS[2:], "2025-12-31")) == {"z": ("not_applicable: before_policy", None)}


def test_where_nothing_was_activated_the_version_of_today_says_so(versions: list[Policy]) -> None:
    for as_of, version in (("03-01", 0), ("04-01", 1)):
        found = one(evaluated(versions, [visit("v", "02-01 09:00", program="cfss")], as_of), "R1")
        assert (said(found), found.policy_digest) == ("not_applicable: not_triggered", versions[version].digest)


def test_the_shipped_policies_are_in_force_from_2020() -> None:
    assert {policy.effective for policy in (CFSS, SF, load_shipped("record_quality"))} == {parse_day("2020-01-01")}
    old = evaluated(CFSS, [ev("k", "service.connected", "2019-12-31 09:00", program="cfss")], "2020-06-01")
    assert said(one(old, "C12")) == "not_applicable: before_policy"


@pytest.mark.parametrize(("as_of", "wanted"), [("04-20", "pending"), ("04-21", "due_soon"), ("04-29", "breached")])
def test_a_later_version_does_not_take_over_open_cases_nor_says_that_there_is_nothing(
    versions: list[Policy], as_of: str, wanted: str
) -> None:
    assert dues(evaluated(versions, [EVENTS[0]], as_of)) == {"a": (wanted, "2026-04-28")}


def deadline(weeks: int) -> str:
    return f"""
kind: deadline
anchor: weeks
requires: assessment.completed
within: {{weeks: {weeks}}}
"""


@pytest.fixture
def deadlines(tmp_path: Path) -> list[Policy]:
    first = policy_of(tmp_path, deadline(6), effective="2026-01-01")
    return [first, policy_of(tmp_path, deadline(2), effective="2026-04-01")]


@pytest.mark.parametrize(
    ("events", "wanted"),
    [
        ([START], ("breached", "2026-04-13")),
        ([START, visit("v", "04-02 09:00")], ("breached", "2026-04-16")),  # the visit is the anchor, under the new version
        ([START, visit("v", "04-02 09:00", status=None)], ("breached", "2026-04-16")),  # either way: two versions, one verdict
    ],
)
def test_the_case_has_one_verdict_whatever_the_versions(deadlines: list[Policy], events: list[Event], wanted: tuple[str, str]) -> None:
    found = one(evaluated(deadlines, events, "06-01"), "R1")
    assert (said(found), found.due_on) == wanted


def test_where_the_versions_come_to_different_verdicts_of_one_obligation_it_is_unknown(deadlines: list[Policy]) -> None:
    events = [START, visit("v", "04-02 09:00", status=None)]
    (found,) = evaluated(deadlines, events, "04-15").verdicts  # 6 weeks of the connection are over, 2 weeks of the visit are not
    assert (said(found), found.policy_digest) == ("unknown: missing status", deadlines[1].digest)


def test_what_is_missing_under_an_earlier_version_is_named_where_the_verdict_is_a_later_ones(tmp_path: Path) -> None:
    first = policy_of(tmp_path, deadline(6), effective="2026-01-01")
    by_plan = "kind: response\nwhen: {first: final_plan}\nrequires: assessment.completed\nwithin: {weeks: 2}"
    plan = ev("p", "safety_plan.recorded", "04-02 09:00", status="final")
    events = [START, visit("v", "03-05 09:00", status=None), plan]
    found = one(evaluated([first, policy_of(tmp_path, by_plan, effective="2026-04-01")], events, "04-15"), "R1")
    assert said(found) == "unknown: missing status"  # the weeks from the connection are over, those from the visit are not


@pytest.mark.parametrize("certain", [True, False])
def test_an_activation_of_which_it_is_open_whether_there_was_one_falls_to_the_version_of_its_day(
    deadlines: list[Policy], certain: bool
) -> None:
    named = ev("n", "need.changed", "03-01 09:00", program="cfss")
    (found,) = evaluated(deadlines, [named, visit("v", "03-03 09:00", status="held" if certain else None)], "06-01").verdicts
    assert (said(found), found.policy_digest) == ("breached" if certain else "unknown: missing status", deadlines[0].digest)


@pytest.mark.parametrize(("before", "since"), [("04-10", "04-15"), ("04-15", "04-10"), ("04-15", "04-15")])
def test_what_is_put_before_a_person_under_one_version_is_so_under_both(tmp_path: Path, before: str, since: str) -> None:
    """The date was moved on 12 April; one version goes by the first plan, the other by its update."""

    def version(effective: str, *documents: str) -> Policy:
        made = policy_of(tmp_path, "kind: due_from_data\nitems: actions", effective=effective)
        actions = made.collections["actions"].model_copy(update={"of": documents})
        return replace(made, collections={**made.collections, "actions": actions})

    versions = [version("2026-01-01", "sf_plan.recorded"), version("2026-04-01", "sf_plan.updated")]
    events = [
        START,
        ev("p", "sf_plan.recorded", "03-05 09:00", plan="sf", actions=[{"id": "a1", "due_on": f"2026-{before}"}]),
        ev("q", "sf_plan.updated", "04-05 09:00", plan="sf", actions=[{"id": "a1", "due_on": f"2026-{since}"}]),
        ev("m", "action.rescheduled", "04-12 09:00", action="a1", due_on="2026-04-20"),
    ]
    found = one(evaluated(versions, events, "06-01"), "R1")
    assert (said(found), found.due_on, found.policy_digest) == ("breached", "2026-04-20", versions[1].digest)
    assert (found.contested is not None) is ("04-10" in (before, since))


def test_a_version_that_finds_nothing_does_not_say_so_beside_what_another_found(tmp_path: Path) -> None:
    first = policy_of(tmp_path, snapshot_within(4), effective="2026-01-01")
    other = snapshot_within(4).replace("referral.received", "case.closed")
    policies = [first, policy_of(tmp_path, other, effective="2026-04-01")]
    assert told(evaluated(policies, EVENTS[:1], "06-01"), "R1").keys() == {"event:a@urn:desk"}


def test_a_rule_that_only_the_new_version_has_judges_nothing_of_before(tmp_path: Path) -> None:
    old = policy_of(tmp_path, deadline(6), effective="2026-01-01")
    new = policy_of(tmp_path, deadline(6), effective="2026-04-01")
    new = replace(new, rules=(replace(new.rules[0], id="R2"),))
    found = evaluated([old, new], [START], "06-01")
    assert [(v.rule, said(v)) for v in found.verdicts] == [("R1", "breached"), ("R2", "not_applicable: not_triggered")]
    later = evaluated([old, new], [ev("n", "need.changed", "03-01 09:00", program="cfss"), visit("v", "04-05 09:00")], "06-01")
    assert [(v.rule, said(v)) for v in later.verdicts] == [("R2", "breached")]


# ----------------------------------------------------------------------------------------------------------------------------- scope
def test_an_episode_of_another_program_is_out_of_scope_once_per_rule() -> None:
    found = evaluated(SF, [START, visit("v", "03-03 09:00")], "04-01")
    judged = [rule.id for rule in SF.rules]
    assert [(v.rule, said(v)) for v in found.verdicts] == [(rule, "not_applicable: out_of_scope") for rule in judged]


def test_while_no_program_is_named_there_is_no_verdict_but_a_data_query() -> None:
    found = evaluated([CFSS, SF], [visit("v", "03-03 09:00")], "04-01")
    assert found.verdicts == ()
    assert [(q.code, q.events) for q in found.queries] == [("program_not_known", ("v",))]


def test_any_event_of_the_episode_may_name_the_program() -> None:
    events = [visit("v", "03-03 09:00"), ev("n", "need.changed", "03-20 09:00", program="cfss")]
    assert evaluated(CFSS, events, "03-19").verdicts == ()
    assert said(one(evaluated(CFSS, events, "03-20"), "C08")) == "pending"


def test_each_episode_has_its_own_scope() -> None:
    events = [START, ev("x", "case.closed", "03-10 09:00"), visit("v", "03-11 09:00", program="strengthening_families")]
    found = evaluated(CFSS, events, "04-01")
    assert {v.episode for v in found.verdicts if v.reason == "out_of_scope"} == {"2"}


def test_two_programs_are_judged_by_both_policies() -> None:
    found = evaluated([CFSS, SF], [START, ev("o", "case.opened", "03-03 09:00", program="strengthening_families")], "04-01")
    assert {v.policy for v in found.verdicts if v.reason != "out_of_scope"} == {"cfss", "strengthening_families"}


# --------------------------------------------------------------------------------------------------------------------- as_of, known_at
@pytest.mark.parametrize(
    ("as_of", "wanted"),
    [
        ("04-05 23:59", "pending"),
        ("04-06", "due_soon"),  # one week before
        ("04-13", "due_soon"),  # on the due day itself nothing is breached yet
        ("04-13 23:59", "due_soon"),
        ("04-14 00:00", "breached"),
        ("04-14", "breached"),
    ],
)
def test_a_due_day_is_over_at_its_local_midnight(as_of: str, wanted: str) -> None:
    found = one(evaluated(CFSS, [START], as_of), "C12")
    assert (said(found), found.due_on, found.due_soon_on) == (wanted, "2026-04-13", "2026-04-06")


def test_the_due_day_is_one_of_the_policys_zone() -> None:
    opened = ev("o", "case.opened", "03-02 09:00", where=DARWIN, program="strengthening_families")
    policy = SF.with_parameters({"danger_statement_days": 10})
    statement = ev("d", "danger_statement.recorded", "03-12 23:45", where=DARWIN)  # 00:45 of the 13th in Adelaide
    assert said(one(evaluated(policy, [opened, statement], "04-01"), "S13")) == "met"
    assert at("03-13 00:45") == statement.time


def test_an_office_may_have_a_zone_of_its_own(tmp_path: Path) -> None:
    rule = "kind: response\nwhen: {each: referral.received}\nrequires: service.connected\nwithin: {days: 1}"
    policy = policy_of(tmp_path, rule, offices="{west: {zone: Australia/Perth}}")
    connected = ev("k", "service.connected", "03-04 01:00")  # in Perth it is still the 3rd
    for office, wanted in ((None, "late"), ("west", "met"), ("east", "late")):
        events = [ev("r", "referral.received", "03-02 12:00", program="cfss", office=office), connected]
        assert said(one(evaluated(policy, events, "05-01"), "R1")) == wanted


def test_what_was_recorded_later_was_not_known() -> None:
    late = ev("s", "snapshot.completed", "04-10 09:00", rec="04-20 09:00", kind="baseline")
    assert said(one(evaluated(CFSS, [START, late], "04-15", "04-15"), "C12")) == "breached"
    assert said(one(evaluated(CFSS, [START, late], "04-15", "04-20"), "C12")) == "met"
    assert said(one(evaluated(CFSS, [START, late], "04-09", "04-20"), "C12")) == "due_soon"


def test_what_is_known_already_is_not_waited_for() -> None:
    late = ev("s", "snapshot.completed", "04-10 09:00", rec="04-20 09:00", kind="baseline")
    before, now = (evaluated(CFSS, [START, late], "05-01 09:00", known) for known in ("04-20 08:59", "04-20 09:00"))
    assert before.next_change == at("04-20 09:00")
    assert now.next_change is None or now.next_change > at("05-01 09:00")


def test_known_at_as_a_date_means_its_last_instant() -> None:
    late = ev("s", "snapshot.completed", "04-10 09:00", rec="04-20 23:59", kind="baseline")
    assert said(one(evaluated(CFSS, [START, late], "04-15", "04-19"), "C12")) == "breached"
    assert said(one(evaluated(CFSS, [START, late], "04-15", "04-20"), "C12")) == "met"


# -------------------------------------------------------------------------------------------------------------- statuses and waivers
def with_status(status: str) -> Policy:
    rules = tuple(replace(rule, status=status) if rule.id == "C12" else rule for rule in CFSS.rules)
    return replace(CFSS, rules=rules)


@pytest.mark.parametrize(("status", "judged"), [("enforced", True), ("shadow", True), ("draft", False), ("retired", False)])
def test_draft_and_retired_rules_are_not_judged(status: str, judged: bool) -> None:
    found = told(evaluated(with_status(status), [START], "05-01"), "C12")
    assert bool(found) is judged
    assert [v.status for v in found.values()] == ([status] if judged else [])


def test_a_rule_of_any_status_is_judged_where_asked_for() -> None:
    assert said(one(evaluated(with_status("draft"), [START], "05-01", statuses=["draft"]), "C12")) == "breached"


def test_a_waiver_excuses_exactly_the_obligation_that_it_names() -> None:
    for waived, wanted in (
        ([("1", "C12", "case")], "excused: waiver"),
        ([("2", "C12", "case")], "breached"),
        ([("1", "C14", "case")], "breached"),
        ([("1", "C12", "other")], "breached"),
    ):
        assert said(one(evaluated(CFSS, [START], "05-01", waived=waived), "C12")) == wanted


def test_a_waiver_excuses_no_more_than_a_breach() -> None:
    done = ev("s", "snapshot.completed", "04-10 09:00", kind="baseline")
    late = ev("s", "snapshot.completed", "04-20 09:00", kind="baseline")
    for events, wanted in (([START], "pending"), ([START, done], "met"), ([START, late], "late")):
        as_of = "03-10" if wanted == "pending" else "05-01"
        assert said(one(evaluated(CFSS, events, as_of, waived=[("1", "C12", "case")]), "C12")) == wanted


# --------------------------------------------------------------------------------------------------------------------- quiet sources
def beat(until: str, *, source: str = "urn:desk", recorded: str | None = None) -> Heartbeat:
    return Heartbeat(source, at(recorded or until), at(until))


@pytest.mark.parametrize(
    ("beats", "wanted"),
    [
        ([], "breached"),  # who sends no heartbeat is taken as complete
        ([beat("04-13 12:00")], "unknown: source_stale"),
        ([beat("04-14 00:00")], "breached"),  # complete to the end of the due day
        ([beat("04-13 23:59")], "unknown: source_stale"),
        ([beat("04-13 12:00"), beat("04-20 00:00")], "breached"),
        ([beat("04-13 12:00", source="urn:stranger")], "breached"),  # delivered nothing of this case
        ([beat("04-20 00:00"), beat("04-01 00:00", source="urn:stranger")], "breached"),
        ([beat("04-20 00:00", recorded="06-01 00:00")], "breached"),  # not heard yet as known then: no heartbeat at all
        ([beat("04-01 00:00"), beat("04-20 00:00", recorded="06-01 00:00")], "unknown: source_stale"),
    ],
)
def test_a_source_that_has_gone_quiet_accuses_nobody(beats: Sequence[Heartbeat], wanted: str) -> None:
    assert said(one(evaluated(CFSS, [START], "05-01", "05-01", beats=beats), "C12")) == wanted


def test_the_quietest_source_of_the_case_counts() -> None:
    events = [START, visit("v", "03-03 09:00", source="urn:app")]
    assert (
        said(one(evaluated(CFSS, events, "05-01", beats=[beat("05-01 00:00"), beat("04-01 00:00", source="urn:app")]), "C12"))
        == "unknown: source_stale"
    )
    assert said(one(evaluated(CFSS, events, "05-01", beats=[beat("04-01 00:00", source="urn:app")]), "C12")) == "unknown: source_stale"


def test_what_was_done_is_done_however_quiet_a_source_is() -> None:
    done = ev("s", "snapshot.completed", "04-10 09:00", kind="baseline")
    late = ev("s", "snapshot.completed", "04-20 09:00", kind="baseline")
    quiet = [beat("04-01 00:00")]
    assert said(one(evaluated(CFSS, [START, done], "05-01", beats=quiet), "C12")) == "met"
    assert said(one(evaluated(CFSS, [START, late], "05-01", beats=quiet), "C12")) == "unknown: source_stale"
    assert said(one(evaluated(CFSS, [START], "04-13", beats=quiet), "C12")) == "due_soon"


# ----------------------------------------------------------------------------------------------------------------- metrics and changes
def test_metrics_are_counted_and_give_no_verdict() -> None:
    events = [
        START,
        ev("a", "supervision.held", "03-05 09:00", kind="clinical"),
        ev("b", "supervision.held", "03-06 09:00", kind="clinical"),
    ]
    events += [ev("c", "supervision.held", "03-07 09:00", kind="cultural"), ev("d", "supervision.held", "03-08 09:00")]
    found = evaluated(CFSS, events, "04-01")
    assert found.metrics["C27"] == {"clinical": 2, "cultural": 1, "-": 1}
    assert told(found, "C27") == {}
    before = evaluated(CFSS, [ev("n", "need.changed", "03-01 09:00", program="cfss"), *events[1:]], "04-01")
    assert before.metrics["C27"] == {}  # nothing has been opened or connected


def test_what_could_not_be_judged_is_counted_by_what_was_missing() -> None:
    found = evaluated(
        [CFSS, load_shipped("record_quality")], [START, ev("s", "snapshot.completed", "03-05 09:00", kind="baseline")], "04-01"
    )
    assert found.metrics["X03"]["missing household"] == 1  # C05
    assert found.metrics["X03"]["missing performer.role"] == 1  # C13
    assert sum(found.metrics["X03"].values()) == sum(v.verdict is Outcome.UNKNOWN for v in found.verdicts)


def test_the_next_change_is_when_time_alone_changes_something() -> None:
    assert evaluated(CFSS, [START], "03-05").next_change == at("04-06 00:00")
    assert evaluated(CFSS, [START], "04-06").next_change == at("04-13 00:00")  # C14's warning
    assert evaluated(CFSS, [START], "04-13").next_change == at("04-14 00:00")
    closed = [START, ev("x", "case.closed", "03-10 09:00", closure_reason="opened_in_error")]
    assert evaluated(CFSS, closed, "05-01").next_change is None


def test_what_will_happen_or_become_known_is_a_change_too() -> None:
    later = visit("v", "03-20 09:00")
    assert evaluated(CFSS, [START, later], "03-05 09:00").next_change == later.time
    late = replace(visit("v", "03-04 09:00"), recorded=at("03-20 09:00"))
    assert evaluated(CFSS, [START, late], "03-05 09:00", "03-05 09:00").next_change == late.recorded
    assert evaluated(CFSS, [START, void("x", "k", "03-20 09:00")], "03-05 09:00", "03-05 09:00").next_change == at("03-20 09:00")


def test_a_verdict_says_whose_it_is() -> None:
    events = [
        ev("k", "service.connected", "03-02 09:00", program="cfss", team="a", office="north"),
        ev("t", "case.transferred", "04-20 09:00", to_team="b"),
    ]
    found = one(evaluated(CFSS, events, "05-01"), "C12")
    assert (found.team, found.office, found.severity) == ("a", "north", "high")  # the team at its due day
    assert one(evaluated(CFSS, events, "05-15"), "C14").team == "b"


def test_verdicts_come_in_the_order_of_episodes_and_rules() -> None:
    events = [
        START,
        household("h", "03-02 10:00", "c2:child", "c1:child"),
        ev("x", "case.closed", "03-10 09:00"),
        visit("v", "03-11 09:00", program="cfss"),
    ]
    found = [(v.episode, v.rule) for v in evaluated(CFSS, events, "04-01").verdicts]
    order = {rule.id: index for index, rule in enumerate(CFSS.rules)}
    assert found == sorted(found, key=lambda key: (key[0], order[key[1]]))


def test_evaluating_nothing_says_nothing() -> None:
    found = evaluated(CFSS, [], "04-01")
    assert (found.verdicts, found.queries, found.next_change) == ((), (), None)


def test_the_zone_of_the_cases_program_judges_the_record() -> None:
    """23:45 in Darwin is the next day in Adelaide: 7 days after it are one day later there."""
    quality = load_shipped("record_quality")
    happened = at("03-02 23:45", DARWIN)
    for program, wanted in (("strengthening_families", "2026-03-09"), ("cfss", "2026-03-10")):
        event = Event("urn:desk", "v", "visit.held", "case-1", happened, happened, True, {"program": program})
        assert one(evaluated(quality, [event], "05-01"), "X01").due_on == wanted
    assert quality.zone_name == ADELAIDE
