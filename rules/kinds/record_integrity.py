"""Record integrity: what is on record must be possible.  One obligation an event."""

# ruff: noqa: ARG001  (all tests of the table share one signature)

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from rules.conditions import Model
from rules.course import dig
from rules.history import Entry
from rules.hits import both
from rules.kinds.base import Kind, or_nothing
from rules.kinds.limits import gated
from rules.matching import YES, Answer
from rules.model import NO, UNCLEAR, Candidate
from rules.obligation import Obligation
from rules.view import View

if TYPE_CHECKING:
    from rules.saying import Saying

Test = Literal["recorded_after_it_happened", "closed_once", "before_the_closure_it_names"]


class Members(Model):
    """Persons whom an event names must be members of the household on that day."""

    event: str
    attribute: str


class RecordIntegrity(Kind):
    """``tests``: which impossibilities are looked for.  ``members``: where persons stand who must belong to the household."""

    name: ClassVar[str] = "record_integrity"
    about: ClassVar[str] = "What is on record must be possible."
    sets_a_day: ClassVar[bool] = False
    order_rule: ClassVar[bool] = True
    met_in_event: ClassVar[bool] = True

    tests: tuple[Test, ...]
    members: Members | None = None

    def read_aloud(self, say: Saying) -> list[str]:
        """See Kind."""
        found = ["It begins with every event of the case.", *(_WORDS[test] for test in self.tests)]
        if self.members is not None:
            named = say.attribute(self.members.attribute, [self.members.event])
            found.append(f"When {say.event(self.members.event)}, {named} must be members of the household on that day.")
        return found

    def obligations(self, view: View) -> list[Obligation]:
        found = []
        for entry in view.episode.entries:
            fit, text = both([*(_TESTS[test](view, entry) for test in self.tests), self._members(view, entry)])
            rejected = ((entry.id, text),) if fit is NO else ()
            candidates = () if fit is NO else (Candidate(entry.first, entry.first, fit, (entry.id,), text),)
            world = gated(view, gate=entry, candidates=candidates, stale=False)
            found.append(Obligation(f"event:{entry.ref}", (world,), text if fit is UNCLEAR else "", (entry.id,), rejected))
        return or_nothing(found)

    def _members(self, view: View, entry: Entry) -> Answer:
        if self.members is None or entry.type != self.members.event:
            return YES
        persons = dig(entry.data, self.members.attribute) or []
        if not persons:
            return YES
        if not view.roster.known:
            return UNCLEAR, "household"
        listed = {member.person for member in view.roster.members(entry.day)}
        strangers = [person for person in persons if person not in listed]
        if strangers and None in listed:
            return UNCLEAR, "members.person"
        return (NO, f"{len(strangers)} of {self.members.attribute} not in the household on that day") if strangers else YES


def _recorded_after(view: View, entry: Entry) -> Answer:
    return (NO, "it was recorded before it happened") if entry.first > entry.recorded else YES


def _closed_once(view: View, entry: Entry) -> Answer:
    return (NO, "the case was closed already and had not been reopened") if entry.stray_closure else YES


def _before_closure(view: View, entry: Entry) -> Answer:
    course = view.domain.course
    if course.episode is None or dig(entry.data, course.episode) is None or entry.type in course.closing_papers:
        return YES
    if course.closes is not None and entry.type in (course.closes.event, course.reopens.event if course.reopens else ""):
        return YES
    for closing in view.episode.closings:
        reopened = closing.reopened
        if closing.entry.order < entry.order and (reopened is None or entry.order < reopened.order):
            return (
                (NO, "it came after the closure of the episode that it names")
                if closing.entry.surely_before(entry)
                else (UNCLEAR, "day_without_moment")
            )
    return YES


_TESTS = {"recorded_after_it_happened": _recorded_after, "closed_once": _closed_once, "before_the_closure_it_names": _before_closure}
_WORDS: dict[Test, str] = {
    "recorded_after_it_happened": "It must not have been recorded before it happened.",
    "closed_once": "It must not close a case that is closed already and has not been reopened.",
    "before_the_closure_it_names": "It must not come after the closure of the episode that it names, closing papers aside.",
}
