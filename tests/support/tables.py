"""The tables of an empty database, copied from one that was migrated before.  Imports store.engine and store.migrations.

Migrating takes a second on PostgreSQL, copying a tenth of one: a run that needs hundreds of databases migrates one of each kind.  What
tests the migrations themselves calls those.
"""

from __future__ import annotations

import functools
import os
import tempfile
from contextlib import suppress
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import URL, Engine

from store import migrations
from store.engine import make_engine

_KEPT = f"tables{os.getpid()}"
"""The database on a PostgreSQL that is copied."""
_HAS_TABLES = "SELECT EXISTS (SELECT 1 FROM pg_tables WHERE schemaname = 'public')"


def lay(engine: Engine) -> None:
    """Brings a database to the newest revision, as ``migrations.upgrade`` would; an empty one by copying."""
    if engine.dialect.name == "sqlite":
        done = _lay_file(Path(engine.url.database or ""))
    else:
        done = _lay_database(engine.url)
    if not done:
        migrations.upgrade(engine)


def forget(server_url: str) -> None:
    """Drops what is kept on this server to be copied."""
    with suppress(psycopg.OperationalError), _maintenance(make_engine(server_url).url) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(_KEPT)))


def _lay_file(path: Path) -> bool:
    if path.exists() or not path.parent.is_dir():
        return False
    path.write_bytes(_file())
    return True


@functools.cache
def _file() -> bytes:
    with tempfile.TemporaryDirectory(prefix="duecare-tables-") as folder:
        path = Path(folder) / "tables.sqlite3"
        engine = make_engine(f"sqlite:///{path}")
        migrations.upgrade(engine)
        engine.dispose()
        assert not path.with_name(f"{path.name}-wal").exists(), "closing the last connection writes the log back into the file"
        return path.read_bytes()


def _lay_database(url: URL) -> bool:
    with psycopg.connect(_text(url)) as connection:
        if connection.execute(_HAS_TABLES).fetchone() == (True,):
            return False
    with _maintenance(url) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [_KEPT]).fetchone() is None:
            _create(connection, _KEPT, "template0")
            engine = make_engine(_text(url.set(database=_KEPT)))
            migrations.upgrade(engine)
            engine.dispose()
        connection.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(str(url.database))))
        _create(connection, str(url.database), _KEPT)
    return True


def _create(connection: psycopg.Connection, name: str, model: str) -> None:
    command = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
    connection.execute(command.format(sql.Identifier(name), sql.Identifier(model)))


def _maintenance(url: URL) -> psycopg.Connection:
    return psycopg.connect(_text(url.set(database="postgres")), autocommit=True, connect_timeout=5)


def _text(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)
