"""Content: an event must carry certain data (all of it in the same event, or compared with what the case knows then)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rules.conditions import Selector, Where
from rules.history import Entry
from rules.hits import MOMENT, Hit, possible_last
from rules.kinds.base import NO_MENDING, Kind, When, oblige, or_nothing, triggers
from rules.kinds.limits import gated
from rules.matching import Context, check
from rules.model import NO, UNCLEAR, Candidate
from rules.nearness import lacks
from rules.obligation import Obligation, World, off
from rules.phrases import joined
from rules.view import View

if TYPE_CHECKING:
    from rules.counterfactual import Told
    from rules.saying import Saying


class Content(Kind):
    """``where`` must hold of the activating event; with ``examines``, of the last such event before it (none: not triggered)."""

    name: ClassVar[str] = "content"
    about: ClassVar[str] = "An event must carry certain data."
    sets_a_day: ClassVar[bool] = False
    order_rule: ClassVar[bool] = True
    met_in_event: ClassVar[bool] = True

    when: When
    where: Where
    examines: Selector | None = None

    def read_aloud(self, say: Saying) -> list[str]:
        """See Kind."""
        if self.examines is None:
            types = say.types(name for selector in self.when.selectors for name in selector.names)
            return [*say.begins(self.when), f"In that event it must hold that {say.where(self.where, types)}.", NO_MENDING]
        types = say.types(self.examines.names)
        return [
            *say.begins(self.when),
            f"What is looked at is the last time before that on which {say.selector(self.examines)}.",
            "Where there is none, nothing is asked.",
            f"Then it must hold that {say.where(self.where, types)}.",
            NO_MENDING,
        ]

    def met_with(self, say: Saying, told: Told) -> str:
        """See Kind: what the event lacks of what it must carry."""
        view = told.judged.view
        looked = dict.fromkeys(name for name, _ in told.judged.obligation.rejected)
        entries = [entry for name in looked for entry in (*view.episode.entries, *_elsewhere(view)) if entry.id == name]
        if not entries or told.entry is None:
            return ""
        examined = entries[0]
        wanting = lacks(self.where, examined.data, Context(view, examined, told.entry), say, [examined.type])
        return f"if this had held in that event ({examined.id}): {joined([lack.asked for lack in wanting])}" if wanting else ""

    def obligations(self, view: View) -> list[Obligation]:
        found = []
        for trigger in triggers(self.when, view):
            rejected: list[tuple[str, str]] = []

            def make(entry: Entry, rejected: list[tuple[str, str]] = rejected) -> tuple[list[World], str]:
                if self.examines is None:
                    return [self._world(view, entry, entry, rejected)], ""
                possible = possible_last(self._before(view, entry))
                missing = next((h.text for h in possible if h is not None and h.text), MOMENT) if len(possible) > 1 else ""
                return [off() if hit is None else self._world(view, entry, hit.entry, rejected) for hit in possible], missing

            found.append(oblige(trigger, view, self.when.given, make, rejected=rejected))
        return or_nothing(found)

    def _before(self, view: View, gate: Entry) -> list[Hit]:
        assert self.examines is not None
        hits = []
        for hit in view.find(self.examines, Context(view, None, gate)):
            if hit.fit is NO or hit.entry is gate or gate.first > hit.entry.last:
                hits.append(hit)
            elif hit.entry.first > gate.last or gate.surely_before(hit.entry):
                hits.append(Hit(hit.entry, NO, "it came later"))
            else:
                sure = hit.entry.last <= gate.first
                hits.append(hit if sure else Hit(hit.entry, UNCLEAR, hit.text or MOMENT))
        return hits

    def _world(self, view: View, gate: Entry, examined: Entry, rejected: list[tuple[str, str]]) -> World:
        fit, text = check(self.where, examined.data, Context(view, examined, gate))
        if fit is NO:
            rejected.append((examined.id, text))
            return gated(view, gate=gate, candidates=(), stale=False)
        found = Candidate(gate.first, gate.first, fit, (examined.id,), text if fit is UNCLEAR else "")
        return gated(view, gate=gate, candidates=(found,), stale=False)


def _elsewhere(view: View) -> list[Entry]:
    return [entry for other in view.related for entry in other.episode.entries]
