"""A declaration that nothing uses: most often a name that was changed in one place only."""

from __future__ import annotations

from collections.abc import Iterator

from rules.conditions import Selector
from rules.kinds.base import FirstOfEach
from rules.lint.base import WARNING, Check, Path, Subject
from rules.periods import Period


def run(subject: Subject) -> Iterator[tuple[Path, str]]:
    policy = subject.policy
    used: dict[str, set[str | None]] = {
        "parameters": {period.parameter for _, period in subject.find(Period)},
        "terms": _terms(subject),
        "anchors": set(_named(subject, "anchor")),
        "collections": set(_named(subject, "collection", "for_every", "all_done", "items")),
        "documents": {rule.citation.document for rule in policy.rules},
    }
    for group, names in used.items():
        for name in getattr(policy, group):
            if name not in names:
                yield (group, name), f"nothing in the policy uses {name}"


def _terms(subject: Subject) -> set[str | None]:
    found: set[str | None] = {name for _, selector in subject.find(Selector) for name in selector.names}
    for _, each in subject.find(FirstOfEach):
        found.update((each.event,) if isinstance(each.event, str) else each.event)
    found.update(anchor.first for anchor in subject.policy.anchors.values())
    return found.union(_named(subject, "of", "item", "event", "first"))


def _named(subject: Subject, *fields: str) -> Iterator[str]:
    for _, part in subject.parts:
        for field in fields:
            value = getattr(part, field, None)
            if isinstance(value, str):
                yield value


CHECK = Check(
    "L102",
    WARNING,
    "A parameter, term, anchor, collection or document is declared and nothing uses it.",
    run,
    "Take the declaration out, or correct the name where it was meant to be used.",
    whole=True,
)
