"""`duecare explain`: why a rule says what it says about a case, with the day arithmetic."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

import click

from cli.common import WHEN, complain, load_policies, now_ms

if TYPE_CHECKING:
    from rules.model import CaseFile
    from rules.policy import Policy


@click.command()
@click.argument("what", nargs=-1, required=True, metavar="[FILE] CASE RULE")
@click.option("--db", "stored", is_flag=True, help="Explain the case as it is stored; FILE is then left out.")
@click.option("--policy", "policies", multiple=True, metavar="NAME_OR_FILE", help="Judge by this policy. Default: the shipped ones.")
@click.option("--mapping", metavar="FILE", help="How the columns of a CSV, XLSX or XES file become events.")
@click.option("--param", "parameters", multiple=True, metavar="POLICY.NAME=VALUE", help="Set a policy parameter for this run.")
@click.option("--obligation", metavar="KEY", help="Only this obligation of the rule, e.g. one child.")
@click.option("--as-of", type=WHEN, help="Judge as the world stood then: a date (its last moment) or an instant.  [default: now]")
@click.option("--known-at", type=WHEN, help="Use only what had been recorded by then.  [default: now]")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def explain(
    what: Sequence[str],
    stored: bool,
    policies: Sequence[str],
    mapping: str | None,
    parameters: Sequence[str],
    obligation: str | None,
    as_of: int | dt.date | None,
    known_at: int | dt.date | None,
    form: str,
) -> int:
    """Tell which events were considered, why each counted or did not, how the days were counted, and what would have met the rule.

    \b
    duecare explain events.jsonl case-1 C08 --as-of 2026-03-24
    duecare explain --db case-1 C08
    """
    if len(what) != (2 if stored else 3):
        raise click.UsageError("With --db give CASE and RULE; without it FILE, CASE and RULE.")
    case, rule = what[-2:]
    chosen = load_policies(policies, parameters)
    if rule not in (known := [one.id for policy in chosen for one in policy.rules]):
        near = get_close_matches(rule, known, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise click.UsageError(f"No chosen policy has a rule {rule!r}.{hint}")
    now = now_ms()
    file = _stored(case) if stored else _from_file(what[0], case, chosen, mapping, now)
    from rules.explain import explain as explain_rules

    found = explain_rules(
        chosen,
        file,
        as_of=now if as_of is None else as_of,
        known_at=now if known_at is None else known_at,
        rule=rule,
        obligation=obligation,
    )
    if not found:
        complain(f"{rule} says nothing about {case}: the case is in no policy's scope, or has no such obligation.")
        return 1
    if form == "json":
        click.echo(json.dumps([explanation.as_dict() for explanation in found], ensure_ascii=False, indent=2))
    else:
        click.echo("\n\n".join(explanation.as_text() for explanation in found))
    return 0


def _from_file(path: str, case: str, policies: Sequence[Policy], mapping: str | None, now: int) -> CaseFile:
    from cli.inputs import read_input

    given = read_input([path], policies[0], mapping=mapping, received=now)
    for refusal in given.refusals:
        complain(str(refusal))
    by_id = {file.case: file for file in given.cases}
    if case not in by_id:
        near = get_close_matches(case, by_id, n=1)
        hint = f" Did you mean {near[0]}?" if near else f" It holds {len(by_id):,} cases."
        raise click.UsageError(f"{path} holds no case {case!r}.{hint}")
    return by_id[case]


def _stored(case: str) -> CaseFile:
    from cli.stored import service

    with service() as open_service:
        return open_service.case_file(case)
