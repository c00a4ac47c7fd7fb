"""How near an event came to what was asked for: the parts of a condition that it does not meet, in plain words.  See rules.explain."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rules.conditions import Selector, Test, Where
from rules.course import dig
from rules.history import Entry
from rules.matching import Context, check
from rules.model import Fit
from rules.phrases import Phrases, joined, words_of

_TOKEN = re.compile(r"[A-Za-z][\w]*(?:\.\w+)*")
_SIZE = re.compile(r" is \d+, (?:below|above) ")
_MANY = {"does not hold": "do not hold", "lacks": "lack", "holds none of": "hold none of"}
"""What is said of one thing, and of a list."""


@dataclass(frozen=True, slots=True)
class Lack:
    """A part of a condition that does not hold, or cannot be told: what was asked, and why not."""

    fit: Fit
    asked: str
    why: str


def lacks(where: Where | None, data: Any, context: Context, say: Phrases, types: Sequence[str]) -> list[Lack]:
    """Every part of a condition that some data do not surely meet."""
    found = []
    for part, words in _atoms(where, data, say, types):
        fit, text = check(part, data, context)
        if fit is not Fit.YES:
            found.append(Lack(fit, words, plain(text, say, types) if fit is Fit.NO else not_said(text, say, types)))
    return found


def _atoms(where: Where | None, data: Any, say: Phrases, types: Sequence[str]) -> Iterator[tuple[Where, str]]:
    if where is None:
        return
    for path, test in where.tests.items():
        if test.present is not None:
            only = Test(present=test.present)
            yield Where(**{path: only}), joined(say.test(path, only, types))
            if (dig(data, path) is not None) is not test.present:
                continue
        for name, value in test.active:
            asked = Test.model_construct(_fields_set={name}, **{name: value})
            told = asked
            if name == "has_all" and isinstance(here := dig(data, path), list | tuple):
                told = Test.model_construct(_fields_set={name}, has_all=tuple(one for one in value if one not in here) or value)
            yield Where(**{path: asked}), joined(say.test(path, told, types))
    for part in where.all_ or ():
        yield from _atoms(part, data, say, types)
    if where.any_:
        only_any = Where(any=where.any_)
        yield only_any, say.where(only_any, types)
    if where.not_ is not None:
        only_not = Where(**{"not": where.not_})
        yield only_not, say.where(only_not, types)


def plain(text: str, say: Phrases, types: Sequence[str]) -> str:
    """A reason of rules.matching in plain words: "the kind of snapshot is follow-up, not baseline" for ``kind is follow_up, ...``."""
    path = ""

    def spoken(match: re.Match[str]) -> str:
        nonlocal path
        token = match[0]
        if say.kind_of(token, types) and (not path or "." in token):
            path = token
            noun = say.attribute(token, types)
            counted = say.kind_of(token, types) == "list" and _SIZE.match(text, match.end())
            return f"the number of {noun.removeprefix('the ')}" if counted else noun
        return say.code(token, path, types)

    found = _TOKEN.sub(spoken, text)
    if say.kind_of(path, types) == "list" and _many(say.attribute(path, types)):
        for one, many in _MANY.items():
            found = found.replace(f" {one} ", f" {many} ", 1)
    return found


def not_said(path: str, say: Phrases, types: Sequence[str]) -> str:
    """What is missing, as a clause: "the kind of snapshot is not stated"."""
    if path == "day_without_moment":
        return "only its day is known, and the order within that day decides"
    if path == "household":
        return "no household is on record"
    kind = say.kind_of(path, types)
    if kind == "flag" and (stated := say.spoken(path, types)):
        return f"it is not stated whether {stated}"
    noun = say.attribute(path, types) if kind else words_of(path.replace(".", " "))
    return f"{noun} {'are' if kind == 'list' and _many(noun) else 'is'} not stated"


def _many(noun: str) -> bool:
    """Whether the noun of a list is itself a plural: the persons seen, and not the audience."""
    return any(word.endswith("s") or word in ("children", "people") for word in noun.split())


def lacks_of(selector: Selector, entry: Entry, context: Context, say: Phrases) -> list[Lack]:
    """What keeps an event from being one that a selector finds; empty where nothing does but its time."""
    at = Context(context.view, entry, context.activation, context.person, context.item)
    policy, found = context.view.policy, []
    terms = [policy.terms[name] for name in selector.names if name in policy.terms and entry.type in policy.terms[name].names]
    if terms and entry.type not in selector.names:
        several: list[list[Lack]] = [lacks(term.where, entry.data, at, say, [entry.type]) for term in terms]
        several.sort(key=len)
        found += several[0]
    return [*found, *lacks(selector.where, entry.data, at, say, [entry.type])]
