"""What changed in what a policy declares once: parameters, terms, anchors and collections.  See rules.diff."""

from __future__ import annotations

from collections.abc import Iterator

from rules.changes import Change, apart, text
from rules.effects import (
    EITHER,
    FEWER,
    MORE,
    NARROWER,
    NONE,
    OTHER,
    SAME,
    WIDER,
    both_ways,
    breaches,
    compare_where,
    ends,
    opposite,
    period_effect,
)
from rules.phrases import joined, words_of
from rules.policy import Policy, Rule
from rules.reading import names_of
from rules.saying import Saying
from rules.wording import days_words


def of_parameters(old: Policy, new: Policy) -> Iterator[Change]:
    """Parameters that came, went, or have another value."""
    for name in dict.fromkeys((*old.parameters, *new.parameters)):
        what = f"the parameter {words_of(name)}"
        if name not in old.parameters or name not in new.parameters:
            known = [name in p.parameters for p in (old, new)]
            value = (old if known[0] else new).values.get(name)
            told = "not set" if value is None else days_words(value)
            before, after = (told if one else "there was none" if not at else "there is none" for at, one in enumerate(known))
            yield Change(None, what, before, after, "it is gone" if known[0] else "it is new")
            continue
        if old.parameters[name].question != new.parameters[name].question:
            yield text(None, f"the question of {what}", old.parameters[name].question, new.parameters[name].question)
        if old.parameters[name].default != new.parameters[name].default and old.values.get(name) == new.values.get(name):
            before, after = (_set(p.parameters[name].default) for p in (old, new))
            yield text(None, f"what {what} ships with", before, after)
        if old.values.get(name) != new.values.get(name):
            yield from _values(old, new, name, what)


def _set(value: int | None) -> str:
    return "not set" if value is None else days_words(value)


def _values(old: Policy, new: Policy, name: str, what: str) -> Iterator[Change]:
    """One change for each rule whose limits rest on the number."""
    before, after = _set(old.values.get(name)), _set(new.values.get(name))
    rules = [rule for rule in new.rules if any(r.id == rule.id for r in old.rules) and f"${name}" in names_of(new, rule)]
    for rule in rules:
        yield Change(rule.id, what, before, after, _effect_of_number(old, new, rule, name))
    if not rules:
        yield Change(None, what, before, after, "no rule that both versions have rests on it")


def _effect_of_number(old: Policy, new: Policy, rule: Rule, name: str) -> str:
    fields = [(clause, field) for clause in rule.clauses for field, value in clause if getattr(value, "parameter", None) == name]
    longer = {clause.if_longer(field) for clause, field in fields}
    if not longer:
        longer = {FEWER if any(_anchored(clause, new, name) for clause in rule.clauses) else EITHER}
    effect = longer.pop() if len(longer) == 1 else EITHER
    mine, theirs = old.values.get(name), new.values.get(name)
    if mine is None or theirs is None:
        latest = any(getattr(clause, "at_latest", None) is not None for clause, _ in fields)
        if effect == NONE:
            return f"warns {'by the number from now on' if mine is None else 'as usual again'}, {breaches(NONE)}"
        if not fields:
            return "counts from another day, more or fewer breaches possible"
        if latest:
            return f"due by the number too, {breaches(MORE)}" if mine is None else f"due on the latest day only, {breaches(opposite(MORE))}"
        return "can breach from now on" if mine is None else "can no longer breach"
    return period_effect("later" if theirs > mine else "earlier", effect)


def _anchored(clause: object, policy: Policy, name: str) -> bool:
    anchor = policy.anchors.get(str(getattr(clause, "anchor", "")))
    return anchor is not None and anchor.if_within.parameter == name


def of_declarations(old: Policy, new: Policy) -> Iterator[Change]:
    """Terms, anchors and collections."""
    for name in dict.fromkeys((*old.terms, *new.terms)):
        yield from _term(old, new, name)
    for name in dict.fromkeys((*old.anchors, *new.anchors)):
        yield from _anchor(old, new, name)
    for name in dict.fromkeys((*old.collections, *new.collections)):
        yield from _collection(old, new, name)


def _term(old: Policy, new: Policy, name: str) -> Iterator[Change]:
    mine, theirs = old.terms.get(name), new.terms.get(name)
    what = f"the term {words_of(name)}"
    if mine is None or theirs is None:
        yield _come_or_gone(what, *(Saying(p).term(name) if name in p.terms else "" for p in (old, new)))
        return
    if mine.means != theirs.means:
        yield text(None, f"what {what} is said to mean", mine.means, theirs.means)
    if mine.model_copy(update={"means": ""}) == theirs.model_copy(update={"means": ""}):
        return
    named = SAME if (mine.names, mine.once_per) == (theirs.names, theirs.once_per) else OTHER
    counts = {NARROWER: "fewer events count", WIDER: "more events count"}.get(
        both_ways(compare_where(mine.where, theirs.where), named), "other events count"
    )
    before, after = Saying(old).term(name, means=False), Saying(new).term(name, means=False)
    if named == SAME:
        gone, come = apart(*(Saying(p).parts(term.where, list(term.names)) for p, term in ((old, mine), (new, theirs))))
        before, after = (joined(gone), joined(come)) if gone or come else (before, after)
    yield Change(None, what, before, after, f"{counts}{_concerns(old, new, name)}")


def _collection(old: Policy, new: Policy, name: str) -> Iterator[Change]:
    mine, theirs = old.collections.get(name), new.collections.get(name)
    before, after = (" ".join(Saying(p).collection(name)) if name in p.collections else "" for p in (old, new))
    if mine is None or theirs is None:
        yield _come_or_gone(f"the {words_of(name)}", before, after)
    elif mine != theirs:
        after = after if after != before else f"{after} (stated otherwise)"
        yield Change(None, f"what the {words_of(name)} are", before, after, f"other items count{_concerns(old, new, name)}")


def _anchor(old: Policy, new: Policy, name: str) -> Iterator[Change]:
    mine, theirs = old.anchors.get(name), new.anchors.get(name)
    what = f"the day from which the {words_of(name)} count"
    if mine is None or theirs is None:
        yield _come_or_gone(what, *(Saying(p).anchor(name) if name in p.anchors else "" for p in (old, new)))
        return
    if mine.means != theirs.means:
        yield text(None, f"what is said of {what}", mine.means, theirs.means)
    if mine.model_copy(update={"means": ""}) == theirs.model_copy(update={"means": ""}):
        return
    effect = "counts from another day"
    if (mine.first, mine.of) == (theirs.first, theirs.of):
        spans = mine.if_within.span(old.values), theirs.if_within.span(new.values)
        turn = ends(*spans, calendars=(old.calendar_for(None), new.calendar_for(None)), since=new.effective)
        if turn in ("later", "earlier", "mixed"):
            effect = f"counts from the same day or {period_effect(turn, FEWER)}"
    before, after = Saying(old).anchor(name), Saying(new).anchor(name)
    yield Change(None, what, before, after, f"{effect}{_concerns(old, new, name)}")


def _come_or_gone(what: str, before: str, after: str) -> Change:
    return Change(None, what, before or "there was none", after or "there is none", "it is new" if after else "it is gone")


def _concerns(old: Policy, new: Policy, name: str) -> str:
    """The rules in which a name of the policy plays a part."""
    rules = dict.fromkeys(rule.id for policy in (old, new) for rule in policy.rules if name in names_of(policy, rule))
    return f"; concerns {joined(rules)}" if rules else "; no rule uses it"
