"""What a rule asks for, as a clause or as what may follow "with": events with their conditions, gathered, counted or taken back.

Imports the smaller phrases; `rules.saying` makes sentences of both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rules.conditions import Selector
from rules.course import dig
from rules.kinds.requires import Cancelled, EachItem, Requires
from rules.phrases import Phrases, joined, words_of

if TYPE_CHECKING:
    from rules.policy import Policy


class Asking(Phrases):
    """The words for events and for what is asked of them.

    ``activation``: the data of the event that calls for it, where one case is told of; so "the same meeting" can be named.
    """

    def __init__(
        self, policy: Policy, person: str = "the person", *, item: str = "that item", activation: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(policy, person, item)
        self.activation = activation

    # -- events
    def selector(self, selector: Selector, *, bare: bool = False) -> str:
        """Which events, as a clause: "a family snapshot is completed, where the kind of snapshot is baseline".

        ``bare``: as what may follow "with": "a family snapshot completed, where ...".
        """
        types = self.types(selector.names)
        words = self.events(selector.names, bare=bare)
        conditions = self.parts(selector.where, types)
        if conditions:
            words += f", where {joined(conditions)}"
        if selector.same and self.activation is not None:
            words += f", with {joined([self._alike(path, types) for path in selector.same])}"
        elif selector.same:
            same = joined([self.noun(path, types) for path in selector.same])
            words += f", with the same {same} as the event that calls for it"
        if selector.of == "attempt":
            words += ", belonging to this closure and not to an earlier one"
        if selector.related:
            words += ", in this case or in another one that shares a person with it"
        return words

    def _alike(self, path: str, types: Sequence[str]) -> str:
        value = dig(self.activation, path)
        return f"the same {self.noun(path, types)}" + ("" if value is None else f" ({self.code(value, path, types)})")

    def events(self, names: Sequence[str], *, bare: bool = False) -> str:
        """Event types and terms as one clause: "a safety plan is recorded or updated"."""
        clauses = [self.event(name) for name in names]
        for copula in (" is ", " are "):
            halves = [clause.partition(copula) for clause in clauses]
            if len(halves) > 1 and len({half[0] for half in halves}) == 1 and all(half[2] for half in halves) and halves[0][0] != "there":
                clauses = [f"{halves[0][0]}{copula}{joined([half[2] for half in halves], 'or')}"]
        return joined([_bare(clause) if bare else clause for clause in clauses], "or")

    def counted(self, name: str, which: str) -> str:
        """One of several events of a term: "the 3rd qualifying visit"."""
        return f"the {which} {words_of(name)}" if name in self.policy.terms else f"the {which} time that {self.event(name)}"

    # -- what it asks for
    def asks(self, asked: Requires, *, bare: bool = False, lacking: str = "") -> str:
        """What a rule asks for, as a clause.  ``lacking``: what is still to be brought together, instead of all of it."""
        if asked.for_every is not None:
            return f"every one of the current {words_of(asked.for_every)} {'' if bare else 'is '}done"
        types = self.types(asked.names)
        words = self.selector(asked, bare=bare)
        if asked.takes == "last" and asked.that is not None and bare:
            words += f", as the last one, and in it {self.where(asked.that, types)}"
        elif asked.takes == "last" and asked.that is not None:
            words = f"the last time that {words}, it holds that {self.where(asked.that, types)}"
        if lacking:
            words += f", once or several times, bringing what is still lacking: {lacking}"
        elif asked.collects:
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
            values = [joined([self.wanted(w, path, types, asked) for w in ((p,) if isinstance(p, str) else p)], "or") for p in parts]
            groups.append((self.attribute(path, types), joined(values)))
        if len(groups) == 1:
            noun, wanted = groups[0]
            return f"{'the roles of ' if asked.roles else ''}{noun} take in {wanted}"
        firsts = "; and ".join(f"each of {wanted} among {noun}" for noun, wanted in groups[:-1])
        return f"they bring {groups[-1][1]} among {groups[-1][0]}, for {firsts}"

    def wanted(self, value: str, path: str, types: Sequence[str], asked: Requires) -> str:
        """A value that is to be gathered: a role, or a code as the catalogue says it."""
        return words_of(value) if asked.roles is not None else self.code(value, path, types)

    def each_item(self, each: EachItem) -> str:
        collection = self.policy.collections[each.collection]
        inner = self.where(each.where, list(collection.of), f"{collection.list_}.")
        return f"for each of the current {words_of(each.collection)}, {inner}"

    def cancelled(self, cancelled: Cancelled) -> str:
        where = self.where(cancelled.where, [cancelled.event])
        words = self.event(cancelled.event) + (f", where {where}" if where else "")
        if cancelled.names is None:
            return words
        return f"{words}, with {self.attribute(cancelled.names, [cancelled.event])} being that one or not being stated"


def _bare(clause: str) -> str:
    """``a visit held`` of "a visit is held"; what is no such clause stays, told with "this"."""
    if clause.startswith("there is "):
        return clause.removeprefix("there is ")
    for copula in (" is ", " are "):
        if copula in clause:
            return clause.replace(copula, " ", 1)
    return f"this, that {clause}"
