"""The OpenAPI 3.1 document, made from the declared operations and pydantic's JSON Schema.  Nothing in it is written twice."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from pydantic import TypeAdapter

from api.operations import JSON, VERSION, Operation
from api.problems import KINDS, MEDIA_TYPE, Problem

_REF = "#/components/schemas/{model}"
_SCHEME = "key"
_Mode = Literal["validation", "serialization"]

ABOUT = """\
Case events in; verdicts, breaches and explanations out.

- **Keys.** Every operation but the health checks needs `Authorization: Bearer KEY`, and the key needs the scope that the operation names.
  A key may be limited to teams or offices: then everything it reads is limited so, and what lies outside answers 404.
- **Times** are RFC 3339 instants with a zone; **days** are ISO dates, local to the policy's time zone.
- **Lists** have a total order, a limit and a cursor. Follow `next` until it is null: each item comes once, however many arrive meanwhile.
- **Case ids in paths** may hold any character: percent-encode them, slashes included (`a/b` is `/v1/cases/a%2Fb`).
- **Errors** are RFC 9457 problems with a stable `code`. Unknown parameters and attributes are refused, never ignored.
"""


def document(
    operations: Sequence[Operation], *, tags: Iterable[tuple[str, str]], version: str, parameters: Mapping[str, str]
) -> dict[str, Any]:
    """The document as JSON-ready data.  ``parameters`` describes the path parameters by name."""
    schemas = _Schemas(operations)
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, schemas, parameters)
    return {
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {"title": "duecare", "version": version, "summary": "Watches case records for duties that fall due", "description": ABOUT},
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": description} for name, description in tags],
        "paths": paths,
        "components": {
            "schemas": schemas.definitions,
            "securitySchemes": {
                _SCHEME: {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API key, made by `duecare keys create NAME --scope SCOPE`.",
                }
            },
        },
    }


class _Schemas:
    """Every schema of the document, each once under components, and where each type's is."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        inputs: list[tuple[int, _Mode, TypeAdapter[Any]]] = []
        self._kept: list[Any] = [Problem]
        for operation in operations:
            self._kept += [
                answer.schema for answer in operation.answers.values() if answer.schema is not None and not isinstance(answer.schema, dict)
            ]
            self._kept += [operation.body] if operation.body is not None else []
            self._kept += [schema for schema in operation.raw_bodies.values() if not isinstance(schema, dict)]
        unique = {id(kept): kept for kept in self._kept}
        inputs = [(key, "validation", TypeAdapter(kept)) for key, kept in unique.items()]
        made, rest = TypeAdapter.json_schemas(inputs, ref_template=_REF)
        self._of = {key: schema for (key, _), schema in made.items()}
        self.definitions = {name: _untitled(schema) for name, schema in sorted(rest.get("$defs", {}).items())}

    def of(self, kept: Any) -> dict[str, Any]:
        """The schema (mostly a reference) of a type; a dict is a schema already."""
        return kept if isinstance(kept, dict) else self._of[id(kept)]


def _untitled(schema: Any) -> Any:
    """The schema without pydantic's made-up titles of fields."""
    if isinstance(schema, dict):
        return {
            key: _untitled(value)
            for key, value in schema.items()
            if not (
                key == "title"
                and isinstance(value, str)
                and ("type" in schema or "anyOf" in schema or "$ref" in schema)
                and "properties" not in schema
            )
        }
    return [_untitled(item) for item in schema] if isinstance(schema, list) else schema


def _operation(operation: Operation, schemas: _Schemas, described: Mapping[str, str]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "operationId": operation.endpoint,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": operation.description,
        "parameters": [*_path_parameters(operation, described), *_query_parameters(operation), *_header_parameters(operation)],
        "responses": {str(status): _answer(answer, schemas) for status, answer in operation.answers.items()},
    }
    if operation.scope is not None:
        made["security"] = [{_SCHEME: []}]
        made["x-scope"] = str(operation.scope)
        made["description"] = f"Needs the scope `{operation.scope}`.\n\n{operation.description}".strip()
    else:
        made["security"] = []
    bodies: dict[str, Any] = dict(operation.raw_bodies)
    if operation.body is not None:
        bodies[JSON] = operation.body
    if bodies:
        made["requestBody"] = {"required": True, "content": {media: {"schema": schemas.of(schema)} for media, schema in bodies.items()}}
    for status, codes in sorted(_problems(operation).items()):
        entry = {
            "description": "; ".join(f"`{code}`: {KINDS[code].title}" for code in codes),
            "content": {MEDIA_TYPE: {"schema": schemas.of(Problem)}},
        }
        made["responses"].setdefault(str(status), entry)
    return {key: value for key, value in made.items() if value != [] or key == "security"}


