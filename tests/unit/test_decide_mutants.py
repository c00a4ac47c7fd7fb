"""The tests of the deciders can fail: every engine rule is broken in every small way, and nearly all of that is noticed.

A mutant drops one condition or one pattern of a rule, or turns one comparison.  It is caught where, in the situations below, the
broken ruleset does not say what the table says, or the fence stops it.  Of 235, the 9 that survive change no verdict: each is
listed with the reason.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from dataclasses import replace

import pytest

from rules.decide import Item, table
from rules.decide.ruleset import RULES, WHOLE, Pattern, Ruleset, engine
from rules.errors import EngineError
from rules.model import Decision, State
from tests.support.worlds import SMALL, situations

pytestmark = pytest.mark.skipif(engine() is None, reason="durable-rules is not available for this Python")

Rules = dict[str, list[Pattern]]
TURNED = {"$lte": ("$lt", "$gt"), "$lt": ("$lte", "$gte"), "$gte": ("$gt", "$lt"), "$gt": ("$gte", "$lte")}
VALUES: dict[str | int, tuple[str | int, ...]] = {
    "live": ("off",),
    "off": ("unset",),
    "unset": ("hole",),
    "hole": ("live",),
    0: (1,),
    1: (0,),
}
FIELDS = {"lo": ("hi",), "hi": ("lo",), "mend": ("lo", "hi")}

UNBOUND = "a negation never sees the fact that the rule has already bound, so it can only meet the other kind of evidence"
CURABLE = "nothing can come later than never, and where nothing mends the breach `mend` is `hi`, behind which the evidence lies"
SURVIVORS = {
    "unclear: x$not[1] {'sure': 1} dropped": UNBOUND,
    "same_day: x$not[1] {'sure': 0} dropped": UNBOUND,
    "ended: x$not[1] {'$lte': {'lo': {'o': 'hi'}}} -> {'$lte': {'lo': {'o': 'lo'}}}": "only a gate has two readings, and no gate ends",
    "late: e[3] {'$lte': {'lo': {'o': 'mend'}}} -> {'$lt': {'lo': {'o': 'mend'}}}": CURABLE,
    "late: e[3] {'$lte': {'lo': {'o': 'mend'}}} -> {'$lte': {'hi': {'o': 'mend'}}}": CURABLE,
    "late: x$not[1] {'sure': 0} dropped": UNBOUND,
    "unclear_late: e[3] {'$lte': {'lo': {'o': 'mend'}}} -> {'$lt': {'lo': {'o': 'mend'}}}": CURABLE,
    "unclear_late: e[3] {'$lte': {'lo': {'o': 'mend'}}} -> {'$lte': {'hi': {'o': 'mend'}}}": CURABLE,
    "unclear_late: x$not[1] {'sure': 1} dropped": UNBOUND,
}
"""Mutants that mean the same as the rule."""


def mutants() -> Iterator[tuple[str, Rules]]:
    """Every ruleset that differs in one small thing; never in the joins that keep the module from reading past its program."""
    for name, parts in RULES.items():
        if name == WHOLE:
            continue
        for place, pattern in enumerate(parts):
            ((alias, body),) = pattern.items()
            if place:
                yield f"{name}: without {alias}", {**RULES, name: parts[:place] + parts[place + 1 :]}
            for index, condition in enumerate(body["$and"]):
                if "t" in condition or "one" in condition:
                    continue
                what = f"{name}: {alias}[{index}] {condition}"
                yield f"{what} dropped", broken(name, place, alias, index, None)
                for other in variants(condition):
                    yield f"{what} -> {other}", broken(name, place, alias, index, other)


def variants(condition: Pattern) -> Iterator[Pattern]:
    ((key, value),) = condition.items()
    if key in TURNED:
        for operator in TURNED[key]:
            yield {operator: value}
        ((field, operand),) = value.items()
        for other in FIELDS.get(field, ()):
            yield {key: {other: operand}}
        ((where, against),) = operand.items()
        for other in FIELDS.get(against, ()):
            yield {key: {field: {where: other}}}
    elif not isinstance(value, dict):
        for turned in VALUES[value]:
            yield {key: turned}


def broken(name: str, place: int, alias: str, index: int, other: Pattern | None) -> Rules:
    rules = copy.deepcopy(RULES)
    conditions = rules[name][place][alias]["$and"]
    conditions[index : index + 1] = [] if other is None else [other]
    return rules


def sample() -> list[tuple[int, list[Item], list[Decision]]]:
    """A few situations of every kind of obligation, and of those that are not live, with what the table says of each."""
    draw = random.Random(5)
    by_now: dict[int, list[Item]] = {}
    for now, items in situations(SMALL):
        by_now.setdefault(now, []).extend(draw.sample(items, 3))
    for items in by_now.values():
        items += [
            (replace(duty, state=state), found) for state in (State.OFF, State.UNSET, State.HOLE) for duty, found in draw.sample(items, 20)
        ]
        draw.shuffle(items)
    cases = [(now, items[start : start + 64]) for now, items in by_now.items() for start in range(0, len(items), 64)]
    draw.shuffle(cases)  # most mutants then fall at the first of them
    return [(now, items, table.decide(items, now)) for now, items in cases]


def caught(rules: Rules, cases: list[tuple[int, list[Item], list[Decision]]]) -> bool:
    try:
        ruleset = Ruleset(rules=rules)
        return any(ruleset.decide(items, now) != wanted for now, items, wanted in cases)
    except EngineError:
        return True


def test_every_mutant_that_means_something_else_is_caught():
    cases = sample()
    assert not caught(RULES, cases)
    tried = dict(mutants())
    assert len(tried) == 235
    assert [name for name, rules in tried.items() if not caught(rules, cases)] == list(SURVIVORS)
