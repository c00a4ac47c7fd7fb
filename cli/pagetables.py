"""Tables of the reference pages, and fields of pydantic models as their rows.  Imports nothing of the project."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; what is in a cell stays on one line."""
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def fields(schema: Mapping[str, Any], *, parts: str = "", leave_out: Iterable[str] = ("kind",)) -> str:
    """The fields of a model's JSON Schema: what each takes and, where one of them says so, means.  ``parts``: the page of the parts."""
    rows = []
    for name, field in schema.get("properties", {}).items():
        if name not in leave_out:
            default = "required" if name in schema.get("required", ()) else _default(field)
            rows.append([f"`{name}`", takes(field, parts), default, ticks(field.get("description", ""))])
    others = schema.get("additionalProperties")
    if isinstance(others, Mapping):
        rows.append(["any attribute", takes(others, parts), "", ""])
    head = ["field", "takes", "default", "means"]
    if not any(row[3] for row in rows):
        head, rows = head[:3], [row[:3] for row in rows]
    return table(head, rows)


_SCALAR = {"true or false", "whole number", "text"}


def takes(field: Mapping[str, Any], parts: str = "") -> str:
    """What a field takes, in words, with links to the parts that are described on their own."""
    if "$ref" in field:
        part = str(field["$ref"]).rsplit("/", 1)[-1].lower()
        return f"[{part}]({parts}#{part})"
    if "anyOf" in field:
        named = dict.fromkeys(takes(part, parts) for part in field["anyOf"] if part.get("type") != "null")
        if named.keys() >= _SCALAR:
            named = dict.fromkeys(["value", *(name for name in named if name not in _SCALAR)])
        return " or ".join(named)
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if "const" in field:
        return f"`{str(field['const']).lower()}`"
    inner = field.get("additionalProperties")
    if field.get("type") == "object" and isinstance(inner, Mapping) and "$ref" in inner:
        return f"mapping of names to {takes(inner, parts)}"
    if field.get("type") == "array":
        items = field.get("items") or (field.get("prefixItems") or [{}])[0]
        return f"list of {takes(items, parts)}".replace("list of value", "list of values")
    return {"integer": "whole number", "number": "number", "string": "text", "boolean": "true or false", "object": "mapping"}.get(
        str(field.get("type")), "any"
    )


def _default(field: Mapping[str, Any]) -> str:
    default = field.get("default")
    return "" if default is None or default in ([], {}, "") else f"`{str(default).lower() if isinstance(default, bool) else default}`"


def ticks(text: str) -> str:
    """A docstring's double backticks as Markdown's single ones."""
    return text.replace("``", "`")
