"""What audits and their schedules have in common on the command line: which cases and rules are looked at.  Imports click."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from store.audits import AuditScope

of_policy = click.option("--policy", "policies", multiple=True, metavar="ID", help="Only this policy; may be repeated.")
of_team = click.option("--team", "teams", multiple=True, metavar="TEAM", help="Only what belongs to this team; may be repeated.")
of_office = click.option("--office", "offices", multiple=True, metavar="OFFICE", help="Only what belongs to this office; may be repeated.")
of_program = click.option("--program", metavar="PROGRAM", help="Only cases of this program.")
of_sample = click.option("--sample", type=click.IntRange(0, 50), default=2, show_default=True, help="Cases drawn of each team and verdict.")


def scope_of(
    policies: Sequence[str],
    program: str | None,
    teams: Sequence[str],
    offices: Sequence[str],
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
) -> AuditScope:
    """The scope that the options name; what is left out limits nothing."""
    from store.audits import AuditScope

    return AuditScope(
        policies=tuple(policies) or None,
        program=program,
        teams=tuple(teams) or None,
        offices=tuple(offices) or None,
        since=None if since is None else since.date().isoformat(),
        until=None if until is None else until.date().isoformat(),
    )
