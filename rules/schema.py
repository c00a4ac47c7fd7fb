"""The JSON Schema of a policy file, made from what the loader itself reads, for completion and checks in editors.

A line at the head of a policy makes an editor use it: ``# yaml-language-server: $schema=policy.schema.json``.  Imports rules.policy
and rules.kinds.
"""

from __future__ import annotations

import inspect
from typing import Any

from rules.kinds import registry
from rules.kinds.base import Kind
from rules.policy import Policy
from rules.policyfile import PolicyFile, RuleHead
from rules.schemawords import described

_SCALAR = {"type": ["boolean", "integer", "string"]}
_NAMES: dict[str, Any] = {"type": "array", "items": {"type": "string"}, "minItems": 1}
_SHORT: dict[str, list[dict[str, Any]]] = {
    "Test": [_SCALAR, {"type": "array", "items": _SCALAR}],
    "Selector": [{"type": "string"}, _NAMES],
    "Requires": [{"type": "string"}, _NAMES],
    "When": [{"const": "episode"}],
    "AtLatest": [{"const": "closure"}],
}
"""Short forms that the loader takes besides the mapping; pydantic's own schema does not know of them."""

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def kind_schema(kind: type[Kind]) -> dict[str, Any]:
    """One kind's part of a rule."""
    schema = kind.model_json_schema()
    schema["properties"]["kind"] = {"const": kind.name}
    described(schema, kind.__name__, kind.__doc__ or "")
    return {**schema, "title": kind.name, "description": _text(kind)}


def _text(kind: type[Kind]) -> str:
    words = " ".join(inspect.cleandoc(kind.__doc__ or "").replace("``", "`").split())
    return kind.about if words in ("", kind.about) else f"{kind.about} {words}"


def policy_schema(policy: Policy | None = None) -> dict[str, Any]:
    """The whole file: a rule has the fields of every rule and those of its kind.

    With a ``policy``, its events, terms, parameters, documents, anchors and collections are offered where they may stand.
    """
    head = described(PolicyFile.model_json_schema(), "PolicyFile")
    rule = described(RuleHead.model_json_schema(), "RuleHead")
    definitions: dict[str, Any] = {**head.pop("$defs", {}), **rule.pop("$defs", {})}
    kinds = {name: kind_schema(kind) for name, kind in registry().items()}
    for own in kinds.values():
        definitions.update(own.pop("$defs", {}))
    for name, definition in definitions.items():
        described(definition, name)
    examples = _examples()
    for name, own in kinds.items():
        own["examples"] = [examples[name]] if name in examples else []
        definitions[f"kind_{name}"] = own
        definitions[f"rule_{name}"] = _as_rule(name, own, rule)
    definitions["clause"] = {"type": "object", "required": ["kind"], "properties": {"kind": _kinds()}, "allOf": _branches("kind")}
    rule["properties"]["clauses"] = {**rule["properties"]["clauses"], "type": "array", "minItems": 1, "items": {"$ref": "#/$defs/clause"}}
    rule["properties"]["clauses"].pop("anyOf", None)
    definitions["rule_of_clauses"] = {**rule, "required": [*rule["required"], "clauses"], "title": "A rule of several clauses"}
    definitions["rule"] = {
        "type": "object",
        "required": rule["required"],
        "properties": {**dict.fromkeys(rule["properties"], True), "kind": _kinds()},
        "anyOf": [{"required": ["kind"]}, {"required": ["clauses"]}],
        "allOf": [*_branches("rule"), {"if": {"required": ["clauses"]}, "then": {"$ref": "#/$defs/rule_of_clauses"}}],
    }
    head["properties"]["rules"] = {**head["properties"]["rules"], "type": "array", "minItems": 1, "items": {"$ref": "#/$defs/rule"}}
    for name, forms in _SHORT.items():
        definitions[name] = {"anyOf": [*forms, definitions[name]], "description": definitions[name].get("description", "")}
    if policy is not None:
        _offer(definitions, policy)
    return {"$schema": DIALECT, **head, "title": "A duecare policy", "$defs": definitions}


