"""The JSON Schema of a policy file, made from what the loader itself reads.  Imports rules.policy and rules.kinds."""

from __future__ import annotations

from typing import Any

from rules.kinds import registry
from rules.kinds.base import Kind
from rules.policyfile import PolicyFile, RuleHead

_SHORT: dict[str, list[dict[str, Any]]] = {
    "Test": [{"type": ["boolean", "integer", "string"]}, {"type": "array", "items": {"type": ["boolean", "integer", "string"]}}],
    "Selector": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}],
    "Requires": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}],
    "When": [{"const": "episode"}],
    "AtLatest": [{"const": "closure"}],
}
"""Short forms that the loader takes besides the mapping; pydantic's own schema does not know of them."""

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def kind_schema(kind: type[Kind]) -> dict[str, Any]:
    """One kind's part of a rule."""
    schema = kind.model_json_schema()
    schema["properties"]["kind"] = {"const": kind.name}
    return {"description": kind.about, **schema}


def policy_schema() -> dict[str, Any]:
    """The whole file: a rule has the fields of every rule and those of its kind."""
    head = PolicyFile.model_json_schema()
    rule = RuleHead.model_json_schema()
    definitions: dict[str, Any] = {**head.pop("$defs", {}), **rule.pop("$defs", {})}
    branches = []
    for name, kind in registry().items():
        own = kind_schema(kind)
        definitions.update(own.pop("$defs", {}))
        definitions[f"kind_{name}"] = own
        branches.append({"$ref": f"#/$defs/kind_{name}"})
    properties = rule["properties"]
    definitions["clause"] = {"oneOf": branches}
    properties["clauses"] = {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/clause"}}
    for name in registry():
        # Fields that belong to every rule are allowed beside those of the kind.
        own = definitions[f"kind_{name}"]
        definitions[f"rule_{name}"] = {
            "type": "object",
            "description": own["description"],
            "properties": {**properties, **own["properties"]},
            "required": [*rule["required"], *own.get("required", [])],
            "additionalProperties": False,
        }
    several = {**rule, "required": [*rule["required"], "clauses"]}
    definitions["rule"] = {"oneOf": [*({"$ref": f"#/$defs/rule_{name}"} for name in registry()), several]}
    head["properties"]["rules"] = {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/rule"}}
    for name, forms in _SHORT.items():
        definitions[name] = {"anyOf": [*forms, definitions[name]]}
    return {"$schema": DIALECT, **head, "title": "A duecare policy", "$defs": definitions}
