"""Slips in the codes that a catalogue lists: twice the same, or for an attribute that holds no codes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from rules.attributes import IDENTIFIERS
from rules.lint.base import WARNING, Check, Found, Subject
from rules.nearname import did_you_mean
from rules.yamlsource import Source


def run(subject: Subject) -> Iterator[Found]:
    catalogue = subject.policy.catalogue
    source = catalogue.source
    data = source.data if source is not None else None
    if source is None or not isinstance(data, dict):
        return
    for name, body in data["types"].items():
        own: dict[str, Any] = (body or {}).get("values") or {}
        for path, codes in own.items():
            at = ("types", name, "values", path)
            found = catalogue.types[name].attribute(path)
            while found is not None and found.kind == "list":
                found = found.item
            if found is not None and found.kind not in IDENTIFIERS | {"code"}:
                yield at, f"{name}: {path} is {found}, and only codes have a list of values", source
            again = [code for code, count in Counter(list(codes)).items() if count > 1]
            if again:
                yield at, f"{name}: {path} lists {', '.join(again)} twice", source
            if not codes:
                yield at, f"{name}: {path} lists no code, which is as good as no list", source
    yield from _of_course(subject, source)
    for path, codes in (data.get("values") or {}).items():
        if not any(kind.attribute(path) for kind in catalogue.types.values()):
            yield ("values", path), f"no event type has an attribute {path}", source
        if len(set(codes)) < len(list(codes)):
            yield ("values", path), f"{path} lists a code twice", source


def _of_course(subject: Subject, source: Source) -> Iterator[Found]:
    """Codes that the course and the links name."""
    domain, types = subject.policy.domain, subject.policy.catalogue.types
    pauses = domain.course.pauses
    if pauses is not None and pauses.approval is not None:
        approval = pauses.approval
        listed = list(types[approval.event].values.get(approval.attribute, ())) if approval.event in types else []
        if listed and approval.value not in listed:
            near = did_you_mean(approval.value, listed)
            yield (
                ("course", "pauses", "approval", "value"),
                f"{approval.event}: {approval.attribute} is never {approval.value!r}{near}",
                source,
            )
    for name, links in domain.links.items():
        for number, link in enumerate(links):
            for attribute, codes in link.where.items():
                listed = list(types[link.event].values.get(f"{link.list_}.{attribute}", ())) if link.event in types else []
                for code in codes:
                    if listed and code not in listed:
                        at = ("links", name, number, "where", attribute)
                        yield at, f"{link.event}: {attribute} is never {code!r}{did_you_mean(code, listed)}", source


CHECK = Check(
    "L131",
    WARNING,
    "A catalogue lists a code twice, none at all, or codes of what holds none, or its course names a code that is not listed.",
    run,
    "Correct the list in the catalogue.",
)
