"""The whole store in one file, and back, also from SQLite to PostgreSQL or the other way.  Imports store.models and store.migrations.

The file is gzipped JSON Lines: a head, one line a row, and a foot with the number of rows and a digest of all lines before it,
so that a file that was cut off or altered restores nothing.  It holds everything that the database holds, hashes of passwords
and keys included: keep it as you keep the database.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from sqlalchemy import Connection, Engine, Table, func, insert, select, text
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, StatementError

from store import migrations
from store.engine import dumps, reader_factory
from store.errors import StoreError
from store.models import Base
from store.sql import chunks

FORMAT = "duecare-backup"
VERSION = 1
_BATCH = 1_000


class BackupError(StoreError):
    """A backup that cannot be read or restored here; the message says why, and nothing was changed."""


def write_backup(engine: Engine, out: BinaryIO) -> dict[str, int]:
    """Writes everything, as of one instant, while others go on working; the rows by table.  Raises SchemaError."""
    migrations.require(engine)
    counts: dict[str, int] = {}
    digest = hashlib.sha256()
    with gzip.GzipFile(fileobj=out, mode="wb", mtime=0) as packed, reader_factory(engine)() as session:

        def put(value: Any) -> None:
            line = dumps(value).encode() + b"\n"
            digest.update(line)
            packed.write(line)

        tables = {table.name: [column.name for column in table.columns] for table in Base.metadata.sorted_tables}
        put({"format": FORMAT, "version": VERSION, "revision": migrations.head(), "tables": tables})
        for table in Base.metadata.sorted_tables:
            counts[table.name] = 0
            rows = session.execute(select(table).order_by(*table.primary_key), execution_options={"yield_per": _BATCH})
            for row in rows:
                put([table.name, list(row)])
                counts[table.name] += 1
        packed.write(dumps({"rows": counts, "sha256": digest.hexdigest()}).encode() + b"\n")
    return counts


def read_backup(engine: Engine, source: BinaryIO) -> dict[str, int]:
    """Fills the empty tables of ``engine`` from a backup, all or nothing; the rows by table.

    Raises BackupError for a file that is no backup, is damaged or was made at another revision, and for tables that hold rows;
    SchemaError for a database that has not been migrated.
    """
    migrations.require(engine)
    tables = {table.name: table for table in Base.metadata.sorted_tables}
    counts = dict.fromkeys(tables, 0)
    with engine.begin() as connection:
        filled = [name for name, table in tables.items() if connection.execute(select(table).limit(1)).first() is not None]
        if filled:
            raise BackupError(f"the database is not empty: {', '.join(filled)}")
        lines = _lines(source)
        head = next(lines, None)
        if not isinstance(head, dict) or head.get("format") != FORMAT or head.get("version") != VERSION:
            raise BackupError("the file is no backup of duecare")
        if head.get("revision") != migrations.head():
            raise BackupError(f"the backup was made at revision {head.get('revision')}, the tables here are at {migrations.head()}")
        for name, rows in _grouped(lines, head, tables):
            _insert(connection, tables[name], rows)
            counts[name] += len(rows)
        _check_foot(head, counts)
        if connection.dialect.name == "postgresql":
            _continue_numbering(connection, tables)
    return counts


def _lines(source: BinaryIO) -> Iterator[Any]:
    """The JSON values of the file's lines.  The foot is not given but checked, and noted in the head by ``_grouped``."""
    digest = hashlib.sha256()
    try:
        with gzip.GzipFile(fileobj=source, mode="rb") as packed:
            for line in packed:
                value = json.loads(line)
                if isinstance(value, dict) and "sha256" in value:
                    if value["sha256"] != digest.hexdigest() or packed.read(1):
                        raise BackupError("the backup is damaged: its digest does not fit")
                    yield value
                    return
                digest.update(line)
                yield value
    except (OSError, EOFError, ValueError) as error:
        raise BackupError(f"the backup is damaged or cut off ({type(error).__name__})") from None


def _grouped(lines: Iterator[Any], head: dict[str, Any], tables: Mapping[str, Table]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Rows by table, in portions; the foot is put into ``head`` under ``foot``."""

    def rows() -> Iterator[tuple[str, dict[str, Any]]]:
        for value in lines:
            if isinstance(value, dict):
                head["foot"] = value
                return
            name, row = value
            yield name, dict(zip(head["tables"][name], row, strict=True))

    try:
        for portion in chunks(rows(), _BATCH):
            for name in dict.fromkeys(name for name, _ in portion):
                if name not in tables:
                    raise BackupError("the backup is damaged: it names a table that there is not")
                yield name, [row for named, row in portion if named == name]
    except (KeyError, TypeError, ValueError) as error:
        raise BackupError(f"the backup is damaged ({type(error).__name__})") from None


def _insert(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    try:
        connection.execute(insert(table), rows)
    except StatementError as error:
        if isinstance(error, DBAPIError) and not isinstance(error, IntegrityError | DataError):
            raise
        raise BackupError(f"the backup is damaged: a row of {table.name} cannot be stored") from None


def _check_foot(head: Mapping[str, Any], counts: Mapping[str, int]) -> None:
    foot = head.get("foot")
    if foot is None:
        raise BackupError("the backup is cut off: its last line is missing")
    if foot.get("rows") != counts:
        raise BackupError("the backup is damaged: rows are missing")


def _continue_numbering(connection: Connection, tables: Mapping[str, Table]) -> None:
    """Rows that brought their own numbers have not moved PostgreSQL's counters."""
    for table in tables.values():
        column = table.autoincrement_column
        if column is not None:
            last = connection.scalar(select(func.max(column)))
            sequence = {"table": table.name, "column": column.name, "last": last or 1, "used": last is not None}
            connection.execute(text("SELECT setval(pg_get_serial_sequence(:table, :column), :last, :used)"), sequence)
