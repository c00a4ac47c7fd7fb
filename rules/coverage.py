"""What tests reach of a policy: verdicts of each rule, lines of the decision table, answers of each part of each condition.

Nothing is measured unless a Coverage is handed to `policytest.run_timeline`: it looks on through `Test.watch`, `Where.watch` and a
View of its own, on policies that were loaded for it.  What is seen counts only where an expectation on a rule that rests on it
holds at the same check, so that a test which merely passes by proves nothing.  Pure; imports rules.*.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from rules.conditions import Selector, Term, Test
from rules.course import dig
from rules.coverageparts import ABSENT, FALSE, LISTS, TRUE, UNCLEAR, Goal, Path, Spot, demanded, parts_of
from rules.kinds.requires import Requires
from rules.matching import MAKERS, Answer, Check, Context, roles_of
from rules.model import Fit, Outcome
from rules.obligation import Trigger
from rules.view import Hit, View, alike

if TYPE_CHECKING:
    from rules.evaluate import Evaluation
    from rules.history import Entry
    from rules.policy import Policy

_ANSWERS = {Fit.YES: TRUE, Fit.NO: FALSE, Fit.UNCLEAR: UNCLEAR}
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
        self._now: set[tuple[str, Spot]] = set()
        self._selectors: dict[int, tuple[str, Path]] = {}
        self.views: type[View] = type("Watching", (_Watching,), {"coverage": self})

    def watch(self, policy: Policy) -> Policy:
        """Begins to look on at a policy, which must have been loaded for this alone and not judged with yet."""
        parts = parts_of(policy)
        spots: dict[Spot, frozenset[str]] = {}
        for goal in parts.goals:
            spots[goal.spot] = spots.get(goal.spot, frozenset()) | goal.rules
        self._watched[policy.id] = _Watched(policy, list({goal.spot: goal for goal in parts.goals}.values()), spots)
        for path, name, test in parts.tests:
            vars(test)["watch"] = _TestWatch(self, policy.id, path, name, test)
        for path, where in parts.joiners:
            vars(where)["watch"] = _JoinerWatch(self, policy.id, path)
        self._selectors |= {id(selector): (policy.id, path) for path, selector in parts.selectors}
        return policy

    def note(self, policy: str, path: Path, word: str, answer: str) -> None:
        """Something was seen; whether it counts is decided at the end of the check."""
        self._now.add((policy, (path, word, answer)))

    def keep(self, evaluation: Evaluation, held: Collection[str]) -> None:
        """Ends a check: what was seen counts for the rules on which expectations held."""
        for policy, spot in self._now:
            watched = self._watched[policy]
            if not watched.resting.get(spot, frozenset()).isdisjoint(held):
                watched.seen.add(spot)
        self._now.clear()
        for watched in self._watched.values():
            watched.counted |= {rule.id for rule in watched.policy.rules if rule.counted and rule.id in held}
        for judged in evaluation.details:
            if judged.rule.id in held and judged.policy.id in self._watched:
                watched = self._watched[judged.policy.id]
                watched.verdicts.setdefault(judged.rule.id, Counter())[judged.verdict.verdict.value] += 1
                watched.lines.setdefault(judged.rule.kind, Counter())[judged.decision.line.value] += 1

    def forget(self) -> None:
        """Drops what was seen since the last check."""
        self._now.clear()

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

    def selector(self, selector: Selector) -> tuple[str, Path] | None:
        """Which policy a selector belongs to, and its place; None for one that is not watched."""
        return self._selectors.get(id(selector))


def _one_of(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"one of {', '.join(names)}"


def _among(entry: Entry, entries: Iterable[Entry]) -> bool:
    return any(entry is one for one in entries)


class _JoinerWatch:
    """What any and not say."""

    def __init__(self, coverage: Coverage, policy: str, path: Path) -> None:
        self.coverage, self.policy, self.path = coverage, policy, path

    def __call__(self, word: str, ready: Check) -> Check:
        def run(data: Any, context: Context) -> Answer:
            answer = ready(data, context)
            self.coverage.note(self.policy, (*self.path, word), word, _ANSWERS[answer[0]])
            return answer

        return run


class _TestWatch:
    """What the words of one test say, and of which listed value."""

    def __init__(self, coverage: Coverage, policy: str, path: Path, name: str, test: Test) -> None:
        self.coverage, self.policy, self.path, self.name, self.present = coverage, policy, path, name, test.present
        self.wanted = dict(test.active)

    def __call__(self, word: str, ready: Check) -> Check:
        if not word:
            return self._whole(ready)
        wanted = self.wanted[word]
        several = wanted if isinstance(wanted, tuple) and len(wanted) > 1 else ()
        each = [MAKERS[word]((value,) if word in LISTS else value, "") for value in several] if word in LISTS | {"differs_from"} else []
        counts = Fit.NO if word in ("has_all", "differs_from") else Fit.YES
        labels = several if word in LISTS else range(len(several))

        def run(value: Any, context: Context) -> Answer:
            answer = ready(value, context)
            self._note(word, _ANSWERS[answer[0]])
            found = [label for label, one in zip(labels, each, strict=False) if one(value, context)[0] is counts]
            for label in found if word != "has_all" or len(found) == 1 else ():
                self._note(word, f"value {label}")
            return answer

        return run

    def _whole(self, ready: Check) -> Check:
        def run(data: Any, context: Context) -> Answer:
            absent = dig(data, self.name) is None
            if self.present is not None:
                self._note("present", TRUE if absent is not self.present else FALSE)
            elif absent:
                self._note("", ABSENT)
            return ready(data, context)

        return run

    def _note(self, word: str, answer: str) -> None:
        self.coverage.note(self.policy, self.path, word, answer)


class _Watching(View):
    """A view that tells its Coverage what selectors, terms and anchors come to."""

    coverage: ClassVar[Coverage]

    def find(self, selector: Selector, context: Context | None = None) -> list[Hit]:
        hits = super().find(selector, context)
        known = self.coverage.selector(selector)
        if known is not None:
            self._tell(*known, selector, hits)
        return hits

    def _tell(self, policy: str, path: Path, selector: Selector, hits: Iterable[Hit]) -> None:
        note = self.coverage.note
        fits = [hit.entry for hit in hits if hit.fit is Fit.YES]
        note(policy, path, "found", TRUE if fits else FALSE)
        for name in selector.names:
            term = self.policy.terms.get(name)
            kinds = (name,) if term is None else term.names
            if any(entry.type in kinds for entry in fits):
                note(policy, path, "event", name)
        if selector.related and any(not _among(entry, self.episode.by_type.get(entry.type, ())) for entry in fits):
            note(policy, path, "related", TRUE)
        if isinstance(selector, Requires) and selector.collects is not None:
            for attribute, wanted in selector.collects.items():
                brought: set[Any] = set()
                for hit in (hit for hit in hits if hit.fit is Fit.YES):
                    value = dig(hit.entry.data, attribute)
                    if value is None:
                        note(policy, path, f"collects.{attribute}", ABSENT)
                    for one in value if isinstance(value, list | tuple) else () if value is None else (value,):
                        brought |= {one} if selector.roles is None else roles_of(one, Context(self, hit.entry))[0]
                labels = {one if isinstance(one, str) else " or ".join(one): {one} if isinstance(one, str) else set(one) for one in wanted}
                lacking = [label for label, values in labels.items() if not values & brought]
                for label in labels:
                    if label not in lacking:
                        note(policy, path, f"collects.{attribute}.{label}", TRUE)
                    elif len(lacking) == 1:
                        note(policy, path, f"collects.{attribute}.{label}", FALSE)

    def _narrow(self, hit: Hit, selector: Selector, context: Context | None) -> Hit:
        known = self.coverage.selector(selector)
        activation = None if context is None else context.activation
        if known is not None and activation is not None and hit.fit is not Fit.NO:
            for same in selector.same:
                answer = alike(hit.entry.data, activation.data, same)[0]
                self.coverage.note(*known, f"same.{same}", ABSENT if answer is Fit.UNCLEAR else _ANSWERS[answer])
            if selector.of == "attempt" and hit.entry.attempt != activation.attempt:
                self.coverage.note(*known, "attempt", FALSE)
        return super()._narrow(hit, selector, context)

    def _term(self, name: str, term: Term) -> list[Hit]:
        hits = super()._term(name, term)
        for hit in hits:
            if hit.fit is Fit.YES:
                self.coverage.note(self.policy.id, ("terms", name), "event", hit.entry.type)
        return hits

    def counted(self, name: str) -> list[Hit]:
        hits = super().counted(name)
        types = self.policy.terms[name].names
        if any(kind in types for kind, _ in self.twins):
            self.coverage.note(self.policy.id, ("terms", name), "once_per", TRUE)
        return hits

    def anchor(self, name: str) -> Trigger | None:
        trigger = super().anchor(name)
        first = [hit.entry for hit in self.counted(self.policy.anchors[name].first)]
        for entry in trigger.entries if trigger is not None else ():
            if entry is not None:
                self.coverage.note(self.policy.id, ("anchors", name), "first", TRUE if _among(entry, first) else FALSE)
        return trigger
