"""Sentences about the parts of rules: what begins a rule, what it asks for, by when, and what ends or excuses it.

Each kind of rule makes its own sentences of these (`Kind.read_aloud`); `rules.reading` puts them together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from rules.conditions import Collection, Selector, Where
from rules.kinds.base import ClosedAs, FirstOfEach, Given, Kind, When
from rules.kinds.requires import Cancelled, EachItem, Requires
from rules.periods import Period
from rules.phrases import Phrases, joined, ordinal, the, with_article, words_of

if TYPE_CHECKING:
    from rules.policyfile import Anchor


class Saying(Phrases):
    """What a kind of rule says itself with."""

    def about(self, roles: Sequence[str] | None) -> Saying:
        """The same, calling the member whom the rule is about by role: ``the child``."""
        return self if not roles else Saying(self.policy, the(joined([words_of(role) for role in roles], "or")))

    # -- events
    def selector(self, selector: Selector, where: Where | None = None) -> str:
        """Which events, as a clause: "a family snapshot is completed, where the kind of snapshot is baseline"."""
        types = self.types(selector.names)
        words = self.events(selector.names)
        conditions = [*self.parts(selector.where, types), *self.parts(where, types)]
        if conditions:
            words += f", where {joined(conditions)}"
        if selector.same:
            same = joined([self.noun(path, types) for path in selector.same])
            words += f", with the same {same} as the event that calls for it"
        if selector.of == "attempt":
            words += ", belonging to this closure and not to an earlier one"
        if selector.related:
            words += ", in this case or in another one that shares a person with it"
        return words

    def events(self, names: Sequence[str]) -> str:
        """Event types and terms as one clause: "a safety plan is recorded or updated"."""
        clauses = [self.event(name) for name in names]
        for copula in (" is ", " are "):
            halves = [clause.partition(copula) for clause in clauses]
            if len(halves) > 1 and len({half[0] for half in halves}) == 1 and all(half[2] for half in halves) and halves[0][0] != "there":
                return f"{halves[0][0]}{copula}{joined([half[2] for half in halves], 'or')}"
        return joined(clauses, "or")

    def counted(self, name: str, which: str) -> str:
        """One of several events of a term: "the 3rd qualifying visit"."""
        return f"the {which} {words_of(name)}" if name in self.policy.terms else f"the {which} time that {self.event(name)}"

    # -- what begins a rule
    def begins(self, when: When) -> list[str]:
        """When a rule begins, in sentences."""
        if when.episode:
            found = ["It begins with the first event of the case, and anew with each new episode."]
        elif when.all_done is not None:
            found = [f"It begins when every one of the current {words_of(when.all_done)} is done."]
        elif when.first_of_each is not None:
            found = [f"It begins {self.first_of_each(when.first_of_each)}."]
        elif when.first is not None:
            found = [f"It begins the first time that {self.selector(when.first)}."]
        else:
            found = [f"It begins each time that {'; and each time that '.join(self.selector(one) for one in when.selectors)}."]
        return [*found, *(f"It applies only where {words}." for words in self.given(when.given))]

    def first_of_each(self, first: FirstOfEach) -> str:
        names = (first.event,) if isinstance(first.event, str) else first.event
        return f"once for each {self.noun(first.by, self.types(names))}, the first time that {self.events(names)}"

    def given(self, given: Given | None) -> list[str]:
        if given is None:
            return []
        found = []
        if given.exists is not None:
            found.append(f"{self.selector(given.exists)}, at any time in the episode")
        if given.earlier is not None:
            found.append(f"before that, {self.selector(given.earlier)}")
        if given.closed_as is not None:
            found.append(self.closed_as(given.closed_as))
        return found

    def closed_as(self, closed: ClosedAs) -> str:
        closes = self.policy.domain.course.closes
        types = [closes.event] if closes is not None else []
        which = "the closure that stands" if closed.of == "episode" else "the closure that it belongs to"
        return f"the case is still open, or of {which} {self.where(closed.where, types)}"

    # -- what it asks for
    def asks(self, asked: Requires) -> str:
        """What a rule asks for, as a clause."""
        if asked.for_every is not None:
            return f"every one of the current {words_of(asked.for_every)} is done"
        types = self.types(asked.names)
        words = self.selector(asked)
        if asked.takes == "last" and asked.that is not None:
            words = f"the last time that {words}, it holds that {self.where(asked.that, types)}"
        if asked.collects is not None:
            words += f", once or several times, so that together {self._collected(asked, types)}"
        if asked.and_each is not None:
            words += f"; and {self.each_item(asked.and_each)}"
        if asked.after_last is not None:
            words += f"; and this after the last time that {self.selector(asked.after_last)}"
        if asked.unless_followed_by:
            words += f"; and this is not followed by a time that {joined([self.cancelled(one) for one in asked.unless_followed_by], 'or')}"
        if asked.itself is not None:
            words += "; or else, in the event that calls for it, " + self.where(asked.itself, self._any_types())
        return words

    def _any_types(self) -> list[str]:
        return list(self.catalogue.types)

    def _collected(self, asked: Requires, types: Sequence[str]) -> str:
        groups = []
        for path, parts in (asked.collects or {}).items():
            values = [joined([self._wanted(w, path, types, asked) for w in ((p,) if isinstance(p, str) else p)], "or") for p in parts]
            groups.append((self.attribute(path, types), joined(values)))
        if len(groups) == 1:
            noun, wanted = groups[0]
            return f"{'the roles of ' if asked.roles else ''}{noun} take in {wanted}"
        firsts = "; and ".join(f"each of {wanted} among {noun}" for noun, wanted in groups[:-1])
        return f"they bring {groups[-1][1]} among {groups[-1][0]}, for {firsts}"

    def _wanted(self, value: str, path: str, types: Sequence[str], asked: Requires) -> str:
        return words_of(value) if asked.roles is not None else self.code(value, path, types)

    def each_item(self, each: EachItem) -> str:
        collection = self.policy.collections[each.collection]
        inner = self.where(each.where, list(collection.of), f"{collection.list_}.")
        return f"for each of the current {words_of(each.collection)}, {inner}"

    def cancelled(self, cancelled: Cancelled) -> str:
        where = self.where(cancelled.where, [cancelled.event])
        words = self.event(cancelled.event) + (f", where {where}" if where else "")
        return words + (" and it is the one that is named, or none is named" if cancelled.names else "")

    # -- by when
    def period(self, period: Period) -> str:
        """``6 weeks``; with a parameter its number, or that nobody has set it."""
        name, unit = period.parameter, period.unit.replace("_", " ")
        if name is None:
            words = _counted(int(period.count), unit)
        else:
            value = self.policy.values.get(name)
            words = f"a number of {unit} (not set yet)" if value is None else _counted(value, unit)
        return words + (", moved on to the next business day" if period.roll else "")

    def within(self, period: Period, of: str) -> str:
        """``within 6 weeks of the day``, ``on the day itself``."""
        count = period.count if period.parameter is None else self.policy.values.get(period.parameter)
        return f"on {of.replace('the ', 'the very ', 1)}" if count == 0 and period.roll is None else f"within {self.period(period)} of {of}"

    def anchor(self, name: str) -> str:
        """The day from which weeks count."""
        anchor: Anchor = self.policy.anchors[name]
        of = f"the day on which {self.selector(anchor.of)} for the first time"
        first = self.counted(anchor.first, "first")
        near = self.within(anchor.if_within, of)
        return f"the day of {first}, if that is {near}; else that other day; and where only one of the two is on record, that one"

    def soon(self, warn: Period | None, default: int | None = 7) -> list[str]:
        if warn is not None:
            return [f"It is shown as due soon from {self.period(warn)} before that day."]
        return [f"It is shown as due soon from {_counted(default, 'days')} before that day."] if default else []

    def paused(self) -> list[str]:
        """That a pause moves the due day, where the domain knows pauses."""
        pauses = self.policy.domain.course.pauses
        return [f"An approved pause moves that day by as many days: it counts where {self.event(pauses.event)}."] if pauses else []

    def closure_ends(self) -> list[str]:
        closes = self.policy.domain.course.closes
        return [f"It ends without a finding where, before it is due, {self.event(closes.event)}."] if closes else []

    def members(self, roles: Sequence[str] | None, day: str) -> list[str]:
        if not roles:
            return []
        return [f"It is asked for each {joined([words_of(r) for r in roles], 'or')} who is a member of the household on {day}."]

    # -- what policies declare once
    def term(self, name: str, *, means: bool = True) -> str:
        """What a term means, in its owner's words (``means``) and by its conditions."""
        term = self.policy.terms[name]
        where = self.where(term.where, list(term.names))
        told = f"{term.means.strip().rstrip('.')}: " if means and term.means else ""
        words = f"By {with_article(words_of(name))} is meant {told}every time that {self.events(term.names)}"
        words += f", where {where}" if where else ""
        if term.once_per:
            same = joined([self.noun(path, list(term.names)) for path in term.once_per])
            words += f"; what two sources report of the same day and the same {same} counts once"
        return f"{words}."

    def collection(self, name: str) -> list[str]:
        """What a collection of items is, and how one is done."""
        collection: Collection = self.policy.collections[name]
        types = list(collection.of)
        document, list_ = self.noun(collection.document, types), self.attribute(collection.list_, types)
        found = [
            f"The current {words_of(name)} are {list_} in the latest version of each {document}.",
            f"A version is made each time that {self.events(types)}.",
        ]
        found.append(f"One of them is done when {self.selector(collection.done_by)}.")
        if collection.date is not None:
            found.append(f"Its own date is {self.attribute(f'{collection.list_}.{collection.date}', types)}; the one stated last counts.")
        if collection.moved_by is not None:
            found.append(f"That date is moved when {self.event(collection.moved_by.event)}.")
        return found

    # -- whatever else a kind has
    def fields(self, kind: Kind) -> list[str]:
        """A sentence for each field that is given; for kinds that bring no words of their own."""
        found: list[str] = []
        for name, value in kind:
            if name == "kind" or value is None or value == type(kind).model_fields[name].default:
                continue
            if isinstance(value, When):
                found += self.begins(value)
            else:
                found.append(f"{label(name)[0].upper()}{label(name)[1:]}: {self.part(value)}.")
        return found

    def part(self, value: Any) -> str:
        """Any part of a rule in words."""
        match value:
            case None:
                return "nothing"
            case bool():
                return "yes" if value else "no"
            case When():
                return " ".join(self.begins(value)).removeprefix("It begins ").rstrip(".")
            case Requires():
                return self.asks(value)
            case Selector():
                return self.selector(value)
            case Where():
                return self.where(value, self._any_types())
            case Period():
                return self.period(value)
            case EachItem():
                return self.each_item(value)
            case Cancelled():
                return self.cancelled(value)
            case BaseModel():
                return joined([f"{words_of(name)} {self.part(inner)}" for name, inner in value if inner is not None])
            case tuple() | list():
                return joined([self.part(one) for one in value])
            case dict():
                return joined([f"{words_of(str(name))} {self.part(inner)}" for name, inner in value.items()])
            case str() if value in self.policy.terms or value in self.catalogue.types:
                return self.event(value)
        return words_of(str(value).replace("$", "").replace(".", " "))

    def nth(self, number: int, of: str) -> str:
        return self.counted(of, ordinal(number))


_LABELS = {
    "when": "when it begins",
    "requires": "what it asks for",
    "where": "what must hold",
    "within": "the limit",
    "every": "the longest gap",
    "by": "the limit",
    "warn": "the warning window",
    "warn_from": "the warning window",
    "per": "for whom it is asked",
    "compare": "how the order is compared",
    "excused_by": "what excuses",
    "ends_with": "what ends it",
    "at_latest": "the latest day",
    "anchor": "the day from which it counts",
    "items": "which items",
    "program": "the other program",
    "tests": "what is looked for",
    "members": "who must belong to the household",
    "event": "what is counted",
    "verdicts": "which verdicts are counted",
    "examines": "what is looked at",
}


def label(field: str) -> str:
    """What a field of a kind is called in sentences."""
    return _LABELS.get(field, words_of(field))


def _counted(number: int, unit: str) -> str:
    return f"{number} {unit[:-1] if number == 1 else unit}"


def sentences(*parts: Iterable[str]) -> list[str]:
    """The parts one after the other, nothing said twice."""
    return list(dict.fromkeys(sentence for part in parts for sentence in part))
