"""A parameter that nobody has set: what rests on it is never a breach."""

from __future__ import annotations

from collections.abc import Iterator

from rules.lint.base import INFO, Check, Path, Subject


def run(subject: Subject) -> Iterator[tuple[Path, str]]:
    for name in subject.policy.unset():
        yield ("parameters", name), f"{name} is not set: what rests on it is never a breach. {subject.policy.parameters[name].question}"


CHECK = Check(
    "L101",
    INFO,
    "A parameter has no value. Rules that need it say how long something has been open, and never breach.",
    run,
    "Decide it with whoever owns the policy, and set it; `duecare policy questions` lists them all.",
)
