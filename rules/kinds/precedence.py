"""Precedence: something must have happened before (or, by name, on the day of) an event.  Declare: precedence(B, A)."""

from __future__ import annotations

from typing import ClassVar, Literal

from rules.conditions import Selector
from rules.history import Entry
from rules.kinds.base import Kind, When, by_day_of, concerned, gated, no_household, oblige, or_nothing, triggers
from rules.kinds.requires import Requires, evidence
from rules.matching import Context
from rules.model import Duty, Fit, State
from rules.obligation import Obligation, Trigger, World, hole
from rules.view import View


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
                worlds.append(place(view, gate=gate, candidates=collected.candidates))
            return worlds, missing

        key = "" if person is None else f"person:{person}"
        made = oblige(trigger, view, self.when.given, make, key=key, about=person or "")
        return Obligation(made.key, made.worlds, made.missing, made.activation, tuple(dict.fromkeys(rejected)), about=made.about)

    def _each_person(self, trigger: Trigger, view: View) -> list[Obligation]:
        activated = next(entry for entry in reversed(trigger.entries) if entry is not None)
        people = concerned(view, self.per or (), activated.day)
        if people is None:
            return [no_household(activated)]
        found = []
        for one in people:
            if one.missing:
                found.append(Obligation(f"person:{one.person}", (hole(one.missing, activated.day),), one.missing, (activated.id,)))
                continue
            excuses = self._excuses(view, one.person, activated)
            if excuses:
                world = World(Duty(State.OFF), activated_day=activated.day, due_day=activated.day, reason="not_triggered")
                found.append(Obligation(f"person:{one.person}", (world,), "", (activated.id, *excuses), about=one.person, shown=True))
            else:
                found.append(self._one(trigger, view, one.person))
        return found

    def _excuses(self, view: View, person: str, activated: Entry) -> tuple[str, ...]:
        if self.excused_by is None:
            return ()
        hits = view.find(self.excused_by, Context(view, None, activated, person))
        return tuple(hit.entry.id for hit in hits if hit.fit is Fit.YES and hit.entry.day <= activated.day)
