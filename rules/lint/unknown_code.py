"""A condition on a code that the catalogue does not list: it would silently never hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from rules.conditions import Selector, Term, Test, Where
from rules.kinds.content import Content
from rules.lint.base import WARNING, Check, Path, Subject


def run(subject: Subject) -> Iterator[tuple[Path, str]]:
    known = _Known(subject)
    for path, part in subject.parts():
        if isinstance(part, Selector | Term):
            yield from known.where(part.where, part.names, (*path, "where"))
        elif isinstance(part, Content):
            selectors = [part.examines] if part.examines is not None else part.when.selectors
            for selector in selectors:
                yield from known.where(part.where, selector.names, (*path, "where"))


class _Known:
    def __init__(self, subject: Subject) -> None:
        self.terms = subject.policy.terms
        self.types = subject.policy.catalogue.types

    def where(self, where: Where | None, names: Iterable[str], path: Path) -> Iterator[tuple[Path, str]]:
        if where is None:
            return
        types = [name for given in names for name in (self.terms[given].names if given in self.terms else (given,))]
        for attribute, test in where.tests.items():
            yield from self._test(attribute, test, types, (*path, attribute))
        for part in (*(where.all_ or ()), *(where.any_ or ()), *((where.not_,) if where.not_ else ())):
            yield from self.where(part, types, path)

    def _test(self, attribute: str, test: Test, types: Iterable[str], path: Path) -> Iterator[tuple[Path, str]]:
        for inner in (test.each, test.some):
            for name, deeper in inner.tests.items() if inner is not None else ():
                yield from self._test(f"{attribute}.{name}", deeper, types, path)
        wanted = [test.equals, test.has, *(test.in_ or ()), *(test.has_all or ()), *(test.has_any or ())]
        for code in wanted:
            if not isinstance(code, str) or code.startswith("$"):
                continue
            for name in types:
                codes = self._codes(name, attribute)
                if codes and code not in codes:
                    near = get_close_matches(code, codes, n=1)
                    yield path, f"{name}: {attribute} is never {code!r}" + (f"; did you mean {near[0]!r}?" if near else "")

    def _codes(self, type_name: str, attribute: str) -> tuple[str, ...]:
        known = self.types.get(type_name)
        return () if known is None else tuple(known.values.get(attribute, ()))


CHECK = Check("L104", WARNING, "A condition names a code that the catalogue does not list for that attribute.", run)
