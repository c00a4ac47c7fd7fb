"""What a rule asks for, and the evidence that a case has for it: candidates with, for each, whether it counts, and if not, why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from rules.collections import current, doings, versions
from rules.conditions import Model, Selector, Where
from rules.course import dig
from rules.history import Entry
from rules.hits import MOMENT, Hit, both, possible_last
from rules.kinds.gathering import Gathered, combinations, gathered
from rules.matching import Answer, Context, check
from rules.model import NEVER, NO, SURE, UNCLEAR, Candidate
from rules.obligation import Collected
from rules.view import View

Wanted = str | tuple[str, ...]


class Cancelled(Model):
    """An event that takes the evidence back if it comes after it (and before the gate).

    ``names``: the attribute that names what it takes back; without that attribute it takes back whatever came before.
    """

    event: str
    where: Where | None = None
    names: str | None = None


class EachItem(Model):
    """A condition on every current item of a collection."""

    collection: str
    where: Where


class Requires(Selector):
    """The events asked for, with what else must hold of them.  Exactly one of event, for_every.

    takes: last = only the last such event counts, and ``that`` must hold of it.  collects: values that the events must
    bring together (every combination, where several attributes are named; a list stands for any one of its values);
    ``roles`` does the same for the roles of the participants listed there.  for_every: the events that do every current item
    of a collection.  and_each: besides, a condition on every current item.  after_last: only what came after the last of
    these.  unless_followed_by: what takes it back.  itself: or this holds of the activating event.
    """

    event: str | Annotated[tuple[str, ...], Field(min_length=1)] = ()
    takes: Literal["any", "last"] = "any"
    that: Where | None = None
    collects: dict[str, tuple[Wanted, ...]] | None = None
    roles: str | None = None
    for_every: str | None = None
    and_each: EachItem | None = None
    after_last: Selector | None = None
    unless_followed_by: tuple[Cancelled, ...] = ()
    itself: Where | None = None

    @cached_property
    def simple(self) -> bool:
        """Whether it asks for one event that fits, and no more."""
        more = (self.that, self.collects, self.for_every, self.and_each, self.after_last, self.itself)
        return not self.unless_followed_by and all(part is None for part in more)

    @cached_property
    def gathered(self) -> Gathered:
        """What its ``collects`` asks for."""
        wanted = [[(w,) if isinstance(w, str) else w for w in parts] for parts in (self.collects or {}).values()]
        return tuple(self.collects or {}), wanted, combinations(wanted)

    @cached_property
    def parts(self) -> tuple[tuple[str, ...], ...]:
        """The values that its first attribute is to bring."""
        return tuple(self.gathered[1][0])

    @model_validator(mode="after")
    def _shape(self) -> Self:
        if bool(self.event) == (self.for_every is not None):
            raise ValueError("give exactly one of event, for_every")
        if self.takes == "last" and self.that is None:
            raise ValueError("takes: last needs that")
        if self.roles is not None and (self.collects is None or list(self.collects) != [self.roles]):
            raise ValueError("roles names the attribute whose roles collects asks for")
        return self


Alternative = tuple[Collected, str]
"""Evidence in one possible world, and what makes the worlds differ."""


def evidence(
    asked: Requires,
    view: View,
    context: Context,
    *,
    gate: Entry | None = None,
    since: int | None = None,
    until: int | None = None,
) -> list[Alternative]:
    """The candidates for a requirement, once for each way in which what is missing may turn out.

    ``gate``: the event before which it must have been fulfilled.  ``since``: the first day on which an event counts.
    ``until``: the end of the due day (ms), where there is one.
    """
    if asked.for_every is not None:
        return [(_for_every(asked.for_every, view, gate), "")]
    hits = view.find(asked, context)
    if since is not None:
        hits = [Hit(hit.entry, NO, "it came before") if hit.entry.day < since and hit.fit is not NO else hit for hit in hits]
    if asked.simple:
        return [(_collected(hits), "")]
    if asked.unless_followed_by:
        hits = [_uncancelled(hit, asked.unless_followed_by, view, gate) for hit in hits]
    if asked.takes == "last":
        return list(_last(asked, view, context, hits, gate))
    if asked.after_last is not None:
        return list(_after_last(asked.after_last, view, context, hits, gate))
    if asked.collects is not None:
        return [(gathered(asked, view, hits), "")]
    collected = _collected(hits)
    if asked.and_each is not None:
        collected = _while_each(asked.and_each, view, collected, until)
    if asked.itself is not None and gate is not None:
        fit, text = check(asked.itself, gate.data, Context(view, gate, gate, context.person))
        if fit is not NO:
            collected.candidates.append(Candidate(gate.first, gate.first, fit, (gate.id,), text if fit is UNCLEAR else ""))
    return [(collected, "")]


def _collected(hits: Iterable[Hit]) -> Collected:
    out = Collected([], [])
    for hit in hits:
        if hit.fit is NO:
            out.rejected.append((hit.entry.id, hit.text))
        else:
            out.candidates.append(hit.candidate())
    return out


def _last(asked: Requires, view: View, context: Context, hits: list[Hit], gate: Entry | None) -> Iterator[Alternative]:
    assert asked.that is not None
    if gate is not None:
        hits = [Hit(h.entry, NO, "it came later") if h.entry.day > gate.day and h.fit is not NO else h for h in hits]
    possible = possible_last(hits)
    missing = next((h.text for h in possible if h is not None and h.fit is UNCLEAR), MOMENT) if len(possible) > 1 else ""
    overtaken = [(h.entry.id, "a later one took its place") for h in hits if h.fit is not NO and h not in possible]
    for last in possible:
        out = Collected(rejected=[(h.entry.id, h.text) for h in hits if h.fit is NO] + overtaken)
        if last is not None:
            fit, text = check(asked.that, last.entry.data, Context(view, last.entry, context.activation, context.person))
            if fit is NO:
                out.rejected.append((last.entry.id, text))
            else:
                out.candidates.append(Hit(last.entry, fit, text).candidate())
        yield out, missing


def _after_last(selector: Selector, view: View, context: Context, hits: list[Hit], gate: Entry | None) -> Iterator[Alternative]:
    marks = []
    for mark in view.find(selector, context):
        if mark.fit is NO or (gate is not None and (mark.entry is gate or gate.surely_before(mark.entry))):
            continue
        sure = gate is None or mark.entry.surely_before(gate)
        marks.append(mark if sure else Hit(mark.entry, UNCLEAR, mark.text or MOMENT))
    possible = possible_last(marks)
    missing = next((h.text for h in possible if h is not None and h.text), MOMENT) if len(possible) > 1 else ""
    for last in possible:
        if last is None:
            yield Collected(rejected=[(h.entry.id, "there is nothing yet that it could follow") for h in hits]), missing
        else:
            yield _collected([_follows(hit, last.entry) for hit in hits]), missing


def _follows(hit: Hit, mark: Entry) -> Hit:
    if hit.fit is NO or mark.surely_before(hit.entry):
        return hit
    if hit.entry.surely_before(mark) or hit.entry is mark:
        return Hit(hit.entry, NO, "it came before the latest version")
    return Hit(hit.entry, UNCLEAR, hit.text or MOMENT)


def _uncancelled(hit: Hit, cancelled: Sequence[Cancelled], view: View, gate: Entry | None) -> Hit:
    if hit.fit is NO:
        return hit
    unclear = ""
    for word in cancelled:
        for entry in view.of_type(word.event):
            if entry.surely_before(hit.entry) or (gate is not None and gate.surely_before(entry)):
                continue
            fit, text = check(word.where, entry.data, Context(view, entry))
            named = dig(entry.data, word.names) if word.names is not None else None
            if fit is NO or (named is not None and named != hit.entry.id):
                continue
            sure = hit.entry.surely_before(entry) and (gate is None or entry.surely_before(gate))
            if named is not None and (gate is None or entry.surely_before(gate)):
                sure = True
            if fit is SURE and sure:
                return Hit(hit.entry, NO, f"it was followed by {entry.type}")
            unclear = unclear or text or MOMENT
    return Hit(hit.entry, UNCLEAR, hit.text or unclear) if unclear else hit


def _for_every(name: str, view: View, gate: Entry | None) -> Collected:
    """The moment at which every item was done; unclear where that can only be said with what is missing."""
    collection = view.policy.collections[name]
    upto = None if gate is None else gate.day
    now = current(view, collection, lambda entry: upto is None or entry.day <= upto)
    surely, perhaps = doings(view, collection, now.items, upto), doings(view, collection, now.maybe, upto)
    out = Collected()
    if surely.undone:
        out.rejected += [(e.id, f"not done: {', '.join(surely.undone)}") for e in now.documents[-1:]]
        return out
    missing = now.missing or ("" if now.documents else collection.list_) or surely.missing
    if perhaps.undone or perhaps.missing:
        missing = missing or now.doubt
    did = [*surely.sure, *surely.maybe, *perhaps.sure, *perhaps.maybe]
    at = gate.first if gate is not None else 0
    first, last = max((e.first for e in did), default=at), max((e.last for e in did), default=at)
    fit, events = (UNCLEAR, [*did, *now.documents]) if missing else (SURE, did)
    out.candidates.append(Candidate(first, last, fit, tuple(dict.fromkeys(e.id for e in events)), missing))
    return out


def _while_each(each: EachItem, view: View, collected: Collected, until: int | None) -> Collected:
    """When the requirement and a condition on every current item hold together: at the limit, or first after it.

    Between two versions of the documents the condition stays as it is; a stretch in which it holds counts from its beginning
    if the limit lies in it, or if it begins after the limit.
    """
    collection = view.policy.collections[each.collection]
    limit = view.as_of if until is None else min(until - 1, view.as_of)
    changes = versions(view, collection)
    starts = [-NEVER, *(entry.first for entry in changes)]
    out = Collected(rejected=collected.rejected)
    stretch: tuple[Answer, int] | None = None
    for index, start in enumerate(starts):
        answer = _all_items(each, view, changes[:index])
        end = starts[index + 1] if index + 1 < len(starts) else NEVER
        begin = stretch[1] if stretch is not None and stretch[0][0] is answer[0] else start
        stretch = answer, begin
        if end <= limit:
            continue
        fit, text = answer
        if fit is NO:
            out.rejected += [(entry.id, text) for entry in changes[index - 1 : index]]
            continue
        for found in collected.candidates:
            first, last = max(found.first, begin), max(found.last, begin)
            if first < end:
                worst = UNCLEAR if UNCLEAR in (fit, found.fit) or last >= end else SURE
                missing = "" if worst is SURE else found.missing or text or MOMENT
                out.candidates.append(Candidate(first, last, worst, found.events, missing))
    return out


def _all_items(each: EachItem, view: View, counted: Sequence[Entry]) -> Answer:
    collection = view.policy.collections[each.collection]
    orders = {entry.order for entry in counted}
    now = current(view, collection, lambda entry: entry.order in orders)
    answers = [check(each.where, item, Context(view, now.documents[-1]), f"{collection.list_}.") for item in now.items]
    unsure = [check(each.where, item, Context(view, now.documents[-1]), f"{collection.list_}.") for item in now.maybe]
    answers += [answer if answer[0] is SURE else (UNCLEAR, now.doubt) for answer in unsure]
    return both([*answers, *([(UNCLEAR, now.missing)] if now.missing else [])])
