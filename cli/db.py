"""`duecare db ...`: the database's tables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.common import EXIT_BREACHED, complain, moment, plural
from cli.recorded import leave_out
from cli.seals import seal, seals, verified, verify

if TYPE_CHECKING:
    from store.backup import Manifest


@click.group()
def db() -> None:
    """Look after the database that DATABASE_URL names (default: SQLite under DUECARE_HOME)."""


db.add_command(verify)
db.add_command(seal)
db.add_command(seals)


@db.command()
def upgrade() -> int:
    """Bring the tables to the version that this program needs. Safe to run again, and from several machines at once.

    Processes of the version before may go on working meanwhile, and until the new ones take over.
    """
    from cli.stored import service
    from store import migrations

    with service(schema=False) as svc:
        before = migrations.current(svc.engine)
        migrations.upgrade(svc.engine)
        after = migrations.current(svc.engine)
    if after not in migrations.revisions():
        click.echo(f"The tables are at {after}, of a newer version; this one ({migrations.head()}) works on them. Nothing to do.")
        return 0
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
@click.option("--to", metavar="REVISION", help="Further back than one step.")
@click.option("--lose", is_flag=True, help="Do it although something that is on record has no place there.")
def downgrade(to: str | None, lose: bool) -> int:
    """Take the tables one step back, for going back to the program before an upgrade. Stop all processes first.

    Where that would lose something, it says what and changes nothing. Exit code 2 then.
    """
    from cli.stored import Refused, service
    from store.stepdown import WouldLose, step_down

    with service(schema=False) as svc:
        try:
            done = step_down(svc.engine, to=to, lose=lose)
        except WouldLose as error:
            raise Refused(f"Nothing was changed: {error}. Make a backup and say --lose to go on.") from error
    click.echo(f"The tables went from {done.before} to {done.after}.")
    if done.lost:
        click.echo(f"Lost: {', '.join(done.lost)}.")
    return 0


@db.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def backup(file: Path) -> int:
    """Write the whole store to FILE (compressed), as of one instant, while others go on working. FILE must not exist.

    It holds what the database holds, hashes of passwords and keys included: keep it as safe as the database. It does not hold
    DUECARE_SECRET_KEY.
    """
    from cli.stored import service
    from service import backups

    with service() as svc, told_of_files():
        made = backups.write(svc, file)
    _tell(f"{file} holds", made)
    return 0


@db.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--check", "only_look", is_flag=True, help="Read FILE to its end, say what it holds, restore nothing.")
def restore(file: Path, only_look: bool) -> int:
    """Fill an empty database from FILE, all of it or nothing; also from SQLite to PostgreSQL or back.

    A backup of an earlier version is brought up to this one. Afterwards the seals are verified, and it is said what came after
    the backup and is to be made good. Exit code 1: something was changed behind duecare's back before the backup was made.
    """
    from cli.stored import service
    from service import backups

    with service(schema=False) as svc, told_of_files():
        if only_look:
            leave_out()
            _tell(f"{file} is whole and holds", backups.look(file))
            return 0
        made = backups.restore(svc, file)
        _tell("Restored", made)
        found = verified(svc)
        for line in backups.aftermath(svc, made):
            click.echo(line)
    return EXIT_BREACHED if found else 0


def _tell(first: str, made: Manifest) -> None:
    click.echo(f"{first} {plural(sum(made.rows.values()), 'row')}, {plural(made.rows.get('event', 0), 'event')} among them.")
    click.echo(f"As of {moment(made.made_at)}, event position {made.position:,}; revision {made.revision}, duecare {made.program}.")
    click.echo(f"sha256 of the content: {made.sha256}")


@contextmanager
def told_of_files() -> Iterator[None]:
    """Turns what goes wrong with a file into a sentence."""
    try:
        yield
    except OSError as error:
        raise click.UsageError(f"{error.filename or 'The file'}: {error.strerror or error}") from error
