"""Plain English for the smallest parts of a policy: attributes, codes, values and conditions, in the words of its catalogue.

`rules.saying` makes sentences of them.  Imports the policy's types and the catalogue.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from rules.catalogue import Catalogue, EventType
from rules.conditions import Ref, Selector, Test, Value, Where

if TYPE_CHECKING:
    from rules.policy import Policy

_OPEN = ("the ", "a ", "an ", "what ", "who ", "whether ", "its ", "each ", "every ", "any ", "no ")
_PLURAL = {"minutes": "the minutes", "supervision": "supervision", "information": "information"}


def words_of(name: str) -> str:
    """A name of the policy's as words: ``family contact days``."""
    return name.replace("_", " ").replace("-", " ").strip()


def with_article(noun: str) -> str:
    """``a visit``, ``an assessment``; as it is where it has one already."""
    if noun.startswith(_OPEN):
        return noun
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"


def the(noun: str) -> str:
    return noun if noun.startswith(_OPEN) else f"the {noun}"


def joined(words: Iterable[str], joiner: str = "and") -> str:
    """``a, b and c``; with a comma before the joiner where a part holds one itself."""
    texts = list(words)
    if len(texts) < 2:
        return "".join(texts)
    heavy = any("," in text or " and " in text or " or " in text for text in texts)
    return f"{', '.join(texts[:-1])}{',' if heavy else ''} {joiner} {texts[-1]}"


def ordinal(number: int) -> str:
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def event_says(known: EventType | None, name: str) -> str:
    """An event in a few words: as its catalogue says it, else made of its name ("a case plan is recorded")."""
    if known is not None and known.says:
        return known.says.rstrip(".")
    thing, dot, happened = name.rpartition(".")
    if not dot:
        return f"there is {with_article(words_of(name))}"
    noun = words_of(thing.replace(".", " "))
    plural = noun in _PLURAL or (noun.endswith("s") and not noun.endswith("ss"))
    return f"{_PLURAL.get(noun) or (the(noun) if plural else with_article(noun))} {'are' if plural else 'is'} {words_of(happened)}"


