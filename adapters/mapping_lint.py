"""Checks a mapping file before any record meets it: every fault at once, each with line and column.  Imports rules.

Beyond the file's own schema: event types and attributes that the catalogue does not have, paths through lists without an
index, zones, encodings and time formats that do not exist.
"""

from __future__ import annotations

import re
from typing import Any

from pydantic import ValidationError

from adapters.convert import EPOCH_MS, EPOCH_SECONDS, ISO, is_zone
from adapters.mapping_schema import Document, Layout, Plan, Shape, Take
from rules.catalogue import Catalogue
from rules.envelope import source_fault
from rules.errors import Fault, PolicyError
from rules.yamlsource import Key, Source

_INDEX = re.compile(r"[0-9]+")
Path = tuple[Key, ...]


def check(source: Source, catalogue: Catalogue) -> tuple[Document, tuple[Plan, ...]]:
    """The mapping in a YAML source, and what it makes of a record.  Raises PolicyError with every fault."""
    try:
        document = Document.model_validate(source.data)
    except ValidationError as error:
        raise PolicyError([_as_fault(source, detail) for detail in error.errors(include_url=False, include_input=False)]) from None
    faults = _lint_layout(source, document.format)
    if (why := source_fault(document.source)) is not None:
        faults.append(source.fault(("source",), "bad-source", f"source {why}"))
    shapes: list[tuple[Path, Shape]] = [(("events", index), shape) for index, shape in enumerate(document.events)] or [((), document)]
    made = [(at, shape, plan) for at, shape in shapes if (plan := _plan(source, at, document, shape, faults)) is not None]
    everything = set[str]().union(*(_types(plan, catalogue) for _, _, plan in made))
    for at, shape, plan in made:
        faults.extend(_lint_types(source, at, plan, catalogue))
        faults.extend(_lint_data(source, at, plan, shape, everything, catalogue))
    if faults:
        raise PolicyError(sorted(set(faults), key=lambda fault: (fault.line, fault.col, fault.message)))
    return document, tuple(plan for _, _, plan in made)


def _as_fault(source: Source, detail: Any) -> Fault:
    path: Path = tuple(step for step in detail["loc"] if isinstance(step, str | int))
    message = str(detail["msg"]).removeprefix("Value error, ")
    unknown = detail["type"] == "extra_forbidden"
    shown = path if detail["type"] == "missing" else _known(source, path)
    where = ".".join(map(str, shown)) or "the mapping"
    return source.fault(path, "unknown-key" if unknown else "mapping", f"{where}: {'is unknown here' if unknown else message}", key=unknown)


def _plan(source: Source, at: Path, document: Document, shape: Shape, faults: list[Fault]) -> Plan | None:
    parts: dict[str, Take | None] = {
        name: getattr(shape, name) or getattr(document, name) for name in ("type", "case", "id", "time", "recorded")
    }
    kind, case, ident, time = parts["type"], parts["case"], parts["id"], parts["time"]
    lacking = [name for name in ("type", "case", "id", "time") if parts[name] is None]
    faults.extend(source.fault(at, "missing", f"{name} is missing: say where an event's {name} comes from") for name in lacking)
    if kind is None or case is None or ident is None or time is None:
        return None
    own_skip = () if shape is document else tuple(shape.skip)
    of = shape.of if shape.of is not None else document.of
    return Plan(
        kind,
        case,
        ident,
        time,
        parts["recorded"],
        {**document.data, **shape.data},
        (*document.skip, *own_skip),
        frozenset(of) if of is not None else None,
        shape.each or document.each,
        bool(document.state if shape.state is None else shape.state),
    )


def _named(plan: Plan) -> list[str]:
    """The event types that a plan names; none where they stand in the records themselves."""
    if plan.type.constant is not None:
        return [str(plan.type.constant)]
    return sorted({str(word) for word in (plan.type.values or {}).values() if word is not None})


