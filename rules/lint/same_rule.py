"""The same rule under two ids, or two rules under one title: people could not tell them apart, and one lapse would count twice."""

from __future__ import annotations

import json
from collections.abc import Iterator

from rules.lint.base import WARNING, Check, Path, Subject


def run(subject: Subject) -> Iterator[tuple[Path, str]]:
    seen: dict[str, str] = {}
    titles: dict[str, str] = {}
    for other in subject.others:
        if other.id != subject.policy.id and other.program == subject.policy.program and other.path < subject.policy.path:
            for rule in other.rules:
                seen.setdefault(_shape(rule.clauses), f"{rule.id} of {other.id}")
    for path, rule in subject.rules():
        if rule.status == "retired":
            continue
        shape, title = _shape(rule.clauses), " ".join(rule.title.lower().split())
        if shape in seen:
            yield (*path, "id"), f"{rule.id} asks for the same as {seen[shape]}: each lapse would be two breaches"
        elif title and title in titles:
            yield (*path, "title"), f"{rule.id} has the same title as {titles[title]}: a list could not tell them apart"
        seen.setdefault(shape, rule.id)
        titles.setdefault(title, rule.id)


def _shape(clauses: object) -> str:
    return json.dumps([clause.model_dump() for clause in clauses], sort_keys=True, default=str)  # type: ignore[attr-defined]


CHECK = Check(
    "L119",
    WARNING,
    "Two rules ask for the same, or have the same title.",
    run,
    "Take one out, or say in its title and its requirement what sets it apart.",
)
