"""What a diff says that a change does, held against what judging random cases gives: later or earlier, more breaches or fewer."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import pytest

from rules.conditions import Test, Where
from rules.diff import diff
from rules.evaluate import evaluate
from rules.kinds.base import Kind
from rules.kinds.nth_occurrence import Nth
from rules.model import CaseFile, Outcome, Verdict
from rules.periods import Period
from rules.policy import Policy, Rule, load_shipped, shipped
from tests.support.random_cases import DAY, PARAMETERS, START, random_file

FOR_EVER = START + 1000 * DAY
POLICIES = {name: load_shipped(name).with_parameters(PARAMETERS[name]) for name in shipped()}
CASES = 12


@cache
def _files() -> list[tuple[CaseFile, int]]:
    rnd = random.Random(7)
    return [(random_file(random.Random(seed)), START + rnd.randint(20, 220) * DAY) for seed in range(CASES)]


def _judged(policy: Policy) -> list[dict[tuple[str, ...], Verdict]]:
    return [{v.key: v for v in evaluate([policy], file, as_of=at, known_at=FOR_EVER).verdicts} for file, at in _files()]


def _only(policy: Policy, rule: Rule) -> Policy:
    return replace(policy, rules=(rule,))


def _with_clause(rule: Rule, number: int, **changes: object) -> Rule:
    clauses = [clause.model_copy(update=changes) if i == number else clause for i, clause in enumerate(rule.clauses)]
    return replace(rule, clauses=tuple(clauses))


def _other_periods(period: Period) -> Iterator[Period]:
    if period.parameter is None:
        unit, count = period.unit, int(period.count)
        yield Period(**{unit: count + 1})
        yield Period(**{unit: max(0, count - 2)})
        yield Period(months=1)
        yield Period(business_days=5 * count)
        yield Period(**{unit: count}, roll="forward")


def _limits() -> Iterator[tuple[str, Policy, Policy]]:
    """Every limit of every shipped rule, made otherwise: (name, before, after)."""
    for policy in POLICIES.values():
        for rule in policy.rules:
            mine = _only(policy, rule)
            for number, clause in enumerate(rule.clauses):
                for field, value in clause:
                    others: list[object] = []
                    if isinstance(value, Period):
                        others = list(_other_periods(value))
                        if (name := value.parameter) is not None:
                            set_to = policy.values[name] or 0
                            for days in (set_to + 9, max(0, set_to - 4), None):
                                yield f"{rule.id} {field} {days}", mine, mine.with_parameters({name: days})
                            yield f"{rule.id} {field} from unset", mine.with_parameters({name: None}), mine
                    elif isinstance(value, Nth):
                        others = [value.model_copy(update={"nth": value.nth + 1}), value.model_copy(update={"nth": value.nth - 1})]
                    for other in others:
                        changed = _only(policy, _with_clause(rule, number, **{field: other}))
                        yield f"{rule.id} {field} {other}", mine, changed


def _breaches(judged: dict[tuple[str, ...], Verdict]) -> set[tuple[str, ...]]:
    return {key for key, verdict in judged.items() if verdict.verdict in (Outcome.BREACHED, Outcome.LATE)}


def _hold(name: str, old: Policy, new: Policy, effect: str) -> int:
    """How many cases have more or fewer breaches than before; raises AssertionError where the effect is not what was said."""
    moved = 0
    for before, after in zip(_judged(old), _judged(new), strict=True):
        was, now = _breaches(before), _breaches(after)
        moved += was != now
        if "fewer breaches" in effect and "more or fewer" not in effect:
            assert now <= was, (name, effect, now - was)
        if ("more breaches" in effect and "more or fewer" not in effect) or effect == "can breach from now on":
            assert was <= now, (name, effect, was - now)
        if "no breach more or fewer" in effect:
            assert was == now, (name, effect)
        if effect == "can no longer breach":
            assert not now, (name, effect)
        if effect.startswith(("later,", "earlier,")):
            sign = 1 if effect.startswith("later") else -1
            for key, verdict in after.items():
                due = before[key].due_on if key in before else None
                if due is not None and verdict.due_on is not None:
                    assert (verdict.due_on >= due) if sign == 1 else (verdict.due_on <= due), (name, effect, key)
    return moved


def test_what_is_said_of_limits_is_so() -> None:
    tried = moved = 0
    said: set[str] = set()
    for name, old, new in _limits():
        changes = diff(old, new)
        if not changes:
            assert _hold(name, old, new, "no breach more or fewer") == 0
            continue
        (change,) = changes
        tried += 1
        said.add(change.effect)
        moved += bool(_hold(name, old, new, change.effect))
    assert tried > 90
    assert moved > 15
    assert {"later, fewer breaches possible", "earlier, more breaches possible", "can breach from now on", "can no longer breach"} <= said


def _conditions() -> Iterator[tuple[str, Policy, Policy]]:
    """Conditions of shipped rules with a part taken away: (name, narrower, wider)."""
    for policy in POLICIES.values():
        for rule in policy.rules:
            for number, clause in enumerate(rule.clauses):
                for field in ("where", "requires"):
                    value = getattr(clause, field, None)
                    where = value if isinstance(value, Where) else getattr(value, "where", None)
                    if not isinstance(where, Where):
                        continue
                    for path in where.tests:
                        rest = {key: test for key, test in where.tests.items() if key != path}
                        fewer = Where(**rest, **({"all": where.all_} if where.all_ else {}), **({"any": where.any_} if where.any_ else {}))
                        other = fewer if isinstance(value, Where) else value.model_copy(update={"where": fewer})
                        yield f"{rule.id} {path}", _only(policy, rule), _only(policy, _with_clause(rule, number, **{field: other}))


def test_what_is_said_of_conditions_is_so() -> None:
    tried = 0
    for name, old, new in _conditions():
        wheres = [getattr(clause, "where", None) for rule in new.rules for clause in rule.clauses]
        if not any(where is None or where.tests for where in wheres):
            continue
        (change,) = diff(old, new)
        (back,) = diff(new, old)
        if "fewer breaches" in change.effect and "more or fewer" not in change.effect:
            assert "more breaches" in back.effect, (name, change, back)
        tried += 1
        _hold(name, old, new, change.effect)
        _hold(name, new, old, back.effect)
    assert tried > 25


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        ({"equals": "a"}, {"in": ["a", "b"]}, "wider"),
        ({"in": ["a", "b"]}, {"equals": "b"}, "narrower"),
        ({"in": ["a", "b"]}, {"in": ["b", "c"]}, "other"),
        ({"at_least": 1}, {"at_least": 2}, "narrower"),
        ({"at_most": 1}, {"at_most": 2}, "wider"),
        ({"before": "2026-01-01"}, {"before": "2026-02-01"}, "wider"),
        ({"has_all": ["a"]}, {"has_all": ["a", "b"]}, "narrower"),
        ({"has_any": ["a"]}, {"has_any": ["a", "b"]}, "wider"),
        ({"includes_role": ["a", "b"]}, {"includes_role": ["a"]}, "narrower"),
        ({"differs_from": ["a"]}, {"differs_from": ["a", "b"]}, "narrower"),
        ({"present": True}, {"present": False}, "other"),
        ({"equals": True}, {"equals": False}, "other"),
        ({"has": "a"}, {"has": "$person"}, "other"),
        ({"at_least": 1}, {"at_least": 1, "has": "a"}, "narrower"),
    ],
)
def test_conditions_are_compared(old: dict[str, object], new: dict[str, object], wanted: str) -> None:
    from rules.effects import compare_test, turned

    one, other = Test.model_validate(old), Test.model_validate(new)
    assert compare_test(one, other) == wanted
    assert compare_test(other, one) == turned(wanted)
    assert compare_test(one, one) == "same"


def test_every_kind_says_what_a_longer_limit_does() -> None:
    from rules.kinds import registry

    for kind in registry().values():
        periods = {name for name, field in kind.model_fields.items() if "Period" in str(field.annotation) or field.annotation is Nth}
        assert periods <= set(kind.longer), kind.name
        assert issubclass(kind, Kind)
