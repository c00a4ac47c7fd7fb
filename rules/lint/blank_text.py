"""A text that people will need, left blank."""

from __future__ import annotations

from collections.abc import Iterator

from rules.lint.base import WARNING, Check, Path, Subject


def run(subject: Subject) -> Iterator[tuple[Path, str]]:
    for path, rule in subject.rules():
        for field, text in (("title", rule.title), ("guidance", rule.guidance), ("unmet", rule.unmet)):
            if not text.strip() and not (field == "unmet" and rule.counted):
                yield (*path, field), f"{rule.id} has no {field}"
        if not rule.citation.at.strip():
            yield (*path, "cites", "at"), f"{rule.id} does not say where in {rule.citation.document} it comes from"
    for name, parameter in subject.policy.parameters.items():
        if not parameter.question.strip():
            yield ("parameters", name, "question"), f"{name} does not say what it asks of the policy's owner"
    for name, document in subject.policy.documents.items():
        if not document.strip():
            yield ("documents", name), f"document {name} has no title"


CHECK = Check("L107", WARNING, "A title, guidance, finding, citation or question is blank.", run, "Write the text.")
