"""What would have met an obligation: the event that was wanting, as exactly as the rule asks for it, and from when until when.

Kinds bring their own words (`Kind.met_with`); this gives them what they need and adds the days.  Imports what explanations rest on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rules.clock import iso
from rules.collections import current, doings
from rules.conditions import Selector
from rules.history import Entry
from rules.kinds.base import Kind, When
from rules.kinds.gathering import brought_by, combinations
from rules.kinds.requires import Requires
from rules.matching import Context
from rules.model import Fit, Outcome, State
from rules.phrases import joined
from rules.saying import Saying
from rules.wording import day_words

if TYPE_CHECKING:
    from rules.evaluate import Judged

_OVER = (Outcome.BREACHED, Outcome.LATE, Outcome.EXCUSED)
_OPEN = (Outcome.PENDING, Outcome.DUE_SOON)


@dataclass(frozen=True, slots=True)
class Told:
    """What a kind needs to say what would meet an obligation of its own."""

    judged: Judged
    clause: Kind
    entry: Entry | None
    """The event that called for it."""

    @property
    def context(self) -> Context:
        return Context(self.judged.view, None, self.entry, self.person)

    @property
    def person(self) -> str | None:
        return self.judged.obligation.about if getattr(self.clause, "per", None) else None

    @property
    def due_day(self) -> int | None:
        return self.judged.world.due_day

    def rejected(self) -> list[str]:
        """Why events did not count, in the order in which they were looked at."""
        return list(dict.fromkeys(why for _, why in self.judged.obligation.rejected))


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """``words``: what would have met it, in one sentence.

    It counts from ``first`` to ``last`` (days; None: open), and before the moment ``gate`` (ms) where there is one.
    """

    words: str
    clause: Kind
    first: int | None = None
    last: int | None = None
    gate: int | None = None


def clause_of(judged: Judged) -> Kind:
    """The clause of the rule from which the obligation came: the one that the event which called for it activates."""
    clauses = judged.rule.clauses
    if len(clauses) == 1:
        return clauses[0]
    entry = entry_of(judged)
    for clause in clauses:
        when = getattr(clause, "when", None)
        if isinstance(when, When) and entry is not None:
            names = [name for selector in when.selectors for name in selector.names]
            if entry.type in Saying(judged.policy).types(names):
                return clause
    return clauses[0]


def entry_of(judged: Judged) -> Entry | None:
    """The event that called for the obligation, where it stands in the case."""
    by_id = {entry.id: entry for entry in judged.view.episode.entries}
    return next((by_id[name] for name in judged.obligation.activation if name in by_id), None)


def would_have_met(judged: Judged) -> Counterfactual | None:
    """What would have met it; None where nothing was wanting, or where it cannot be judged."""
    verdict, world = judged.verdict, judged.world
    if verdict.verdict not in (*_OVER, *_OPEN) or world.duty.state is not State.LIVE:
        return None
    clause, entry = clause_of(judged), entry_of(judged)
    told = Told(judged, clause, entry)
    say = Saying(judged.policy, told.person or "the person", activation=entry.data if entry is not None else None)
    asked = clause.met_with(say, told)
    if not asked:
        return None
    gate = world.duty.gate
    first = clause.met_from(told)
    head = "It would have been met" if verdict.verdict in _OVER else "It is met"
    if clause.met_in_event:
        return Counterfactual(f"{head} {asked}.", clause)
    if gate is not None:
        exact = entry is not None and entry.exact
        moment = day_words(iso(world.due_day)) + (f", {judged.view.zone.local(gate[0]):%H:%M}" if exact else "")
        return Counterfactual(f"{head} {asked}, before {moment}.", clause, None, world.due_day, gate[0])
    if world.due_day is None:
        until = clause.until_words(say)
        return Counterfactual(f"{head} {asked}{f', by {until}' if until else ''}.", clause, first)
    due = day_words(iso(world.due_day))
    cut = _cut(told, world.due_day)
    if cut is not None:
        end, what = cut
        moment = day_words(iso(end.day)) + (f", {judged.view.zone.local(end.first):%H:%M}" if end.exact else "")
        since = f"from {day_words(iso(first))} on, " if first is not None and first < end.day else ""
        return Counterfactual(f"{head} {asked}, {since}before {what} on {moment}.", clause, first, end.day, end.first)
    if first is None:
        days = f"by {due}"
    elif first >= world.due_day:
        days = f"on {due}"
    else:
        days = f"from {day_words(iso(first))} to {due}"
    return Counterfactual(f"{head} {asked}, {days}.", clause, first, world.due_day)


def _cut(told: Told, last: int) -> tuple[Entry, str] | None:
    """The event after which what was wanting would have belonged to something else, with what it was; None where nothing cuts it short."""
    view, course = told.judged.view, told.judged.view.domain.course
    asked = getattr(told.clause, "requires", None)
    if asked is None:
        return None
    names = asked.names if asked.for_every is None else view.policy.collections[asked.for_every].done_by.names
    papers = all(name in course.closing_papers for name in Saying(view.policy).types(names))
    found: list[tuple[Entry, str]] = []
    if not papers:
        end = view.zone.end_of(last)
        found += [(c.entry, "the case was closed") for c in view.episode.closings if c.reopened is None or c.reopened.first >= end]
    if asked.of == "attempt" and told.entry is not None:
        attempt = told.entry.attempt
        found += [(c.reopened, "the case was reopened") for c in view.episode.closings if c.attempt == attempt and c.reopened is not None]
    later = [episode for episode in view.history.episodes if episode.number == view.episode.number + 1]
    found += [(episode.entries[0], "the next episode began") for episode in later]
    return min((one for one in found if one[0].day <= last), key=lambda one: one[0].order, default=None)


def with_asked(asked: Requires, say: Saying, told: Told) -> str:
    """What a requirement wants of the case as it stands: of what is gathered, only what is still lacking."""
    if asked.for_every is not None:
        return f"with {joined(_undone(asked.for_every, say, told))}"
    lacking = _lacking(asked, say, told)
    words = say.asks(asked, bare=True, lacking=lacking)
    if asked.after_last is not None and not _followed(asked.after_last, told):
        words += " (of which there is none yet, so that one would have been wanting too)"
    return f"with {words}"


def _followed(after: Selector, told: Told) -> bool:
    """Whether there is anything before the gate that the evidence could follow."""
    hits = told.judged.view.find(after, told.context)
    return any(hit.fit and hit.entry is not told.entry and not (told.entry and told.entry.surely_before(hit.entry)) for hit in hits)


def _lacking(asked: Requires, say: Saying, told: Told) -> str:
    """What was not brought together in time; empty where all of it is, or nothing is to be gathered."""
    if asked.collects is None:
        return ""
    view, world = told.judged.view, told.judged.world
    wanted = [[(w,) if isinstance(w, str) else w for w in parts] for parts in asked.collects.values()]
    cells = set(combinations(wanted))
    brought: set[tuple[int, ...]] = set()
    first = told.clause.met_from(told)
    for hit in view.find(asked, told.context):
        in_time = (world.due_day is None or hit.entry.day <= world.due_day) and (first is None or hit.entry.day >= first)
        if hit.fit is Fit.YES and in_time:
            brought |= brought_by(asked, view, hit, tuple(asked.collects), wanted)[0]
    if not brought or brought == cells:
        return ""
    types, paths = say.types(asked.names), list(asked.collects)
    told_cells = []
    for cell in sorted(cells - brought):
        parts = [(path, options[i]) for i, path, options in zip(cell, paths, wanted, strict=True)]
        words = [joined([say.wanted(one, path, types, asked) for one in part], "or") for path, part in parts]
        told_cells.append(f"{words[-1]} for {joined(words[:-1])}" if len(words) > 1 else words[0])
    return joined(told_cells)


def _undone(name: str, say: Saying, told: Told) -> list[str]:
    """What would do each item that is not done yet."""
    view = told.judged.view
    collection = view.policy.collections[name]
    upto = told.due_day
    now = current(view, collection, lambda entry: upto is None or entry.day <= upto)
    undone = doings(view, collection, now.items, upto).undone
    one_by_one = [Saying(say.policy, item=item).selector(collection.done_by, bare=True) for item in undone]
    return one_by_one or [f"every one of the current {name.replace('_', ' ')} done"]
