"""Small pieces of SQL that the two databases spell differently.  Imports store.models.base, orjson and sqlalchemy."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from itertools import islice
from typing import Any, TypeVar, cast

import orjson
from sqlalchemy import JSON, BigInteger, Boolean, CursorResult, Text, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Session

from store.engine import dumps
from store.errors import Unstorable
from store.models.base import DOCUMENT

T = TypeVar("T")


def dialect(session: Session) -> str:
    """``sqlite`` or ``postgresql``."""
    return session.get_bind().dialect.name


def upsert(session: Session, table: type[DeclarativeBase]) -> postgresql.Insert | sqlite.Insert:
    """An INSERT into ``table`` that knows ON CONFLICT."""
    return postgresql.insert(table) if dialect(session) == "postgresql" else sqlite.insert(table)


@contextmanager
def settled(session: Session, table: type[DeclarativeBase]) -> Iterator[None]:
    """Inside, nobody is writing to the table; on PostgreSQL, whoever is, is waited for.  On SQLite a writer is alone anyway."""
    if dialect(session) != "postgresql":
        yield
        return
    inner = session.begin_nested()
    session.execute(text(f"LOCK TABLE {table.__tablename__} IN SHARE MODE"))
    yield
    inner.rollback()  # which gives up the lock: nothing was written


class Statement:
    """A statement of the hot paths, written out: SQLAlchemy would take longer to build it than a database to run it.

    ``LISTED(:name)`` in the text stands for any number of values that travel as one parameter, so that the statement is always
    the same: ``x IN LISTED(:cases)``, ``FROM LISTED(:cases) AS given`` with the column ``value``.  The columns named in
    ``documents`` are JSON.  SQLite, where a writer is alone, does without ``FOR UPDATE``.
    """

    def __init__(self, sql: str, *, documents: tuple[str, ...] = ()) -> None:
        self._sql = sql
        self._lists = frozenset(_LISTED.findall(sql))
        types = dict.fromkeys(documents, DOCUMENT)
        texts = {"postgresql": sql, "sqlite": _LOCKING.sub("", sql)}
        self._spelled = {name: text(_LISTED.sub(_SPELLINGS[name], spelled)).columns(**types) for name, spelled in texts.items()}

    @cached_property
    def psycopg(self) -> bytes:
        """The text as psycopg takes it, for ``store.together``."""
        spelled = _LISTED.sub(_SPELLINGS["postgresql"], self._sql).replace("%", "%%")
        return _NAMED.sub(r"%(\1)s", spelled).encode()

    def given(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters of PostgreSQL's statement."""
        return {name: sorted(value) if name in self._lists else value for name, value in parameters.items()}

    def on(self, session: Session, **parameters: Any) -> CursorResult[*tuple[Any, ...]]:
        """The result of running it."""
        session.flush()  # SQLAlchemy does so by itself only for statements that it has built
        kind = dialect(session)
        for name in self._lists:
            values = sorted(parameters[name])
            parameters[name] = values if kind == "postgresql" else dumps(values)
        return cast("CursorResult[*tuple[Any, ...]]", session.execute(self._spelled[kind], parameters))


def columns_of(table: type[DeclarativeBase]) -> str:
    """The columns of a table, to be selected by a ``Statement``."""
    return ", ".join(f'{table.__tablename__}."{column.name}"' for column in table.__table__.columns)


