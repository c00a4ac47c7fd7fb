"""A rule whose activating event is at once the evidence: it is met as soon as it is activated."""

from __future__ import annotations

from collections.abc import Iterator

from rules.conditions import Selector
from rules.kinds.precedence import Precedence
from rules.kinds.requires import Requires
from rules.kinds.response import Response
from rules.lint.base import WARNING, Check, Path, Subject


def run(subject: Subject) -> Iterator[tuple[Path, str]]:
    for path, rule, clause in subject.clauses():
        if not isinstance(clause, Response | Precedence) or (isinstance(clause, Precedence) and clause.compare == "moment"):
            continue
        triggers = clause.when.selectors
        if triggers and _easy(clause.requires) and all(_meets(subject, trigger, clause.requires) for trigger in triggers):
            yield (*path, "requires"), f"{rule.id} is met by the very event that activates it: it can never be breached"


def _easy(asked: Requires) -> bool:
    """Whether it asks for an event and no more."""
    more = (asked.that, asked.collects, asked.for_every, asked.and_each, asked.after_last)
    return asked.event != () and not any(part is not None for part in more) and not asked.unless_followed_by


def _meets(subject: Subject, trigger: Selector, asked: Requires) -> bool:
    if trigger.names == asked.names or (len(trigger.names) == 1 and trigger.names[0] in asked.names):
        return asked.where is None or asked.where == trigger.where
    plain = [name for name in asked.names if name not in subject.policy.terms]
    return asked.where is None and set(subject.types_of(trigger.names)) <= set(plain)


CHECK = Check(
    "L118",
    WARNING,
    "A rule is met by the event that activates it, so it can never be breached.",
    run,
    "Ask for another event, or for other data of it; for a second one of the same kind use `recurrence`.",
)
