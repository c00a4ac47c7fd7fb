"""A policy of which no rule is judged: it stands there and says nothing."""

from __future__ import annotations

from collections.abc import Iterator

from rules.lint.base import WARNING, Check, Path, Subject


def run(subject: Subject) -> Iterator[tuple[Path, str]]:
    if not any(rule.status in ("enforced", "shadow") for rule in subject.policy.rules):
        yield ("rules",), f"every rule of {subject.policy.id} is a draft or retired, so it judges nothing"


CHECK = Check(
    "L130",
    WARNING,
    "No rule of the policy is enforced or in shadow.",
    run,
    "Give the rules that are meant to be judged a status.",
    whole=True,
)
