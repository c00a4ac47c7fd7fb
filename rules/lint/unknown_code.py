"""A code that the catalogue does not list: what rests on it would silently never hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rules.conditions import Test, Where
from rules.kinds.requires import Requires
from rules.lint.base import WARNING, Check, Path, Subject
from rules.lint.puts import Put
from rules.nearname import did_you_mean


def run(subject: Subject) -> Iterator[tuple[Path, str]]:
    known = _Known(subject)
    for put in subject.puts:
        yield from known.where(put.where, put, put.path)
    for path, part in subject.find(Requires):
        for attribute, wanted in (part.collects or {}).items():
            codes = [code for one in wanted for code in ((one,) if isinstance(one, str) else one)]
            for name in subject.types_of(part.names):
                listed = known.roles(name, attribute) if part.roles is not None else known.codes(name, attribute)
                yield from known.unlisted(codes, listed, name, attribute, (*path, "collects", attribute))
    for path, rule, clause in subject.clauses():
        per = getattr(clause, "per", None)
        roster = subject.policy.domain.roster
        if per is not None and roster is not None:
            listed = known.codes(roster.event, f"{roster.list_}.{roster.role}")
            for role in per:
                if listed and role not in listed:
                    yield (*path, "per"), f"{rule.id}: nobody has the role {role!r}{did_you_mean(role, listed)}"


class _Known:
    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.types = subject.policy.catalogue.types

    def where(self, where: Where, put: Put, path: Path) -> Iterator[tuple[Path, str]]:
        for attribute, test in where.tests.items():
            yield from self._test(put.prefix + attribute, test, put.types, (*path, attribute))
        for joiner, parts in (("all", where.all_ or ()), ("any", where.any_ or ())):
            for number, part in enumerate(parts):
                yield from self.where(part, put, (*path, joiner, number))
        if where.not_ is not None:
            yield from self.where(where.not_, put, (*path, "not"))

    def _test(self, attribute: str, test: Test, types: Iterable[str], path: Path) -> Iterator[tuple[Path, str]]:
        for word, inner in (("each", test.each), ("some", test.some)):
            for name, deeper in inner.tests.items() if inner is not None else ():
                yield from self._test(f"{attribute}.{name}", deeper, types, (*path, word, name))
        others = test.differs_from if isinstance(test.differs_from, tuple) else (test.differs_from,)
        wanted = [test.equals, test.has, *others, *(test.in_ or ()), *(test.has_all or ()), *(test.has_any or ())]
        codes = [code for code in wanted if isinstance(code, str) and not code.startswith("$")]
        told: set[str] = set()
        for name in types:
            found = [*self.unlisted(codes, self.codes(name, attribute), name, attribute, path)]
            found += self.unlisted(test.includes_role or (), self.roles(name, attribute), name, attribute, (*path, "includes_role"))
            for place, words in found:
                if words.partition(": ")[2] not in told:
                    told.add(words.partition(": ")[2])
                    yield place, words

    def unlisted(self, wanted: Iterable[str], listed: tuple[str, ...], name: str, attribute: str, path: Path) -> Iterator[tuple[Path, str]]:
        for code in wanted:
            if listed and code not in listed:
                near = did_you_mean(code, listed)
                yield path, f"{name}: {attribute} is never {code!r}{near or _list(listed)}"

    def codes(self, type_name: str, attribute: str) -> tuple[str, ...]:
        known = self.types.get(type_name)
        return () if known is None else tuple(known.values.get(attribute, ()))

    def roles(self, type_name: str, attribute: str) -> tuple[str, ...]:
        """The roles that participants may have, in the event or in the roster."""
        roster = self.subject.policy.domain.roster
        listed = self.codes(type_name, f"{attribute}.role")
        return (*listed, *(self.codes(roster.event, f"{roster.list_}.{roster.role}") if roster is not None else ()))


def _list(listed: tuple[str, ...]) -> str:
    return f"; the catalogue knows {', '.join(dict.fromkeys(listed))}"


CHECK = Check(
    "L104",
    WARNING,
    "A condition names a code or role that the catalogue does not list for that attribute.",
    run,
    "Correct the code, or add it to `values` in the catalogue.",
)
