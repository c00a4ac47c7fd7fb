"""The events that a verdict looked at: which counted, which did not and why not, the nearest misses first.  See rules.explain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rules.clock import iso
from rules.conditions import Selector, Where
from rules.counterfactual import Told, clause_of, entry_of
from rules.evaluate import Judged
from rules.history import Entry
from rules.matching import Context
from rules.model import Fit
from rules.nearness import lacks, lacks_of, not_said, plain
from rules.saying import Saying
from rules.wording import day_words


@dataclass(frozen=True, slots=True)
class Considered:
    """An event that was looked at, and what became of it."""

    event: str
    type: str
    happened: str
    recorded: str
    counts: str
    """``yes``, ``no``, ``unclear``, or ``against``: it is what the rule forbids."""
    why: str

    def words(self) -> str:
        what = {"yes": "counts", "no": "does not count", "unclear": "may or may not count", "against": "counts against it"}[self.counts]
        return f"{self.event} {self.type}, {self.happened}: {what}{f' ({self.why})' if self.why else ''}"


def entries_of(judged: Judged) -> dict[str, Entry]:
    """Every event that the case and its related ones have, by id."""
    view = judged.view
    found = {entry.id: entry for other in view.related for entry in other.episode.entries}
    return found | {entry.id: entry for entry in view.episode.entries}


def moment_of(entry: Entry, judged: Judged) -> str:
    """When it happened, in the zone of the verdict."""
    day = day_words(iso(entry.day))
    return f"{day}, {judged.view.zone.local(entry.first):%H:%M}" if entry.exact else f"{day} (only the day is known)"


def considered(judged: Judged) -> list[Considered]:
    """What counts first, then what does not, the nearest misses before the others."""
    entries = entries_of(judged)
    found: dict[str, Considered] = {}
    chosen = judged.decision.candidate
    say = Saying(judged.policy)
    for index, candidate in enumerate(judged.world.candidates):
        for name in candidate.events:
            types = [entries[name].type] if name in entries else []
            why = not_said(candidate.missing, say, types) if candidate.fit is Fit.UNCLEAR and candidate.missing else ""
            counts = "unclear" if candidate.fit is Fit.UNCLEAR else "yes"
            if name not in found or index == chosen:
                found[name] = _row(name, entries, judged, counts, why)
    for name in judged.world.broken_by:
        found[name] = _row(name, entries, judged, "against", "")
    misses = []
    for name, why in judged.obligation.rejected:
        if name not in found:
            far, told = _miss(name, why, entries, judged)
            misses.append((far, _row(name, entries, judged, "no", told)))
    for _, row in sorted(misses, key=lambda miss: miss[0]):
        found.setdefault(row.event, row)
    return list(found.values())


def _miss(name: str, why: str, entries: Mapping[str, Entry], judged: Judged) -> tuple[int, str]:
    """How many parts of what was asked an event does not meet, and all of them in words; 0 where only its time was wrong."""
    say, entry = Saying(judged.policy), entries.get(name)
    if entry is None:
        return 0, plain(why, say, [])
    told = Told(judged, clause_of(judged), entry_of(judged))
    asked = getattr(told.clause, "requires", None)
    lacking = lacks_of(asked, entry, told.context, say) if isinstance(asked, Selector) and entry.type in say.types(asked.names) else []
    where = getattr(told.clause, "where", None)
    if isinstance(where, Where):
        lacking = lacks(where, entry.data, Context(judged.view, entry, told.entry), say, [entry.type])
    if any(lack.fit is Fit.NO for lack in lacking):
        return len(lacking), "; ".join(dict.fromkeys(lack.why for lack in lacking))
    return len(lacking), plain(why, say, [entry.type])


def _row(name: str, entries: Mapping[str, Entry], judged: Judged, counts: str, why: str) -> Considered:
    entry = entries.get(name)
    if entry is None:
        return Considered(name, "", "", "", counts, why)
    recorded = day_words(iso(judged.view.zone.day_of(entry.recorded)))
    return Considered(name, entry.type, moment_of(entry, judged), recorded, counts, why)
