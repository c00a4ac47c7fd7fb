"""Not co-existence: no episode of another program of the same person may stay open beside this one.  Declare: not-coexistence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from rules.history import Entry, Episode
from rules.kinds.base import Kind, When, no_household, oblige, or_nothing, triggers
from rules.kinds.limits import dated, due_in, with_others
from rules.model import Candidate
from rules.obligation import Obligation, World, unset
from rules.periods import Period
from rules.phrases import joined
from rules.view import View

if TYPE_CHECKING:
    from rules.counterfactual import Told
    from rules.saying import Saying


class NotCoexistence(Kind):
    """``program``: the other program.  An overlap is allowed until the end of the limit; one later than that is a breach, and stays one."""

    name: ClassVar[str] = "not_coexistence"
    about: ClassVar[str] = "No episode of another program may stay open beside this one."
    longer: ClassVar[Mapping[str, str]] = {"within": "fewer"}

    when: When
    program: str
    within: Period

    def read_aloud(self, say: Saying) -> list[str]:
        """See Kind."""
        other = say.code(self.program, say.policy.domain.course.program or "program", list(say.catalogue.types))
        limit = say.within(self.within, "the same day").replace("within", "up to").replace(" of the same day", " after that day")
        return [
            *say.begins(self.when),
            f"It asks that no case of the program {other} that shares a person with this one stays open beside it.",
            f"Such a case may be open {limit}, to the end of the day.",
            "An overlap later than that stays a breach, even once it has ended.",
            *say.soon(None),
            *say.paused(),
            *say.closure_ends(),
        ]

    def met_with(self, say: Saying, told: Told) -> str:  # noqa: ARG002
        """See Kind."""
        others = dict.fromkeys(why.split()[1] for why in told.rejected() if why.startswith("case "))
        return f"with {'case' if len(others) == 1 else 'cases'} {joined(others)} closed" if others else ""

    def obligations(self, view: View) -> list[Obligation]:
        found = []
        for trigger in triggers(self.when, view):
            activated = next(entry for entry in reversed(trigger.entries) if entry is not None)
            if not view.roster.known:
                found.append(no_household(activated))
                continue
            rejected: list[tuple[str, str]] = []

            def make(entry: Entry, rejected: list[tuple[str, str]] = rejected) -> tuple[list[World], str]:
                return [self._world(view, entry, rejected)], ""

            found.append(oblige(trigger, view, self.when.given, make, rejected=rejected))
        return or_nothing(found)

    def _world(self, view: View, entry: Entry, rejected: list[tuple[str, str]]) -> World:
        due, words = due_in(view, self.within, entry.day)
        if due is None:
            return unset(entry.day)
        due += view.moved(entry.day, due).days
        last = view.today if view.closed is None else view.closed.day
        settled, events, beside = entry.first, [], False
        for other in view.related:
            if self.program not in other.episode.programs:
                continue
            for start, end in other.episode.open_days():
                if (end is not None and end < entry.day) or start > last:
                    continue
                first = other.episode.entries[0]
                if max(start, due + 1) <= min(last if end is None else end, last):
                    beside = True
                    rejected.append((first.id, f"case {other.case} was open beside it after the limit"))
                elif end is None:
                    beside = True
                    rejected.append((first.id, f"case {other.case} is still open"))
                else:
                    closing = _closing_on(other.episode, end)
                    settled = max(settled, closing.last)
                    events.append(closing.id)
        candidates = () if beside else (Candidate(settled, settled, events=tuple(events)),)
        world = dated(view, activated=entry, due_day=due, candidates=candidates, pausable=False, curable=False, arithmetic=words)
        return with_others(view, world)


def _closing_on(episode: Episode, day: int) -> Entry:
    return next(closing.entry for closing in episode.closings if closing.entry.day == day)
