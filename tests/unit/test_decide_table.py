"""The decision table line by line, in situations that a person can check by hand, judged by each decider."""

from __future__ import annotations

import pytest

from rules.decide import table
from rules.decide.items import decision
from rules.decide.ruleset import Ruleset, engine
from rules.model import Candidate, Decision, Duty, Fit, Line, State

MARCH_23 = (1000, 2000)
NOON, EVENING = 1500, 1800
BEFORE, DURING, AFTER = 900, 1900, 2500


def at(moment: int, fit: Fit = Fit.YES) -> Candidate:
    return Candidate(moment, moment, fit)


def on(day: tuple[int, int], fit: Fit = Fit.YES) -> Candidate:
    """Something of which only the day is known."""
    return Candidate(day[0], day[1] - 1, fit)


def due(**rest) -> Duty:
    return Duty(due=MARCH_23, **rest)


def gate(first: int = NOON, last: int = NOON, **rest) -> Duty:
    return Duty(gate=(first, last), **rest)


NO, UNCLEAR = Fit.NO, Fit.UNCLEAR
SITUATIONS = {
    "not triggered, whatever is on record": (Duty(State.OFF, due=MARCH_23), [at(BEFORE)], AFTER, Line.OFF, -1),
    "a parameter that nobody has set, even where fulfilled": (Duty(State.UNSET), [at(BEFORE)], AFTER, Line.UNSET, -1),
    "the activation cannot be judged": (Duty(State.HOLE, due=MARCH_23), [at(BEFORE)], AFTER, Line.HOLE, -1),
    "done before the due day": (due(), [at(BEFORE)], AFTER, Line.MET, 0),
    "done in the last millisecond of the due day": (due(), [at(1999)], AFTER, Line.MET, 0),
    "done in the first millisecond after it": (due(), [at(2000)], AFTER, Line.LATE, 0),
    "done on the due day, the moment unknown": (due(), [on(MARCH_23)], AFTER, Line.MET, 0),
    "the earliest of several counts": (due(), [at(DURING), at(BEFORE), at(BEFORE)], AFTER, Line.MET, 1),
    "done, and the case closed later": (due(ended=950), [at(BEFORE)], AFTER, Line.MET, 0),
    "done after the closure but in time": (due(ended=800), [at(BEFORE)], AFTER, Line.MET, 0),
    "what does not meet the condition does not count": (due(), [at(BEFORE, NO)], AFTER, Line.BREACHED, -1),
    "an attribute is missing of what may fulfil it": (due(), [at(BEFORE, UNCLEAR)], AFTER, Line.UNCLEAR, 0),
    "before the due day, an attribute missing": (due(), [at(BEFORE, UNCLEAR)], DURING, Line.UNCLEAR, 0),
    "unclear in time, sure too late": (due(), [at(AFTER), at(BEFORE, UNCLEAR)], 3000, Line.UNCLEAR, 1),
    "unclear, but fulfilled in time all the same": (due(), [at(BEFORE, UNCLEAR), at(DURING)], AFTER, Line.MET, 1),
    "unclear, and waived": (due(waived=True), [at(BEFORE, UNCLEAR)], AFTER, Line.UNCLEAR, 0),
    "unclear, and closed before the due day": (due(ended=950), [at(BEFORE, UNCLEAR)], AFTER, Line.UNCLEAR, 0),
    "unclear, and the source quiet": (due(complete_until=1000, complete_needed=2000), [at(BEFORE, UNCLEAR)], AFTER, Line.UNCLEAR, 0),
    "the same day as the gate, the moment unknown": (gate(), [on(MARCH_23)], AFTER, Line.SAME_DAY, 0),
    "the same day as the gate, of which only the day is known": (gate(1000, 1999), [at(NOON)], AFTER, Line.SAME_DAY, 0),
    "the moment of the gate itself is in time": (gate(), [at(NOON)], AFTER, Line.MET, 0),
    "a millisecond after the gate": (gate(), [at(NOON + 1)], AFTER, Line.LATE, 0),
    "after the gate, which nothing mends": (gate(curable=False), [at(NOON + 1)], AFTER, Line.BREACHED, -1),
    "unclear after a gate that nothing mends": (gate(curable=False), [at(EVENING, UNCLEAR)], AFTER, Line.BREACHED, -1),
    "the same day and a sure one before": (gate(), [on(MARCH_23), at(BEFORE)], AFTER, Line.MET, 1),
    "closed before the due day": (due(ended=999), [], AFTER, Line.ENDED, -1),
    "closed before the due day, done too late": (due(ended=999), [at(AFTER)], 3000, Line.ENDED, -1),
    "closed before the due day, the source quiet": (due(ended=999, complete_until=900, complete_needed=2000), [], AFTER, Line.ENDED, -1),
    "closed on the due day": (due(ended=1000), [], AFTER, Line.BREACHED, -1),
    "closed on the due day, which is not over": (due(ended=1000), [], DURING, Line.PENDING, -1),
    "closed while no due day was known": (Duty(ended=1000), [], AFTER, Line.ENDED, -1),
    "a gate is judged although the case is closed": (gate(ended=NOON), [], AFTER, Line.BREACHED, -1),
    "on the due day nothing is breached yet": (due(), [], 1999, Line.PENDING, -1),
    "the due day is over": (due(), [], 2000, Line.BREACHED, -1),
    "a millisecond before the warning window": (due(soon=800), [], 799, Line.PENDING, -1),
    "in the warning window": (due(soon=800), [], 800, Line.DUE_SOON, -1),
    "no due day yet": (Duty(), [], AFTER, Line.PENDING, -1),
    "no due day yet, but a warning": (Duty(soon=900), [], AFTER, Line.DUE_SOON, -1),
    "no due day yet, and done": (Duty(), [at(AFTER)], 3000, Line.MET, 0),
    "the gate is still to come": (gate(), [], BEFORE, Line.PENDING, -1),
    "the source is quiet since before the end of the day": (due(complete_until=1999, complete_needed=2000), [], AFTER, Line.STALE, -1),
    "the source has told of the whole day": (due(complete_until=2000, complete_needed=2000), [], AFTER, Line.BREACHED, -1),
    "the source is quiet, the day not over": (due(complete_until=900, complete_needed=2000), [], DURING, Line.PENDING, -1),
    "the source is quiet, something came too late": (due(complete_until=900, complete_needed=2000), [at(AFTER)], 3000, Line.STALE, -1),
    "the source is quiet, and it is waived": (due(complete_until=900, complete_needed=2000, waived=True), [], AFTER, Line.STALE, -1),
    "the source is quiet, and it was done": (due(complete_until=900, complete_needed=2000), [at(BEFORE)], AFTER, Line.MET, 0),
    "the source sends no heartbeats": (due(complete_needed=2000), [], AFTER, Line.BREACHED, -1),
    "the source's silence does not matter": (due(complete_until=900), [], AFTER, Line.BREACHED, -1),
    "a gate needs the whole of its day": (gate(complete_until=EVENING, complete_needed=2000), [], AFTER, Line.STALE, -1),
    "too late, the earliest of several": (due(), [at(2600), at(2500)], 3000, Line.LATE, 1),
    "too late, and waived": (due(waived=True), [at(AFTER)], 3000, Line.LATE, 0),
    "too late, and nothing mends it": (due(curable=False), [at(AFTER)], 3000, Line.BREACHED, -1),
    "perhaps too late": (due(), [at(AFTER, UNCLEAR)], 3000, Line.UNCLEAR_LATE, 0),
    "perhaps too late, twice at the same moment": (due(), [at(AFTER, UNCLEAR), at(AFTER, UNCLEAR)], 3000, Line.UNCLEAR_LATE, 0),
    "perhaps in time, twice at the same moment": (due(), [at(BEFORE, UNCLEAR), at(BEFORE, UNCLEAR)], AFTER, Line.UNCLEAR, 0),
    "in time, twice at the same moment": (due(), [at(BEFORE), at(BEFORE)], AFTER, Line.MET, 0),
    "too late, twice at the same moment": (due(), [at(AFTER), at(AFTER)], 3000, Line.LATE, 0),
    "perhaps too late, and waived": (due(waived=True), [at(AFTER, UNCLEAR)], 3000, Line.UNCLEAR_LATE, 0),
    "surely too late, perhaps sooner": (due(), [at(2500, UNCLEAR), at(2600)], 3000, Line.LATE, 1),
    "waived": (due(waived=True), [], AFTER, Line.EXCUSED, -1),
    "waived, and nothing mends it": (gate(waived=True, curable=False), [at(EVENING)], AFTER, Line.EXCUSED, -1),
}


@pytest.mark.parametrize(("duty", "candidates", "now", "line", "index"), SITUATIONS.values(), ids=SITUATIONS)
def test_the_table(duty, candidates, now, line, index):
    assert table.decide_one(duty, candidates, now) == Decision(line, index)


@pytest.mark.skipif(engine() is None, reason="durable-rules is not available for this Python")
def test_the_ruleset_says_the_same_of_each():
    ruleset = Ruleset()
    found = {
        name: ruleset.decide([(duty, candidates)], now) == [Decision(line, index)]
        for name, (duty, candidates, now, line, index) in SITUATIONS.items()
    }
    assert [name for name, same in found.items() if not same] == []


def test_every_line_is_among_them():
    assert {line for *_, line, _ in SITUATIONS.values()} == set(Line) - {Line.DISAGREE}


def test_many_are_decided_in_their_order():
    items = [(duty, candidates) for duty, candidates, *_ in SITUATIONS.values()]
    assert table.decide(items, AFTER) == [table.decide_one(duty, candidates, AFTER) for duty, candidates in items]


def test_decisions_are_equal_however_they_were_made():
    for index in (-1, 0, 31, 32, 500):
        assert decision(Line.MET, index) == Decision(Line.MET, index)
