"""What changed in the clauses of a rule: limits, conditions, who it is asked for, and what that does.  See rules.diff."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rules.changes import Change, apart
from rules.conditions import Selector, Where
from rules.effects import (
    EITHER,
    FEWER,
    MORE,
    NARROWER,
    OTHER,
    SAME,
    WIDER,
    both_ways,
    breaches,
    compare_requires,
    compare_selector,
    compare_where,
    ends,
    opposite,
    period_effect,
)
from rules.kinds.base import Kind, When
from rules.kinds.nth_occurrence import Nth
from rules.kinds.requires import Requires
from rules.kinds.response import AtLatest
from rules.periods import Period
from rules.phrases import joined, ordinal, words_of
from rules.saying import Saying, label

if TYPE_CHECKING:
    from rules.policy import Policy, Rule


def of_clauses(mine: Rule, theirs: Rule, old: Policy, new: Policy) -> Iterator[Change]:
    """Every change of a rule's clauses, part by part."""
    many = max(len(mine.clauses), len(theirs.clauses))
    for number in range(many):
        part = f" of its {ordinal(number + 1)} part" if many > 1 else ""
        one = mine.clauses[number] if number < len(mine.clauses) else None
        other = theirs.clauses[number] if number < len(theirs.clauses) else None
        if one is None or other is None or type(one) is not type(other):
            effect = (
                f"asks for less, {breaches(FEWER)}"
                if other is None
                else f"asks for more, {breaches(MORE)}"
                if one is None
                else f"judges in another way, {breaches(EITHER)}"
            )
            yield Change(mine.id, f"what is asked{part}", _whole(one, old), _whole(other, new), effect)
            continue
        yield from _fields(mine.id, part, one, other, old, new)


def _whole(clause: Kind | None, policy: Policy) -> str:
    return "there is none" if clause is None else f"{words_of(clause.name)}. {' '.join(clause.read_aloud(Saying(policy)))}"


def _fields(rule: str, part: str, one: Kind, other: Kind, old: Policy, new: Policy) -> Iterator[Change]:
    for field in type(one).model_fields:
        before, after = getattr(one, field), getattr(other, field)
        if field == "kind" or before == after:
            continue
        was, now = _both(one, other, field, old, new)
        yield Change(
            rule, f"{label(field)}{part}", was, now if now != was else f"{now} (stated otherwise)", effect_of(one, other, field, old, new)
        )


def _both(one: Kind, other: Kind, field: str, old: Policy, new: Policy) -> tuple[str, str]:
    """A field before and after; of conditions only the parts that differ."""
    before, after = getattr(one, field), getattr(other, field)
    if isinstance(before, Where) and isinstance(after, Where):
        parts = [Saying(p).parts(where, Saying(p).types(_tested(k))) for k, where, p in ((one, before, old), (other, after, new))]
        gone, come = apart(*parts)
        if gone or come:
            return joined(gone), joined(come)
    return _told(one, field, old), _told(other, field, new)


def _told(kind: Kind, field: str, policy: Policy) -> str:
    """A field of a kind in words, with the event types that its conditions are about."""
    say = Saying(policy).about(getattr(kind, "per", None))
    value = getattr(kind, field)
    default = type(kind).model_fields[field].default
    if isinstance(value, Where):
        return say.where(value, say.types(_tested(kind)))
    if isinstance(value, Period):
        return say.period(value) + (f", as {words_of(value.parameter)} says" if value.parameter is not None else "")
    if isinstance(value, Nth):
        warned = f", due soon after {say.nth(value.warn_after, value.of)}" if value.warn_after is not None else ""
        return f"the day of {say.nth(value.nth, value.of)}{warned}"
    if isinstance(value, AtLatest):
        day = say.closed() if value.first is None else f"{say.selector(value.first)} for the first time"
        return f"the day on which {day}"
    if field == "by" and value == "closure":
        return f"the day on which {say.closed()}"
    if field == "warn" and value is None:
        return "7 days, as usual"
    if value is None or (value == default and value == ()):
        return "none"
    if field == "per":
        return f"each {' or '.join(map(words_of, value))} of the household"
    return say.part(value)


def _tested(kind: Kind) -> list[str]:
    """The names of the events that a kind's own condition is put to."""
    examines = getattr(kind, "examines", None)
    if isinstance(examines, Selector):
        return list(examines.names)
    when = getattr(kind, "when", None)
    if isinstance(when, When):
        first = when.first_of_each
        names = [name for selector in when.selectors for name in selector.names]
        return names or ([] if first is None else [first.event] if isinstance(first.event, str) else list(first.event))
    return []


# ---------------------------------------------------------------------------------------------------------------------- what it does
def effect_of(one: Kind, other: Kind, field: str, old: Policy, new: Policy) -> str:
    """What a change of a field does, in words."""
    if other.counted:
        return "counted otherwise; it is never a breach"
    before, after = getattr(one, field), getattr(other, field)
    if field in ("warn", "warn_from"):
        return f"{_warned(one, other, field, old, new)}, {breaches('none')}"
    if isinstance(before, Period) and isinstance(after, Period):
        return _period(one, other, field, old, new)
    if isinstance(before, Nth) and isinstance(after, Nth):
        return _nth(other, before, after)
    if isinstance(before, Requires) and isinstance(after, Requires):
        return _asked(compare_requires(before, after))
    if isinstance(before, When) and isinstance(after, When):
        return _begins(before, after)
    if field == "where" and isinstance(before, Where) and isinstance(after, Where):
        return {NARROWER: f"asks for more, {breaches(MORE)}", WIDER: f"asks for less, {breaches(FEWER)}"}.get(
            compare_where(before, after), f"asks for something else, {breaches(EITHER)}"
        )
    return _other(other, field, before, after)


