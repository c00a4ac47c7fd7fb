"""The same rule id in two policies: a breach list could not tell them apart."""

from __future__ import annotations

from collections.abc import Iterator

from rules.lint.base import ERROR, Check, Path, Subject


def run(subject: Subject) -> Iterator[tuple[Path, str]]:
    taken = {rule.id: other.id for other in subject.others if other.id != subject.policy.id for rule in other.rules}
    for path, rule in subject.rules():
        if rule.id in taken:
            yield (*path, "id"), f"policy {taken[rule.id]} has a rule {rule.id} too"

    mine: dict[str, str] = {}
    for path, rule in subject.rules():
        before = mine.setdefault(rule.id.lower(), rule.id)
        if before != rule.id:
            yield (*path, "id"), f"{rule.id} and {before} differ in capital letters only: nobody could tell them apart"


CHECK = Check(
    "L105",
    ERROR,
    "Rules of two policies that are used together share an id, or two ids differ in capital letters only.",
    run,
    "Give each rule an id that no other rule has.",
)
