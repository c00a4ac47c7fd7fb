"""`duecare db ...`: the database's tables."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from cli.common import complain, plural
from cli.seals import seal, seals, verify


@click.group()
def db() -> None:
    """Look after the database that DATABASE_URL names (default: SQLite under DUECARE_HOME)."""


db.add_command(verify)
db.add_command(seal)
db.add_command(seals)


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


@db.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def backup(file: Path) -> int:
    """Write the whole store to FILE (compressed), while others go on working. FILE must not exist.

    It holds what the database holds, hashes of passwords and keys included: keep it as safe as the database.
    """
    from cli.stored import service
    from store.backup import write_backup

    draft = file.with_name(f".{file.name}.part")
    with service() as svc, told_of_files():
        if file.exists():
            raise click.UsageError(f"{file} exists already.")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as out:
            counts = write_backup(svc.engine, out)
            out.flush()
            os.fsync(out.fileno())
        draft.rename(file)
    click.echo(f"{file} holds {plural(sum(counts.values()), 'row')}, {plural(counts.get('event', 0), 'event')} among them.")
    return 0


@db.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def restore(file: Path) -> int:
    """Fill an empty store from FILE, all of it or nothing; also from SQLite to PostgreSQL or back."""
    from cli.stored import service
    from store import migrations
    from store.backup import read_backup

    with service(schema=False) as svc, told_of_files(), file.open("rb") as source:
        migrations.upgrade(svc.engine)
        counts = read_backup(svc.engine, source)
    click.echo(f"Restored {plural(sum(counts.values()), 'row')}, {plural(counts.get('event', 0), 'event')} among them.")
    return 0


@contextmanager
def told_of_files() -> Iterator[None]:
    """Turns what goes wrong with a file into a sentence."""
    try:
        yield
    except OSError as error:
        raise click.UsageError(f"{error.filename or 'The file'}: {error.strerror or error}") from error
