"""Two judgements of one case, compared by hand-made verdicts."""

from __future__ import annotations

import pytest

from rules.comparison import Change, compare, label
from rules.model import Outcome
from tests.support.stores import verdict


def one(before, after, **how):
    (pair,) = compare([before] if before else [], [after] if after else [], **how)
    return pair


MET = verdict(verdict=Outcome.MET, satisfied_on="2026-03-10")
LATE = verdict(verdict=Outcome.LATE, satisfied_on="2026-03-20", days_late=5)
BREACHED = verdict()
DUE_SOON = verdict(verdict=Outcome.DUE_SOON)
UNSET = verdict(verdict=Outcome.NOT_APPLICABLE, reason="parameter_unset", due_on=None)
NOT_TRIGGERED = verdict(verdict=Outcome.NOT_APPLICABLE, reason="not_triggered", due_on=None, activated_on=None)
IN_SHADOW = verdict(status="shadow")


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        (MET, BREACHED, Change.GAINED),
        (DUE_SOON, LATE, Change.GAINED),
        (UNSET, BREACHED, Change.GAINED),
        (None, BREACHED, Change.GAINED),
        (NOT_TRIGGERED, BREACHED, Change.GAINED),
        (IN_SHADOW, BREACHED, Change.GAINED),
        (BREACHED, MET, Change.LOST),
        (LATE, None, Change.LOST),
        (BREACHED, NOT_TRIGGERED, Change.LOST),
        (BREACHED, IN_SHADOW, Change.LOST),
        (None, MET, Change.APPEARED),
        (None, IN_SHADOW, Change.APPEARED),
        (NOT_TRIGGERED, MET, Change.APPEARED),
        (MET, None, Change.DISAPPEARED),
        (MET, NOT_TRIGGERED, Change.DISAPPEARED),
        (BREACHED, LATE, Change.CHANGED),
        (MET, DUE_SOON, Change.CHANGED),
        (IN_SHADOW, verdict(verdict=Outcome.MET, status="shadow"), Change.CHANGED),
        (MET, verdict(verdict=Outcome.MET, satisfied_on="2026-03-10", status="shadow"), Change.CHANGED),
        (BREACHED, verdict(due_on="2026-03-29"), Change.MOVED),
        (LATE, verdict(verdict=Outcome.LATE, satisfied_on="2026-03-20", days_late=1), Change.MOVED),
        (BREACHED, verdict(severity="critical"), Change.NOTED),
        (BREACHED, verdict(evidence=()), Change.NOTED),
        (BREACHED, BREACHED, None),
    ],
)
def test_what_becomes_of_an_obligation(before, after, change):
    assert one(before, after).change is change


def test_what_is_not_asked_on_either_side_is_no_pair():
    assert compare([NOT_TRIGGERED], []) == []
    assert compare([], [verdict(verdict=Outcome.NOT_APPLICABLE, reason="out_of_scope")]) == []
    assert compare([NOT_TRIGGERED], [verdict(verdict=Outcome.NOT_APPLICABLE, reason="before_policy")]) == []


def test_the_instants_and_the_digest_are_no_difference():
    assert one(BREACHED, verdict(policy_digest="sha256:2", as_of=9_000, known_at=9_000, next_change=10_000)).differs == ()


def test_what_differs_is_named():
    assert one(BREACHED, verdict(due_on="2026-03-29", severity="low")).differs == ("due_on", "severity")


def test_pairs_come_in_the_order_of_what_they_are_about():
    given = [verdict(rule="C02"), verdict(rule="C01", obligation="b"), verdict(rule="C01", obligation="a", case="C0")]
    keys = [pair.either.key for pair in compare(given[:2], given[1:])]
    assert keys == sorted(keys)
    assert len(keys) == 3


@pytest.mark.parametrize(
    ("before", "after", "kept"),
    [
        ("2026-02-28", "2026-02-28", False),
        ("2026-02-28", "2026-03-01", True),
        ("2026-03-01", "2026-02-28", True),
        ("2026-02-28", None, False),
        (None, None, True),
        ("2026-03-01", "2026-03-01", True),
    ],
)
def test_obligations_activated_before_a_day_can_be_left_out(before, after, kept):
    pairs = compare([verdict(activated_on=before)], [verdict(activated_on=after, due_on="2026-03-29")], since="2026-03-01")
    assert bool(pairs) is kept


def test_a_new_obligation_is_left_out_by_its_own_day_alone():
    assert compare([], [verdict(activated_on="2026-02-28")], since="2026-03-01") == []
    assert one(None, verdict(activated_on="2026-03-01"), since="2026-03-01").change is Change.GAINED


def test_labels_tell_shadow_from_enforced():
    assert (label(None), label(BREACHED), label(IN_SHADOW)) == ("none", "breached", "shadow:breached")
    assert one(IN_SHADOW, LATE).transition == ("shadow:breached", "late")
