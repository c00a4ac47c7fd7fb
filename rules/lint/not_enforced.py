"""A rule that opens no breaches: fine on purpose, bad by oversight."""

from __future__ import annotations

from collections.abc import Iterator

from rules.lint.base import INFO, Check, Path, Subject

_WORDS = {
    "draft": "is judged in tests only",
    "shadow": "is judged and stored, and opens no breach",
    "retired": "is no longer judged",
}


def run(subject: Subject) -> Iterator[tuple[Path, str]]:
    for path, rule in subject.rules():
        if rule.status in _WORDS:
            yield (*path, "status"), f"{rule.id} is {rule.status}: it {_WORDS[rule.status]}"


CHECK = Check("L108", INFO, "A rule is not enforced: draft, shadow or retired.", run, "Nothing, if that is what is meant.")
