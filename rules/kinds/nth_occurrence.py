"""Nth occurrence: something must be done by the local day of the n-th event of a kind (by the end of the third visit)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from rules.conditions import Model
from rules.history import Entry
from rules.hits import Hit
from rules.kinds.base import Concerned, Kind, When, concerned, no_household, oblige, or_nothing, triggers
from rules.kinds.limits import dated
from rules.kinds.requires import Requires, evidence
from rules.matching import Context
from rules.obligation import Obligation, Trigger, World, hole, off
from rules.view import View

if TYPE_CHECKING:
    from rules.saying import Saying

Ordinal = Annotated[int, Field(ge=1, le=1000, strict=True)]


class Nth(Model):
    """The n-th event of a term (each real one counted once).  ``warn_after``: the warning window opens with this one."""

    nth: Ordinal
    of: str
    warn_after: Ordinal | None = None


class NthOccurrence(Kind):
    """``per``: one obligation for each member of these roles on the day of the n-th occurrence (until then: today)."""

    name: ClassVar[str] = "nth_occurrence"
    about: ClassVar[str] = "Something must be done by the day of the n-th event of a kind."
    longer: ClassVar[Mapping[str, str]] = {"by": "fewer"}

    when: When
    requires: Requires
    by: Nth
    per: tuple[str, ...] | None = None

    def if_longer(self, field: str) -> str:
        """As every kind; who is a member on a later day may be another person."""
        return "either" if self.per else super().if_longer(field)

    def read_aloud(self, say: Saying) -> list[str]:
        """See Kind."""
        say = say.about(self.per)
        day = f"the day of {say.nth(self.by.nth, self.by.of)}"
        after = say.nth(self.by.warn_after, self.by.of) if self.by.warn_after is not None else ""
        return [
            *say.begins(self.when),
            *say.members(self.per, f"{day}, or today while there are fewer"),
            f"It asks that {say.asks(self.requires)}.",
            f"That must be done by the end of {day}; while there are fewer, it is not due.",
            *([f"It is shown as due soon from the day of {after}."] if after else []),
            *say.closure_ends(),
        ]

    def until_words(self, say: Saying) -> str:
        """See Kind."""
        return f"the day of {say.nth(self.by.nth, self.by.of)}"

    def obligations(self, view: View) -> list[Obligation]:
        found: list[Obligation] = []
        for trigger in triggers(self.when, view):
            if self.per is None:
                found.append(self._one(trigger, view, None))
                continue
            activated = next(entry for entry in reversed(trigger.entries) if entry is not None)
            people = self._people(view)
            if people is None:
                found.append(no_household(activated))
                continue
            for one in people:
                if one.missing:
                    found.append(Obligation(f"person:{one.person}", (hole(one.missing, activated.day),), one.missing, (activated.id,)))
                else:
                    found.append(self._one(trigger, view, one.person))
        return or_nothing(found)

    def _limits(self, view: View) -> tuple[list[Hit | None], list[Hit | None]]:
        return view.nth(self.by.of, self.by.nth), view.nth(self.by.of, self.by.warn_after) if self.by.warn_after else [None]

    def _deadline_day(self, view: View, limit: Hit | None) -> int:
        if limit is not None:
            return limit.entry.day
        return view.today if view.closed is None else view.closed.day

    def _people(self, view: View) -> list[Concerned] | None:
        found: dict[str, Concerned] = {}
        for limit in self._limits(view)[0]:
            people = concerned(view, self.per or (), self._deadline_day(view, limit))
            if people is None:
                return None
            found.update({one.person: one for one in people if one.person not in found or one.missing})
        return [found[person] for person in sorted(found)]

    def _one(self, trigger: Trigger, view: View, person: str | None) -> Obligation:
        rejected: list[tuple[str, str]] = []
        nths, warnings = self._limits(view)

        def make(entry: Entry) -> tuple[list[World], str]:
            return self._worlds(view, entry, person, nths, warnings, rejected)

        key = "" if person is None else f"person:{person}"
        return oblige(trigger, view, self.when.given, make, rejected=rejected, key=key, about=person or "")

    def _worlds(
        self,
        view: View,
        entry: Entry,
        person: str | None,
        nths: Sequence[Hit | None],
        warnings: Sequence[Hit | None],
        rejected: list[tuple[str, str]],
    ) -> tuple[list[World], str]:
        alternatives = evidence(self.requires, view, Context(view, None, entry, person))
        worlds, missing = [], ""
        counted = view.counted(self.by.of)
        for limit in nths:
            if person is not None and not any(
                c.person == person for c in concerned(view, self.per or (), self._deadline_day(view, limit)) or ()
            ):
                worlds.append(off())
                continue
            for soon in [hit for hit in warnings if limit is None or (hit is not None and hit.entry.order <= limit.entry.order)] or [None]:
                for collected, why in alternatives:
                    rejected.extend(collected.rejected)
                    missing = missing or why
                    worlds.append(
                        dated(
                            view,
                            activated=entry,
                            due_day=None if limit is None else limit.entry.day,
                            candidates=collected.candidates,
                            warn=None,
                            soon_day=None if soon is None else soon.entry.day,
                            pausable=False,
                            ended=entry.last if entry is view.closed else None,
                            limits=_up_to(limit, counted),
                            arithmetic="the day of",
                        )
                    )
        return worlds, missing or next((hit.text for hit in counted if hit.text), "")


def _up_to(limit: Hit | None, counted: Sequence[Hit]) -> tuple[str, ...]:
    """The events that were counted, to the one that gives the limit."""
    ids: list[str] = []
    for hit in counted if limit is not None else ():
        ids.append(hit.entry.id)
        if limit is not None and hit.entry.id == limit.entry.id:
            break
    return tuple(ids)
