"""A condition that can never hold, because its own parts (or those of the term that it narrows) contradict one another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from rules.conditions import Test, Where
from rules.lint.base import ERROR, Check, Path, Subject
from rules.lint.puts import Joined, Put, literal


def run(subject: Subject) -> Iterator[tuple[Path, str]]:
    for put in subject.puts:
        yield from _Looked(subject, put).where(put.where, put.path, put.besides)


@dataclass(slots=True)
class _Known:
    """What is asked of one attribute so far."""

    allowed: list[tuple[frozenset[Any], Path]] = field(default_factory=list)
    barred: list[tuple[Any, Path]] = field(default_factory=list)
    least: tuple[int, Path] | None = None
    most: tuple[int, Path] | None = None
    after: tuple[str, Path] | None = None
    before: tuple[str, Path] | None = None
    absent: Path | None = None
    looked_at: Path | None = None


_ALTERNATIVES = 100
"""Parts of an `any` that are looked at."""


class _Looked:
    def __init__(self, subject: Subject, put: Put) -> None:
        self.subject, self.put = subject, put

    def where(self, where: Where, path: Path, besides: Joined) -> Iterator[tuple[Path, str]]:
        """Each contradiction inside a condition, or between it and what must hold besides."""
        told = list(self._empty(where, path)) or list(self._contradictions([*besides, (path, where)], path))
        yield from told
        for attribute, test in where.tests.items():
            for word, inner in (("each", test.each), ("some", test.some)):
                if inner is not None:
                    deeper = Put((*path, attribute, word), inner, self.put.types, self.put.around, (), f"{self.put.prefix}{attribute}.")
                    yield from _Looked(self.subject, deeper).where(inner, deeper.path, ())
        together: Joined = ((path, _without_joiners(where)), *besides)
        for number, part in enumerate(where.all_ or ()):
            yield from self.where(part, (*path, "all", number), ()) if not told else ()
        for number, part in enumerate((where.any_ or ())[:_ALTERNATIVES]):
            yield from self.where(part, (*path, "any", number), together) if not told else ()

    def _empty(self, where: Where, path: Path) -> Iterator[tuple[Path, str]]:
        for attribute, test in where.tests.items():
            for word, values in (("in", test.in_), ("has_any", test.has_any), ("includes_role", test.includes_role)):
                if values == ():
                    yield (*path, attribute), f"{attribute} can be none of an empty list ({word}: [])"
        if where.not_ is not None and not where.not_.tests and not (where.not_.all_ or where.not_.any_ or where.not_.not_):
            yield (*path, "not"), "not: {} can never hold, since {} always does"

    def _contradictions(self, joined: Sequence[tuple[Path, Where]], at: Path) -> Iterator[tuple[Path, str]]:
        known: dict[str, _Known] = {}
        for path, where in joined:
            for attribute, test, place in _conjuncts(where, path):
                why = self._add(known.setdefault(attribute, _Known()), attribute, test, place)
                if why:
                    yield (place if place[: len(at)] == at else at), why
                    return
        for path, where in joined[-1:]:
            yield from self._negated(where, path)

    def _negated(self, where: Where, path: Path) -> Iterator[tuple[Path, str]]:
        inner = where.not_
        if (
            inner is not None
            and inner.tests
            and not (inner.all_ or inner.any_ or inner.not_)
            and all(where.tests.get(a) == t for a, t in inner.tests.items())
        ):
            yield (*path, "not"), f"{', '.join(inner.tests)}: asked for and ruled out at once"

    def _add(self, known: _Known, attribute: str, test: Test, place: Path) -> str | None:
        is_list = any(
            (found := self.put.attribute(self.subject, name, attribute)) is not None and found.kind == "list" for name in self.put.types
        )
        for allowed in _allowed(test, is_list=is_list):
            for others, where in known.allowed:
                if not allowed & others:
                    return f"{attribute} can never be both {_list(others)}{self._told(where, place)} and {_list(allowed)}"
            known.allowed.append((allowed, place))
        if not is_list and test.has_all is not None and len(set(test.has_all)) > 1:
            return f"{attribute} is a single value, and can never be all of {', '.join(map(str, test.has_all))} (has_all is for lists)"
        barred = test.differs_from if isinstance(test.differs_from, tuple) else (test.differs_from,)
        known.barred += [(value, place) for value in barred if literal(value)]
        for allowed, where in known.allowed:
            if allowed and allowed <= {value for value, _ in known.barred}:
                return f"{attribute} must be {_list(allowed)}{self._told(where, place)} and must differ from it"
        return self._ranges(known, attribute, test, place) or self._presence(known, attribute, test, place)

    def _ranges(self, known: _Known, attribute: str, test: Test, place: Path) -> str | None:
        if isinstance(test.at_least, int) and (known.least is None or test.at_least > known.least[0]):
            known.least = test.at_least, place
        if isinstance(test.at_most, int) and (known.most is None or test.at_most < known.most[0]):
            known.most = test.at_most, place
        if known.least is not None and known.most is not None and known.least[0] > known.most[0]:
            return f"{attribute} can never be at least {known.least[0]} and at most {known.most[0]}{self._told(known.least[1], place)}"
        if isinstance(test.after, str) and literal(test.after):
            known.after = test.after, place
        if isinstance(test.before, str) and literal(test.before):
            known.before = test.before, place
        if known.after is not None and known.before is not None and known.after[0] >= known.before[0]:
            return f"{attribute} can never be after {known.after[0]} and before {known.before[0]}{self._told(known.after[1], place)}"
        return None

    def _presence(self, known: _Known, attribute: str, test: Test, place: Path) -> str | None:
        if test.present is False:
            known.absent = known.absent or place
        if test.active or test.present:
            known.looked_at = known.looked_at or place
        if known.absent is not None and known.looked_at is not None:
            return f"{attribute} can never be absent and be what is asked of it besides{self._told(known.looked_at, place)}"
        return None

    def _told(self, where: Path, place: Path) -> str:
        """Where the other part stands."""
        line = self.subject.line(where)
        if where[:1] == ("terms",) and place[:1] != ("terms",):
            return f" (so says the term {where[1]}, line {line})"
        return "" if line == self.subject.line(place) else f" (line {line})"


def _without_joiners(where: Where) -> Where:
    """Only the tests of a condition."""
    return Where.model_validate(dict(where.tests))


def _conjuncts(where: Where, path: Path) -> Iterator[tuple[str, Test, Path]]:
    for attribute, test in where.tests.items():
        yield attribute, test, (*path, attribute)
    for number, part in enumerate(where.all_ or ()):
        yield from _conjuncts(part, (*path, "all", number))


def _allowed(test: Test, *, is_list: bool) -> Iterator[frozenset[Any]]:
    """Sets of which the value must be one."""
    if test.equals is not None and literal(test.equals):
        yield frozenset({test.equals})
    if test.in_:
        yield frozenset(test.in_)
    if not is_list and test.has is not None and literal(test.has):
        yield frozenset({test.has})
    if not is_list and test.has_any:
        yield frozenset(test.has_any)


def _list(values: frozenset[Any]) -> str:
    words = sorted({True: "true", False: "false"}.get(v, str(v)) if isinstance(v, bool) else str(v) for v in values)
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


CHECK = Check(
    "L110",
    ERROR,
    "A condition can never hold: its parts contradict one another, or what its term says, or a list is empty.",
    run,
    "Take one of the parts out. Where either will do, put both under `any`.",
)
