"""What of a policy its tests should reach: every answer that a part of a condition or a selector of an enforced rule can give.

A part is a test's word (``status: held``), a joiner, what a selector asks beside its conditions, a declared term or anchor.  Each
comes with its place in the policy, the rules that rest on it, and the answers to be seen.  Imports the models of policies only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from rules.conditions import Collection, Ref, Selector, Term, Test, Where
from rules.kinds.base import ClosedAs, Kind
from rules.kinds.requires import Cancelled, EachItem, Requires
from rules.policyfile import Anchor
from rules.yamlsource import Key

if TYPE_CHECKING:
    from rules.policy import Policy

Path = tuple[Key, ...]
Spot = tuple[Path, str, str]
"""Where a part stands, which word of it, and its answer."""

TRUE, FALSE, ABSENT, UNCLEAR = "true", "false", "absent", "unclear"
_VERBS = {
    "equals": ("is", "is not"),
    "in_": ("is", "is not"),
    "differs_from": ("is not", "is"),
    "has": ("holds", "does not hold"),
    "has_all": ("holds", "does not hold"),
    "has_any": ("holds", "does not hold"),
    "at_least": ("is at least", "is below"),
    "at_most": ("is at most", "is above"),
    "before": ("is before", "is not before"),
    "after": ("is after", "is not after"),
    "includes_role": ("includes", "does not include"),
    "each": ("is as asked throughout", "is not as asked throughout"),
    "some": ("is as asked somewhere", "is nowhere as asked"),
}
LISTS = {"in_", "has_any", "includes_role", "has_all"}
"""Words of which each listed value counts: seen to satisfy (of ``has_all``: seen to be the only one lacking)."""


@dataclass(frozen=True, slots=True)
class Goal:
    """An answer that should be seen.  ``rules``: those that rest on it, one of which must be expected where it is seen."""

    spot: Spot
    rules: frozenset[str]
    words: str
    idea: str


@dataclass(slots=True)
class Parts:
    """The parts of a policy: what is to be watched, and the answers to be seen."""

    goals: list[Goal] = field(default_factory=list)
    tests: list[tuple[Path, str, Test]] = field(default_factory=list)
    joins: list[tuple[Path, Where]] = field(default_factory=list)
    selectors: list[tuple[Path, Selector]] = field(default_factory=list)


def demanded(policy: Policy) -> list[str]:
    """The rules whose tests must be complete: those enforced that have verdicts."""
    return [rule.id for rule in policy.rules if rule.status == "enforced" and not rule.counted]


def parts_of(policy: Policy) -> Parts:
    """Every part that an enforced rule rests on, each once."""
    return _Walker(policy).parts()


class _Walker:
    def __init__(self, policy: Policy) -> None:
        self.policy, self.found = policy, Parts()
        self.rules: frozenset[str] = frozenset()
        self.sure: frozenset[str] = frozenset()
        """Events one of which is there whenever the clause at hand asks for anything: it was activated by one."""

    def parts(self) -> Parts:
        used: dict[tuple[str, str], set[str]] = {}
        places = {raw["id"]: index for index, raw in enumerate(self.policy.raw["rules"])}
        for rule in self.policy.rules:
            if rule.id not in demanded(self.policy):
                continue
            self.rules = frozenset((rule.id,))
            path: Path = ("rules", places[rule.id])
            several = "clauses" in self.policy.raw["rules"][path[1]]
            for number, clause in enumerate(rule.clauses):
                self.sure = frozenset(_activating(clause))
                self._walk(clause, (*path, "clauses", number) if several else path, ())
                self._use(clause, rule.id, used)
        for (group, name), rules in used.items():
            self.rules, self.sure = frozenset(rules), frozenset()
            self._declared(group, name)
        self.found.goals.sort(key=lambda goal: [str(key).zfill(4) for key in goal.spot[0]])
        return self.found

    def _use(self, part: BaseModel, rule: str, used: dict[tuple[str, str], set[str]]) -> None:
        """Notes which declared terms, anchors and collections a part names, and what these name in turn."""
        words = set(_texts(part.model_dump()))
        for group in ("terms", "anchors", "collections"):
            for name, declared in getattr(self.policy, group).items():
                if name in words and rule not in used.setdefault((group, name), set()):
                    used[group, name].add(rule)
                    self._use(declared, rule, used)

    def _declared(self, group: str, name: str) -> None:
        part: Term | Anchor | Collection = getattr(self.policy, group)[name]
        path: Path = (group, name)
        if isinstance(part, Term):
            for event in part.names if len(part.names) > 1 else ():
                self._goal(path, "event", event, f"{name} by {event}", f"{_one((event,))} that counts as {name}")
            if part.once_per:
                self._goal(path, "once_per", TRUE, f"{name} reported twice", "the same thing told by two sources, counted once")
            self._where(part.where, (*path, "where"), part.names)
            return
        if isinstance(part, Anchor):
            self._goal(path, "first", TRUE, f"{name} from the first {part.first}", f"{_one((part.first,))} soon after {part.of.event}")
            self._goal(path, "first", FALSE, f"{name} from {part.of.event}", f"no {part.first}, or one that comes too late")
        self._walk(part, path, ())

    def _goal(self, path: Path, word: str, answer: str, words: str, idea: str) -> None:
        self.found.goals.append(Goal((path, word, answer), self.rules, words, idea))

    # -- the walk
    def _walk(self, part: Any, path: Path, types: tuple[str, ...]) -> None:
        if isinstance(part, Where):
            self._where(part, path, types)
        elif isinstance(part, BaseModel):
            if isinstance(part, Selector):
                types = part.names
                self._selector(part, path)
            types = self._types(part, types)
            for name, about in type(part).model_fields.items():
                self._walk(getattr(part, name), (*path, about.alias or name), types)
        elif isinstance(part, tuple):
            for index, value in enumerate(part):
                self._walk(value, (*path, index), types)

    def _types(self, part: BaseModel, types: tuple[str, ...]) -> tuple[str, ...]:
        """The events that conditions inside a part are put to."""
        if isinstance(part, Kind):
            examined = getattr(part, "examines", None)
            selectors = (examined,) if examined is not None else getattr(getattr(part, "when", None), "selectors", ())
            return tuple(name for selector in selectors for name in selector.names)
        if isinstance(part, Cancelled):
            return (part.event,)
        if isinstance(part, ClosedAs):
            closes = self.policy.domain.course.closes
            return () if closes is None else (closes.event,)
        if isinstance(part, EachItem):
            return self.policy.collections[part.collection].of
        return types

    def _selector(self, selector: Selector, path: Path) -> None:
        names, one = " or ".join(selector.names), _one(selector.names)
        self.found.selectors.append((path, selector))
        if not selector.names:
            return
        self._goal(path, "found", TRUE, f"{names} found", f"{one} that counts here")
        if not self.sure or not _takes_all(selector, self.sure):
            self._goal(path, "found", FALSE, f"{names} not found", f"no {names} that counts here")
        for name in selector.names if len(selector.names) > 1 else ():
            self._goal(path, "event", name, f"found as {name}", f"{_one((name,))} that counts here")
        for same in selector.same:
            self._goal(path, f"same.{same}", TRUE, f"the same {same}", f"{one} with the same {same}")
            self._goal(path, f"same.{same}", FALSE, f"another {same}", f"{one} with another {same}")
            self._goal(path, f"same.{same}", ABSENT, f"{same} left out", f"{one} that does not say its {same}")
        if selector.of == "attempt":
            self._goal(path, "attempt", FALSE, "of another closure attempt", f"{one} from before an earlier closure")
        if selector.related:
            self._goal(path, "related", TRUE, "found in a related case", f"{one} in a case that shares a person")
        if isinstance(selector, Requires):
            self._collects(selector.collects or {}, path, one)

    def _collects(self, collects: Mapping[str, Iterable[str | tuple[str, ...]]], path: Path, event: str) -> None:
        for attribute, wanted in collects.items():
            self._goal(path, f"collects.{attribute}", ABSENT, f"{attribute} left out", f"{event} that does not say its {attribute}")
            for value in wanted:
                values = (value,) if isinstance(value, str) else value
                label = " or ".join(values)
                word = f"collects.{attribute}.{label}"
                self._goal(path, word, TRUE, f"{attribute} with {label}", f"{event} that brings {label}")
                self._goal(path, word, FALSE, f"{attribute} lacking {label} alone", f"everything brought but {label}")
                for each in values if len(values) > 1 else ():
                    idea = f"everything brought, with {each} alone for {label}"
                    self._goal(path, word, each, f"{attribute} with {each} for {label}", idea)

    # -- conditions
    def _where(self, where: Where | None, path: Path, types: tuple[str, ...]) -> None:
        if where is None:
            return
        self.found.joins.append((path, where))
        for word in [word for word, given in (("any", where.any_), ("not", where.not_)) if given]:
            self._goal((*path, word), word, TRUE, f"{word} holds", f"{_one(types)} for which what stands under {word} holds")
            self._goal(
                (*path, word), word, FALSE, f"{word} does not hold", f"{_one(types)} for which what stands under {word} does not hold"
            )
        for name, test in where.tests.items():
            self._test(test, (*path, name), name, types)
        for word, inner in (("all", where.all_ or ()), ("any", where.any_ or ())):
            for index, part in enumerate(inner):
                self._where(part, (*path, word, index), types)
        self._where(where.not_, (*path, "not"), types)

    def _test(self, test: Test, path: Path, name: str, types: tuple[str, ...]) -> None:
        self.found.tests.append((path, name, test))
        one = _one(types)
        if test.present is not None:
            given, left = f"{one} that says {name}", f"{one} that does not say {name}"
            self._goal(path, "present", TRUE, f"{name} {'given' if test.present else 'left out'}", given if test.present else left)
            self._goal(path, "present", FALSE, f"{name} {'left out' if test.present else 'given'}", left if test.present else given)
        else:
            self._goal(path, "", ABSENT, f"{name} left out", f"{one} that does not say {name}")
        for word, wanted in test.active:
            self._word(word, wanted, path, name, one)
            for inner in [wanted] if isinstance(wanted, Where | Ref) else wanted if isinstance(wanted, tuple) else ():
                if isinstance(inner, Where | Ref):
                    self._walk(inner, (*path, word), (f"element of {name}",) if isinstance(inner, Where) else types)

    def _word(self, word: str, wanted: Any, path: Path, name: str, one: str) -> None:
        value = shown(wanted, "and" if word == "has_all" else "or")
        yes, no = (f"{name} {verb}{value}" for verb in _VERBS[word])
        several = wanted if isinstance(wanted, tuple) and len(wanted) > 1 else ()
        self._goal(path, word, FALSE, no, f"{one} whose {no}, the rest being as asked")
        if not several or word not in LISTS or word == "has_all":
            self._goal(path, word, TRUE, yes, f"{one} whose {yes}")
        for value in several if word in LISTS else ():
            words = f"{name} lacking {value} alone" if word == "has_all" else f"{name} with {value}"
            self._goal(path, word, f"value {value}", words, f"{one} with its {words}")
        for index, _ in enumerate(several if word == "differs_from" else ()):
            self._goal(path, word, f"value {index}", f"{name} is number {index + 1} of these", f"{one} for which just this is so")
        if may_be_unclear(word, wanted):
            with_what = "roles of those listed are" if word == "includes_role" else "value that it is compared with is"
            self._goal(path, word, UNCLEAR, f"{yes}: cannot be told", f"{one} where the {with_what} not on record")


def _activating(clause: BaseModel) -> tuple[str, ...]:
    when = getattr(clause, "when", None)
    return tuple(name for selector in getattr(when, "selectors", ()) for name in selector.names)


def _takes_all(selector: Selector, names: Iterable[str]) -> bool:
    """Whether it is a requirement that each of these events meets by itself."""
    asks_more = selector.where is not None or selector.same or selector.of != "episode"
    return isinstance(selector, Requires) and not asks_more and set(names) <= set(selector.names)


def may_be_unclear(word: str, wanted: Any) -> bool:
    """Whether the comparison itself may fail for want of data, though the attribute is there."""
    if word == "includes_role":
        return True
    values = wanted if isinstance(wanted, tuple) else (wanted,)
    told = ("$person", "$item.id", "$activation.id")
    return any(isinstance(v, Ref) or (isinstance(v, str) and v.startswith("$") and v not in told) for v in values)


def shown(wanted: Any, joiner: str = "or") -> str:
    """A wanted value in a few words, with a space before; nothing for what has parts of its own."""
    if isinstance(wanted, Where):
        return ""
    if isinstance(wanted, Ref):
        return " what is looked up"
    if isinstance(wanted, tuple):
        return " " + f" {joiner} ".join(shown(one).strip() for one in wanted)
    return f" {str(wanted).lower() if isinstance(wanted, bool) else wanted}"


def _one(types: Iterable[str]) -> str:
    """One such event: "an assessment.completed"."""
    return " or ".join(f"{'an' if name[0] in 'aeiou' else 'a'} {name}" for name in types) or "an event"


def _texts(data: Any) -> Iterator[str]:
    """Every text in plain data, keys left out."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict):
        for value in data.values():
            yield from _texts(value)
    elif isinstance(data, list | tuple):
        for value in data:
            yield from _texts(value)
