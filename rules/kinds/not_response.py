"""Not response: after an event, something must not follow within a period.  Declare: not response(A, B), with a time window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from rules.clock import iso
from rules.conditions import Selector
from rules.history import Entry
from rules.hits import MOMENT, Hit
from rules.kinds.base import NO_MENDING, Kind, When, oblige, or_nothing, triggers
from rules.kinds.limits import dated, due_in, gated
from rules.matching import Context
from rules.model import NO, SURE, UNCLEAR, Candidate
from rules.obligation import Obligation, World, unset
from rules.periods import Period
from rules.view import View
from rules.wording import day_words

if TYPE_CHECKING:
    from rules.counterfactual import Told
    from rules.saying import Saying


class NotResponse(Kind):
    """It is kept when the period is over, and broken for good at the moment of the first event that it forbids.

    What happens on the day of the activation counts if it came later.  A pause does not make the period longer.
    ``forbids``: what must not happen after the activation, to the end of the last day of ``within``.
    """

    name: ClassVar[str] = "not_response"
    about: ClassVar[str] = "After an event, something must not follow within a period."
    longer: ClassVar[Mapping[str, str]] = {"within": "more"}
    more: ClassVar[Mapping[str, tuple[str, str, str]]] = {"forbids": ("forbids more", "forbids less", "more")}
    order_rule: ClassVar[bool] = True
    done_word: ClassVar[str] = "kept"
    due_word: ClassVar[str] = "to be kept until"
    met_in_event: ClassVar[bool] = True

    when: When
    forbids: Selector
    within: Period

    def obligations(self, view: View) -> list[Obligation]:
        found = []
        for trigger in triggers(self.when, view):
            rejected: list[tuple[str, str]] = []

            def make(entry: Entry, rejected: list[tuple[str, str]] = rejected) -> tuple[list[World], str]:
                return self._worlds(view, entry, rejected)

            found.append(oblige(trigger, view, self.when.given, make, rejected=rejected))
        return or_nothing(found)

    def read_aloud(self, say: Saying) -> list[str]:
        """See Kind."""
        return [
            *say.begins(self.when),
            f"It asks that from then on, {say.within(self.within, 'that day')}, it does not happen that {say.selector(self.forbids)}.",
            "On the day on which it begins, what comes later counts; after that whole days do, to the end of the last one.",
            NO_MENDING,
            *say.closure_ends(),
        ]

    def met_with(self, say: Saying, told: Told) -> str:
        """See Kind."""
        last = self._last(told)
        return "" if last is None else f"with no time that {say.selector(self.forbids)}, to the end of {day_words(iso(last))}"

    def reckoning(self, told: Told) -> list[str]:
        """See Kind."""
        last = self._last(told)
        if last is None or told.entry is None:
            return []
        words = due_in(told.judged.view, self.within, told.entry.day)[1]
        begun, ends = day_words(iso(told.entry.day)), day_words(iso(last))
        lines = [f"{words[0].upper()}{words[1:]} {begun} is {ends}, to the end of that day; until then it must not happen."]
        broken = [one for one in told.judged.view.episode.entries if one.id in told.judged.world.broken_by]
        return [*lines, *(f"It happened on {day_words(iso(one.day))}." for one in broken)]

    def _last(self, told: Told) -> int | None:
        return None if told.entry is None else due_in(told.judged.view, self.within, told.entry.day)[0]

    def _worlds(self, view: View, entry: Entry, rejected: list[tuple[str, str]]) -> tuple[list[World], str]:
        last, words = due_in(view, self.within, entry.day)
        if last is None:
            return [unset(entry.day)], ""
        worlds, missing = [], ""
        others = (hit for hit in view.find(self.forbids, Context(view, None, entry)) if hit.entry is not entry)
        for hit in (_placed(hit, entry, last) for hit in others):
            if hit.fit is NO:
                rejected.append((hit.entry.id, hit.text))
                continue
            broken = gated(view, gate=hit.entry, candidates=(), stale=False, limits=(hit.entry.id,))
            worlds.append(replace(broken, activated_day=entry.day, broken_by=(hit.entry.id,)))
            if hit.fit is SURE:
                return worlds, missing
            missing = missing or hit.text
        return [*worlds, _kept(view, entry, last, words)], missing


def _placed(hit: Hit, entry: Entry, last: int) -> Hit:
    """The same event with the answer to whether it came after the activation and within the period."""
    other = hit.entry
    if hit.fit is NO:
        return hit
    if other.surely_before(entry):
        return Hit(other, NO, "it came before")
    if other.day > last:
        return Hit(other, NO, "it came after the period")
    return hit if entry.surely_before(other) else Hit(other, UNCLEAR, hit.text or MOMENT)


def _kept(view: View, entry: Entry, last: int, words: str) -> World:
    """Nothing forbidden is on record: kept once the period is over, the case was open until then and the record is complete."""
    end = view.zone.end_of(last)
    complete = view.complete_until is None or view.complete_until >= end
    closed = view.closed is not None and view.closed is not entry and view.closed.last < view.zone.start_of(last)
    over = view.as_of >= end and complete and not closed
    candidates = (Candidate(end - 1, end - 1),) if over else ()
    return dated(view, activated=entry, due_day=last, candidates=candidates, warn=None, pausable=False, curable=False, arithmetic=words)
