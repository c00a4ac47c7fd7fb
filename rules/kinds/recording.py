"""Recording: every event must be on record within a period of the day on which it happened.  Practice is judged elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from rules.kinds.base import Kind, or_nothing
from rules.kinds.limits import dated, due_in
from rules.model import Candidate
from rules.obligation import Obligation, unset
from rules.periods import Period
from rules.view import View

if TYPE_CHECKING:
    from rules.counterfactual import Told
    from rules.saying import Saying


class Recording(Kind):
    """Only events whose sender said when they were recorded are judged."""

    name: ClassVar[str] = "recording"
    about: ClassVar[str] = "Every event must be recorded within a period of the day on which it happened."
    longer: ClassVar[Mapping[str, str]] = {"within": "fewer"}
    sets_a_day: ClassVar[bool] = False
    done_word: ClassVar[str] = "recorded"

    within: Period

    def read_aloud(self, say: Saying) -> list[str]:
        """See Kind."""
        return [
            "It begins with every event of the case for which the sender says when it was recorded.",
            f"It asks that the event is recorded {say.within(self.within, 'the day on which it happened')}, to the end of the last day.",
            *say.soon(None),
        ]

    def met_with(self, say: Saying, told: Told) -> str:  # noqa: ARG002
        """See Kind."""
        return "with the event recorded"

    def obligations(self, view: View) -> list[Obligation]:
        found = []
        for entry in view.episode.entries:
            if not entry.recorded_given:
                continue
            key = f"event:{entry.ref}"
            due, words = due_in(view, self.within, entry.day)
            if due is None:
                found.append(Obligation(key, (unset(entry.day),), "", (entry.id,)))
                continue
            recorded = () if entry.recorded > view.as_of else (Candidate(entry.recorded, entry.recorded, events=(entry.id,)),)
            world = dated(
                view, activated=entry, due_day=due, candidates=recorded, pausable=False, ends=False, stale=False, arithmetic=words
            )
            found.append(Obligation(key, (world,), "", (entry.id,)))
        return or_nothing(found)
