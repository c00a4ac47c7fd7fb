"""What a source's file may say, as a JSON Schema: for editors, and for the reference.  Imports adapters/ and service.sources.file.

The docstrings below the fields of pydantic models become descriptions, also of models that other packages bring.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, get_args

from pydantic import BaseModel

from adapters.base import Kind, kinds
from adapters.mapping_schema import Document
from adapters.ready import ready
from adapters.standard import NAME as STANDARD
from service.sources.file import SourceFile

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_ALSO_TEXT = ("Take", "Resource")
"""Models for which a bare text may stand, by the name of their definition."""
_ALSO_ONE = ("of", "resources")
"""Lists for which one bare item may stand."""


def documented(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON Schema of a model, with the docstrings of its fields and of the models in it as descriptions."""
    schema = model.model_json_schema()
    inner = schema.get("$defs", {})
    for one in _models(model, set()):
        part = schema if one is model else inner.get(one.__name__, {})
        for name, text in _docstrings(one).items():
            if name in part.get("properties", {}):
                part["properties"][name].setdefault("description", text)
    return schema


def settings_schema(kind: Kind) -> dict[str, Any]:
    """The schema of an adapter's settings, as they stand in a source's file, whose zone stands in for one of their own."""
    schema = documented(kind.settings)
    schema["required"] = [name for name in schema.get("required", ()) if name != "zone"]
    return schema


def source_schema() -> dict[str, Any]:
    """The schema of a whole file: its settings are those of the adapter that it names."""
    schema = documented(SourceFile)
    parts: dict[str, Any] = schema.pop("$defs", {})
    known = kinds()
    mapping = documented(Document)
    parts |= mapping.pop("$defs", {})
    parts["Mapping"] = mapping
    choices = []
    for name, kind in known.items():
        settings = _renamed(settings_schema(kind), f"{name}_")
        parts |= settings.pop("$defs", {})
        parts[f"{name}_Settings"] = settings
        chosen = {"properties": {"settings": {"$ref": f"#/$defs/{name}_Settings"}}}
        choices.append({"if": {"properties": {"adapter": {"const": name}}, "required": ["adapter"]}, "then": chosen})
    fields = schema["properties"]
    fields["adapter"]["enum"] = list(known)
    text = {"type": "string", "examples": [STANDARD, *sorted(ready())]}
    fields["mapping"] = {"anyOf": [text, {"$ref": "#/$defs/Mapping"}], "description": fields["mapping"].get("description", "")}
    fields["mapping"].pop("title", None)
    whole = {"$schema": DIALECT, **schema, "title": "A source of duecare", "allOf": choices, "$defs": parts}
    made: dict[str, Any] = _lenient(whole)
    return made


def _models(model: type[BaseModel], seen: set[type[BaseModel]]) -> Iterator[type[BaseModel]]:
    """The model and every model that its fields hold."""
    if model in seen:
        return
    seen.add(model)
    yield model
    for field in model.model_fields.values():
        for one in _parts(field.annotation):
            yield from _models(one, seen)


def _parts(annotation: Any) -> Iterator[type[BaseModel]]:
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _parts(inner)


def _docstrings(model: type[BaseModel]) -> dict[str, str]:
    """The texts that stand below the fields of a class and of those that it is made from."""
    found: dict[str, str] = {}
    for one in reversed(model.__mro__):
        if not (issubclass(one, BaseModel) and one is not BaseModel):
            continue
        try:
            (body,) = ast.parse(textwrap.dedent(inspect.getsource(one))).body
        except (OSError, SyntaxError, ValueError):
            continue  # it was made without a file
        lines = body.body if isinstance(body, ast.ClassDef) else []
        for field, text in pairwise(lines):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                value = text.value if isinstance(text, ast.Expr) else None
                if isinstance(value, ast.Constant) and isinstance(value.value, str):
                    found[field.target.id] = inspect.cleandoc(value.value)
    return found


def _renamed(schema: dict[str, Any], prefix: str) -> dict[str, Any]:
    """The schema with its definitions under names of their own: two adapters may have parts of the same name."""

    def renamed(part: Any) -> Any:
        if isinstance(part, list):
            return [renamed(one) for one in part]
        if not isinstance(part, dict):
            return part
        return {
            key: value.replace("#/$defs/", f"#/$defs/{prefix}") if key == "$ref" and isinstance(value, str) else renamed(value)
            for key, value in part.items()
        }

    made: dict[str, Any] = renamed(schema)
    made["$defs"] = {prefix + name: part for name, part in made.get("$defs", {}).items()}
    return made


def _lenient(part: Any, field: str = "") -> Any:
    """What is taken in a short form too is told so: a name in place of a part, one item in place of a list."""
    if isinstance(part, list):
        return [_lenient(one) for one in part]
    if not isinstance(part, Mapping):
        return part
    made = {key: _lenient(value, key) for key, value in part.items()}
    if str(made.get("$ref", "")).rpartition("/")[2].rpartition("_")[2] in _ALSO_TEXT:
        return {"anyOf": [{"type": "string"}, made]}
    if field in _ALSO_ONE and "anyOf" in made:
        made["anyOf"] = [*made["anyOf"], {"type": "string"}]
    return made
