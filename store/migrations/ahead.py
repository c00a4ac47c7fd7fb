"""Indexes made before an upgrade, while everybody works on.  Imports alembic and SQLAlchemy.

An index that is made in an upgrade's transaction keeps all writers of its table waiting until the transaction ends: minutes, where the
table is large.  PostgreSQL makes one beside them (CONCURRENTLY), but not in a transaction.  So a revision names its indexes on tables
that may be large in ``AHEAD``, and makes them itself only where they are not there yet (``if_not_exists``).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, Engine, TextClause, inspect, text

_LOCK = 0x6475656361726530  # any number that no other program locks, nor any other part of this one
_LOOK = 0.5


@dataclass(frozen=True, slots=True)
class Index:
    """An index that a revision wants on a table; ``where``: only of the rows for which that holds."""

    name: str
    table: str
    columns: tuple[str, ...]
    where: TextClause | None = None
    unique: bool = False

    def make(self, op: Any, *, beside: bool = False) -> None:
        """Make it, unless it is there, with alembic's ``op``; ``beside`` those who write (PostgreSQL only, outside of a transaction)."""
        op.create_index(
            self.name, self.table, list(self.columns), unique=self.unique, if_not_exists=True,
            postgresql_where=self.where, sqlite_where=self.where, postgresql_concurrently=beside,
        )  # fmt: skip


def make_ahead(engine: Engine, coming: Callable[[Connection], Iterable[object]]) -> None:
    """Make what the modules of the ``coming`` revisions name in AHEAD, on the tables and columns that are there.

    One program at a time; whoever waits for its turn asks again and again, since PostgreSQL would wait for the one that waits.
    On SQLite nothing is done: there is one writer at any time anyway.
    """
    if engine.dialect.name != "postgresql":
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(text("SET lock_timeout = 0"))
        try:
            while not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": _LOCK}):
                time.sleep(_LOOK)
            for module in coming(connection):
                for index in getattr(module, "AHEAD", ()):
                    _make(connection, index)
        finally:
            connection.invalidate()  # ends the session, and with it the lock and the settings


def _make(connection: Connection, index: Index) -> None:
    known = inspect(connection)
    if not known.has_table(index.table) or not set(index.columns) <= {column["name"] for column in known.get_columns(index.table)}:
        return
    broken = text("SELECT NOT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)")
    if connection.scalar(broken, {"name": index.name}):  # left by an attempt that was ended half-way
        connection.execute(text(f"DROP INDEX CONCURRENTLY {index.name}"))
    index.make(Operations(MigrationContext.configure(connection)), beside=True)
