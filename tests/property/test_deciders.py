"""The principle of the decision table, tried on every small situation and on random ones: a verdict is unknown exactly when the
ways in which the missing data may turn out lead to different verdicts."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.decide import Item, table
from rules.decide.ruleset import Ruleset, engine
from rules.model import Candidate, Decision, Duty, Fit, Line, State
from tests.support.worlds import SMALL, VERDICTS, World, evidence, expected, in_time, judge, situations, worlds

with_engine = pytest.mark.skipif(engine() is None, reason="durable-rules is not available for this Python")


@pytest.fixture(scope="module")
def ruleset():
    made = Ruleset()
    yield made
    made.close()


@with_engine
def test_every_small_situation(ruleset):
    """224,640 situations: both deciders give the verdict on which all worlds agree, and say the same of the evidence."""
    tried = 0
    seen: set[Line] = set()
    for now, items in situations(SMALL):
        decisions = table.decide(items, now)
        assert ruleset.decide(items, now) == decisions
        for (duty, candidates), found in zip(items, decisions, strict=True):
            assert VERDICTS[found.line] == expected(duty, candidates, now), (duty, candidates, now, found)
        tried += len(items)
        seen.update(found.line for found in decisions)
    assert tried == 224_640
    assert seen == set(Line) - {Line.OFF, Line.UNSET, Line.HOLE, Line.DISAGREE}


TIMES = st.integers(0, 11)
SPANS = st.one_of(
    TIMES.map(lambda at: (at, at)),
    st.sampled_from([(0, 2), (3, 5), (6, 8), (9, 11)]),
    st.tuples(TIMES, st.integers(0, 3)).map(lambda pair: (pair[0], pair[0] + pair[1])),
)
ONE_CANDIDATE = st.builds(lambda span, fit: Candidate(span[0], span[1], fit), SPANS, st.sampled_from(Fit))
CANDIDATES = st.lists(ONE_CANDIDATE, max_size=4)
LIMITS = st.one_of(
    st.just((None, None)),
    st.sampled_from([((3, 6), None), ((6, 9), None)]),
    SPANS.map(lambda span: (None, span)),
)
DUTIES = st.builds(
    lambda limit, **rest: Duty(due=limit[0], gate=limit[1], **rest),
    LIMITS,
    state=st.sampled_from([State.LIVE] * 8 + [State.OFF, State.UNSET, State.HOLE]),
    soon=st.none() | TIMES,
    ended=st.none() | TIMES,
    complete_until=st.none() | TIMES,
    complete_needed=st.none() | TIMES,
    curable=st.booleans(),
    waived=st.booleans(),
)
ITEMS = st.tuples(DUTIES, CANDIDATES)
THOROUGH = settings(max_examples=400, deadline=None)


@given(ITEMS, st.integers(0, 13))
@THOROUGH
def test_unknown_exactly_when_the_worlds_differ(item: Item, now: int):
    duty, candidates = item
    assert VERDICTS[table.decide_one(duty, candidates, now).line] == expected(duty, candidates, now)


@with_engine
@given(st.lists(ITEMS, max_size=70), st.integers(0, 13))
@settings(max_examples=150, deadline=None)
def test_the_deciders_agree_on_whole_batches(ruleset, items: list[Item], now: int):
    assert ruleset.decide(items, now) == table.decide(items, now)


@with_engine
@given(ITEMS, st.integers(0, 13), st.sampled_from([1_772_000_000_000, -2_200_000_000_000]), st.sampled_from([1, 86_400_000 // 3]))
@THOROUGH
def test_the_size_of_the_numbers_changes_nothing(ruleset, item: Item, now: int, origin: int, unit: int):
    """Milliseconds of 2026 and of 1900, a day long or one apart, are judged like the small ones."""

    def moved(at: int | None) -> int | None:
        return None if at is None else origin + at * unit

    def span(pair: tuple[int, int] | None) -> tuple[int, int] | None:
        return None if pair is None else (origin + pair[0] * unit, origin + pair[1] * unit)

    duty, candidates = item
    # Between two days one millisecond remains one: "until the end of the day" is counted from its exclusive end.
    stretched = Duty(
        duty.state,
        None if duty.due is None else (origin + duty.due[0] * unit, origin + (duty.due[1] - 1) * unit + 1),
        span(duty.gate),
        moved(duty.soon),
        moved(duty.ended),
        moved(duty.complete_until),
        moved(duty.complete_needed),
        duty.curable,
        duty.waived,
    )
    far = [Candidate(origin + c.first * unit, origin + c.last * unit, c.fit) for c in candidates]
    then = origin + now * unit
    wanted = table.decide_one(duty, candidates, now)
    assert table.decide_one(stretched, far, then) == wanted
    assert ruleset.decide([(stretched, far)], then) == [wanted]


@given(ITEMS, st.integers(0, 13))
@THOROUGH
def test_a_decision_rests_on_evidence_that_supports_it(item: Item, now: int):
    duty, candidates = item
    found = table.decide_one(duty, candidates, now)
    if found.candidate == -1:
        assert found.line not in {Line.MET, Line.LATE, Line.UNCLEAR, Line.SAME_DAY, Line.UNCLEAR_LATE}
        return
    support = candidates[found.candidate]
    all_worlds = worlds(duty.gate, tuple(candidates))
    timely = [in_time(duty, world, at) for world in all_worlds if (at := world.done[found.candidate]) is not None]
    if found.line is Line.MET:
        assert support.fit is Fit.YES
        assert all(timely)
        assert support.last == min(c.last for c in candidates if c.fit is Fit.YES)
    elif found.line is Line.LATE:
        assert support.fit is Fit.YES
        assert not any(timely)
        assert support.last == min(c.last for c in candidates if c.fit is Fit.YES)
    else:
        # Where moments are in doubt too, an unclear candidate may be named although it is the moments that decide.
        moments = found.line is Line.UNCLEAR and any(c.fit is Fit.YES and c.first < c.last for c in candidates)
        by_moments = moments and len({judged(duty, now, world) for world in all_worlds}) > 1
        assert by_moments or not settled(duty, now, found, all_worlds), "knowing more of that candidate would not change the verdict"


def judged(duty: Duty, now: int, world: World) -> str:
    """The verdict in a world."""
    done = [at for at in world.done if at is not None]
    return judge(duty, now, timely=any(in_time(duty, world, at) for at in done), done=bool(done))


def settled(duty: Duty, now: int, found: Decision, all_worlds: tuple[World, ...]) -> bool:
    """Whether the verdict is the same in all worlds that differ only in what is missing of the candidate (or of the gate's moment)."""
    groups: dict[tuple[object, ...], set[str]] = {}
    for world in all_worlds:
        rest = list(world.done)
        del rest[found.candidate]
        verdict = judged(duty, now, world)
        gate = None if found.line is Line.SAME_DAY else world.gate
        groups.setdefault((gate, *rest), set()).add(verdict)
    return all(len(verdicts) == 1 for verdicts in groups.values())


@given(DUTIES, st.lists(ONE_CANDIDATE, max_size=3), st.integers(0, 13))
@settings(max_examples=200, deadline=None)
def test_the_order_of_the_evidence_does_not_matter(duty: Duty, candidates: list[Candidate], now: int):
    def told(arranged: tuple[Candidate, ...]) -> tuple[Line, object]:
        found = table.decide_one(duty, arranged, now)
        if found.candidate == -1:
            return found.line, None
        support = arranged[found.candidate]
        return found.line, support.last if found.line in {Line.MET, Line.LATE} else support.first

    assert len({told(each) for each in permutations(candidates)}) == 1


@given(ITEMS, st.integers(0, 13), st.integers(0, 5))
@THOROUGH
def test_evidence_that_does_not_meet_the_condition_changes_nothing(item: Item, now: int, place: int):
    duty, candidates = item
    place = min(place, len(candidates))
    more = [*candidates[:place], Candidate(0, 11, Fit.NO), *candidates[place:]]
    before, after = table.decide_one(duty, candidates, now), table.decide_one(duty, more, now)
    shifted = before.candidate + (before.candidate >= place) if before.candidate >= 0 else -1
    assert after == Decision(before.line, shifted)


@given(ITEMS, st.integers(0, 13))
@THOROUGH
def test_nobody_is_accused_through_a_quiet_source(item: Item, now: int):
    duty, candidates = item
    quiet = Duty(duty.state, duty.due, duty.gate, duty.soon, duty.ended, 4, 5, duty.curable, duty.waived)
    assert table.decide_one(quiet, candidates, now).line not in {Line.BREACHED, Line.LATE, Line.EXCUSED, Line.UNCLEAR_LATE}


def test_the_oracle_is_no_constant():
    """The situations reach every verdict through the oracle, so that agreeing with it means something."""
    reached = {expected(duty, candidates, now) for now, items in situations(SMALL) for duty, candidates in items[::7]}
    assert reached == {VERDICTS[line] for line in Line if line not in {Line.OFF, Line.UNSET, Line.DISAGREE}}
    assert len(list(evidence(SMALL))) == 78
