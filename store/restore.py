"""An empty store filled from a backup, all of it or nothing; also from SQLite to PostgreSQL or back.

A backup is taken in at the revision at which it was made, and its tables are then brought up to what this program needs, in the same
transaction: so an old backup serves a new program.  Imports store.backup and store.migrations.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from sqlalchemy import JSON, Column, Connection, Engine, MetaData, Table, func, insert, inspect, select, text, update
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, StatementError
from sqlalchemy.orm import Session

from store import migrations
from store.backup import FORMAT, VERSION, BackupError, Manifest, manifest_of
from store.models import AuditChunkRow, BacktestChunkRow, DirtyRow, ReceiverRow, SourceRow, TallyStateRow
from store.sql import chunks

_BATCH = 1_000


def read_manifest(source: BinaryIO) -> Manifest:
    """What a backup holds, after its every line was read and its digest compared.  Raises BackupError."""
    lines = _lines(source)
    head = _head(lines)
    counts = dict.fromkeys(head["tables"], 0)
    for name, rows in _grouped(lines, head, head["tables"]):
        counts[name] += len(rows)
    return _checked(head, counts)


def read_backup(engine: Engine, source: BinaryIO) -> Manifest:
    """Fills ``engine``'s database, which must hold no row, from a backup, and brings the tables up to date.

    Raises BackupError for a file that is no backup, is damaged or was made by a newer program, and for a database that holds rows.
    """
    with migrations.locked(engine) as connection:
        _refuse_full(connection)
        lines = _lines(source)
        head = _head(lines)
        if head["revision"] not in migrations.revisions():
            newest = migrations.head()
            raise BackupError(f"the backup was made at revision {head['revision']}, which this program (up to {newest}) does not know")
        _tables_as_then(connection, head["revision"])
        tables = {name: _table(connection, name) for name in inspect(connection).get_table_names() if name != "alembic_version"}
        counts = dict.fromkeys(head["tables"], 0)
        for name, rows in _grouped(lines, head, tables):
            _insert(connection, tables[name], rows)
            counts[name] += len(rows)
        manifest = _checked(head, counts)
        if connection.dialect.name == "postgresql":
            _continue_numbering(connection, tables)
        migrations.upgrade_on(connection)
    return manifest


def free_all(session: Session) -> None:
    """Whoever held a lease when the backup was made is none of this installation's: what was leased waits again, untried."""
    free = {"claimed_until": None, "token": None}
    held = DirtyRow.token.is_not(None)
    session.execute(update(DirtyRow).where(held).values(**free, claimed_by=None, attempts=0))
    for chunks_of in (AuditChunkRow, BacktestChunkRow):
        session.execute(update(chunks_of).where(chunks_of.token.is_not(None)).values(**free))
    for turns in (SourceRow, ReceiverRow):
        session.execute(update(turns).where(turns.token.is_not(None)).values(token=None, lease_until=None))
    session.execute(update(TallyStateRow).values(claimed_until=None))


def _refuse_full(connection: Connection) -> None:
    names = [name for name in inspect(connection).get_table_names() if name != "alembic_version"]
    filled = [name for name in sorted(names) if connection.execute(select(text("1")).select_from(text(f'"{name}"')).limit(1)).first()]
    if filled:
        raise BackupError(f"the database is not empty: {', '.join(filled)}")
    if names and migrations.current_of(connection) is None:
        raise BackupError("the database holds tables that are not duecare's; a backup goes into a database of its own")


def _tables_as_then(connection: Connection, revision: str) -> None:
    """Empty tables are made anew where they are of another revision."""
    found = migrations.current_of(connection)
    if found != revision:
        if found is not None:
            migrations.downgrade_on(connection, "base")
        migrations.upgrade_on(connection, revision)


def _table(connection: Connection, name: str) -> Table:
    """The table as the database has it: that of an earlier revision is in no model."""
    columns = []
    for found in inspect(connection).get_columns(name):
        kind = found["type"]
        if isinstance(kind, JSON):
            kind.none_as_null = True
        columns.append(Column(found["name"], kind))
    return Table(name, MetaData(), *columns)


def _lines(source: BinaryIO) -> Iterator[Any]:
    """The JSON values of the file's lines; the last one, the foot, only if the digest in it fits."""
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


def _head(lines: Iterator[Any]) -> dict[str, Any]:
    head = next(lines, None)
    if not isinstance(head, dict) or head.get("format") != FORMAT or not isinstance(head.get("tables"), dict):
        raise BackupError("the file is no backup of duecare")
    if head.get("version") != VERSION:
        raise BackupError(f"the backup has format {head.get('version')}, this program reads format {VERSION}")
    return head


def _grouped(lines: Iterator[Any], head: dict[str, Any], known: Mapping[str, Any]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
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
                if name not in known:
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


def _checked(head: dict[str, Any], counts: Mapping[str, int]) -> Manifest:
    foot = head.get("foot")
    if foot is None:
        raise BackupError("the backup is cut off: its last line is missing")
    if foot.get("rows") != counts:
        raise BackupError("the backup is damaged: rows are missing")
    try:
        return manifest_of(head, foot)
    except (KeyError, TypeError) as error:
        raise BackupError(f"the backup is damaged ({type(error).__name__})") from None


def _continue_numbering(connection: Connection, tables: Mapping[str, Table]) -> None:
    """Rows that brought their own numbers have not moved PostgreSQL's counters."""
    for table in tables.values():
        for found in inspect(connection).get_columns(table.name):
            if found.get("autoincrement") is True:
                column = table.c[found["name"]]
                last = connection.scalar(select(func.max(column)))
                sequence = {"table": table.name, "column": column.name, "last": last or 1, "used": last is not None}
                connection.execute(text("SELECT setval(pg_get_serial_sequence(:table, :column), :last, :used)"), sequence)
