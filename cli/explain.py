"""`duecare explain`: why a rule says what it says about a case, with the day arithmetic."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

import click

from cli.common import WHEN, complain, load_policies, now_ms, plural, with_parameters
from cli.recorded import note

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
    now = now_ms()
    as_of, known_at = now if as_of is None else as_of, now if known_at is None else known_at
    chosen, file = (
        _stored(case, rule, policies, parameters, known_at)
        if stored
        else _from_file(what[0], case, rule, policies, parameters, mapping, known_at, received=now)
    )
    from rules.explain import explain as explain_rules

    found = explain_rules(chosen, file, as_of=as_of, known_at=known_at, rule=rule, obligation=obligation)
    if not found:
        complain(f"{rule} says nothing about {case}: the case is in no policy's scope, or has no such obligation.")
        return 1
    if form == "json":
        click.echo(json.dumps([explanation.as_dict() for explanation in found], ensure_ascii=False, indent=2))
    else:
        click.echo("\n\n".join(explanation.as_text() for explanation in found))
    return 0


def _with_rule(policies: Sequence[Policy], rule: str) -> list[Policy]:
    """The policies that have the rule.  Raises UsageError where none does."""
    found = [policy for policy in policies if any(one.id == rule for one in policy.rules)]
    if not found:
        near = get_close_matches(rule, [one.id for policy in policies for one in policy.rules], n=1)
        raise click.UsageError(f"No chosen policy has a rule {rule!r}." + (f" Did you mean {near[0]}?" if near else ""))
    return found


def _from_file(
    path: str,
    case: str,
    rule: str,
    policies: Sequence[str],
    parameters: Sequence[str],
    mapping: str | None,
    known_at: int | dt.date,
    *,
    received: int,
) -> tuple[list[Policy], CaseFile]:
    from cli.inputs import read_input

    chosen = _with_rule(load_policies(policies, parameters), rule)
    given = read_input([path], chosen[0], mapping=mapping, received=received, known_at=known_at)
    for refusal in given.refusals:
        complain(str(refusal))
    by_id = {file.case: file for file in given.cases}
    if case not in by_id:
        near = get_close_matches(case, by_id, n=1)
        hint = f" Did you mean {near[0]}?" if near else f" It holds {plural(len(by_id), 'case')}."
        raise click.UsageError(f"{path} holds no case {case!r}.{hint}")
    return chosen, by_id[case]


def _stored(
    case: str, rule: str, policies: Sequence[str], parameters: Sequence[str], known_at: int | dt.date
) -> tuple[list[Policy], CaseFile]:
    from cli.stored import service
    from store.cases import load_case

    with service() as svc:
        note(case=case)
        known_ms = min(policy.zone.last_ms_of(known_at) for policy in svc.policies.policies)
        usable = load_policies(policies) if policies else list(svc.policies_at(known_ms).policies)
        chosen = with_parameters(_with_rule(usable, rule), parameters)
        with svc.reading() as session:
            file = load_case(session, case, known_at=chosen[0].zone.last_ms_of(known_at)).file
        group = next((group for group in svc.policies.groups if group.catalogue.name == chosen[0].catalogue.name), None)
        known = file if group is None else group.part_of(file)
    if not file.events:
        raise click.UsageError(f"No events of a case {case!r} are stored.")
    return chosen, file if known is None else known
