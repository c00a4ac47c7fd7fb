"""Recurrence: something must be done again and again, each gap at most so long.  One obligation an interval, the last one open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rules.history import Entry
from rules.hits import Hit
from rules.kinds.base import Kind, When, no_household, or_nothing, triggers
from rules.kinds.limits import dated
from rules.kinds.requires import Requires
from rules.matching import Context
from rules.model import NO, SURE, UNCLEAR
from rules.obligation import Obligation, hole, unset
from rules.periods import Period
from rules.view import View

if TYPE_CHECKING:
    from rules.counterfactual import Told
    from rules.saying import Saying


@dataclass(frozen=True, slots=True)
class _Series:
    """The stretch of days over which somebody (or the case) must be seen to again and again."""

    key: str
    start: int
    end: int | None = None
    person: str | None = None


class Recurrence(Kind):
    """From the first activation until the episode is closed; ``per``: for each member of these roles, until the member leaves."""

    name: ClassVar[str] = "recurrence"
    about: ClassVar[str] = "Something must be done again and again, with no gap longer than a period."
    longer: ClassVar[Mapping[str, str]] = {"every": "fewer", "warn": "none"}

    when: When
    requires: Requires
    every: Period
    warn: Period | None = None
    per: tuple[str, ...] | None = None

    def read_aloud(self, say: Saying) -> list[str]:
        """See Kind."""
        say = say.about(self.per)
        leaves = f", or {say.person} leaves the household" if self.per else ""
        return [
            *say.begins(self.when),
            *say.members(self.per, "a day from then on"),
            f"It asks from then on, again and again until the case is closed{leaves}, that {say.asks(self.requires)}.",
            f"From the beginning to the first time, and from each time to the next, at most {say.period(self.every)} may go by.",
            *say.soon(self.warn),
            *say.paused(),
        ]

    def met_from(self, told: Told) -> int | None:
        """See Kind: the day on which the gap begins does not end it."""
        start = told.judged.world.activated_day
        return None if start is None else start + 1

    def obligations(self, view: View) -> list[Obligation]:
        found: list[Obligation] = []
        for trigger in triggers(self.when, view):
            entry = next(e for e in reversed(trigger.entries) if e is not None)
            series = self._series(view, entry)
            if self.every.span(view.policy.values) is None:
                people = sorted({s.person for s in series or () if s.person is not None})
                keys = [f"person:{p}" for p in people] or ["case"]
                if series is None or series or self.per is None:
                    found += [
                        Obligation(k, (unset(entry.day),), "", (entry.id,), about=k.removeprefix("person:") if people else "") for k in keys
                    ]
            elif series is None:
                found.append(no_household(entry))
            elif len({None if e is None else e.day for e in trigger.entries}) > 1:
                found.append(
                    Obligation("case", (hole(trigger.missing, entry.day),), trigger.missing, tuple(e.id for e in trigger.entries if e))
                )
            else:
                found += [o for one in series for o in self._intervals(view, entry, one)]
        return or_nothing(found)

    def _series(self, view: View, entry: Entry) -> list[_Series] | None:
        if self.per is None:
            return [_Series("", entry.day)]
        if not view.roster.known:
            return None
        found = []
        for person, spans in sorted(view.roster.spans(self.per).items()):
            for index, (low, high) in enumerate(s for s in spans if s[1] >= entry.day and s[0] <= view.today):
                key = f"person:{person}/" + (f"again:{index}/" if index else "")
                found.append(_Series(key, max(low, entry.day), high if high < view.today else None, person))
        return found

    def _intervals(self, view: View, entry: Entry, series: _Series) -> list[Obligation]:
        context = Context(view, None, entry, series.person)
        hits = [
            h for h in view.find(self.requires, context) if h.entry.day > series.start and (series.end is None or h.entry.day <= series.end)
        ]
        rejected = tuple((h.entry.id, h.text) for h in hits if h.fit is NO)
        hits = [h for h in hits if h.fit is not NO]
        starts: list[tuple[int, Entry | None]] = [(series.start, None)]
        for hit in hits:
            if hit.fit is SURE and hit.entry.day > starts[-1][0]:
                starts.append((hit.entry.day, hit.entry))
        return [
            self._interval(view, entry, series, start, begun, hits, rejected if index == len(starts) - 1 else ())
            for index, (start, begun) in enumerate(starts)
        ]

    def _interval(
        self,
        view: View,
        entry: Entry,
        series: _Series,
        start: int,
        begun: Entry | None,
        hits: list[Hit],
        rejected: tuple[tuple[str, str], ...],
    ) -> Obligation:
        span, warn = view.span(self.every), view.span(self.warn)
        assert span is not None
        due = span.after(start, view.calendar)
        following = [h for h in hits if h.entry.day > start]
        upto = next((i for i, h in enumerate(following) if h.fit is SURE), len(following) - 1)
        candidates = [h.candidate() for h in following[: upto + 1]]
        left = None if series.end is None else view.zone.end_of(series.end) - 1
        world = dated(
            view,
            activated=begun or entry,
            activated_day=start,
            due_day=due,
            candidates=candidates,
            ended=left,
            soon_day=warn.before(due) if warn else None,
            arithmetic=f"{span} after",
        )
        key = f"{series.key}interval:{'start' if begun is None else begun.ref}"
        missing = next((h.text for h in following[: upto + 1] if h.fit is UNCLEAR), "")
        return Obligation(key, (world,), missing, ((begun or entry).id,), rejected, about=series.person or "")
