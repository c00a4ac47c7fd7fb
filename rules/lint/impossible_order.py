"""What is asked for can only come on the other side of what activates the rule, since a closure ends the episode."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rules.kinds.precedence import Precedence
from rules.kinds.recurrence import Recurrence
from rules.kinds.response import Response
from rules.lint.base import WARNING, Check, Path, Subject
from rules.lint.puts import activating


def run(subject: Subject) -> Iterator[tuple[Path, str]]:
    course = subject.policy.domain.course
    if course.closes is None:
        return
    closing = course.closes.event
    after = {closing, *course.closing_papers, *((course.reopens.event,) if course.reopens is not None else ())}
    for path, rule, clause in subject.clauses():
        types = activating(subject, clause)
        if not types or (set(types) != {closing} and not isinstance(clause, Precedence)):
            continue
        asked = subject.types_of(clause.requires.names) if isinstance(clause, Response | Precedence | Recurrence) else ()
        if not asked:
            continue
        if isinstance(clause, Response) and not clause.any_time and not after & set(asked):
            yield (*path, "requires"), _late(rule.id, closing, asked)
        if isinstance(clause, Recurrence):
            yield (*path, "when"), f"{rule.id} begins with {closing}, which ends the episode: nothing recurs after it"
        if isinstance(clause, Precedence) and set(asked) == {closing} and not after & set(types):
            yield (
                (*path, "requires"),
                f"{rule.id}: {_all(types)} cannot come after {closing} in the same episode: it would begin the next one",
            )


def _late(rule: str, closing: str, asked: Iterable[str]) -> str:
    return f"{rule}: after {closing}, {_all(asked)} begins the next episode and is never seen by this rule (it is no closing paper)"


def _all(types: Iterable[str]) -> str:
    return " or ".join(types)


CHECK = Check(
    "L117",
    WARNING,
    "A rule asks for an event after the closure of the episode that could only come before it, or the other way round.",
    run,
    "Use `precedence` for what must be there before the closure, or list the event among the catalogue's closing_papers.",
)
