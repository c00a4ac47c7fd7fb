"""Slips in the codes that a catalogue lists: twice the same, or for an attribute that holds no codes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from rules.attributes import IDENTIFIERS
from rules.lint.base import WARNING, Check, Found, Subject


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
    for path, codes in (data.get("values") or {}).items():
        if not any(kind.attribute(path) for kind in catalogue.types.values()):
            yield ("values", path), f"no event type has an attribute {path}", source
        if len(set(codes)) < len(list(codes)):
            yield ("values", path), f"{path} lists a code twice", source


CHECK = Check(
    "L131",
    WARNING,
    "A catalogue lists a code twice, no code at all, or codes of what holds none.",
    run,
    "Correct the list in the catalogue.",
)
