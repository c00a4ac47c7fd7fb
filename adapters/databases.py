"""Connections to clients' databases: drivers, limits, clocks, and errors without secrets.  Imports sqlalchemy and adapters.base."""

from __future__ import annotations

import datetime as dt
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    InterfaceError,
    NoSuchModuleError,
    OperationalError,
    ProgrammingError,
    SQLAlchemyError,
)
from sqlalchemy.pool import NullPool

from adapters.base import AdapterError
from adapters.secrets import Secret

_STEPS = 100_000
"""Of SQLite's machine, between two looks at the clock."""

_NOW = {
    "mysql": "SELECT utc_timestamp(6)",
    "mariadb": "SELECT utc_timestamp(6)",
    "mssql": "SELECT sysutcdatetime()",
    "oracle": "SELECT systimestamp FROM dual",
}
_WHO = {"postgresql": "SELECT current_user", "mysql": "SELECT current_user()", "mariadb": "SELECT current_user()"}
_QUIET = {
    "postgresql": "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
    "mysql": "SET SESSION TRANSACTION READ ONLY",
    "mariadb": "SET SESSION TRANSACTION READ ONLY",
    "sqlite": "PRAGMA query_only = ON",
}
"""Says to the database that we only read."""
_USUAL = {
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
}
"""The driver of a URL that names none."""
_DRIVERS = {
    "psycopg": "postgresql",
    "psycopg2": "postgresql",
    "sqlite3": "sqlite",
    "pymysql": "mysql",
    "MySQLdb": "mysql",
    "mariadb": "mysql",
}


def engine_of(secret: Secret, timeout: int) -> Engine:
    """An engine that only reads; no statement takes longer than ``timeout`` seconds.  Raises AdapterError."""
    try:
        url = make_url(secret.value())
        url = url.set(drivername=_USUAL.get(url.drivername, url.drivername))
        if url.get_backend_name() == "sqlite" and (not url.database or not Path(url.database).is_file()):
            raise AdapterError(f"{secret.place} names a SQLite file that does not exist")
        engine = create_engine(url, poolclass=NullPool, connect_args=_arguments(url.get_driver_name(), timeout))
    except (NoSuchModuleError, ImportError) as error:
        raise AdapterError(f"the driver for {secret.place} is not installed: {error}") from None
    except (ArgumentError, ValueError):  # its text may hold parts of the password
        raise AdapterError(f"{secret.place} does not hold a database URL such as postgresql+psycopg://reader:...@host/db") from None
    event.listen(engine, "connect", _read_only)
    if url.get_backend_name() == "sqlite":
        event.listen(engine, "before_cursor_execute", partial(_until, timeout))
    return engine


def _until(seconds: int, connection: Connection, *_: Any) -> None:
    """SQLite ends no statement by itself."""
    end = time.monotonic() + seconds
    driver: Any = connection.connection.driver_connection
    driver.set_progress_handler(lambda: time.monotonic() > end, _STEPS)


def _read_only(connection: Any, _record: Any) -> None:
    """Before anything else is asked."""
    module = type(connection).__module__.partition(".")[0]
    statement = _QUIET.get(_DRIVERS.get(module, ""))
    if statement is not None:
        cursor = connection.cursor()
        cursor.execute(statement)
        cursor.close()
        if module != "sqlite3":
            connection.commit()


def _arguments(driver: str, timeout: int) -> dict[str, Any]:
    if driver == "psycopg":
        return {"connect_timeout": min(timeout, 15), "options": f"-c statement_timeout={timeout * 1000}"}
    if driver == "pymysql":
        return {"connect_timeout": min(timeout, 15), "read_timeout": timeout}
    return {"timeout": timeout} if driver == "pysqlite" else {}


def clock_of(connection: Connection) -> int:
    """The database's own clock (UTC ms)."""
    found = connection.scalar(text(_NOW.get(connection.dialect.name, "SELECT CURRENT_TIMESTAMP")))
    when = dt.datetime.fromisoformat(found) if isinstance(found, str) else found
    if not isinstance(when, dt.datetime):
        raise AdapterError("the database does not say what time it is")
    return int((when if when.tzinfo is not None else when.replace(tzinfo=dt.UTC)).timestamp() * 1000)


def identity_of(connection: Connection) -> str:
    """As whom the database knows us."""
    who = _WHO.get(connection.dialect.name)
    return f"{connection.scalar(text(who))} at {connection.dialect.name}" if who is not None else connection.dialect.name


@contextmanager
def told(what: str) -> Iterator[None]:
    """Turns the errors of the driver into ours, without the URL and without what was in the rows."""
    try:
        yield
    except SQLAlchemyError as error:
        raise AdapterError(f"{what}: {first_line(error)}") from None


def first_line(error: SQLAlchemyError) -> str:
    """What a driver says, without what stood in the rows and without passwords."""
    origin = getattr(error, "orig", None)
    if origin is not None and not isinstance(error, InterfaceError | OperationalError | ProgrammingError | DataError):
        return type(origin).__name__  # what a view or a function of theirs says may be about a row
    first = (str(origin or type(error).__name__).strip().splitlines() or [""])[0]
    if isinstance(error, DataError) or " with text " in first:  # quotes what stood in the row
        first = re.sub(r"""(["']).*\1""", "...", first)
    return re.sub(r"(password|pwd)\S*\s*[=:]\s*\S+", r"\1=...", first, flags=re.IGNORECASE)[:200]
