"""Connections to the store: one engine a process, made from a URL, and the sessions on it.  Imports store.errors only.

SQLite: write-ahead log; a transaction takes the write lock when it begins (BEGIN IMMEDIATE), because one that reads first
and writes later is refused at once, without waiting, when another wrote in between.  Transactions of a reader begin plainly
and cannot write.  ``synchronous=FULL`` syncs the log at each commit: an accepted event outlives a power cut, too.
PostgreSQL: psycopg 3; readers see one snapshot (REPEATABLE READ, read only) for all of their queries.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InvalidatePoolError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

from store.errors import UnsupportedDatabase

T = TypeVar("T")

BUSY_TIMEOUT_MS = 20_000
STATEMENT_TIMEOUT_MS = 120_000
LOCK_TIMEOUT_MS = 20_000
REST = 1.0
"""Seconds after which a connection that nobody used is asked whether it still stands: a restarted server needs longer to be back."""
_TRANSIENT_STATES = frozenset({"40001", "40P01", "55P03", "57P01"})
_TROUBLED_STATES = ("08", "53", "57P", "58", "25006", "F0", "XX001", "XX002")
_TROUBLED_NAMES = ("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_NOMEM", "SQLITE_CORRUPT", "SQLITE_NOTADB")
_READER = "duecare_reader"

dumps = partial(json.dumps, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def make_engine(url: str, *, pool_size: int = 10, statement_timeout_ms: int = STATEMENT_TIMEOUT_MS) -> Engine:
    """An engine on ``sqlite:///FILE``, ``postgresql://...`` or ``postgres://...``.  Connects to nothing yet.

    Raises UnsupportedDatabase for any other URL; the message does not repeat the URL, which may hold a password.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise UnsupportedDatabase("the database URL cannot be read; it looks like sqlite:///FILE or postgresql://USER@HOST/NAME") from None
    if parsed.drivername in ("sqlite", "sqlite+pysqlite"):
        return _sqlite(parsed, pool_size)
    if parsed.drivername in ("postgres", "postgresql", "postgresql+psycopg"):
        return _postgresql(parsed, pool_size, statement_timeout_ms)
    raise UnsupportedDatabase(f"{parsed.drivername!r} is not supported; use sqlite:///FILE or postgresql://USER@HOST/NAME")


def session_factory(engine: Engine) -> sessionmaker[Session]:
    """Sessions that may write.  Objects stay readable after the commit."""
    return sessionmaker(engine, expire_on_commit=False)


def reader_factory(engine: Engine) -> sessionmaker[Session]:
    """Sessions that only read, all of it as of one instant; on SQLite they never wait for a writer."""
    options: dict[str, Any] = {_READER: True}
    if engine.dialect.name == "postgresql":
        options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    return sessionmaker(engine.execution_options(**options), expire_on_commit=False)


def is_transient(error: BaseException) -> bool:
    """Whether the same transaction may well succeed when tried again: deadlock, lock timeout, busy, lost connection."""
    if not isinstance(error, DBAPIError):
        return False
    state = getattr(error.orig, "sqlstate", None)
    name = getattr(error.orig, "sqlite_errorname", "") or ""
    return error.connection_invalidated or state in _TRANSIENT_STATES or name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))


def is_trouble(error: BaseException) -> bool:
    """Whether the store itself is in trouble, whatever it was asked to do: full, read-only, unreadable, short of something, or away."""
    if not isinstance(error, DBAPIError):
        return False
    state = getattr(error.orig, "sqlstate", None) or ""
    name = getattr(error.orig, "sqlite_errorname", "") or ""
    away = isinstance(error, OperationalError) and not state and not name  # no connection, so no code
    return is_transient(error) or away or state.startswith(_TROUBLED_STATES) or name.startswith(_TROUBLED_NAMES)


def retrying(work: Callable[[], T], *, attempts: int = 5, pause: float = 0.02, sleep: Callable[[float], None] = time.sleep) -> T:
    """``work()``, a whole transaction, done again after a transient error, ``attempts`` times at most."""
    for attempt in range(1, attempts):
        try:
            return work()
        except DBAPIError as error:
            if not is_transient(error):
                raise
        sleep(pause * 2**attempt)
    return work()


def _sqlite(url: URL, pool_size: int) -> Engine:
    if not url.database or url.database == ":memory:" or "mode=memory" in str(url):
        raise UnsupportedDatabase("SQLite needs a file: every thread of a database in memory would see its own")
    file = Path(url.database)
    engine = create_engine(
        url, hide_parameters=True, json_serializer=dumps, pool_size=pool_size, max_overflow=2 * pool_size,
        connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT_MS / 1000},
    )  # fmt: skip
    event.listen(engine, "do_connect", lambda *_: _own_file(file))
    event.listen(engine, "connect", _sqlite_connect)
    event.listen(engine, "begin", _sqlite_begin)
    return engine


def _own_file(file: Path) -> None:
    """Makes a new database file readable for its owner alone; SQLite gives its log the same rights."""
    if not file.name.startswith("file:") and not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)


def _sqlite_connect(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    _write_ahead(cursor)
    for pragma in ("synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY", "cache_size=-32768"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _write_ahead(cursor: Any) -> None:
    """Sets a new file to write-ahead logging once; SQLite's busy timeout does not wait for this one statement.

    Raises:
        sqlite3.OperationalError: others held the file for longer than BUSY_TIMEOUT_MS.
    """
    last = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while cursor.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > last:
                raise
            time.sleep(0.005)


def _sqlite_begin(connection: Connection) -> None:
    reader = connection.get_execution_options().get(_READER, False)
    connection.exec_driver_sql(f"PRAGMA query_only={int(reader)}")
    connection.exec_driver_sql("BEGIN" if reader else "BEGIN IMMEDIATE")


def _postgresql(url: URL, pool_size: int, statement_timeout_ms: int) -> Engine:
    settings = {
        "statement_timeout": statement_timeout_ms,
        "lock_timeout": LOCK_TIMEOUT_MS,
        "idle_in_transaction_session_timeout": 2 * statement_timeout_ms,
        "timezone": "UTC",
    }
    given = url.query.get("options", "")
    options = " ".join([given if isinstance(given, str) else " ".join(given), *(f"-c {name}={value}" for name, value in settings.items())])
    engine = create_engine(
        url.set(drivername="postgresql+psycopg", query={}),
        hide_parameters=True, json_serializer=dumps, pool_size=pool_size, max_overflow=2 * pool_size,
        connect_args={"application_name": "duecare", "connect_timeout": "10", **url.query, "options": options.strip()},
    )  # fmt: skip
    event.listen(engine, "checkin", _came_back)
    event.listen(engine, "checkout", partial(_look_after_a_rest, engine))
    return engine


def _came_back(_connection: Any, record: Any) -> None:
    record.info["came_back"] = time.monotonic()


def _look_after_a_rest(engine: Engine, connection: Any, record: Any, _proxy: object) -> None:
    """Ask a connection whether it still stands before it is used, unless it has just been: workers take one four times an evaluation."""
    if time.monotonic() - record.info.get("came_back", 0.0) > REST:
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error:
            raise InvalidatePoolError from None
