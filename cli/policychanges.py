"""`duecare policy set`, `propose`, `changes`, `approve`, `reject`, `withdraw` and `history`: what is in force, and who decides it.

Imports click; service/ and rules/ only inside functions.  Who proposes and who decides sign in with their own accounts, so that two
people are two.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from cli.common import EXIT_GOOD, EXIT_USAGE, complain, moment, plural, policy_path
from cli.recorded import note

if TYPE_CHECKING:
    from service.access import Access
    from service.bootstrap import Service
    from service.policies.changes import PolicyChange

SHORTEST_ID = 6
"""So many characters of a change's id are enough where they are those of no other."""

_DATE = click.DateTime(["%Y-%m-%d"])
_reason = click.option("--reason", required=True, metavar="TEXT", help="Why, for whoever decides and for the record.")
_comment = click.option("--comment", default="", metavar="TEXT", help="For the record.")
_form = click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)


def _signed(command: Callable[..., int]) -> Callable[..., int]:
    """The options of a command that a person has to sign in for."""
    command = click.option("--password-stdin", is_flag=True, help="Read the password from stdin, and ask nothing.")(command)
    return click.option("--user", required=True, metavar="NAME", help="Your account; its password is asked for.")(command)


@click.command("set")
@click.argument("assignments", nargs=-1, required=True, metavar="POLICY.NAME=VALUE...")
@click.option("--effective", type=_DATE, required=True, metavar="DATE", help="The first day on which it holds: today or later.")
@click.option("--applies-to-open", is_flag=True, help="From that day on it holds for all of the episodes that are open on it.")
@_reason
@_signed
def set_(assignments: Sequence[str], effective: dt.datetime, applies_to_open: bool, reason: str, user: str, password_stdin: bool) -> int:
    """Propose values of parameters of one policy; another person has to approve it. Nothing after = unsets a parameter.

    \b
    duecare policy set cfss.household_days=10 --effective 2026-07-01 --reason "Agreed on 3 June" --user robin
    """
    from service.policies.changes import propose_parameters

    policy, values = _assigned(assignments)
    with _signed_in(user, password_stdin, registered=True) as (svc, access):
        made = propose_parameters(svc, access, policy, values, effective=effective.date(), applies_to_open=applies_to_open, reason=reason)
        _tell(svc, made)
    complain(f"Proposed. Another person puts it in force: duecare policy approve {made.id[:12]} --user NAME")
    return EXIT_GOOD


@click.command()
@click.argument("file")
@click.option("--effective", type=_DATE, metavar="DATE", help="The first day on which it judges.  [default: as the file says]")
@click.option("--applies-to-open/--not-to-open", default=None, help="Whether it takes over open episodes.  [default: as the file says]")
@_reason
@_signed
def propose(file: str, effective: dt.datetime | None, applies_to_open: bool | None, reason: str, user: str, password_stdin: bool) -> int:
    """Propose the version of a policy that is in FILE; another person has to approve it."""
    from rules.policy import load_policy, package_of
    from service.policies.changes import propose_version

    package = package_of(load_policy(policy_path(file)))
    day = None if effective is None else effective.date()
    with _signed_in(user, password_stdin, registered=True) as (svc, access):
        made = propose_version(svc, access, package.files, package.main, effective=day, applies_to_open=applies_to_open, reason=reason)
        _tell(svc, made)
    complain(f"Proposed. Another person puts it in force: duecare policy approve {made.id[:12]} --user NAME")
    return EXIT_GOOD


@click.command()
@click.option("--policy", metavar="ID", help="Only those of this policy.")
@click.option("--state", type=click.Choice(["proposed", "active", "rejected", "withdrawn"]), help="Only those in this state.")
@_form
def changes(policy: str | None, state: str | None, form: str) -> int:
    """List changes of policies, the newest first: what waits for an answer, and what was decided."""
    from cli.stored import service
    from cli.tables import table
    from service.policies import changes as policychanges

    with service() as svc:
        found = policychanges.changes(svc, policy=policy, state=state)
    if form == "json":
        click.echo(json.dumps([_as_json(one) for one in found], indent=2, ensure_ascii=False))
        return EXIT_GOOD
    head = ("id", "policy", "change", "from", "state", "proposed by", "decided by", "reason")
    rows = [
        (
            one.id[:12],
            one.policy,
            _what(one),
            one.effective.isoformat(),
            one.state,
            one.proposed_name,
            one.decided_name or "",
            " ".join(one.reason.split())[:60],
        )
        for one in found
    ]
    table(head, rows, empty="There are no changes.")
    return EXIT_GOOD


@click.command()
@click.argument("change", metavar="ID")
@click.option("--yes", is_flag=True, help="Do not ask once more.")
@_comment
@_signed
def approve(change: str, yes: bool, comment: str, user: str, password_stdin: bool) -> int:
    """Put a proposed change in force from its day on, after showing what it changes. Whoever proposed it cannot."""
    from service.policies import changes as policychanges

    with _signed_in(user, password_stdin) as (svc, access):
        seen = _found(svc, change)
        _tell(svc, seen)
        if not (yes or password_stdin):
            click.confirm("Approve it?", abort=True, err=True)
        made = policychanges.approve(svc, access, seen.id, version=seen.row_version, comment=comment)
    complain(f"In force from {made.effective}: {made.policy} {_what(made)}. Every case is judged again.")
    return EXIT_GOOD


@click.command()
@click.argument("change", metavar="ID")
@_comment
@_signed
def reject(change: str, comment: str, user: str, password_stdin: bool) -> int:
    """Decide against a proposed change."""
    from service.policies import changes as policychanges

    with _signed_in(user, password_stdin) as (svc, access):
        seen = _found(svc, change)
        policychanges.reject(svc, access, seen.id, version=seen.row_version, comment=comment)
    complain("Rejected.")
    return EXIT_GOOD