class Bulk:
    """Many rows of one table at once: INSERT, or with ``key`` an upsert that keeps the columns ``keep`` of a row that is there.

    ``passing_over``: the key by which rows that are there already are left as they are.  PostgreSQL gets all rows
    as one JSON parameter, SQLite as one ``executemany``.  Every row has the same columns.  Raises Unstorable.
    """

    def __init__(
        self,
        table: type[DeclarativeBase],
        *,
        key: Sequence[str] = (),
        keep: Sequence[str] = (),
        without: Sequence[str] = (),
        passing_over: Sequence[str] = (),
    ) -> None:
        columns = [column for column in table.__table__.columns if column.name not in without]
        self._names = [column.name for column in columns]
        self._documents = [isinstance(column.type, JSON) for column in columns]
        quoted = [f'"{name}"' for name in self._names]
        changed = [f'"{name}" = excluded."{name}"' for name in self._names if name not in (*key, *keep)]
        conflict = f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET {', '.join(changed)}" if key else ""
        if passing_over:
            conflict = f" ON CONFLICT ({', '.join(passing_over)}) DO NOTHING"
        into = f'INSERT INTO "{table.__tablename__}" ({", ".join(quoted)})'
        shape = ", ".join(f"{name} {_TYPES[type(column.type)]}" for name, column in zip(quoted, columns, strict=True))
        chosen = f"SELECT {', '.join(quoted)} FROM json_to_recordset(CAST(:rows AS json)) AS r ({shape})"  # noqa: S608 - names of our own
        self._postgresql = text(f"{into} {chosen}{conflict}")
        self._sqlite = f"{into} VALUES ({', '.join('?' * len(columns))}){conflict}"

    def write(self, session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
        """Writes ``rows``, in portions."""
        session.flush()
        for some in chunks(rows, 1_000):
            if dialect(session) == "postgresql":
                session.execute(self._postgresql, {"rows": encode(some)})
            else:
                columns = list(zip(self._names, self._documents, strict=True))
                values = [tuple(_document(row[name]) if document else row[name] for name, document in columns) for row in some]
                session.connection().exec_driver_sql(self._sqlite, values)


_TYPES: dict[type, str] = {Text: "text", BigInteger: "bigint", Boolean: "boolean", JSON: "jsonb"}


def _document(value: Any) -> str | None:
    return None if value is None else encode(value)


_NAMED = re.compile(r"(?<![:\w]):([a-z]\w*)")
_LISTED = re.compile(r"LISTED\(:(\w+)\)")
_LOCKING = re.compile(r"\bFOR UPDATE( SKIP LOCKED)?")
_SPELLINGS = {
    "postgresql": r"(SELECT value FROM unnest(CAST(:\1 AS text[])) AS listed (value))",
    "sqlite": r"(SELECT value FROM json_each(:\1))",
}


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """``items`` in lists of at most ``size``."""
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk


def encode(value: Any) -> str:
    """``value`` as JSON text that both databases give back unchanged.  Raises Unstorable for NUL, lone surrogates and NaN."""
    try:
        written = _ENCODE(value)
    except (ValueError, TypeError, RecursionError) as error:
        raise Unstorable(f"cannot be stored as JSON ({type(error).__name__})") from None
    if not is_utf8(written):
        raise Unstorable("cannot be stored: a text contains a lone surrogate")
    if "\\u0000" in written and _holds_nul(json.loads(written)):
        raise Unstorable("cannot be stored: a text contains the character NUL")
    return written


def encode_plain(value: Any, *, nulls: int = 0) -> str:
    """As ``encode``, in a quarter of the time where ``value`` holds None exactly ``nulls`` times.

    orjson writes None for NaN, so that one None more means a close look; so do NUL, and whatever it refuses.
    """
    try:
        written = orjson.dumps(value)
    except TypeError:
        return encode(value)
    if b"\\u0000" in written or written.count(b"null") != nulls:
        return encode(value)
    return written.decode()


def _plain(value: object) -> object:
    if hasattr(value, "keys"):
        return {key: value[key] for key in value}  # type: ignore[attr-defined, index]
    raise TypeError(type(value).__name__)


_ENCODE = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain).encode


def is_utf8(value: str) -> bool:
    """Whether a text can be sent to a database: lone surrogates cannot."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _holds_nul(value: object) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict):
        return any(_holds_nul(part) for item in value.items() for part in item)
    return isinstance(value, list) and any(_holds_nul(part) for part in value)
