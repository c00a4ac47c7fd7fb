"""An event type or attribute, in a kind's own fields, that the catalogue does not have."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from rules.lint.base import ERROR, Check, Path, Subject


def run(subject: Subject) -> Iterator[tuple[Path, str]]:
    types, terms = subject.policy.catalogue.types, subject.policy.terms
    known = [*types, *terms]
    for path, part in subject.parts():
        named = getattr(part, "event", None)
        for name in (named,) if isinstance(named, str) else named if isinstance(named, tuple) else ():
            if name not in known:
                near = get_close_matches(name, known, n=1)
                yield (*path, "event"), f"there is no event {name!r}" + (f"; did you mean {near[0]!r}?" if near else "")
        attribute = getattr(part, "attribute", None)
        if isinstance(named, str) and isinstance(attribute, str) and named in types and types[named].attribute(attribute) is None:
            yield (*path, "attribute"), f"{named} has no attribute {attribute!r}"


CHECK = Check("L109", ERROR, "A kind's own field names an event or attribute that the catalogue does not have.", run)
