"""`duecare policy diff` and `duecare policy read`: what changed between two versions of a policy, and a rule read aloud."""

from __future__ import annotations

import json
from collections.abc import Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

import click

from cli.common import EXIT_GOOD, load_policies, plural, policy_path

if TYPE_CHECKING:
    from rules.changes import Change
    from rules.policy import Policy

EXIT_DIFFERENT = 1


@click.command()
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@click.option("--param", "parameters", multiple=True, metavar="NAME=VALUE", help="Set a parameter of NEW for this comparison.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def diff(old: str, new: str, parameters: Sequence[str], form: str) -> int:
    """Tell in words what changed from OLD to NEW, and what each change does.

    OLD and NEW are names of policies or policy files. Exit code 0: both mean the same; 1: they differ.

    \b
    duecare policy diff cfss my-cfss.yaml
    duecare policy diff cfss cfss --param family_contact_days=14
    """
    from rules.diff import diff as compare

    before, after = load_version(old), _set(load_version(new), parameters)
    changes = compare(before, after)
    if form == "json":
        click.echo(json.dumps([change.as_dict() for change in changes], ensure_ascii=False, indent=2))
    else:
        _print(changes)
    return EXIT_DIFFERENT if changes else EXIT_GOOD


def load_version(name: str) -> Policy:
    """A version of a policy by the policy's name or its file.  Raises UsageError, or PolicyError with every fault."""
    from rules.policy import load_policy

    return load_policy(policy_path(name))


def _set(policy: Policy, assignments: Sequence[str]) -> Policy:
    from cli.common import with_parameters

    (found,) = with_parameters([policy], assignments)
    return found


def _print(changes: Sequence[Change]) -> None:
    if not changes:
        click.echo("Both mean the same.")
        return
    judging = [change for change in changes if change.changes_verdicts]
    texts = [change for change in changes if not change.changes_verdicts]
    for head, some in (("What can change verdicts", judging), ("Only what is said about it", texts)):
        if some:
            click.echo(click.style(head, bold=True))
            for change in some:
                click.echo(f"  {change.words}")
    click.echo(f"{plural(len(changes), 'change')}, of which {len(judging)} can change verdicts.")


@click.command()
@click.argument("policy", metavar="NAME_OR_FILE")
@click.argument("rules", nargs=-1, metavar="[RULE]...")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def read(policy: str, rules: Sequence[str], form: str) -> int:
    """Read the rules of a policy aloud, in plain sentences: what begins them, what they ask for, by when, and what ends or excuses them."""
    from rules.reading import read_aloud

    (chosen,) = load_policies([policy])
    names = [rule.id for rule in chosen.rules]
    for name in rules:
        if name not in names:
            near = get_close_matches(name, names, n=1)
            raise click.UsageError(f"{chosen.id} has no rule {name!r}." + (f" Did you mean {near[0]}?" if near else ""))
    told = {rule.id: read_aloud(chosen, rule) for rule in chosen.rules if not rules or rule.id in rules}
    if form == "json":
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        click.echo("\n\n".join("\n".join(sentences) for sentences in told.values()))
    return EXIT_GOOD
