"""Precedence: something must have happened before (or, by name, on the day of) an event.  Declare: precedence(B, A)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Literal

from rules.conditions import Selector
from rules.history import Entry
from rules.hits import Hit
from rules.kinds.base import NO_MENDING, Kind, When, concerned, no_household, oblige, or_nothing, triggers
from rules.kinds.limits import by_day_of, gated, with_others
from rules.kinds.requires import Requires, evidence
from rules.matching import Context
from rules.model import SURE, Duty, State
from rules.obligation import NOT_TRIGGERED, Obligation, Trigger, World, hole
from rules.view import View

if TYPE_CHECKING:
    from rules.saying import Saying


class Precedence(Kind):
    """``compare: moment`` (the default) wants it earlier; ``compare: day`` takes the same local day as in time.

    ``per``: one obligation for each member of these roles on the day of the event; ``excused_by``: events that free a member.
    """

    name: ClassVar[str] = "precedence"
    about: ClassVar[str] = "Something must have happened before an event, or on its day."
    order_rule: ClassVar[bool] = True

    when: When
    requires: Requires
    compare: Literal["moment", "day"] = "moment"
    per: tuple[str, ...] | None = None
    excused_by: Selector | None = None

    def read_aloud(self, say: Saying) -> list[str]:
        """See Kind."""
        say = say.about(self.per)
        by = "on that day or on an earlier one" if self.compare == "day" else "before that moment"
        excused = f"Nothing is asked, and that is shown, where by that day {say.selector(self.excused_by)}." if self.excused_by else ""
        return [
            *say.begins(self.when),
            *say.members(self.per, "that day"),
            f"It asks that, {by}, {say.asks(self.requires)}.",
            NO_MENDING,
            *([excused] if excused else []),
        ]

    def obligations(self, view: View) -> list[Obligation]:
        found: list[Obligation] = []
        for trigger in triggers(self.when, view):
            if self.per is None:
                found.append(self._one(trigger, view, None))
            else:
                found += self._each_person(trigger, view)
        return or_nothing(found)

    def _one(self, trigger: Trigger, view: View, person: str | None) -> Obligation:
        rejected: list[tuple[str, str]] = []

        def make(gate: Entry) -> tuple[list[World], str]:
            worlds, missing = [], ""
            context = Context(view, None, gate, person)
            for collected, why in evidence(self.requires, view, context, gate=gate):
                rejected.extend(collected.rejected)
                missing = missing or why
                place = by_day_of if self.compare == "day" else gated
                world = place(view, gate=gate, candidates=collected.candidates)
                worlds.append(with_others(view, world) if self.requires.related else world)
            return worlds, missing

        key = "" if person is None else f"person:{person}"
        return oblige(trigger, view, self.when.given, make, rejected=rejected, key=key, about=person or "")

    def _each_person(self, trigger: Trigger, view: View) -> list[Obligation]:
        activated = next(entry for entry in reversed(trigger.entries) if entry is not None)
        people = concerned(view, self.per or (), activated.day)
        if people is None:
            return [no_household(activated)]
        found = []
        for one in people:
            excuses = self._excuses(view, one.person, activated)
            ids = (activated.id, *(hit.entry.id for hit in excuses))
            world = World(Duty(State.OFF), activated_day=activated.day, due_day=activated.day, reason=NOT_TRIGGERED)
            if any(hit.fit is SURE for hit in excuses):
                found.append(Obligation(f"person:{one.person}", (world,), "", ids, about=one.person, shown=True))
            elif one.missing:
                found.append(Obligation(f"person:{one.person}", (hole(one.missing, activated.day),), one.missing, (activated.id,)))
            elif excuses:
                made = self._one(trigger, view, one.person)
                found.append(replace(made, worlds=(world, *made.worlds), missing=excuses[0].text, activation=ids))
            else:
                found.append(self._one(trigger, view, one.person))
        return found

    def _excuses(self, view: View, person: str, activated: Entry) -> list[Hit]:
        """What frees the person, or may do so; of several, only those that surely do."""
        if self.excused_by is None:
            return []
        hits = [h for h in view.find(self.excused_by, Context(view, None, activated, person)) if h.fit and h.entry.day <= activated.day]
        return [hit for hit in hits if hit.fit is SURE] or hits