@click.command()
@click.argument("change", metavar="ID")
@_comment
@_signed
def withdraw(change: str, comment: str, user: str, password_stdin: bool) -> int:
    """Take back a change that you have proposed."""
    from service.policies import changes as policychanges

    with _signed_in(user, password_stdin) as (svc, access):
        seen = _found(svc, change)
        policychanges.withdraw(svc, access, seen.id, version=seen.row_version, comment=comment)
    complain("Withdrawn.")
    return EXIT_GOOD


@click.command()
@click.argument("policy")
@_form
def history(policy: str, form: str) -> int:
    """Tell which versions of POLICY were put in force, the newest first: since when, by whom, and what each changed."""
    from cli.stored import service
    from service.policies import changes as policychanges

    with service() as svc:
        found = policychanges.history_of(svc, policy)
        told = [(one, _differences(svc, one.change)) for one in found]
    if not told:
        raise click.UsageError(f"No version of a policy {policy!r} was ever in force.")
    if form == "json":
        rows = [{**_as_json(one.change), "in_force": one.state, "until": _iso(one.until), "changes": words} for one, words in told]
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return EXIT_GOOD
    for one, words in told:
        change, state = one.change, one.state.replace("_", " ")
        click.echo(click.style(f"{change.effective} {state}: version {change.version}, {change.digest[:12]}", bold=True))
        by = "" if change.proposed_by == change.decided_by else f", proposed by {change.proposed_name}"
        click.echo(f"  decided {moment(change.decided_at)} by {change.decided_name}{by}: {change.reason}")
        if change.applies_to_open:
            click.echo("  applies to the episodes that were open on that day")
        for sentence in words:
            click.echo(f"  {sentence}")
    return EXIT_GOOD


def open_questions(policies: Sequence[str]) -> int:
    """The parameters of the policies in force that are not set, and how many cases wait for each."""
    from cli.stored import service
    from service.access import system
    from service.policies import changes as policychanges

    with service() as svc:
        found = [one for one in policychanges.questions(svc, system()) if not policies or one.policy in policies]
    for one in found:
        waiting = plural(one.waiting_cases, "case waits", "cases wait") if one.waiting_cases else "no case waits"
        click.echo(f"{click.style(f'{one.policy}.{one.parameter}', bold=True)} ({one.unit}): {waiting}; it decides {', '.join(one.rules)}")
        click.echo(f"    {one.question}")
    if not found:
        complain("Every parameter is set.")
    return EXIT_GOOD


# -- signing in
@contextmanager
def _signed_in(user: str, password_stdin: bool, *, registered: bool = False) -> Iterator[tuple[Service, Access]]:
    """The service, and what the person may do.  ``registered``: the installation's files are on record."""
    from cli.stored import service
    from service import users
    from service.errors import Invalid
    from service.policies.register import register

    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else click.prompt("Password", hide_input=True, err=True)
    with service() as svc:
        access = users.access_of(users.sign_in(svc, name=user, password=password))
        note(actor=access.actor)
        if registered:
            register(svc)
        try:
            yield svc, access
        except Invalid as error:
            for flaw in error.flaws:
                complain(f"{flaw.field} {flaw.code}: {flaw.message}")
            raise click.exceptions.Exit(EXIT_USAGE) from error


# -- what is shown
def _assigned(assignments: Sequence[str]) -> tuple[str, dict[str, int | None]]:
    from rules.yamlsource import scalar

    values: dict[str, Any] = {}
    policies = set()
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        policy, dot, parameter = name.strip().partition(".")
        if not equals or not dot or not parameter:
            raise click.UsageError(f"{assignment!r} is not POLICY.NAME=VALUE.")
        policies.add(policy)
        values[parameter] = scalar(value.strip())
    if len(policies) > 1:
        raise click.UsageError("One change is of one policy: propose the others on their own.")
    return policies.pop(), values


def _found(svc: Service, change: str) -> PolicyChange:
    from service.errors import NotFound
    from service.policies import changes as policychanges

    if len(change) < SHORTEST_ID:
        raise click.UsageError(f"Give at least {SHORTEST_ID} characters of the id.")
    alike = [one for one in policychanges.changes(svc) if one.id.startswith(change)]
    if len(alike) > 1:
        raise click.UsageError(f"Several changes begin with {change!r}: give more of the id.")
    if not alike:
        raise NotFound("there is no such change")
    return alike[0]


def _what(change: PolicyChange) -> str:
    if change.kind == "parameters":
        return ", ".join(f"{name}={'not set' if value is None else value}" for name, value in change.values.items())
    return f"version {change.version}"


def _tell(svc: Service, change: PolicyChange) -> None:
    which = ", open episodes included" if change.applies_to_open else ""
    click.echo(f"{change.policy}: {_what(change)}, from {change.effective}{which} ({change.digest[:12]})")
    click.echo(f"proposed by {change.proposed_name}: {change.reason}")
    for sentence in _differences(svc, change):
        click.echo(f"  {sentence}")


def _differences(svc: Service, change: PolicyChange) -> list[str]:
    """What it changes against the version that it follows, in words."""
    from rules.diff import diff
    from service.policies.book import version

    if change.base_digest is None:
        return []
    return [one.words for one in diff(version(svc, change.base_digest), version(svc, change.digest))]


def _as_json(change: PolicyChange) -> dict[str, Any]:
    from dataclasses import asdict

    times = {name: moment(getattr(change, name)) for name in ("proposed_at", "decided_at")}
    return {**asdict(change), "effective": change.effective.isoformat(), **times}


def _iso(day: dt.date | None) -> str | None:
    return None if day is None else day.isoformat()
