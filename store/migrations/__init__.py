"""The versions of the tables, and the way from each to the next; they travel inside the package.  Imports store.models.

Each command is one transaction under one lock, on both databases: two programs that start at once upgrade once, and one that
is killed half-way leaves the tables as they were.

Processes of the version before run on while the tables are upgraded, and afterwards until they are exchanged.  So a revision after
0015 only adds: tables, indexes (named in its AHEAD, where the table may be large), columns that may be empty or have a default in the
database.  What is no longer used goes in a later version, which then says by ``floor.set_floor`` which programs it leaves behind.
A test holds all of that.

Alembic is imported by what changes or compares tables: every process looks at its start whether the tables will do, and needs neither
alembic nor the revisions for that, but their names.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, column, inspect, select, table, text
from sqlalchemy.exc import DBAPIError

from store.engine import is_transient
from store.errors import SchemaError
from store.migrations.floor import floor
from store.models import Base

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

APPEND_ONLY = ("breach_history", "access_log", "seal", "removal", "removal_line")
"""Tables whose rows the database itself refuses to change or delete, but for what a removal has written down (see migration 0014)."""
_LOCK = 0x6475656361726521  # any number that no other program locks
_WAIT_MS = 10 * 60_000
POLITE_MS = 3_000
"""How long (ms) an upgrade waits for a table that is in use before it lets those behind it pass and begins anew: everybody else waits
for the table behind it."""
_PAUSE = 2.0
"""Seconds between two attempts."""
_VERSION = table("alembic_version", column("version_num"))
_VERSIONS = Path(__file__).parent / "versions"


def upgrade(
    engine: Engine, revision: str = "head", *, patience: float = _WAIT_MS / 1000, sleep: Callable[[float], None] = time.sleep
) -> None:
    """Brings the tables up to ``revision``; does nothing where they are there already, or newer and this program works on them.

    Processes that are at work hardly notice: see POLITE_MS.  Raises SchemaError where the tables are too new, and after ``patience``
    seconds the database's own error where a table was never free.
    """
    ends = time.monotonic() + patience
    while True:
        try:
            if current(engine) == (head() if revision == "head" else revision):
                return
            from store.migrations.ahead import make_ahead

            make_ahead(engine, lambda connection: _between(connection, revision))
            with locked(engine, statements_wait_ms=POLITE_MS) as connection:
                upgrade_on(connection, revision)
            return
        except DBAPIError as error:
            if not is_transient(error) or time.monotonic() > ends:
                raise
        sleep(_PAUSE)


def upgrade_on(connection: Connection, revision: str = "head") -> None:
    """The same in the transaction of a connection that ``locked`` has given."""
    if current_of(connection) != _resolve(revision) and newer_on(connection) is None:
        from alembic import command

        command.upgrade(_config(connection), revision)


def downgrade(engine: Engine, revision: str) -> None:
    """Takes the tables back to ``revision`` ("base": none at all).  What newer tables hold is lost."""
    with locked(engine) as connection:
        downgrade_on(connection, revision)


def downgrade_on(connection: Connection, revision: str) -> None:
    """The same in the transaction of a connection that ``locked`` has given."""
    from alembic import command

    command.downgrade(_config(connection), revision)


def current(engine: Engine) -> str | None:
    """The revision of the database's tables; None for a database without any."""
    with engine.connect() as connection:
        return current_of(connection)


def head() -> str:
    """The revision that this program needs."""
    return _known()[-1]


def revisions() -> list[str]:
    """All revisions that this program knows, the first one first."""
    return list(_known())


def check(engine: Engine) -> list[str]:
    """How the database differs from what the models say, in words; empty where it is as it should be."""
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    with engine.connect() as connection:
        found = current_of(connection)
        if found != head():
            return [f"the tables are at revision {found or 'none'}, this program needs {head()}"]
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = [_words(difference) for difference in compare_metadata(context, Base.metadata)]
        guarded = set(connection.scalars(text(_TRIGGERS[connection.dialect.name])))
    return differences + [f"table {table} is not protected against changes" for table in APPEND_ONLY if table not in guarded]


def require(engine: Engine, *, exactly: bool = False) -> None:
    """Raises SchemaError, saying what to do, unless the tables are at the revision that this program needs, or newer and still of use.

    ``exactly``: newer ones will not do, for what has to know every table and column.
    """
    with engine.connect() as connection:
        found = current_of(connection)
        newer = newer_on(connection)
        if newer is not None and exactly:
            raise SchemaError(f"the database is at revision {newer}, this program knows {head()} only: do it with the newer version")
        if found != head() and newer is None:
            raise SchemaError(f"the database is at revision {found or 'none'}, this program needs {head()}: run `duecare db upgrade`")


def newer_on(connection: Connection) -> str | None:
    """The tables' revision where it is of a newer program and this one works on it; None where this program knows it.

    Raises SchemaError where the tables no longer have what this program needs.
    """
    found = current_of(connection)
    if found is None or found in _known():
        return None
    if (least := floor(connection)) is not None and least > head():
        raise SchemaError(
            f"the database is at revision {found} and serves programs from {least} on, this one is of {head()}: install the newer version"
        )
    return found


def current_of(connection: Connection) -> str | None:
    """The revision of the tables that a connection sees; None where there are none."""
    if not inspect(connection).has_table(_VERSION.name):
        return None
    found: str | None = connection.scalar(select(_VERSION.c.version_num))
    return found


_TRIGGERS = {
    "sqlite": "SELECT tbl_name FROM sqlite_master WHERE type = 'trigger' GROUP BY tbl_name HAVING count(*) = 2",
    "postgresql": "SELECT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
    " WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') AND pg_table_is_visible(c.oid) GROUP BY c.relname HAVING count(*) = 2",
}


@contextmanager
def locked(engine: Engine, *, statements_wait_ms: int = _WAIT_MS) -> Iterator[Connection]:
    """A transaction in which nobody else changes the tables' version; how long its statements wait for tables in use on PostgreSQL."""
    with engine.begin() as connection:  # on SQLite this alone takes the database's one write lock
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"SET LOCAL lock_timeout = {_WAIT_MS}"))
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            connection.execute(text(f"SET LOCAL lock_timeout = {statements_wait_ms}"))
        yield connection


def _config(connection: Connection | None = None) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _scripts() -> ScriptDirectory:
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(_config())


@functools.cache
def _known() -> tuple[str, ...]:
    """By the names of their files, which begin with them and count upwards."""
    return tuple(sorted(path.name[:4] for path in _VERSIONS.glob("[0-9][0-9][0-9][0-9]_*.py")))


def _between(connection: Connection, revision: str) -> list[object]:
    """The modules of the revisions that lie before the tables on their way to ``revision``; none where there are no tables yet."""
    found = current_of(connection)
    if found is None or found not in _known():
        return []
    return [script.module for script in _scripts().walk_revisions(found, revision) if script.revision != found]


def _resolve(revision: str) -> str | None:
    return _scripts().get_revision(revision).revision


def _words(difference: object) -> str:
    if isinstance(difference, list):
        return "; ".join(_words(part) for part in difference)
    if isinstance(difference, tuple):
        names = (part if isinstance(part, str) else getattr(part, "name", None) for part in difference)
        return " ".join(name for name in names if name)
    return str(difference)
