"""`duecare users ...`: accounts of the people who work with the pages."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

import click

from cli.common import complain, moment
from cli.recorded import note


@click.group()
def users() -> None:
    """Make, list and disable accounts, and give new passwords."""


@users.command()
@click.argument("name")
@click.option("--role", "roles", multiple=True, required=True, metavar="ROLE", help="What it may do (again for more).")
@click.option("--team", "teams", multiple=True, metavar="CODE", help="Limit to this team (again for more).")
@click.option("--office", "offices", multiple=True, metavar="CODE", help="Limit to this office (again for more).")
@click.option("--email", metavar="ADDRESS")
def create(name: str, roles: Sequence[str], teams: Sequence[str], offices: Sequence[str], email: str | None) -> int:
    """Make an account and print its one-time password, which has to be changed at the first sign-in.

    \b
    Roles: viewer, reviewer, team_leader, manager, policy_owner, operator, administrator.
    """
    from cli.stored import service
    from service import users as accounts

    with service() as svc:
        user, password = accounts.create(svc, name=name, roles=roles, email=email, teams=teams or None, offices=offices or None)
        note(thing=user.id)
    complain(f"Account {user.name} with {', '.join(sorted(user.roles))}. Its one-time password is not shown again:")
    click.echo(password)
    return 0


@users.command("list")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def list_(form: str) -> int:
    """List the accounts."""
    from cli.stored import service
    from cli.tables import table
    from service import users as accounts

    with service() as svc:
        found, now = accounts.listed(svc), svc.now()
    if form == "json":
        rows = [
            {
                "name": user.name,
                "email": user.email,
                "roles": sorted(user.roles),
                "teams": None if user.teams is None else sorted(user.teams),
                "offices": None if user.offices is None else sorted(user.offices),
                "disabled": user.disabled,
                "must_change": user.must_change,
                "last_login": moment(user.last_login),
            }
            for user in found
        ]
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return 0
    shown = []
    for user in found:
        locked = user.locked_until is not None and user.locked_until > now
        state = "disabled" if user.disabled else "locked" if locked else "new password" if user.must_change else "good"
        limits = sorted(user.teams or ()) + sorted(user.offices or ())
        shown.append([user.name, state, " ".join(sorted(user.roles)), " ".join(limits) or "all", moment(user.last_login) or "never"])
    table(["name", "state", "roles", "teams, offices", "last sign-in"], shown, empty="There are no accounts yet: duecare users create")
    return 0


@users.command("reset-password")
@click.argument("name")
def reset_password(name: str) -> int:
    """Give the account a new one-time password and end its sessions."""
    from cli.stored import service
    from service import users as accounts

    with service() as svc:
        password = accounts.reset_password(svc, name=name)
        note(thing=next(user.id for user in accounts.listed(svc) if user.name == name))
    complain(f"The one-time password of {name} is not shown again:")
    click.echo(password)
    return 0


@users.command("change-password")
@click.argument("name")
@click.option("--stdin", "from_stdin", is_flag=True, help="Read the present and the new password from two lines of stdin.")
def change_password(name: str, from_stdin: bool) -> int:
    """Change your own password, as the first sign-in asks for; the present one is asked for."""
    from cli.stored import service
    from service import users as accounts

    if from_stdin:
        old, new = (sys.stdin.readline().rstrip("\r\n") for _ in range(2))
    else:
        old = click.prompt("Present password", hide_input=True, err=True)
        new = click.prompt("New password", hide_input=True, confirmation_prompt=True, err=True)
    with service() as svc:
        user = accounts.sign_in(svc, name=name, password=old)
        accounts.change_password(svc, user_id=user.id, old=old, new=new)
        note(thing=user.id, actor=f"user:{user.id}")
    click.echo(f"The password of {name} is changed.")
    return 0


@users.command()
@click.argument("name")
@click.option("--undo", is_flag=True, help="Let the account in again.")
def disable(name: str, undo: bool) -> int:
    """Keep the account from signing in, at once; what it did stays on record."""
    from cli.stored import service
    from service import users as accounts

    with service() as svc:
        user = accounts.change(svc, name=name, disabled=not undo)
        note(thing=user.id)
    click.echo(f"Account {user.name} is {'disabled' if user.disabled else 'enabled'}.")
    return 0