def _as_rule(name: str, own: dict[str, Any], rule: dict[str, Any]) -> dict[str, Any]:
    """Fields that belong to every rule are allowed beside those of the kind."""
    return {
        "type": "object",
        "title": f"A rule of kind {name}",
        "description": own["description"],
        "properties": {**{field: value for field, value in rule["properties"].items() if field != "clauses"}, **own["properties"]},
        "required": [*rule["required"], *own.get("required", [])],
        "additionalProperties": False,
        "examples": own["examples"],
    }


def _kinds() -> dict[str, Any]:
    about = {name: kind.about for name, kind in registry().items()}
    return {"enum": list(about), "enumDescriptions": list(about.values()), "description": "\n".join(f"{n}: {w}" for n, w in about.items())}


def _branches(prefix: str) -> list[dict[str, Any]]:
    """Which fields there may be depends on the kind, so that a fault is told of that kind and not of all."""
    given = [{"properties": {"kind": {"const": name}}, "required": ["kind"]} for name in registry()]
    return [{"if": one, "then": {"$ref": f"#/$defs/{prefix}_{name}"}} for name, one in zip(registry(), given, strict=True)]


def _examples() -> dict[str, Any]:
    """For each kind, the shortest rule of it in the shipped policies, without the fields of every rule."""
    from rules.policy import load_shipped, shipped

    found: dict[str, Any] = {}
    for name in shipped():
        for raw in load_shipped(name).raw["rules"]:
            for clause in raw.get("clauses", [raw]):
                own = {key: value for key, value in clause.items() if key not in RuleHead.model_fields}
                known = found.get(own["kind"])
                if known is None or len(str(own)) < len(str(known)):
                    found[own["kind"]] = own
    return found


def _offer(definitions: dict[str, Any], policy: Policy) -> None:
    """Names of the policy as suggestions; another name is no fault here, since lint tells of it with a better word."""
    events = {"anyOf": [{"enum": [*policy.terms, *policy.catalogue.types]}, {"type": "string"}]}
    for name in ("Selector", "Requires", "When", "Term"):
        _replace(definitions.get(name), events)
    definitions["Citation"]["properties"]["document"] = {
        **definitions["Citation"]["properties"]["document"],
        "anyOf": [{"enum": list(policy.documents)}, {"type": "string"}],
    }
    counts = {"anyOf": [{"enum": [f"${name}" for name in policy.parameters]}, {"type": "integer"}, {"type": "string"}]}
    definitions["Period"]["properties"]["days"] = {**definitions["Period"]["properties"]["days"], **counts, "default": None}
    for kind, model in registry().items():
        for field, names in (("anchor", policy.anchors), ("items", policy.collections)):
            for prefix in ("kind", "rule") if field in model.model_fields else ():
                properties = definitions[f"{prefix}_{kind}"]["properties"]
                properties[field] = {**properties[field], "anyOf": [{"enum": list(names)}, {"type": "string"}]}


def _replace(definition: Any, events: dict[str, Any]) -> None:
    for part in [definition, *(definition or {}).get("anyOf", [])]:
        properties = part.get("properties", {}) if isinstance(part, dict) else {}
        if "event" in properties:
            properties["event"] = {
                "description": properties["event"].get("description", ""),
                "anyOf": [events, {"type": "array", "items": events, "minItems": 1}],
            }
    if definition is not None and definition.get("anyOf", [{}])[0].get("type") == "string":
        definition["anyOf"][:2] = [events, {"type": "array", "items": events, "minItems": 1}]


def fields_without_words() -> list[str]:
    """Fields of every model that the schema says nothing about: ``MODEL.FIELD``."""
    schema = policy_schema()
    found = []
    for name, definition in {"PolicyFile": schema, **schema["$defs"]}.items():
        for field, value in definition.get("properties", {}).items():
            if isinstance(value, dict) and "description" not in value and "const" not in value:
                found.append(f"{name}.{field}")
    return found
