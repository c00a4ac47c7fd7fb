"""Response: after an event, something must follow within a limit.  Declare: response(A, B); also existence and co-existence.

Three names for one reduction: in a *response* the target must not come before the day of the activation; for *existence* and
*co_existence* it may have come at any time in the episode.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import model_validator

from rules.conditions import Model, Selector
from rules.history import Entry
from rules.hits import MOMENT, Hit, possible_first
from rules.kinds.base import Kind, When, oblige, or_nothing, triggers
from rules.kinds.limits import dated, due_in
from rules.kinds.requires import Requires, evidence
from rules.matching import YES, Answer, Context, check
from rules.model import SURE
from rules.obligation import Obligation, World, unset
from rules.periods import Period
from rules.view import View

if TYPE_CHECKING:
    from rules.counterfactual import Told
    from rules.saying import Saying


class AtLatest(Model):
    """The day by which it must be done whatever the period says: the first such event, or the first closure (errors aside)."""

    first: Selector | None = None
    closure: Literal[True] | None = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, data: Any) -> Any:
        return {"closure": True} if data == "closure" else data

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.first is None) == (self.closure is None):
            raise ValueError("give exactly one of first, closure")
        return self


class Response(Kind):
    """``within``: the limit, counted from the day of the activation (which is not counted).  ``warn``: how long before the due
    day the warning window opens (7 days where nothing is said).  ``at_latest``: once that day has come, it is a limit too.
    ``by: closure``: due on the day of the closure of the activating event's attempt.  ``ends_with``: what ends the obligation.
    """

    name: ClassVar[str] = "response"
    about: ClassVar[str] = "After an event, something must follow within a limit."
    longer: ClassVar[Mapping[str, str]] = {"within": "fewer", "warn": "none"}
    any_time: ClassVar[bool] = False

    when: When
    requires: Requires
    within: Period | None = None
    warn: Period | None = None
    at_latest: AtLatest | None = None
    by: Literal["closure"] | None = None
    ends_with: Selector | None = None

    @model_validator(mode="after")
    def _limit(self) -> Self:
        if (self.within is None) == (self.by is None) and self.at_latest is None:
            raise ValueError("give a limit: within, by or at_latest")
        return self

    def if_longer(self, field: str) -> str:
        """As every kind; what is asked of items at the limit may fail later as well as sooner."""
        return "either" if field == "within" and self.requires.and_each is not None else super().if_longer(field)

    def read_aloud(self, say: Saying) -> list[str]:
        """See Kind."""
        when = "whenever in the episode" if self.any_time else "on the day on which it begins or later"
        found = [*say.begins(self.when), f"It asks that, {when}, {say.asks(self.requires)}."]
        if self.within is not None:
            found.append(f"That must be done {say.within(self.within, 'the day on which it begins')}, to the end of the last day.")
        if self.by is not None:
            found.append("That must be done by the end of the day on which the case is closed.")
        if self.at_latest is not None:
            day = "the case is closed" if self.at_latest.first is None else f"{say.selector(self.at_latest.first)} for the first time"
            found.append(f"At the latest it is due on the day on which {day}, once that day has come.")
        if self.ends_with is not None:
            found.append(f"It ends without a finding where, after that and on a day before it is due, {say.selector(self.ends_with)}.")
        pausable = self.within is not None
        return [*found, *say.soon(self.warn), *(say.paused() if pausable else []), *(say.closure_ends() if pausable else [])]

    def met_from(self, told: Told) -> int | None:
        """See Kind: what came before the day of the activation does not count, unless any time will do."""
        return None if self.any_time or told.entry is None else told.entry.day

    def until_words(self, say: Saying) -> str:  # noqa: ARG002
        """See Kind."""
        return "the day on which the case is closed" if self.by is not None else ""

    def obligations(self, view: View) -> list[Obligation]:
        found = []
        for trigger in triggers(self.when, view):
            rejected: list[tuple[str, str]] = []

            def make(entry: Entry, rejected: list[tuple[str, str]] = rejected) -> tuple[list[World], str]:
                return self._worlds(view, entry, rejected)

            found.append(oblige(trigger, view, self.when.given, make, rejected=rejected))
        return or_nothing(found)

    def _worlds(self, view: View, entry: Entry, rejected: list[tuple[str, str]]) -> tuple[list[World], str]:
        limits, missing = self._latest(view, entry)
        worlds: list[World] = []
        for limit in limits:
            made, why = self._limited(view, entry, limit, rejected)
            worlds += made
            missing = missing or why
        return worlds, missing

    def _limited(self, view: View, entry: Entry, latest: Entry | None, rejected: list[tuple[str, str]]) -> tuple[list[World], str]:
        """The worlds in which it must be done at the latest on the day of an event (None: no such day has come)."""
        due, words = due_in(view, self.within, entry.day)
        pausable = True
        if latest is not None and (due is None or latest.day <= due + view.moved(entry.day, due).days):
            due, words, pausable = latest.day, "the day of", False
        parameter_unset = due is None and self.by is None
        warn = None if self.warn is None else view.span(self.warn)
        soon = None if warn is None or due is None else warn.before(due)
        alternatives = evidence(
            self.requires,
            view,
            Context(view, None, entry),
            since=None if self.any_time else entry.day,
            until=None if due is None else view.zone.end_of(due),
        )
        endings, why_ended = self._endings(view, entry)
        worlds, missing = [], why_ended
        for collected, why in alternatives:
            rejected.extend(collected.rejected)
            missing = missing or why
            if parameter_unset and not (self.at_latest is not None and collected.candidates):
                worlds.append(unset(entry.day))
                continue
            worlds += [
                dated(
                    view,
                    activated=entry,
                    due_day=due,
                    candidates=collected.candidates,
                    soon_day=soon,
                    pausable=pausable,
                    ended=ended,
                    limits=() if latest is None or words != "the day of" else (latest.id,),
                    arithmetic=words,
                )
                for ended in endings
            ]
        return worlds, missing

    def _latest(self, view: View, entry: Entry) -> tuple[list[Entry | None], str]:
        """The events that may set the latest day (None: that none has come), and what makes that unclear."""
        if self.by == "closure":
            return [view.episode.closing_of(entry.attempt)], ""
        if self.at_latest is None:
            return [None], ""
        if self.at_latest.first is not None:
            hits = view.find(self.at_latest.first, Context(view, None, entry))
        else:
            hits = [Hit(closing.entry, *self._speaks_of(view, closing.entry)) for closing in view.episode.closings]
        possible = possible_first(hits)
        missing = next((hit.text for hit in possible if hit is not None and hit.text), MOMENT) if len(possible) > 1 else ""
        return [None if hit is None else hit.entry for hit in possible], missing

    def _speaks_of(self, view: View, closing: Entry) -> Answer:
        """Whether a closure is one that the rule speaks of."""
        given = self.when.given
        return YES if given is None or given.closed_as is None else check(given.closed_as.where, closing.data, Context(view, closing))

    def _endings(self, view: View, entry: Entry) -> tuple[list[int | None], str]:
        """When something else than the closure may have ended it (None: nothing has), and what makes that unclear."""
        if self.ends_with is None:
            return [None], ""
        found = view.find(self.ends_with, Context(view, None, entry))
        hits = [hit for hit in found if hit.fit and hit.entry is not entry and not hit.entry.surely_before(entry)]
        sure = [_day_before(view, hit) for hit in hits if hit.fit is SURE and entry.surely_before(hit.entry)]
        end = min(sure, default=None)
        maybe = [hit for hit in hits if end is None or _day_before(view, hit) < end]
        return [end, *(_day_before(view, hit) for hit in maybe)], (maybe[0].text or MOMENT) if maybe else ""


def _day_before(view: View, hit: Hit) -> int:
    """The last ms before the day of what ends an obligation: on the due day itself it still does."""
    return view.zone.start_of(hit.entry.day) - 1


class Existence(Response):
    """As `response`, but the target may also have come before the activation."""

    name: ClassVar[str] = "existence"
    about: ClassVar[str] = "Something must be on record by a limit, whenever in the episode it happened."
    any_time: ClassVar[bool] = True


class CoExistence(Response):
    """As `existence`: where the one is, the other must be too (a summary where there is a closure)."""

    name: ClassVar[str] = "co_existence"
    about: ClassVar[str] = "Where the one event is, the other must be too, before it or within a limit after it."
    any_time: ClassVar[bool] = True
