"""A comparison loses nothing, invents nothing, and reads the same from both ends."""

from __future__ import annotations

import random
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from rules.comparison import Change, compare, is_asked, stands
from rules.evaluate import evaluate
from rules.model import Verdict
from rules.policy import load_shipped
from tests.support.random_cases import DAY, PARAMETERS, START, random_file

CFSS = load_shipped("cfss")
FOR_EVER = START + 1000 * DAY
MIRRORED = {
    Change.GAINED: Change.LOST,
    Change.LOST: Change.GAINED,
    Change.APPEARED: Change.DISAPPEARED,
    Change.DISAPPEARED: Change.APPEARED,
}


def judged(seed: int, day: int, *, with_parameters: bool) -> tuple[Verdict, ...]:
    policy = CFSS.with_parameters(PARAMETERS["cfss"]) if with_parameters else CFSS
    if with_parameters:
        policy = replace(policy, rules=tuple(replace(r, status="shadow" if n % 3 else r.status) for n, r in enumerate(policy.rules)))
    return evaluate([policy], random_file(random.Random(seed)), as_of=START + day * DAY, known_at=FOR_EVER).verdicts


@given(st.integers(0, 2**32), st.integers(0, 200))
@settings(max_examples=40)
def test_a_judgement_compared_with_itself_has_no_difference(seed: int, day: int) -> None:
    verdicts = judged(seed, day, with_parameters=True)
    assert {pair.change for pair in compare(verdicts, reversed(verdicts))} <= {None}


@given(st.integers(0, 2**32), st.integers(0, 200), st.sampled_from([None, "2026-03-20"]))
@settings(max_examples=40)
def test_both_directions_tell_the_same(seed: int, day: int, since: str | None) -> None:
    before, after = judged(seed, day, with_parameters=False), judged(seed, day, with_parameters=True)
    there, back = compare(before, after, since=since), compare(after, before, since=since)
    assert [(p.before, p.after) for p in there] == [(p.after, p.before) for p in back]
    assert [p.change and MIRRORED.get(p.change, p.change) for p in there] == [p.change for p in back]


@given(st.integers(0, 2**32), st.integers(0, 200))
@settings(max_examples=40)
def test_every_obligation_is_in_one_pair_and_breaches_add_up(seed: int, day: int) -> None:
    before, after = judged(seed, day, with_parameters=False), judged(seed, day, with_parameters=True)
    pairs = compare(before, after)
    assert [p.before for p in pairs if p.before] == sorted(filter(is_asked, before), key=lambda v: v.key)
    assert [p.after for p in pairs if p.after] == sorted(filter(is_asked, after), key=lambda v: v.key)
    changes = [p.change for p in pairs]
    gained, lost = changes.count(Change.GAINED), changes.count(Change.LOST)
    assert sum(map(stands, before)) + gained - lost == sum(map(stands, after))
