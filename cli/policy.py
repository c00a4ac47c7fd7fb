"""`duecare policy ...`: looking at, checking and testing policies; what changes them stands in cli.policychanges.  No server."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.backtests import backtest, backtests
from cli.common import EXIT_GOOD, EXIT_USAGE, complain, load_policies, plural, policy_path
from cli.policychanges import approve, changes, history, propose, reject, set_, withdraw
from cli.policydiff import diff, read
from cli.policylint import lint
from cli.policynew import new

if TYPE_CHECKING:
    from rules.policy import Policy


@click.group()
def policy() -> None:
    """Check, test and describe policies."""


for _command in (approve, backtest, backtests, changes, history, propose, reject, set_, withdraw):
    policy.add_command(_command)
policy.add_command(diff)
policy.add_command(lint)
policy.add_command(new)
policy.add_command(read)


@policy.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
@click.option("--only", metavar="TEXT", help="Only timelines whose name holds TEXT.")
@click.option("--coverage", is_flag=True, help="Also show what the tests reach of the policies, and what they do not.")
@click.option(
    "--threshold", type=click.FloatRange(0, 100), metavar="PERCENT", help="Fail where they reach less of a policy; shows coverage."
)
@click.option("--format", "form", type=click.Choice(["text", "json", "junit"]), default="text", show_default=True)
def test(paths: Sequence[Path], only: str | None, coverage: bool, threshold: float | None, form: str) -> int:
    """Run policy tests: YAML timelines and what is expected of them. Default: those that are shipped with duecare.

    A breach of an enforced rule that neither an expectation nor the timeline's `beside` names fails too.

    Coverage asks for every enforced rule: met, breached, unknown where it can be, and each answer of each part of its conditions.
    What a check reaches counts for the rules that it expects something of.

    Exit code 0: all hold; 1: some do not, or the tests reach less than PERCENT of a policy; 2: a file is wrong, or nothing was selected.
    """
    from cli.policytests import below, report, run, shipped_tests
    from rules.policytest import collect

    timelines = [timeline for timeline in collect(paths or [shipped_tests()]) if only is None or only in timeline.name]
    if not timelines:
        complain("Error: no timeline was selected, so nothing was tested.")
        return EXIT_USAGE
    results, covered = run(timelines, coverage=coverage or threshold is not None, shipped=not paths)
    report(results, form=form, covered=covered)
    short = threshold is not None and below(covered, threshold)
    return int(short or any(result.failures for result in results))


@policy.command()
@click.argument("name", required=False)
def kinds(name: str | None) -> int:
    """Describe the kinds of rule that a policy may use, or the one called NAME."""
    from cli.kindpages import kind_page
    from rules.kinds import registry

    known = registry()
    if name is None:
        width = max(map(len, known))
        for kind_name, kind in known.items():
            click.echo(f"{kind_name:<{width}}  {kind.about}")
    elif name in known:
        click.echo(kind_page(known[name]))
    else:
        raise click.UsageError(f"No kind is called {name!r}. Kinds: {', '.join(known)}.")
    return EXIT_GOOD


@policy.command()
@click.argument("name", required=False, metavar="[NAME_OR_FILE]")
def schema(name: str | None) -> int:
    """Print the JSON Schema of a policy file, for editors; with a policy, its own names are offered too.

    Keep it beside the policy and let the policy begin with: # yaml-language-server: $schema=policy.schema.json
    """
    from rules.policy import load_policy
    from rules.schema import policy_schema

    click.echo(json.dumps(policy_schema(load_policy(policy_path(name)) if name else None), indent=2))
    return EXIT_GOOD


@policy.command()
@click.argument("policies", nargs=-1, metavar="[NAME_OR_FILE]...")
@click.option("--db", is_flag=True, help="Of the policies in force: only what is not set, with how many stored cases wait for it.")
def questions(policies: Sequence[str], db: bool) -> int:
    """List what the policy's owner has to decide: how its text is read, parameters that are not set, what stays for a person."""
    if db:
        from cli.policychanges import open_questions

        return open_questions(policies)
    for number, chosen in enumerate(load_policies(policies)):
        if number:
            click.echo()
        _questions(chosen)
    return EXIT_GOOD


def _questions(chosen: Policy) -> None:
    click.echo(click.style(f"{chosen.id}: {chosen.title}", bold=True))
    if chosen.parameters:
        click.echo("\nParameters")
    for name, parameter in chosen.parameters.items():
        value = chosen.values[name]
        state = "not set: never a breach" if value is None else plural(value, "day")
        click.echo(f"  {name} ({state})\n      {parameter.question}")
    if chosen.questions:
        click.echo("\nHow the text is read")
    for question in chosen.questions:
        click.echo(f"  {question.about}\n      {question.reading}")
    if chosen.for_a_person:
        click.echo("\nFor a person to judge")
    for sentence in chosen.for_a_person:
        click.echo(f"  {sentence}")
