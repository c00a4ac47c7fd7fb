"""The whole store in one file, while others go on working.  Imports store.models and store.migrations; store.restore reads the file.

The file is gzipped JSON Lines: a head, one line a row, and a foot with the number of rows and a digest of all lines before it,
so that a file that was cut off or altered restores nothing.  Head and foot together are the manifest.  The file holds everything that
the database holds, hashes of passwords and keys included: keep it as you keep the database.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from store import migrations
from store.engine import dumps, reader_factory
from store.errors import StoreError
from store.models import Base, EventRow, HeartbeatRow, SourceRow

FORMAT = "duecare-backup"
VERSION = 2
_BATCH = 1_000
_LEVEL = 5
"""Of compression: a tenth larger than the best, in a quarter of the time."""


class BackupError(StoreError):
    """A backup that cannot be read or restored here; the message says why, and nothing was changed."""


@dataclass(frozen=True, slots=True)
class SourceThen:
    """How far a source had come when the backup was made.  Instants in ms; ``pulled``: it is asked, and the backup holds its cursor."""

    source: str
    pulled: bool
    last_received: int | None = None
    last_pull: int | None = None
    complete_until: int | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup is.  ``made_at``: the instant (ms) that it shows; ``position``: of its last event; ``key``: see service.backups."""

    revision: str
    tables: Mapping[str, list[str]]
    """The columns of each table, in the order in which rows give them."""
    program: str = ""
    database: str = ""
    made_at: int = 0
    position: int = 0
    key: str = ""
    sources: tuple[SourceThen, ...] = ()
    rows: Mapping[str, int] = field(default_factory=dict)
    sha256: str = ""


def write_backup(engine: Engine, out: BinaryIO, *, now: int, program: str = "", key: str = "") -> Manifest:
    """Writes everything, as of one instant, which ``now`` (ms) names.  ``program``: the version of duecare.  Raises SchemaError."""
    migrations.require(engine, exactly=True)
    counts: dict[str, int] = {}
    digest = hashlib.sha256()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=_LEVEL, mtime=0) as packed, reader_factory(engine)() as session:

        def put(value: Any) -> None:
            line = dumps(value).encode() + b"\n"
            digest.update(line)
            packed.write(line)

        tables = {table.name: [column.name for column in table.columns] for table in Base.metadata.sorted_tables}
        position = session.scalar(select(func.max(EventRow.position))) or 0
        head: dict[str, Any] = {"revision": migrations.head(), "tables": tables, "program": program, "database": engine.dialect.name}
        head |= {"made_at": now, "position": position, "key": key}
        sources = _sources(session)
        put({"format": FORMAT, "version": VERSION, **head, "sources": sources})
        for table in Base.metadata.sorted_tables:
            counts[table.name] = 0
            rows = session.execute(select(table).order_by(*table.primary_key), execution_options={"yield_per": _BATCH})
            for row in rows:
                put([table.name, list(row)])
                counts[table.name] += 1
        packed.write(dumps({"rows": counts, "sha256": digest.hexdigest()}).encode() + b"\n")
    return manifest_of({**head, "sources": sources}, {"rows": counts, "sha256": digest.hexdigest()})


def manifest_of(head: Mapping[str, Any], foot: Mapping[str, Any]) -> Manifest:
    """Head and foot of a file as one.  Raises KeyError and TypeError for what neither is."""
    told = {name: head[name] for name in ("program", "database", "made_at", "position", "key") if name in head}
    sources = tuple(SourceThen(**one) for one in head.get("sources", ()))
    return Manifest(head["revision"], head["tables"], **told, sources=sources, rows=foot["rows"], sha256=foot["sha256"])


def _sources(session: Session) -> list[dict[str, Any]]:
    beats = select(HeartbeatRow.source, func.max(HeartbeatRow.complete_until)).group_by(HeartbeatRow.source)
    until: dict[str, int] = {source: furthest for source, furthest in session.execute(beats)}  # noqa: C416 - rows become pairs
    feeds = select(SourceRow.source, SourceRow.cursor.is_not(None).label("pulled"), SourceRow.last_received, SourceRow.last_pull)
    found = {row.source: row for row in session.execute(feeds)}
    return [
        {
            "source": source,
            "pulled": bool(row.pulled) if (row := found.get(source)) is not None else False,
            "last_received": row.last_received if row is not None else None,
            "last_pull": row.last_pull if row is not None else None,
            "complete_until": until.get(source),
        }
        for source in sorted({*found, *until})
    ]
