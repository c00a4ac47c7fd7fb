"""A new version that says the same as the old one changes nothing, on whatever day it comes into force."""

from __future__ import annotations

import random
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from rules.evaluate import Evaluation, evaluate
from rules.model import Verdict
from rules.policy import Policy, load_shipped, shipped
from tests.support.random_cases import ADELAIDE, DAY, PARAMETERS, START, random_file

POLICIES: list[Policy] = [load_shipped(name).with_parameters(PARAMETERS[name]) for name in shipped()]
FOR_EVER = START + 1000 * DAY


def told(evaluation: Evaluation) -> dict[tuple[str, str, str, str, str], Verdict]:
    """Verdicts by their keys, without the digest."""
    found = {v.key: replace(v, policy_digest="") for v in evaluation.verdicts}
    assert len(found) == len(evaluation.verdicts)
    return found


@given(st.integers(0, 2**32), st.integers(0, 200), st.integers(-20, 220))
@settings(max_examples=60)
def test_a_second_version_of_the_same_text_changes_nothing(seed: int, day: int, effective: int) -> None:
    file, as_of = random_file(random.Random(seed)), START + day * DAY
    first_day = ADELAIDE.day_of(START)
    again = [replace(policy, effective=first_day + effective, digest=f"{policy.digest}-2") for policy in POLICIES]
    once = evaluate(POLICIES, file, as_of=as_of, known_at=FOR_EVER)
    twice = evaluate([*POLICIES, *again], file, as_of=as_of, known_at=FOR_EVER)
    assert told(twice) == told(once)


@given(st.integers(0, 2**32), st.integers(0, 200), st.integers(-20, 220))
@settings(max_examples=30)
def test_each_verdict_is_of_the_version_in_force_on_its_day(seed: int, day: int, effective: int) -> None:
    file, as_of = random_file(random.Random(seed)), START + day * DAY
    since = ADELAIDE.day_of(START) + effective
    again = [replace(policy, effective=since, digest=f"{policy.digest}-2") for policy in POLICIES]
    for judged in evaluate([*POLICIES, *again], file, as_of=as_of, known_at=FOR_EVER).details:
        begun = {world.activated_day >= since for world in judged.obligation.worlds if world.activated_day is not None}
        if len(begun) == 1:  # where it is unclear which event it was, the possible ones may lie on both sides
            assert {judged.verdict.policy_digest.endswith("-2")} == begun, judged.verdict
