"""A condition that always holds: it looks like a requirement, and asks for nothing."""

from __future__ import annotations

from collections.abc import Iterator

from rules.conditions import Where
from rules.kinds.base import Given
from rules.lint.base import WARNING, Check, Path, Subject
from rules.lint.puts import tests_in


def run(subject: Subject) -> Iterator[tuple[Path, str]]:
    for put in subject.puts:
        yield from _empty(put.where, put.path)
        for path, attribute, test in tests_in(put):
            if test.has_all == ():
                yield path, f"{attribute} has all of an empty list, whatever it holds (has_all: [])"
            if test.differs_from == ():
                yield path, f"{attribute} differs from all of an empty list, whatever it is (differs_from: [])"
            for name in put.types:
                found = put.attribute(subject, name, attribute.removeprefix(put.prefix))
                if found is not None and found.kind == "list" and isinstance(test.at_least, int) and test.at_least <= 0:
                    yield path, f"{attribute} is a list, and every list has at least {test.at_least} parts: write 1 to ask for one"
                    break
    for path, given in subject.find(Given):
        if given.exists is None and given.earlier is None and given.closed_as is None:
            yield path, "given: {} asks for nothing: take it out, or say exists, earlier or closed_as"


def _empty(where: Where, path: Path) -> Iterator[tuple[Path, str]]:
    if not where.tests and not where.all_ and not where.any_ and where.not_ is None:
        yield path, "an empty condition always holds: say what an attribute must be, or take it out"
    for joiner, parts in (("all", where.all_ or ()), ("any", where.any_ or ())):
        for number, part in enumerate(parts):
            yield from _empty(part, (*path, joiner, number))
    for attribute, test in where.tests.items():
        for word, inner in (("each", test.each), ("some", test.some)):
            if inner is not None:
                yield from _empty(inner, (*path, attribute, word))


CHECK = Check("L113", WARNING, "A condition always holds, so it asks for nothing.", run, "Say what must be, or take the condition out.")
