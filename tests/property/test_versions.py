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


def followed(effective: int, *, applies_to_open: bool = True) -> list[Policy]:
    """The policies, and other parameter values of each from a day on."""
    since = ADELAIDE.day_of(START) + effective
    values = {policy.id: dict.fromkeys(policy.parameters, 5) for policy in POLICIES}
    return [policy.with_parameters(values[policy.id]).taking_effect(since, applies_to_open=applies_to_open) for policy in POLICIES]


def opened_on(evaluation: Evaluation, day: int) -> dict[str, bool]:
    """Whether each episode was open on a day."""
    spans = {one.verdict.episode: list(one.view.episode.open_days()) for one in evaluation.details}
    return {name: any(begun <= day and (end is None or end >= day) for begun, end in days) for name, days in spans.items()}


@given(st.integers(0, 2**32), st.integers(0, 200), st.integers(-20, 220))
@settings(max_examples=30)
def test_a_version_that_applies_to_open_cases_judges_whole_episodes(seed: int, day: int, effective: int) -> None:
    file, as_of = random_file(random.Random(seed)), START + day * DAY
    newer = followed(effective)
    both = evaluate([*POLICIES, *newer], file, as_of=as_of, known_at=FOR_EVER)
    old = told(evaluate(POLICIES, file, as_of=as_of, known_at=FOR_EVER))
    whole = [policy.taking_effect(POLICIES[0].effective, applies_to_open=False) for policy in newer]
    new = told(evaluate(whole, file, as_of=as_of, known_at=FOR_EVER))
    later = told(evaluate([*POLICIES, *followed(effective, applies_to_open=False)], file, as_of=as_of, known_at=FOR_EVER))
    if ADELAIDE.day_of(as_of) < newer[0].effective - 1:
        wanted = old
    elif ADELAIDE.day_of(as_of) <= newer[0].effective + 1:
        return  # the offices' zones begin the day at different instants
    else:
        opened = opened_on(both, newer[0].effective)
        wanted = {key: v for key, v in new.items() if opened.get(key[1], False)}
        wanted |= {key: v for key, v in later.items() if not opened.get(key[1], False)}

    def plain(found: dict[tuple[str, str, str, str, str], Verdict]) -> dict[tuple[str, str, str, str, str], Verdict]:
        return {key: replace(v, next_change=None) for key, v in found.items()}

    assert plain(told(both)) == plain(wanted)


@given(st.integers(0, 2**32), st.integers(0, 200), st.integers(-20, 220), st.booleans())
@settings(max_examples=20)
def test_with_versions_a_verdict_stays_as_it_is_until_its_next_change(seed: int, day: int, effective: int, applies: bool) -> None:
    rnd = random.Random(seed)
    file, now = random_file(rnd), START + day * DAY + rnd.randint(0, DAY)
    policies = [*POLICIES, *followed(effective, applies_to_open=applies)]
    evaluation = evaluate(policies, file, as_of=now, known_at=now)
    end = evaluation.next_change if evaluation.next_change is not None else now + 400 * DAY
    assert end > now
    for later in {now + 1, (now + end) // 2, end - 1} - {now}:
        if now < later < end:
            again = evaluate(policies, file, as_of=later, known_at=later)
            assert [replace(v, as_of=0, known_at=0) for v in again.verdicts] == [
                replace(v, as_of=0, known_at=0) for v in evaluation.verdicts
            ]


@given(st.integers(0, 2**32), st.integers(0, 200), st.integers(-20, 220), st.integers(-20, 220), st.booleans(), st.booleans())
@settings(max_examples=12)
def test_the_order_in_which_versions_are_given_does_not_matter(
    seed: int, day: int, one: int, other: int, first: bool, second: bool
) -> None:
    if one == other:
        return
    rnd = random.Random(seed)
    file, as_of = random_file(rnd), START + day * DAY
    policies = [*POLICIES, *followed(one, applies_to_open=first), *followed(other, applies_to_open=second)]
    straight = evaluate(policies, file, as_of=as_of, known_at=FOR_EVER)
    mixed = list(policies)
    rnd.shuffle(mixed)
    again = evaluate(mixed, file, as_of=as_of, known_at=FOR_EVER)
    assert {v.key: v for v in again.verdicts} == {v.key: v for v in straight.verdicts}
    assert len(again.verdicts) == len(told(again))
    assert (again.next_change, again.metrics) == (straight.next_change, straight.metrics)
