"""Not response: after an event, something must not follow within a period."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rules.diff import diff
from rules.explain import explained
from rules.model import Event, Heartbeat, Verdict
from rules.policy import Policy
from rules.reading import read_aloud
from tests.support.core import at, ev, evaluated, one, policy_of, said, told

START = ev("k", "service.connected", "03-02 09:00", program="cfss")


@pytest.fixture
def of(tmp_path: Path):
    def make(**more: str) -> Policy:
        lines = {
            "kind": "not_response",
            "when": "{each: case.transferred}",
            "forbids": "{event: case.transferred, where: {worker.id: {differs_from: w0}}}",
            "within": "{days: 10}",
            **more,
        }
        return policy_of(tmp_path, "\n".join(f"{key}: {value}" for key, value in lines.items()))

    return make


def transfer(name: str, when: str, worker: str | None = "w1", **more: Any) -> Event:
    return ev(name, "case.transferred", when, worker=None if worker is None else {"id": worker}, **more)


def first(policy: Policy, *events: Event, as_of: str, beats: tuple[Heartbeat, ...] = ()) -> Verdict:
    """The verdict on the transfer called t."""
    return told(evaluated(policy, [START, *events], as_of, beats=beats), "R1")["event:t@urn:desk"]


def test_nothing_is_asked_while_nothing_activates_it(of) -> None:
    assert said(one(evaluated(of(), [START], "06-01"), "R1")) == "not_applicable: not_triggered"


@pytest.mark.parametrize(
    ("as_of", "wanted", "kept_on"),
    [("03-05", "pending", None), ("03-15", "pending", None), ("03-16", "met", "2026-03-15")],  # the period ends on 15 March
)
def test_it_is_kept_when_the_period_is_over(of, as_of: str, wanted: str, kept_on: str | None) -> None:
    found = first(of(), transfer("t", "03-05 10:00"), as_of=as_of)
    assert (said(found), found.activated_on, found.due_on, found.satisfied_on) == (wanted, "2026-03-05", "2026-03-15", kept_on)


def test_it_changes_by_itself_when_the_last_day_is_over(of) -> None:
    found = first(of(), transfer("t", "03-05 10:00"), as_of="03-10")
    assert found.next_change == at("03-16 00:00")
    assert first(of(), transfer("t", "03-05 10:00"), as_of="03-16 00:00").next_change is None


@pytest.mark.parametrize(
    ("when", "wanted"),
    [
        ("03-05 09:59", "met"),  # it came before
        ("03-04", "met"),
        ("03-05 10:01", "breached"),  # the same day, later
        ("03-05", "unknown: day_without_moment"),  # the same day, before or after
        ("03-06", "breached"),
        ("03-15 23:59", "breached"),
        ("03-15", "breached"),
        ("03-16 00:00", "met"),  # the period is over
        ("03-16", "met"),
    ],
)
def test_what_comes_after_it_until_the_end_of_the_last_day_is_forbidden(of, when: str, wanted: str) -> None:
    found = first(of(), transfer("t", "03-05 10:00"), transfer("u", when), as_of="04-30")
    assert said(found) == wanted


def test_it_is_broken_at_once_and_for_good(of) -> None:
    policy = of()
    events = (transfer("t", "03-05 10:00"), transfer("u", "03-08 15:00"))
    assert said(first(policy, *events, as_of="03-08 14:59")) == "pending"
    for as_of in ("03-08 15:00", "03-08", "06-01"):
        found = first(policy, *events, as_of=as_of)
        assert (said(found), found.activated_on, found.due_on, found.curable) == ("breached", "2026-03-05", "2026-03-08", False)
        assert found.evidence == ("t", "u")


@pytest.mark.parametrize(
    ("second", "third", "wanted"),
    [
        (None, None, "unknown: missing worker.id"),
        ("w0", None, "unknown: missing worker.id"),
        (None, "w0", "unknown: missing worker.id"),
        (None, "w2", "breached"),  # whatever the second was, the third is forbidden
        ("w0", "w0", "met"),
    ],
)
def test_what_is_missing_makes_it_unknown_only_where_it_decides(of, second: str | None, third: str | None, wanted: str) -> None:
    events = (transfer("t", "03-05 10:00"), transfer("u", "03-08 15:00", second), transfer("v", "03-09 15:00", third))
    assert said(first(of(), *events, as_of="04-30")) == wanted


def test_what_is_missing_is_unknown_before_the_period_is_over_too(of) -> None:
    assert (
        said(first(of(), transfer("t", "03-05 10:00"), transfer("u", "03-08 15:00", None), as_of="03-09")) == "unknown: missing worker.id"
    )


def test_only_what_is_alike_is_forbidden(of) -> None:
    policy = of(forbids="{event: case.transferred, same: [to_team]}")
    north = transfer("t", "03-05 10:00", to_team="north")
    assert said(first(policy, north, transfer("u", "03-08 15:00", to_team="south"), as_of="04-30")) == "met"
    assert said(first(policy, north, transfer("u", "03-08 15:00", to_team="north"), as_of="04-30")) == "breached"
    assert said(first(policy, north, transfer("u", "03-08 15:00"), as_of="04-30")) == "unknown: missing to_team"


@pytest.mark.parametrize(
    ("closed", "wanted"), [("03-14 10:00", "not_applicable: ended_before_due"), ("03-15 10:00", "met"), ("03-20", "met")]
)
def test_a_closure_before_the_last_day_ends_it(of, closed: str, wanted: str) -> None:
    assert said(first(of(), transfer("t", "03-05 10:00"), ev("c", "case.closed", closed), as_of="04-30")) == wanted


def test_a_closure_mends_nothing(of) -> None:
    events = (transfer("t", "03-05 10:00"), transfer("u", "03-08 15:00"), ev("c", "case.closed", "03-09 10:00"))
    assert said(first(of(), *events, as_of="04-30")) == "breached"


@pytest.mark.parametrize(("complete", "wanted"), [("03-15 23:00", "unknown: source_stale"), ("03-16 00:00", "met")])
def test_that_nothing_is_on_record_proves_nothing_while_a_source_is_behind(of, complete: str, wanted: str) -> None:
    beat = Heartbeat("urn:desk", at("03-20 09:00"), at(complete))
    assert said(first(of(), transfer("t", "03-05 10:00"), as_of="04-30", beats=(beat,))) == wanted


def test_what_is_on_record_breaks_it_however_far_behind_the_source_is(of) -> None:
    beat = Heartbeat("urn:desk", at("03-20 09:00"), at("03-06 00:00"))
    assert said(first(of(), transfer("t", "03-05 10:00"), transfer("u", "03-08 15:00"), as_of="04-30", beats=(beat,))) == "breached"


def test_a_pause_does_not_make_the_period_longer(of) -> None:
    pauses = (
        ev("p", "clock.paused", "03-06 09:00", approved_by="m1", approved_role="manager"),
        ev("q", "clock.resumed", "03-12 09:00"),
    )
    assert said(first(of(), transfer("t", "03-05 10:00"), *pauses, transfer("u", "03-17 15:00"), as_of="04-30")) == "met"


def test_an_unset_parameter_accuses_nobody(of) -> None:
    policy = of(within="{days: $some_days}")
    events = (transfer("t", "03-05 10:00"), transfer("u", "03-06 10:00"))
    assert said(first(policy, *events, as_of="04-30")) == "not_applicable: parameter_unset"
    assert said(first(policy.with_parameters({"some_days": 10}), *events, as_of="04-30")) == "breached"


def test_each_activation_has_a_period_of_its_own(of) -> None:
    events = (transfer("t", "03-05 10:00"), transfer("u", "03-08 15:00"), transfer("v", "03-17 15:00"))
    found = told(evaluated(of(), [START, *events], "04-30"), "R1")
    assert {key: said(verdict) for key, verdict in found.items()} == {
        "event:t@urn:desk": "breached",
        "event:u@urn:desk": "breached",
        "event:v@urn:desk": "met",
    }


def test_it_is_told_in_words(of) -> None:
    evaluation = evaluated(of(), [START, transfer("t", "03-05 10:00"), transfer("u", "03-08 15:00"), transfer("v", "03-20 15:00")], "04-30")
    broken = next(one for one in explained(evaluation, rule="R1") if one.verdict.obligation.startswith("event:t"))
    assert broken.sentence == "The rule: not kept, Sun 8 March 2026."
    assert [(row.event, row.counts, row.why) for row in broken.considered] == [("u", "against", "")]
    assert broken.reasoning[1:] == (
        "10 days after Thu 5 March 2026 is Sun 15 March 2026, to the end of that day; until then it must not happen.",
        "It happened on Sun 8 March 2026.",
    )
    assert broken.would_have_met.startswith("It would have been met with no time that the case is transferred, where ")
    assert broken.would_have_met.endswith(", to the end of Sun 15 March 2026.")


def test_until_it_is_over_it_is_told_how_long_it_is_to_be_kept(of) -> None:
    (told_now,) = explained(evaluated(of(), [START, transfer("t", "03-05 10:00")], "03-08"), rule="R1")
    assert told_now.sentence == "The rule: to be kept until Sun 15 March 2026."
    assert told_now.would_have_met.startswith("It is met with no time that the case is transferred, where ")
    (told_later,) = explained(evaluated(of(), [START, transfer("t", "03-05 10:00")], "03-16"), rule="R1")
    assert (told_later.sentence, told_later.would_have_met) == ("The rule: kept on Sun 15 March 2026.", "")


def test_it_can_be_read_aloud(of) -> None:
    policy = of()
    asked = next(sentence for sentence in read_aloud(policy, policy.rule("R1")) if sentence.startswith("It asks"))
    assert asked.startswith(
        "It asks that from then on, within 10 days of that day, it does not happen that the case is transferred, where "
    )
    assert asked.endswith(" is not w0.")


@pytest.mark.parametrize(
    ("change", "effect"),
    [
        ({"within": "{days: 20}"}, "later, more breaches possible"),
        ({"within": "{days: 5}"}, "earlier, fewer breaches possible"),
        ({"forbids": "case.transferred"}, "forbids more, more breaches possible"),
        ({"forbids": "{event: case.transferred, where: {worker.id: {differs_from: [w0, w1]}}}"}, "forbids less, fewer breaches possible"),
        ({"forbids": "case.closed"}, "judges otherwise, more or fewer breaches possible"),
    ],
)
def test_what_a_change_of_it_does_is_told(of, change: dict[str, str], effect: str) -> None:
    assert [one.effect for one in diff(of(), of(**change)) if one.rule == "R1"] == [effect]
