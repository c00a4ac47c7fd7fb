"""Makes reference pages out of commands, settings, catalogue and checks.  Imports click, rules.*, service.settings and cli.pagetables.

Those of the policy language are made in cli.kindpages, those of rules and of policy tests in cli.rulepages.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import click

from cli.pagetables import table

if TYPE_CHECKING:
    from rules.catalogue import EventType


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
    for name, field in sorted(Settings.model_fields.items(), key=lambda item: item[0].startswith("oidc_")):
        alias = field.validation_alias
        variable = " ".join(map(str, alias.choices)) if isinstance(alias, AliasChoices) else str(alias or name)
        if field.default_factory is not None:
            default = "`$XDG_DATA_HOME/duecare` or `~/.local/share/duecare`"
        else:
            default = "unset" if field.default is None else f"`{field.default}`"
        rows.append([f"`{variable}`", default, field.description or ""])
    lead = "Settings are read from the environment, once, when a process starts. All have a default that is safe.\n"
    return "\n".join(["# Settings\n", lead, table(["variable", "default", "meaning"], rows)])


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
    parts.append(table(["attribute", "holds"], [[f"`{name}`", f"`{shape}`"] for name, shape in common.items()]))
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
    return table(["attribute", "holds", "known codes"], rows) if rows else "No attributes of its own.\n"


def _shape(plain: Any) -> str:
    if isinstance(plain, Mapping):
        return "{" + ", ".join(f"{name}: {_shape(part)}" for name, part in plain.items()) + "}"
    if isinstance(plain, list | tuple):
        return "[" + ", ".join(map(_shape, plain)) + "]"
    return str(plain)


def lint_page() -> str:
    """Every check that `duecare policy lint` makes, and everything that loading refuses."""
    from rules.lint import REFUSALS, checks

    lead = (
        "`duecare policy lint` says `file:line:col CODE severity: message`. An error means that judging would be wrong, a warning that"
        " something is probably not meant, an info what is worth knowing. Each check is one small file in `rules/lint`.\n"
    )
    refused = "What cannot be judged at all is refused when a policy is loaded, by whatever command; lint tells it as an error.\n"
    return "\n".join(
        [
            "# Checks of policies\n",
            lead,
            table(["code", "severity", "finds", "what to do"], [[c.code, c.severity, c.about, c.mend] for c in checks()]),
            "## What loading refuses\n",
            refused,
            table(["code", "means"], [[f"`{code}`", words] for code, words in REFUSALS.items()]),
        ]
    )
