"""Sentences about the parts of rules: what begins a rule, what it asks for, by when, and what ends or excuses it.

Each kind of rule makes its own sentences of these (`Kind.read_aloud`); `rules.reading` puts them together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from rules.asking import Asking
from rules.conditions import Collection, Selector, Where
from rules.kinds.base import ClosedAs, FirstOfEach, Given, Kind, When
from rules.kinds.requires import Cancelled, EachItem, Requires
from rules.periods import Period
from rules.phrases import joined, ordinal, the, with_article, words_of

if TYPE_CHECKING:
    from rules.policyfile import Anchor


class Saying(Asking):
    """What a kind of rule says itself with."""

    def about(self, roles: Sequence[str] | None) -> Saying:
        """The same, calling the member whom the rule is about by role: ``the child``."""
        return self if not roles else Saying(self.policy, the(joined([words_of(role) for role in roles], "or")))

    def concerning(self, item: str) -> Saying:
        """The same, calling the item that the rule is about by its id."""
        return Saying(self.policy, self.person, item=item, activation=self.activation)

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

    def closed(self) -> str:
        """The closure as a clause."""
        closes = self.policy.domain.course.closes
        return self.event(closes.event) if closes is not None else "the case is closed"

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
            moved = collection.moved_by
            names = [self.attribute(path, [moved.event]) for path in (moved.item, moved.date)]
            found.append(f"That date is moved when {self.event(moved.event)}: {names[0]} says of which item, {names[1]} to when.")
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