def _types(plan: Plan, catalogue: Catalogue) -> set[str]:
    return set(_named(plan)) & catalogue.types.keys() or set(catalogue.types)


def _lint_types(source: Source, at: Path, plan: Plan, catalogue: Catalogue) -> list[Fault]:
    faults = []
    for name in _named(plan):
        if name in catalogue.types:
            continue
        near = catalogue.suggest(name)
        hint = f"; did you mean {near}?" if near else ""
        words = [word for word, value in (plan.type.values or {}).items() if value == name]
        place: Path = ("type", "values", words[0]) if words else ("type", "constant")
        message = f"{name} is no event type of the catalogue {catalogue.name}{hint}"
        faults.append(source.fault(_at(source, at, place), "unknown-type", message))
    return faults


def _lint_data(source: Source, at: Path, plan: Plan, shape: Shape, everything: set[str], catalogue: Catalogue) -> list[Fault]:
    """Attributes that no event can have.  What is said for all events of the mapping needs to fit only one of them."""
    faults = []
    for path, take in plan.data.items():
        types = _types(plan, catalogue) if path in shape.data else everything
        where = _at(source, at, ("data", path))
        if not any(catalogue.has_path(name, path) for name in types):
            faults.append(source.fault(where, "unknown-attribute", f"no event of this mapping has an attribute {path}", key=True))
        elif _through_list(catalogue, types, path):
            faults.append(source.fault(where, "list-index", f"{path} lies inside a list: name the item, as in members.0.role", key=True))
        elif take.items is not None:
            faults.extend(_lint_items(source, (*where, "items"), path, take, types, catalogue))
        if take.hash is not None and take.values is not None:
            faults.append(source.fault(where, "mapping", "a hash has no table of values"))
    return faults


def _lint_items(source: Source, at: Path, path: str, take: Take, types: set[str], catalogue: Catalogue) -> list[Fault]:
    """Parts that the items of a list do not have."""
    parts = set[str]()
    for name in types:
        found = catalogue.attribute(name, path)
        parts |= set(found.item.parts) if found is not None and found.item is not None else set()
    unknown = [name for name in take.items or {} if name not in parts]
    return [source.fault((*at, name), "unknown-attribute", f"the items of {path} have no {name}", key=True) for name in unknown]


def _through_list(catalogue: Catalogue, types: set[str], path: str) -> bool:
    steps = path.split(".")
    for cut in range(1, len(steps)):
        around = [catalogue.attribute(name, ".".join(steps[:cut])) for name in sorted(types)]
        if any(found is not None and found.kind == "list" for found in around) and not _INDEX.fullmatch(steps[cut]):
            return True
    return False


def _at(source: Source, at: Path, path: Path) -> Path:
    """The path in the entry of ``events`` where it stands there, else in the mapping itself."""
    own = (*at, *path)
    return own if len(_known(source, own)) == len(own) else path


def _known(source: Source, path: Path) -> Path:
    """As much of the path as the file has."""
    here: Any = source.data
    for count, step in enumerate(path):
        try:
            here = here[step]
        except (KeyError, IndexError, TypeError):
            return path[:count]
    return path


def _lint_layout(source: Source, layout: Layout) -> list[Fault]:
    faults = []
    if layout.zone is not None and not is_zone(layout.zone):
        faults.append(source.fault(("format", "zone"), "unknown-zone", "is no time zone such as Australia/Darwin"))
    try:
        "".encode(layout.encoding)
    except LookupError:
        faults.append(source.fault(("format", "encoding"), "unknown-encoding", "is no encoding such as utf-8 or cp1252"))
    for key in ("time", "date"):
        for index, pattern in enumerate(getattr(layout, key)):
            if pattern not in (ISO, EPOCH_SECONDS, EPOCH_MS) and "%" not in pattern:
                message = "is neither iso, epoch, epoch_ms nor a pattern such as %d/%m/%Y %H:%M"
                faults.append(source.fault(("format", key, index), "unknown-format", message))
    return faults
