"""Two clauses of one rule that give their obligations the same keys: the verdict could not say which of them it speaks of."""

from __future__ import annotations

from collections.abc import Iterator

from rules.kinds.base import Kind, When
from rules.kinds.due_from_data import DueFromData
from rules.kinds.recurrence import Recurrence
from rules.lint.base import ERROR, Check, Path, Subject
from rules.lint.puts import activating


def run(subject: Subject) -> Iterator[tuple[Path, str]]:
    for path, rule in subject.rules():
        if rule.counted:
            continue
        taken: dict[str, int] = {}
        for number, clause in enumerate(rule.clauses):
            keys = _keys(subject, clause)
            for key in sorted(keys & taken.keys()):
                at = (*path, "clauses", number)
                yield (
                    at,
                    f"{rule.id}: this clause and number {taken[key] + 1} both speak of {_WORDS[key.split(':')[0]]}: make them two rules",
                )
                break
            for key in keys:
                taken.setdefault(key, number)


_WORDS = {
    "case": "the case as a whole",
    "person": "each person",
    "event": "the same event",
    "first": "the first event of each group",
    "item": "the same items",
    "interval": "the intervals",
}


def _keys(subject: Subject, clause: Kind) -> set[str]:
    """What the keys of its obligations are made of."""
    if isinstance(clause, Recurrence):
        return {"interval:person" if clause.per else "interval:case"}
    if isinstance(clause, DueFromData):
        return {"item:"}
    if getattr(clause, "per", None):
        return {"person:"}
    when = getattr(clause, "when", None)
    if not isinstance(when, When):
        return {"case:"} if hasattr(clause, "anchor") else {f"event:{name}" for name in subject.policy.catalogue.types}
    types = activating(subject, clause) or ()
    if when.each is not None:
        return {f"event:{name}" for name in types}
    if when.first_of_each is not None:
        return {f"first:{when.first_of_each.by}"}
    return {"case:"}


CHECK = Check(
    "L120",
    ERROR,
    "Two clauses of one rule are about the same thing, so their verdicts would be mixed up.",
    run,
    "Make them two rules, each with an id of its own.",
)