def _problems(operation: Operation) -> dict[int, list[str]]:
    codes = ["bad_parameter", *operation.problems, "too_many_requests", "internal_error", "unavailable", "busy"]
    if operation.scope is not None:
        codes += ["unauthorized", "forbidden"]
    if operation.path_parameters:
        codes.append("not_found")
    if operation.body is not None or operation.raw_bodies:
        codes += ["malformed_json", "too_large", "unsupported_media_type", "unprocessable"]
    if operation.versioned:
        codes += ["stale_version", "version_required"]
    found: dict[int, list[str]] = {}
    for code in dict.fromkeys(codes):
        found.setdefault(KINDS[code].status, []).append(code)
    return found


def _answer(answer: Any, schemas: _Schemas) -> dict[str, Any]:
    made: dict[str, Any] = {"description": answer.description}
    if answer.schema is not None:
        made["content"] = {answer.media: {"schema": schemas.of(answer.schema)}}
    if answer.headers:
        made["headers"] = {name: {"description": text, "schema": {"type": "string"}} for name, text in answer.headers.items()}
    return made


def _path_parameters(operation: Operation, described: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "description": described[name], "schema": {"type": "string", "minLength": 1}}
        for name in operation.path_parameters
    ]


def _query_parameters(operation: Operation) -> list[dict[str, Any]]:
    if operation.query is None:
        return []
    schema = operation.query.model_json_schema(ref_template=_REF)
    definitions = schema.get("$defs", {})
    made = []
    for name, own in schema["properties"].items():
        flat = _without_null(_inlined(own, definitions))
        parameter: dict[str, Any] = {"name": name, "in": "query", "required": name in schema.get("required", ())}
        if "description" in flat:
            parameter["description"] = flat.pop("description")
        if flat.get("type") == "array":
            parameter |= {"style": "form", "explode": True}
        made.append(parameter | {"schema": _untitled({k: v for k, v in flat.items() if k != "title"})})
    return made


def _header_parameters(operation: Operation) -> list[dict[str, Any]]:
    made = [
        {"name": name, "in": "header", "required": required, "description": text, "schema": {"type": "string"}}
        for name, (required, text) in operation.headers.items()
    ]
    if operation.versioned:
        text = 'The version that was read (its `ETag`), e.g. `"3"`.'
        schema = {"type": "string", "pattern": VERSION}
        made.append({"name": "If-Match", "in": "header", "required": True, "description": text, "schema": schema})
    return made


def _inlined(schema: Any, definitions: Mapping[str, Any]) -> Any:
    if isinstance(schema, dict):
        if "$ref" in schema:
            target = definitions[re.sub(".*/", "", schema["$ref"])]
            return _inlined(
                {k: v for k, v in target.items() if k not in {"title", "description"}} | {k: v for k, v in schema.items() if k != "$ref"},
                definitions,
            )
        return {key: _inlined(value, definitions) for key, value in schema.items()}
    return [_inlined(item, definitions) for item in schema] if isinstance(schema, list) else schema


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A query parameter is absent, never null."""
    options = [option for option in schema.get("anyOf", []) if option.get("type") != "null"]
    made = {key: value for key, value in schema.items() if not (key == "default" and value is None)}
    if len(options) == 1:
        del made["anyOf"]
        made |= options[0]
    elif options:
        made["anyOf"] = options
    return made


def as_text(made: Mapping[str, Any]) -> str:
    """The document as it is served: stable, so that it can be compared."""
    return json.dumps(made, indent=1, ensure_ascii=True) + "\n"
