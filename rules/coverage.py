"""What tests reach of a policy: verdicts of each rule, lines of the decision table, answers of each part of each condition.

Nothing is measured unless a Coverage is handed to `policytest.run_timeline`: then `rules.watching` looks on at policies that were
loaded for it.  What is seen counts only where an expectation on a rule that rests on it holds at the same check, so that a test which
merely passes by proves nothing.  Pure; imports rules.*.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rules.coverageparts import Goal, Path, Spot, demanded, parts_of
from rules.model import Outcome
from rules.watching import Notes

if TYPE_CHECKING:
    from rules.evaluate import Evaluation
    from rules.policy import Policy
    from rules.view import View

MET = frozenset({Outcome.MET.value})
BREACHED = frozenset({Outcome.BREACHED.value, Outcome.LATE.value})
UNKNOWN = frozenset({Outcome.UNKNOWN.value})
SHOWN = (("met", MET), ("breached", BREACHED), ("unknown", UNKNOWN))
"""What every enforced rule must be shown as: the word, and the verdicts that will do."""


@dataclass(frozen=True, slots=True)
class Missing:
    """What no test reaches: where it stands in the policy, in words, and an idea of the timeline to write."""

    rules: tuple[str, ...]
    path: Path
    words: str
    idea: str


@dataclass(slots=True)
class Reached:
    """What the tests reach of one policy."""

    policy: Policy
    total: int
    reached: int
    missing: list[Missing]
    verdicts: Mapping[str, Counter[str]]
    """By rule: how often each verdict was expected and came."""
    lines: Mapping[str, Counter[str]]
    """By kind of rule: on which line of the decision table how many verdicts rested."""

    @property
    def percent(self) -> float:
        """0 to 100, cut (not rounded) to one decimal: 100 means all."""
        return 100.0 if not self.total else (1000 * self.reached // self.total) / 10


@dataclass(slots=True)
class _Watched:
    """One policy that is looked on at."""

    policy: Policy
    goals: list[Goal]
    resting: dict[Spot, frozenset[str]]
    seen: set[Spot] = field(default_factory=set)
    verdicts: dict[str, Counter[str]] = field(default_factory=dict)
    lines: dict[str, Counter[str]] = field(default_factory=dict)
    counted: set[str] = field(default_factory=set)


class Coverage:
    """Looks on while timelines are judged.  ``views`` goes to `evaluate`."""

    def __init__(self) -> None:
        self._watched: dict[str, _Watched] = {}
        self._seen = Notes()
        self.views: type[View] = self._seen.views

    def watch(self, policy: Policy) -> Policy:
        """Begins to look on at a policy, which must have been loaded for this alone and not judged with yet."""
        parts = parts_of(policy)
        spots: dict[Spot, frozenset[str]] = {}
        for goal in parts.goals:
            spots[goal.spot] = spots.get(goal.spot, frozenset()) | goal.rules
        self._watched[policy.id] = _Watched(policy, list({goal.spot: goal for goal in parts.goals}.values()), spots)
        self._seen.watch(policy.id, parts)
        return policy

    def keep(self, evaluation: Evaluation, held: Collection[str]) -> None:
        """Ends a check: what was seen counts for the rules on which expectations held."""
        for policy, spot, _ in self._seen.notes:
            watched = self._watched[policy]
            if not watched.resting.get(spot, frozenset()).isdisjoint(held):
                watched.seen.add(spot)
        self._seen.notes.clear()
        for watched in self._watched.values():
            watched.counted |= {rule.id for rule in watched.policy.rules if rule.counted and rule.id in held}
        for judged in evaluation.details:
            if judged.rule.id in held and judged.policy.id in self._watched:
                watched = self._watched[judged.policy.id]
                watched.verdicts.setdefault(judged.rule.id, Counter())[judged.verdict.verdict.value] += 1
                watched.lines.setdefault(judged.rule.kind, Counter())[judged.decision.line.value] += 1

    def lacking(self) -> list[tuple[str, str]]:
        """Rules that were never shown to be unknown: (policy, rule)."""
        return [
            (name, rule) for name, w in self._watched.items() for rule in demanded(w.policy) if not UNKNOWN & set(w.verdicts.get(rule, ()))
        ]

    def reached(self, *, can_be_unknown: Mapping[tuple[str, str], str] | None = None) -> list[Reached]:
        """What was reached of each policy.  ``can_be_unknown``: of the rules never shown unknown, those that can be, and how."""
        return [self._reached(watched, can_be_unknown or {}) for watched in self._watched.values()]

    def _reached(self, watched: _Watched, can_be_unknown: Mapping[tuple[str, str], str]) -> Reached:
        policy, missing, total = watched.policy, [], 0
        places = {raw["id"]: index for index, raw in enumerate(policy.raw["rules"])}
        for rule in (policy.rule(name) for name in demanded(policy)):
            seen = set(watched.verdicts.get(rule.id, ()))
            ideas = {
                "met": f"a case that does what {rule.id} asks, with expect: {{{rule.id}: met}}",
                "breached": f"a case with the finding {rule.unmet or rule.title!r}, with expect: {{{rule.id}: breached}}",
                "unknown": can_be_unknown.get((policy.id, rule.id), ""),
            }
            for word, verdicts in SHOWN:
                if word == "unknown" and not seen & verdicts and not ideas[word]:
                    continue
                total += 1
                if not seen & verdicts:
                    missing.append(Missing((rule.id,), ("rules", places[rule.id]), f"never shown {word}", ideas[word]))
        for rule in policy.rules:
            if rule.counted and rule.status == "enforced":
                total += 1
                if rule.id not in watched.counted:
                    idea = f"a case in which {rule.id} counts something, with counted: {{{rule.id}: {{...}}}}"
                    missing.append(Missing((rule.id,), ("rules", places[rule.id]), "never shown counting", idea))
        for goal in watched.goals:
            total += 1
            if goal.spot not in watched.seen:
                names = tuple(sorted(watched.resting[goal.spot]))
                missing.append(
                    Missing(names, goal.spot[0], f"not reached: {goal.words}", f"{goal.idea}, with an expectation on {_one_of(names)}")
                )
        return Reached(policy, total, total - len(missing), missing, watched.verdicts, watched.lines)


def _one_of(names: Sequence[str]) -> str:
    if len(names) > 4:
        return "a rule that uses it"
    return names[0] if len(names) == 1 else f"one of {', '.join(names)}"
