"""A text that somebody meant to write later."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rules.lint.base import WARNING, Check, Path, Subject

_LATER = re.compile(r"\b(todo|tbd|tbc|fixme|xxx|lorem ipsum|to be (?:done|decided|confirmed|written))\b|^\W*$", re.IGNORECASE)


def run(subject: Subject) -> Iterator[tuple[Path, str]]:
    for path, text in _texts(subject):
        found = _LATER.search(text)
        if text.strip() and found is not None:
            yield path, f"{found.group().strip() or text.strip()!r} is what people will read here"


def _texts(subject: Subject) -> Iterator[tuple[Path, str]]:
    policy = subject.policy
    yield ("title",), policy.title
    for name, title in policy.documents.items():
        yield ("documents", name), title
    for name, parameter in policy.parameters.items():
        yield ("parameters", name, "question"), parameter.question
    for number, question in enumerate(policy.questions):
        yield ("questions", number, "about"), question.about
        yield ("questions", number, "reading"), question.reading
    for number, sentence in enumerate(policy.for_a_person):
        yield ("for_a_person", number), sentence
    for path, rule in subject.rules():
        for field in ("title", "guidance", "unmet", "false_alarm"):
            yield (*path, field), getattr(rule, field)
        yield (*path, "cites", "at"), rule.citation.at


CHECK = Check("L128", WARNING, "A text is a placeholder, such as TODO or tbd.", run, "Write the text.")