class Phrases:
    """The words of one policy.  ``person`` and ``item``: how the member and the item are called that a rule is about."""

    def __init__(self, policy: Policy, person: str = "the person", item: str = "that item") -> None:
        self.policy, self.person, self.item = policy, person, item
        self.catalogue: Catalogue = policy.catalogue

    # -- names
    def types(self, names: Iterable[str]) -> list[str]:
        """The event types behind the names of types and terms."""
        found: list[str] = []
        for name in names:
            found += self.policy.terms[name].names if name in self.policy.terms else [name]
        return list(dict.fromkeys(found))

    def _known(self, types: Iterable[str]) -> list[EventType]:
        return [known for name in types if (known := self.catalogue.types.get(name)) is not None]

    def spoken(self, path: str, types: Iterable[str]) -> str:
        """What the catalogue says of an attribute; empty where it says nothing."""
        known = self._known(types)
        return next((one.words[path] for one in known if path in one.words), "")

    def kind_of(self, path: str, types: Iterable[str]) -> str:
        """What stands at a path: ``flag``, ``list``, ``code`` ...; empty where nobody says."""
        return next((found.kind for one in self._known(types) if (found := one.attribute(path)) is not None), "")

    def noun(self, path: str, types: Iterable[str]) -> str:
        """An attribute without its article: ``kind of snapshot``, ``role of the performer``."""
        types = list(types)
        spoken = self.spoken(path, types)
        if spoken and self.kind_of(path, types) != "flag":
            return spoken
        steps = path.split(".")
        if len(steps) > 1 and self.kind_of(".".join(steps[:-1]), types) == "list":
            return words_of(steps[-1])
        if len(steps) > 1 and steps[-1] == "id":
            steps = steps[:-1]
        return " of the ".join(words_of(step) for step in reversed(steps))

    def attribute(self, path: str, types: Iterable[str]) -> str:
        """An attribute with its article."""
        return the(self.noun(path, types))

    def code(self, value: Any, path: str, types: Iterable[str]) -> str:
        """A literal in words: a code as the catalogue says it, a flag as yes or no."""
        if isinstance(value, bool):
            return "yes" if value else "no"
        for one in self._known(types):
            if path in one.spoken and str(value) in one.spoken[path]:
                return one.spoken[path][str(value)]
        return words_of(str(value)) if isinstance(value, str) and not value[:4].isdigit() else str(value)

    # -- values
    def value(self, value: Value, path: str, types: Sequence[str]) -> str:
        """A literal or what is looked up in the case."""
        if isinstance(value, Ref):
            return self._looked_up(value, types)
        if not isinstance(value, str) or not value.startswith("$"):
            return self.code(value, path, types)
        word, _, inner = value[1:].partition(".")
        if word == "person":
            return self.person
        if word == "item":
            return self.item if inner == "id" else f"{the(words_of(inner))} of {self.item}"
        if word == "this":
            return f"{self.attribute(inner, types)} of the same event"
        if inner == "id":
            return "the event that calls for it"
        return f"{self.attribute(inner, list(self.catalogue.types))}, as the event that calls for it names it"

    def _looked_up(self, ref: Ref, types: Sequence[str]) -> str:
        if ref.state is not None:
            return f"{the(words_of(ref.state))} at that time"
        if ref.previous is not None:
            same = [f"the same {words_of(path)}" for path in ref.previous.same]
            same += [f"the same {words_of(path)}, or none on both sides" for path in ref.previous.same_or_absent]
            alike = f" with {joined(same)}" if same else ""
            return f"{self.attribute(ref.previous.attribute, types)} of the one before it{alike}{_none(ref.if_none)}"
        selector = ref.last or ref.greatest
        assert selector is not None
        attribute = self.attribute(ref.attribute or "", self.types(selector.names))
        if ref.last is not None:
            return f"{attribute} the last time that {self.selector(selector)}{_none(ref.if_none)}"
        return f"the greatest {attribute.removeprefix('the ')} so far of every time that {self.selector(selector)}{_none(ref.if_none)}"

    def selector(self, selector: Selector) -> str:
        """See rules.saying; here only the events."""
        return joined([self.event(name) for name in selector.names], "or")

    def event(self, name: str) -> str:
        """A type or a term as a clause: "a visit is held", "there is a completed plan"."""
        term = self.policy.terms.get(name)
        if term is None:
            return event_says(self.catalogue.types.get(name), name)
        return f"there is {with_article(term.means.strip().rstrip('.') or words_of(name))}"

    # -- conditions
    def where(self, where: Where | None, types: Sequence[str], prefix: str = "") -> str:
        """A condition as one phrase."""
        return joined(self.parts(where, types, prefix))

    def parts(self, where: Where | None, types: Sequence[str], prefix: str = "") -> list[str]:
        """The clauses of a condition, all of which must hold."""
        if where is None:
            return []
        found = [clause for path, test in where.tests.items() for clause in self.test(path, test, types, prefix)]
        for part in where.all_ or ():
            found += self.parts(part, types, prefix)
        if where.any_:
            choices = [self.where(part, types, prefix) for part in where.any_]
            found.append(f"either {', or '.join(choices)}" if len(choices) > 1 else choices[0])
        if where.not_ is not None:
            found.append(f"it is not so that {self.where(where.not_, types, prefix)}")
        return [clause for clause in found if clause]

    def test(self, path: str, test: Test, types: Sequence[str], prefix: str = "") -> list[str]:
        """The clauses of the test of one attribute."""
        full = prefix + path
        noun, kind, spoken = self.attribute(full, types), self.kind_of(full, types), self.spoken(full, types)
        clauses = []
        if test.present is not None:
            if kind == "flag" and spoken:
                clauses.append(f"it is {'' if test.present else 'not '}stated whether {spoken}")
            else:
                clauses.append(f"{noun} {_copula(noun, kind)} {'' if test.present else 'not '}stated")
        for name, wanted in test.active:
            if name in ("each", "some"):
                inner = self.where(wanted, types, f"{full}.")
                clauses.append(f"for {'each' if name == 'each' else 'at least one'} of {noun}, {inner}")
            elif kind == "flag" and spoken and wanted in (True, False) and name in ("equals", "differs_from"):
                holds = wanted is (name == "equals")
                clauses.append(spoken if holds else f"it is on record that this is not so: {spoken}")
            else:
                clauses.append(self._compared(name, wanted, full, noun, kind, types))
        return clauses

    def _compared(self, name: str, wanted: Any, path: str, noun: str, kind: str, types: Sequence[str]) -> str:
        values = [self.value(one, path, types) for one in (wanted if isinstance(wanted, tuple) else (wanted,))]
        size = f"the number of {noun.removeprefix('the ')}" if kind == "list" else noun
        copula = _copula(noun, kind)
        match name:
            case "equals":
                return f"{noun} {copula} {values[0]}"
            case "in_":
                return f"{noun} {copula} {joined(values, 'or')}" if values else f"{noun} {copula} one of no values at all"
            case "differs_from":
                return f"{noun} {copula} neither {' nor '.join(values)}" if len(values) > 1 else f"{noun} {copula} not {values[0]}"
            case "has":
                return f"{values[0]} is among {noun}"
            case "has_all":
                return f"{noun} {'take' if copula == 'are' else 'takes'} in {joined(values)}"
            case "has_any":
                return f"{noun} {'take' if copula == 'are' else 'takes'} in at least one of {joined(values)}"
            case "at_least" | "at_most":
                return f"{size} is {words_of(name)} {values[0]}"
            case "before" | "after":
                return f"{noun} {copula} {name} {values[0]}"
            case "includes_role":
                roles = joined([words_of(role) for role in wanted], "or")
                return f"somebody in the role of {roles} is among {noun}"
        return f"{noun}: {words_of(name)} {joined(values)}"


def _copula(noun: str, kind: str) -> str:
    return "are" if kind == "list" and not noun.startswith(("what ", "each ")) else "is"


def _none(if_none: str) -> str:
    told = {"true": "where there is none, this holds", "false": "where there is none, this does not hold"}
    return f" ({told[if_none]})" if if_none in told else ""
