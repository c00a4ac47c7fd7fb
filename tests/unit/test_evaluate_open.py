"""Versions of a policy that apply to open cases: from their day on they judge the whole of an episode that is open on it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rules.clock import parse_day
from rules.evaluate import Evaluation
from rules.model import Event
from rules.policy import Policy, load_shipped
from tests.support.core import at, ev, evaluated, one, policy_of, said, told, visit

START = ev("k", "service.connected", "03-02 09:00", program="cfss")
OPEN = {"effective": "2026-04-01", "applies_to_open": "true"}


def deadline(weeks: int) -> str:
    return f"""
kind: deadline
anchor: weeks
requires: assessment.completed
within: {{weeks: {weeks}}}
"""


def contact(days: int) -> str:
    return f"kind: response\nwhen: {{each: referral.received}}\nrequires: service.connected\nwithin: {{days: {days}}}"


@pytest.fixture
def first(tmp_path: Path) -> Policy:
    """Six weeks, from 2026."""
    return policy_of(tmp_path, deadline(6), effective="2026-01-01", version='"1"')


@pytest.fixture
def second(tmp_path: Path) -> Policy:
    """Two weeks, from 1 April 2026, open episodes included."""
    return policy_of(tmp_path, deadline(2), version='"2"', **OPEN)


def due(found: Evaluation, episode: str = "1") -> tuple[str, str | None]:
    (verdict,) = (v for v in found.verdicts if v.episode == episode)
    return said(verdict), verdict.due_on


def test_from_its_day_on_it_judges_what_was_activated_before(first: Policy, second: Policy) -> None:
    versions = [second, first]
    assert due(evaluated(versions, [START], "03-31 23:59")) == ("pending", "2026-04-13")
    assert due(evaluated(versions, [START], "04-01 00:00")) == ("breached", "2026-03-16")
    assert {v.policy_digest for v in evaluated(versions, [START], "04-01 00:00").verdicts} == {second.digest}


def test_before_its_day_it_changes_nothing(first: Policy, second: Policy) -> None:
    with_it, without = evaluated([first, second], [START], "03-31"), evaluated([first], [START], "03-31")
    assert [replace(v, next_change=None) for v in with_it.verdicts] == [replace(v, next_change=None) for v in without.verdicts]
    assert one(with_it, "R1").next_change == with_it.next_change == at("04-01 00:00")
    assert one(without, "R1").next_change == at("04-06 00:00")


@pytest.mark.parametrize(
    ("closings", "wanted"),
    [
        ([("case.closed", "03-20 09:00", {})], "1"),
        ([("case.closed", "03-31 23:59", {})], "1"),
        ([("case.closed", "04-01 00:00", {})], "2"),
        ([("case.closed", "04-01 23:00", {})], "2"),
        ([("case.closed", "03-31 12:00", {"occurred_on": "2026-03-31"})], "1"),
        ([("case.closed", "04-01 12:00", {"occurred_on": "2026-04-01"})], "2"),
        ([("case.closed", "03-20 09:00", {}), ("case.reopened", "03-25 09:00", {})], "2"),
        ([("case.closed", "03-20 09:00", {}), ("case.reopened", "04-02 09:00", {})], "1"),
        ([("case.closed", "03-20 09:00", {}), ("case.reopened", "04-02 09:00", {"closure_was_error": True})], "2"),
        ([("case.closed", "03-20 09:00", {}), ("case.reopened", "03-21 09:00", {}), ("case.closed", "03-30 09:00", {})], "1"),
    ],
)
def test_whether_an_episode_is_open_on_its_day_decides(
    first: Policy, second: Policy, closings: list[tuple[str, str, dict[str, Any]]], wanted: str
) -> None:
    events = [START, *(ev(f"c{number}", type_, when, **data) for number, (type_, when, data) in enumerate(closings))]
    found = evaluated([first, second], events, "04-20")
    by = {first.digest: "1", second.digest: "2"}
    assert [by[v.policy_digest] for v in found.verdicts] == [wanted]


def test_after_a_reopening_it_judges_what_begins_from_then_on(tmp_path: Path) -> None:
    versions = [policy_of(tmp_path, contact(28), effective="2026-01-01"), policy_of(tmp_path, contact(14), **OPEN)]
    events = [
        ev("a", "referral.received", "03-02 09:00", program="cfss"),
        ev("x", "case.closed", "03-20 09:00"),
        ev("o", "case.reopened", "04-02 09:00"),
        ev("b", "referral.received", "04-03 09:00", program="cfss"),
    ]
    found = told(evaluated(versions, events, "06-01"), "R1")
    assert {name.split("@")[0]: v.policy_digest for name, v in found.items()} == {
        "event:a": versions[0].digest,
        "event:b": versions[1].digest,
    }


def test_each_episode_of_a_case_is_judged_by_its_own(first: Policy, second: Policy) -> None:
    events = [START, ev("x", "case.closed", "03-10 09:00"), ev("l", "service.connected", "03-12 09:00", program="cfss")]
    found = {v.episode: v.policy_digest for v in evaluated([first, second], events, "04-20").verdicts}
    assert found == {"1": first.digest, "2": second.digest}


def test_what_began_before_the_first_version_is_before_the_policy_still(first: Policy, second: Policy) -> None:
    events = [ev("k", "service.connected", "2025-12-31 09:00", program="cfss")]
    for as_of in ("2026-03-31", "2026-04-02"):
        assert due(evaluated([first, second], events, as_of))[0] == "not_applicable: before_policy"
    begun = [ev("k", "service.connected", "2026-01-01 09:00", program="cfss")]
    assert due(evaluated([first, second], begun, "2026-04-02")) == ("breached", "2026-01-15")


def test_a_first_version_that_applies_to_open_cases_judges_nothing_of_before(tmp_path: Path) -> None:
    only = policy_of(tmp_path, deadline(6), effective="2026-03-03", applies_to_open="true")
    assert due(evaluated([only], [START], "05-01"))[0] == "not_applicable: before_policy"


def test_nothing_waits_for_the_day_of_a_first_version(tmp_path: Path) -> None:
    found = one(evaluated(policy_of(tmp_path, deadline(2), **OPEN), [START], "03-10"), "R1")
    assert (said(found), found.next_change) == ("not_applicable: before_policy", None)


def test_a_later_ordinary_version_leaves_it_what_began_before(tmp_path: Path, first: Policy, second: Policy) -> None:
    third = policy_of(tmp_path, deadline(1), effective="2026-05-01", version='"3"')
    versions = [first, second, third]
    assert due(evaluated(versions, [START], "05-20")) == ("breached", "2026-03-16")
    later = [ev("n", "need.changed", "03-01 09:00", program="cfss"), visit("v", "05-04 09:00")]
    assert due(evaluated(versions, later, "05-20")) == ("breached", "2026-05-11")


def test_of_two_that_apply_to_open_cases_the_later_judges_all(tmp_path: Path, first: Policy, second: Policy) -> None:
    third = policy_of(tmp_path, deadline(3), effective="2026-05-01", applies_to_open="true", version='"3"')
    versions = [third, first, second]
    assert [due(evaluated(versions, [START], day))[1] for day in ("03-31", "04-30", "05-01")] == ["2026-04-13", "2026-03-16", "2026-03-23"]
    closed = [START, ev("x", "case.closed", "04-20 09:00")]
    assert due(evaluated(versions, closed, "05-20"))[1] == "2026-03-16"


def test_a_rule_that_it_does_not_have_asks_nothing_any_more_and_one_that_only_it_has_asks_from_the_beginning(
    first: Policy, second: Policy
) -> None:
    other = replace(second, rules=(replace(second.rules[0], id="R2"),))
    assert [v.rule for v in evaluated([first, other], [START], "03-31").verdicts] == ["R1"]
    found = evaluated([first, other], [START], "04-01")
    assert [(v.rule, said(v), v.due_on) for v in found.verdicts] == [("R2", "breached", "2026-03-16")]


def test_a_parameter_that_is_set_for_open_cases_decides_what_waits_for_it() -> None:
    cfss = load_shipped("cfss")
    day = parse_day("2026-04-01")
    for applies, wanted in ((True, "breached"), (False, "not_applicable: parameter_unset")):
        later = cfss.with_parameters({"household_days": 10}).taking_effect(day, applies_to_open=applies)
        assert said(one(evaluated([cfss, later], [START], "03-31"), "C04")) == "not_applicable: parameter_unset"
        assert said(one(evaluated([cfss, later], [START], "04-01"), "C04")) == wanted


def test_an_episode_that_is_closed_does_not_wait_for_its_day(first: Policy, second: Policy) -> None:
    closed = [START, ev("x", "case.closed", "03-10 09:00")]
    assert one(evaluated([first, second], closed, "03-20"), "R1").next_change is None
    assert one(evaluated([first, second], [START], "03-20"), "R1").next_change == at("04-01 00:00")
    assert one(evaluated([first, second], [START], "04-02"), "R1").next_change is None  # breached for good


def test_its_day_begins_in_the_zone_of_the_episode(tmp_path: Path) -> None:
    offices = "{west: {zone: Australia/Perth}}"
    versions = [
        policy_of(tmp_path, deadline(6), effective="2026-01-01", offices=offices),
        policy_of(tmp_path, deadline(2), offices=offices, **OPEN),
    ]
    west = [replace(START, data={**START.data, "office": "west"})]
    assert due(evaluated(versions, west, "04-01 01:00"))[1] == "2026-04-13"  # in Perth it is still March
    assert due(evaluated(versions, west, "04-01 03:00"))[1] == "2026-03-16"
    assert due(evaluated(versions, [START], "04-01 01:00"))[1] == "2026-03-16"


def test_a_version_does_not_see_events_that_only_a_later_catalogue_knows(tmp_path: Path, first: Policy, second: Policy) -> None:
    known = dict(first.catalogue.types)
    known.pop("visit.held")
    old = replace(first, catalogue=replace(first.catalogue, types=known, digest="older"))
    events: list[Event] = [START, visit("v", "03-09 09:00"), ev("c", "event.corrected", "03-10 09:00", target="v", set={"status": "held"})]
    assert due(evaluated([old, second], events, "03-31")) == ("pending", "2026-04-13")  # the visit would be the anchor
    assert due(evaluated([old, second], events, "04-01")) == ("breached", "2026-03-23")
    assert due(evaluated([first, second], events, "03-31")) == ("pending", "2026-04-20")


def test_what_is_only_counted_is_counted_once_however_many_versions_there_are() -> None:
    record, cfss = load_shipped("record_quality"), load_shipped("cfss")
    events = [
        START,
        ev("s", "snapshot.completed", "03-05 09:00", kind="baseline"),
        ev("a", "supervision.held", "03-05 09:00", kind="cultural"),
    ]
    once = evaluated([cfss, record], events, "04-20")
    for applies in (True, False):
        again = [policy.taking_effect(parse_day("2026-04-01"), applies_to_open=applies) for policy in (cfss, record)]
        assert evaluated([cfss, record, *again], events, "04-20").metrics == once.metrics
