"""`duecare db ...`: the database's tables."""

from __future__ import annotations

import click

from cli.common import complain


@click.group()
def db() -> None:
    """Look after the database that DATABASE_URL names (default: SQLite under DUECARE_HOME)."""


@db.command()
def upgrade() -> int:
    """Bring the tables to the version that this program needs. Safe to run again, and from several machines at once."""
    from cli.stored import service
    from store import migrations

    with service(schema=False) as svc:
        before = migrations.current(svc.engine)
        migrations.upgrade(svc.engine)
        after = migrations.current(svc.engine)
    click.echo(
        f"The tables are at {after}; nothing to do." if before == after else f"The tables went from {before or 'nothing'} to {after}."
    )
    return 0


@db.command()
def check() -> int:
    """Say whether the tables are as this program needs them. Exit code 1: they are not."""
    from cli.stored import service
    from store import migrations

    with service(schema=False) as svc:
        differences = migrations.check(svc.engine)
    for difference in differences:
        complain(difference)
    if differences:
        complain("Run `duecare db upgrade`.")
        return 1
    click.echo("The tables are as they should be.")
    return 0
