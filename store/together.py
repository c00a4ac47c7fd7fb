"""Several statements as one message to PostgreSQL and back, by psycopg's pipeline mode.  Imports psycopg, sqlalchemy and store.sql.

An evaluation is some thirty short statements; waiting for the answer to each before the next one is sent takes longer than running them.
SQLite, which is asked without a message, runs them one after another.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from store.sql import Statement, dialect

if TYPE_CHECKING:
    import psycopg

Asked = tuple[Statement, dict[str, Any]]
"""A statement and its parameters."""


def together(session: Session, asked: Sequence[Asked]) -> list[Sequence[Any]]:
    """The rows of each statement, in their order; a statement sees what those before it have done.

    Raises sqlalchemy.exc.DBAPIError.
    """
    if dialect(session) != "postgresql":
        return [statement.on(session, **parameters).all() for statement, parameters in asked]
    from psycopg.rows import namedtuple_row

    session.flush()
    with pipelined(session):
        raw = _raw(session.connection())
        cursors = []
        for statement, parameters in asked:
            cursor = raw.cursor(row_factory=namedtuple_row)
            cursor.execute(statement.psycopg, statement.given(parameters))
            cursors.append(cursor)
        return [cursor.fetchall() for cursor in cursors]


@contextmanager
def pipelined(session: Session) -> Iterator[None]:
    """Within it, statements that return nothing are sent without waiting; a fault shows at a later statement, or at the end.

    Raises sqlalchemy.exc.DBAPIError.
    """
    if dialect(session) != "postgresql":
        yield
        return
    import psycopg

    connection = session.connection()
    try:
        with _raw(connection).pipeline():
            yield
    except psycopg.Error as error:
        raise _wrapped(connection, error) from error


def _raw(connection: Connection) -> psycopg.Connection[Any]:
    import psycopg

    raw = connection.connection.driver_connection
    assert isinstance(raw, psycopg.Connection)
    return raw


def _wrapped(connection: Connection, error: psycopg.Error) -> BaseException:
    """The error as SQLAlchemy would have raised it; a connection that is lost is given up, and so are the pool's others."""
    import psycopg

    held = connection.connection
    gone = connection.dialect.is_disconnect(error, held.dbapi_connection, None)  # type: ignore[arg-type]
    if gone:
        connection.invalidate(error)
        connection.engine.pool._invalidate(held, error)  # noqa: SLF001 - as SQLAlchemy does for its own statements
    return DBAPIError.instance(
        None, None, error, psycopg.Error, hide_parameters=True, connection_invalidated=gone, dialect=connection.dialect
    )
