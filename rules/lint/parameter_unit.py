"""A parameter that is a number of days, used as weeks, months or business days."""

from __future__ import annotations

from collections.abc import Iterator

from rules.lint.base import WARNING, Check, Path, Subject
from rules.periods import Period


def run(subject: Subject) -> Iterator[tuple[Path, str]]:
    for path, period in subject.find(Period):
        parameter = subject.policy.parameters.get(period.parameter or "")
        if parameter is not None and period.unit != parameter.unit:
            used = period.unit.replace("_", " ")
            yield (
                (*path, period.unit),
                f"{period.parameter} is a number of {parameter.unit}, and is used as {used} here: 14 would mean 14 {used}",
            )


CHECK = Check(
    "L123",
    WARNING,
    "A parameter is used in another unit than its own.",
    run,
    "Write `{days: $name}`, or state the number itself.",
)
