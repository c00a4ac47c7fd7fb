"""`duecare holds ...`: legal holds.  Imports click; service/ only inside functions."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import click

from cli.common import moment
from cli.recorded import note

if TYPE_CHECKING:
    from service.access import Access
    from store.legalholds import LegalHold

BY = click.option("--by", required=True, metavar="NAME", help="Who asks for it, as it is kept with the hold.")
REASON = click.option("--reason", required=True, help="Why, as it is kept with the hold.")


@click.group()
def holds() -> None:
    """Keep a case, and all that hang together with it, from being removed."""


@holds.command("set")
@click.argument("case")
@BY
@REASON
def put(case: str, by: str, reason: str) -> int:
    """Set a legal hold on CASE: nothing of it is removed until the hold is lifted."""
    from cli.stored import service
    from service import legalholds

    with service() as svc:
        made = legalholds.put(svc, _named(by), case=case, reason=reason)
        note(case=made.case)
    click.echo(f"The hold {made.id} is set.")
    return 0


@holds.command()
@click.argument("hold")
@BY
@REASON
def lift(hold: str, by: str, reason: str) -> int:
    """Lift the hold of this id; that it was there, and who lifted it, stays on record."""
    from cli.stored import service
    from service import legalholds

    with service() as svc:
        done = legalholds.lift(svc, _named(by), hold, reason=reason)
        note(case=done.case)
    click.echo("The hold is lifted.")
    return 0


@holds.command("list")
@click.option("--all", "everything", is_flag=True, help="Also those that were lifted.")
@click.option("--limit", type=click.IntRange(1, 100), default=50, show_default=True, help="How many at most.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def listed(everything: bool, limit: int, form: str) -> int:
    """List the holds, the newest first."""
    from cli.stored import service
    from service import legalholds

    with service() as svc:
        found = legalholds.listed(svc, _named("cli"), standing=not everything, limit=limit)
    if form == "json":
        click.echo(json.dumps([asdict(one) for one in found], indent=2, ensure_ascii=False))
        return 0
    if not found:
        click.echo("There is no legal hold.")
    for one in found:
        click.echo(_line(one))
    return 0


def _line(one: LegalHold) -> str:
    said = f"{one.id}  {one.case}  set {moment(one.set_at)} by {one.set_name}: {one.reason}"
    return said if one.lifted_at is None else f"{said}; lifted {moment(one.lifted_at)} by {one.lifted_name}: {one.lift_reason}"


def _named(name: str) -> Access:
    from service.access import system

    return replace(system("cli"), name=name)
