"""`duecare keys ...`: API keys for the systems that send events and read breaches."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence

import click

from cli.common import WHEN, complain, moment
from cli.recorded import note


@click.group()
def keys() -> None:
    """Make, list and revoke API keys."""


@keys.command()
@click.argument("name")
@click.option(
    "--scope", "scopes", multiple=True, required=True, metavar="SCOPE", help="What it may do, e.g. events:write (again for more)."
)
@click.option("--team", "teams", multiple=True, metavar="CODE", help="Limit it to this team (again for more).")
@click.option("--office", "offices", multiple=True, metavar="CODE", help="Limit it to this office (again for more).")
@click.option("--expires", type=WHEN, help="A date (UTC, to its end) or an instant.  [default: never]")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def create(name: str, scopes: Sequence[str], teams: Sequence[str], offices: Sequence[str], expires: int | dt.date | None, form: str) -> int:
    """Make a key called NAME and print it. It is shown this once and kept only as a hash.

    \b
    Scopes: events:write, cases:read, cases:export, breaches:read, breaches:review, audits:run, policies:write,
            sources:admin, users:admin, metrics; role:manager (and other roles) for a key that may approve as a person of that role may.

    \b
    duecare keys create client-system --scope events:write
    """
    from cli.stored import service
    from service import keys as api_keys

    with service() as svc:
        key, token = api_keys.create(svc, name=name, scopes=scopes, teams=teams or None, offices=offices or None, expires=_end(expires))
        note(thing=key.id)
    if form == "json":
        click.echo(json.dumps({"id": key.id, "name": key.name, "scopes": sorted(key.scopes), "key": token}))
    else:
        complain(f"Key {key.id} for {key.name}, with {', '.join(sorted(key.scopes))}. It is not shown again:")
        click.echo(token)
    return 0


@keys.command("list")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def list_(form: str) -> int:
    """List the keys, without their secrets.

    \b
    good      can be used
    void      cannot: it was made with another secret key than this installation has now
    unproved  was made by an earlier version and has not been used since: its next use shows whether it is void
    """
    from cli.stored import service
    from cli.tables import table
    from service import keys as api_keys

    with service() as svc:
        found, now = api_keys.listed(svc), svc.now()
    if form == "json":
        rows = [
            {
                "id": key.id,
                "name": key.name,
                "state": key.state(now),
                "scopes": sorted(key.scopes),
                "teams": None if key.teams is None else sorted(key.teams),
                "offices": None if key.offices is None else sorted(key.offices),
                "created": moment(key.created),
                "expires": moment(key.expires),
                "revoked": moment(key.revoked),
                "last_used": moment(key.last_used),
            }
            for key in found
        ]
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return 0
    shown = []
    for key in found:
        limits = sorted(key.teams or ()) + sorted(key.offices or ())
        shown.append(
            [key.id, key.name, key.state(now), " ".join(sorted(key.scopes)), " ".join(limits) or "all", moment(key.last_used) or "never"]
        )
    table(["id", "name", "state", "scopes", "teams, offices", "last used"], shown, empty="There are no keys yet: duecare keys create")
    if void := sum(key.state(now) == "void" for key in found):
        complain(
            f"{void} {'key was' if void == 1 else 'keys were'} made with another secret key than this installation has now, "
            "and cannot be used any more."
        )
    return 0


@keys.command()
@click.argument("key_id", metavar="ID")
def revoke(key_id: str) -> int:
    """Make the key with this ID useless, at once and for good."""
    from cli.stored import service
    from service import keys as api_keys

    with service() as svc:
        key = api_keys.revoke(svc, key_id)
        note(thing=key.id)
    click.echo(f"Key {key.id} ({key.name}) is revoked.")
    return 0


def _end(expires: int | dt.date | None) -> int | None:
    if expires is None or isinstance(expires, int):
        return expires
    from rules.model import to_ms

    return to_ms(dt.datetime.combine(expires + dt.timedelta(days=1), dt.time(), dt.UTC)) - 1
