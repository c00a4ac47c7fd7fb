"""Deadline: something must be done within a period of the policy's anchor (the day from which its weeks count)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from rules.history import Entry
from rules.kinds.base import Kind, oblige, or_nothing
from rules.kinds.limits import dated, due_in
from rules.kinds.requires import Requires, evidence
from rules.matching import Context
from rules.obligation import Obligation, World, unset
from rules.periods import Period
from rules.view import View

if TYPE_CHECKING:
    from rules.saying import Saying


class Deadline(Kind):
    """``anchor``: a declared anchor.  ``warn_from``: how long after it the warning window opens; else ``warn`` before the due day."""

    name: ClassVar[str] = "deadline"
    about: ClassVar[str] = "Something must be done within a period of the anchor."
    longer: ClassVar[Mapping[str, str]] = {"within": "fewer", "warn": "none", "warn_from": "none"}

    anchor: str
    requires: Requires
    within: Period
    warn: Period | None = None
    warn_from: Period | None = None

    def if_longer(self, field: str) -> str:
        """As every kind; what is asked of items at the limit may fail later as well as sooner."""
        return "either" if field == "within" and self.requires.and_each is not None else super().if_longer(field)

    def read_aloud(self, say: Saying) -> list[str]:
        """See Kind."""
        soon = (
            [f"It is shown as due soon from {say.period(self.warn_from)} after the day from which it counts."]
            if self.warn_from is not None
            else say.soon(self.warn)
        )
        return [
            f"It counts from {say.anchor(self.anchor)}.",
            f"It asks that, whenever in the episode, {say.asks(self.requires)}.",
            f"That must be done {say.within(self.within, 'the day from which it counts')}, to the end of the last day.",
            *soon,
            *say.paused(),
            *say.closure_ends(),
        ]

    def obligations(self, view: View) -> list[Obligation]:
        trigger = view.anchor(self.anchor)
        if trigger is None:
            return or_nothing([])
        rejected: list[tuple[str, str]] = []

        def make(entry: Entry) -> tuple[list[World], str]:
            return self._worlds(view, entry, rejected)

        return or_nothing([oblige(trigger, view, None, make, rejected=rejected)])

    def _worlds(self, view: View, entry: Entry, rejected: list[tuple[str, str]]) -> tuple[list[World], str]:
        due, words = due_in(view, self.within, entry.day)
        if due is None:
            return [unset(entry.day)], ""
        warn, warn_from = view.span(self.warn), view.span(self.warn_from)
        soon = warn_from.after(entry.day, view.calendar) if warn_from else warn.before(due) if warn else None
        worlds, missing = [], ""
        for collected, why in evidence(self.requires, view, Context(view, None, entry), until=view.zone.end_of(due)):
            rejected.extend(collected.rejected)
            missing = missing or why
            worlds.append(dated(view, activated=entry, due_day=due, candidates=collected.candidates, soon_day=soon, arithmetic=words))
        return worlds, missing