def _period(one: Kind, other: Kind, field: str, old: Policy, new: Policy) -> str:
    longer = other.if_longer(field)
    spans = getattr(one, field).span(old.values), getattr(other, field).span(new.values)
    turn = ends(*spans, calendars=(old.calendar_for(None), new.calendar_for(None)), since=new.effective)
    if turn == "set":
        return "can breach from now on" if getattr(other, "at_latest", None) is None else f"due by the number too, {breaches(MORE)}"
    if turn == "unset":
        return "can no longer breach" if getattr(other, "at_latest", None) is None else f"due on the latest day only, {breaches(FEWER)}"
    if turn == "same" and getattr(one, field).parameter != getattr(other, field).parameter:
        return "the same for now, but rests on another number of the policy's owner"
    return period_effect(turn, longer)


def _warned(one: Kind, other: Kind, field: str, old: Policy, new: Policy) -> str:
    """Whether the warning window opens sooner: a longer ``warn`` does, a longer ``warn_from`` does not."""
    usual = Period(days=7) if field == "warn" else None
    before, after = getattr(one, field) or usual, getattr(other, field) or usual
    if before is None or after is None:
        return "warned from another day"
    spans = before.span(old.values), after.span(new.values)
    turn = ends(*spans, calendars=(old.calendar_for(None), new.calendar_for(None)), since=new.effective)
    if field == "warn":
        turn = {"later": "earlier", "earlier": "later"}.get(turn, turn)
    return {"later": "warned later", "earlier": "warned earlier", "same": "warned as before"}.get(turn, "warned from another day")


def _nth(kind: Kind, before: Nth, after: Nth) -> str:
    if before.of != after.of:
        return f"due on another day, {breaches(EITHER)}"
    if before.nth == after.nth:
        return f"warned from another day, {breaches('none')}"
    return period_effect("later" if after.nth > before.nth else "earlier", kind.if_longer("by"))


def _asked(turn: str) -> str:
    told = {NARROWER: ("less counts as evidence", MORE), WIDER: ("more counts as evidence", FEWER)}
    counts, effect = told.get(turn, ("other evidence counts", EITHER))
    return f"{counts}, {breaches(effect)}"


def _begins(before: When, after: When) -> str:
    """Fewer activations are fewer duties; but where only the first counts, another one may take its place."""
    each = before.each is not None and after.each is not None
    turns = [SAME if before.given == after.given else _given(before, after)]
    if each:
        turns.append(_selectors(before, after))
    elif before.model_copy(update={"given": None}) != after.model_copy(update={"given": None}):
        return f"begins otherwise, {breaches(EITHER)}"
    turn = both_ways(*turns)
    told = {NARROWER: ("begins less often", FEWER), WIDER: ("begins more often", MORE)}
    begins, effect = told.get(turn, ("begins otherwise", EITHER))
    return f"{begins}, {breaches(effect)}"


def _selectors(before: When, after: When) -> str:
    mine, theirs = before.selectors, after.selectors
    if len(mine) == len(theirs):
        return both_ways(*(compare_selector(a, b) for a, b in zip(mine, theirs, strict=True)))
    if all(one in theirs for one in mine):
        return WIDER
    return NARROWER if all(one in mine for one in theirs) else OTHER


def _given(before: When, after: When) -> str:
    mine, theirs = before.given, after.given
    if mine is None or theirs is None:
        return NARROWER if mine is None else WIDER
    turns = []
    for name in ("exists", "earlier"):
        a, b = getattr(mine, name), getattr(theirs, name)
        turns.append(SAME if a == b else NARROWER if a is None else WIDER if b is None else compare_selector(a, b))
    a, b = mine.closed_as, theirs.closed_as
    if a != b:
        same_closure = a is not None and b is not None and a.of == b.of
        turns.append(NARROWER if a is None else WIDER if b is None else compare_where(a.where, b.where) if same_closure else OTHER)
    return both_ways(*turns)


_MORE_IS: dict[str, tuple[str, str, str]] = {
    "excused_by": ("more is excused", "less is excused", FEWER),
    "ends_with": ("ends in more cases", "ends in fewer cases", FEWER),
    "at_latest": ("has a latest day", "has no latest day any more", MORE),
    "per": ("asked for more people", "asked for fewer people", MORE),
    "tests": ("looks for more", "looks for less", MORE),
    "members": ("looks at members of the household", "no longer looks at members of the household", MORE),
}
"""Fields of which more (or having one at all) means: words for more, for less, and what more does to breaches.  See ``Kind.more``."""


def _other(kind: Kind, field: str, before: Any, after: Any) -> str:
    if field == "compare":
        day = after == "day"
        return f"the same day {'is in time too' if day else 'no longer counts'}, {breaches(FEWER if day else MORE)}"
    told = kind.more.get(field) or _MORE_IS.get(field)
    grew = None if told is None else _grew(field, before, after)
    if told is None or grew is None:
        return f"judges otherwise, {breaches(EITHER)}"
    more, less, effect = told
    return f"{more if grew else less}, {breaches(effect if grew else opposite(effect))}"


def _grew(field: str, before: Any, after: Any) -> bool | None:
    """Whether there is more of it now; None where that cannot be told."""
    if field == "per":
        if before is None or after is None:
            return None
        return True if set(before) < set(after) else False if set(after) < set(before) else None
    if before is None or after is None:
        return before is None
    if isinstance(before, Selector) and isinstance(after, Selector):
        return {WIDER: True, NARROWER: False}.get(compare_selector(before, after))
    if isinstance(before, tuple) and isinstance(after, tuple):
        return True if set(before) < set(after) else False if set(after) < set(before) else None
    return None
