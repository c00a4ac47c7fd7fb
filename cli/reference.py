"""Makes the reference pages out of commands, settings, catalogue, kinds and policies.  Imports click, rules.* and service.settings."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rules.catalogue import EventType
    from rules.kinds.base import Kind
    from rules.policy import Policy, Rule


def cli_page() -> str:
    """Every command with its help."""
    from cli.main import app

    parts = ["# Commands\n", *_command(app, None)]
    return "\n".join(parts)


def _command(command: click.Command, parent: click.Context | None) -> Iterable[str]:
    context = click.Context(command, info_name="duecare" if parent is None else command.name, parent=parent, **command.context_settings)
    context.terminal_width = context.max_content_width = 110
    yield f"## {context.command_path}\n"
    yield f"```text\n{command.get_help(context)}\n```\n"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None:
                yield from _command(inner, context)


def settings_page() -> str:
    """Every setting: its variable, default and meaning."""
    from pydantic import AliasChoices

    from service.settings import Settings

    rows = []
    for name, field in Settings.model_fields.items():
        alias = field.validation_alias
        variable = " ".join(map(str, alias.choices)) if isinstance(alias, AliasChoices) else str(alias or name)
        if field.default_factory is not None:
            default = "`$XDG_DATA_HOME/duecare` or `~/.local/share/duecare`"
        else:
            default = "unset" if field.default is None else f"`{field.default}`"
        rows.append([f"`{variable}`", default, field.description or ""])
    lead = "Settings are read from the environment, once, when a process starts. All have a default that is safe.\n"
    return "\n".join(["# Settings\n", lead, _table(["variable", "default", "meaning"], rows)])


def events_page() -> str:
    """Every event type of the shipped catalogue with its attributes."""
    from rules.policy import load_policy, shipped

    catalogue = load_policy(next(iter(shipped().values()))).catalogue
    common = {name: str(_shape(attribute.plain())) for name, attribute in catalogue.common.items()}
    lead = (
        "An event is a CloudEvent 1.0 in JSON: `specversion`, `id`, `source`, `type`, `subject` (the case), `time` (when it happened)"
        " and `recordedtime` (when it was recorded; the time of receipt where it is missing). `data` holds what stands below, and"
        " anything else in it is dropped at the door, counted and shown.\n"
    )
    parts = [f"# Events\n\nCatalogue `{catalogue.name}`, version {catalogue.version}.\n", lead, "## Attributes of every event\n"]
    parts.append(_table(["attribute", "holds"], [[f"`{name}`", f"`{shape}`"] for name, shape in common.items()]))
    for name, kind in catalogue.types.items():
        parts += [f"## {name}\n", kind.about + "\n" if kind.about else ""]
        parts.append(_attributes(kind))
    return "\n".join(part for part in parts if part)


def _attributes(kind: EventType) -> str:
    rows = []
    for name, attribute in kind.attributes.items():
        if name not in kind.own:
            continue
        codes = [f"{path}: {', '.join(values)}" for path, values in kind.values.items() if path.split(".")[0] == name]
        needed = " (required)" if name in kind.required else ""
        rows.append([f"`{name}`{needed}", f"`{_shape(attribute.plain())}`", "; ".join(codes)])
    return _table(["attribute", "holds", "known codes"], rows) if rows else "No attributes of its own.\n"


def _shape(plain: Any) -> str:
    if isinstance(plain, Mapping):
        return "{" + ", ".join(f"{name}: {_shape(part)}" for name, part in plain.items()) + "}"
    if isinstance(plain, list | tuple):
        return "[" + ", ".join(map(_shape, plain)) + "]"
    return str(plain)


def kinds_page() -> str:
    """Every kind of rule with what it takes, and the parts that they share."""
    from rules.kinds import registry

    lead = "A rule of a policy is of one kind, or has several `clauses` that each are. These are the kinds and what they take.\n"
    kinds = registry().values()
    parts: dict[str, Mapping[str, Any]] = {}
    for kind in kinds:
        parts.update(kind.model_json_schema().get("$defs", {}))
    shared = [_part(name, parts[name]) for name in sorted(parts)]
    return "\n".join(["# Kinds of rule\n", lead, *(kind_page(kind) for kind in kinds), "# Parts of rules\n", *shared])


def kind_page(kind: type[Kind]) -> str:
    """One kind: what it means, and a line for each field."""
    text = _ticks(inspect.getdoc(kind) or "")
    parts = [f"## {kind.name}\n", kind.about + "\n"]
    if text and text != kind.about:
        parts.append(text + "\n")
    return "\n".join([*parts, _fields(kind.model_json_schema())])


def _part(name: str, schema: Mapping[str, Any]) -> str:
    return "\n".join([f"## {name.lower()}\n", _ticks(schema.get("description", "")) + "\n", _fields(schema)])


def _fields(schema: Mapping[str, Any]) -> str:
    rows = []
    for name, field in schema.get("properties", {}).items():
        if name != "kind":
            default = "required" if name in schema.get("required", ()) else _default(field)
            rows.append([f"`{name}`", _type(field), default])
    others = schema.get("additionalProperties")
    if isinstance(others, Mapping):
        rows.append(["any attribute", _type(others), ""])
    return _table(["field", "takes", "default"], rows)


def _ticks(text: str) -> str:
    return text.replace("``", "`")


def _default(field: Mapping[str, Any]) -> str:
    default = field.get("default")
    return "" if default is None or default in ([], {}, "") else f"`{str(default).lower() if isinstance(default, bool) else default}`"


def _type(field: Mapping[str, Any]) -> str:
    if "$ref" in field:
        part = str(field["$ref"]).rsplit("/", 1)[-1].lower()
        return f"[{part}](#{part})"
    if "anyOf" in field:
        named = dict.fromkeys(_type(part) for part in field["anyOf"] if part.get("type") != "null")
        return " or ".join(named)
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if "const" in field:
        return f"`{str(field['const']).lower()}`"
    if field.get("type") == "array":
        items = field.get("items") or (field.get("prefixItems") or [{}])[0]
        return f"list of {_type(items)}"
    return {"integer": "whole number", "string": "text", "boolean": "true or false", "object": "mapping"}.get(str(field.get("type")), "any")


def rules_page() -> str:
    """Every rule of the shipped policies."""
    from rules.policy import load_policy, shipped

    parts = ["# Rules of the shipped policies\n"]
    for path in shipped().values():
        parts += _policy(load_policy(path))
    return "\n".join(parts)


def lint_page() -> str:
    """Every check that `duecare policy lint` makes."""
    from rules.lint import checks

    lead = (
        "`duecare policy lint` says `file:line:col CODE severity: message`. An error means that judging would be wrong, a warning that"
        " something is probably not meant. Codes that begin with P or are words come from the loader, which refuses what cannot be"
        " judged at all.\n"
    )
    return "\n".join(
        ["# Checks of policies\n", lead, _table(["code", "severity", "finds"], [[c.code, c.severity, c.about] for c in checks()])]
    )


def _policy(policy: Policy) -> Iterable[str]:
    yield f"## {policy.id}: {policy.title}\n"
    yield f"Version {policy.version}; days are those of {policy.zone_name}.\n"
    yield _table(
        ["rule", "requirement", "kind", "severity", "status"], [[r.id, r.title, r.kind, r.severity, r.status] for r in policy.rules]
    )
    for rule in policy.rules:
        yield from _rule(policy, rule)
    if policy.parameters:
        yield "### Parameters\n"
        rows = []
        for name, parameter in policy.parameters.items():
            default = "not set" if parameter.default is None else f"{parameter.default} {parameter.unit}"
            rows.append([f"`{policy.id}.{name}`", default, parameter.question])
        yield _table(["parameter", "as shipped", "question to the policy's owner"], rows)
    if policy.questions:
        yield "### How the text is read\n"
        yield _table(["about", "reading"], [[question.about, question.reading] for question in policy.questions])
    if policy.for_a_person:
        yield "### For a person to judge\n"
        yield "\n".join(f"- {sentence}" for sentence in policy.for_a_person) + "\n"


def _rule(policy: Policy, rule: Rule) -> Iterable[str]:
    yield f"### {rule.id} {rule.title}\n"
    yield f"{rule.guidance.strip()}\n"
    document = policy.documents.get(rule.citation.document, rule.citation.document)
    yield f"Source: {document}, {rule.citation.at}.\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"
