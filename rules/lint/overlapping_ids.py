"""The same rule id in two policies: a breach list could not tell them apart."""

from __future__ import annotations

from collections.abc import Iterator

from rules.lint.base import ERROR, Check, Path, Subject


def run(subject: Subject) -> Iterator[tuple[Path, str]]:
    for other in subject.others:
        if other.id == subject.policy.id and other.path != subject.policy.path:
            yield ("policy",), f"{other.path} has the id {other.id} too"
    taken = {rule.id: other.id for other in subject.others if other.id != subject.policy.id for rule in other.rules}
    for path, rule in subject.rules():
        if rule.id in taken:
            yield (*path, "id"), f"policy {taken[rule.id]} has a rule {rule.id} too"


CHECK = Check("L105", ERROR, "Two policies that are used together share an id, or two of their rules do.", run)
