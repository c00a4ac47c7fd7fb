"""Any database that SQLAlchemy speaks to: tables or views with an id and a column that says when a row was changed last.

Rows that commit late carry an earlier time than others that were read before them: each round therefore begins an overlap before
the last watermark, and what is read twice is known again.  The watermark never runs ahead of the database's own clock.
Imports adapters.databases and adapters.tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from adapters import base
from adapters.base import AdapterError, Cursor, Kind, Page, Record
from adapters.convert import is_zone
from adapters.databases import clock_of, engine_of, first_line, identity_of, told
from adapters.secrets import Secret
from adapters.tables import Mark, Rows

_DAY = 86_400
HOUR_MS = 3_600_000


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class From(_Model):
    """One table or view."""

    table: str = Field(min_length=1)
    """Its name, with the schema before a dot where need be."""
    kind: str | None = None
    """What the mapping calls its rows; else the table's name."""
    id: str
    """The column, unique within the table, by which a row is known again."""
    updated: str
    """The column that says when the row was changed last: a timestamp, or a whole number of seconds or milliseconds since 1970."""
    zone: str | None = None
    """The time zone of timestamps without one; the source's own, else UTC."""
    deleted: str | None = None
    """A column that is empty, false or 0 unless the row was deleted."""
    columns: list[str] | None = None
    """The columns to read; all unless told."""
    sweep_hours: int | None = Field(default=None, ge=1, le=8_760)
    """Where rows are deleted for good: how often to look which ids are there still."""

    @model_validator(mode="before")
    @classmethod
    def _zone_of_the_source(cls, data: Any, info: ValidationInfo) -> Any:
        return {"zone": (info.context or {}).get("zone"), **data} if isinstance(data, dict) else data

    @field_validator("zone")
    @classmethod
    def _place(cls, name: str | None) -> str | None:
        if name is not None and not is_zone(name):
            raise ValueError("is no time zone such as Australia/Darwin")
        return name

    @property
    def name(self) -> str:
        return self.kind or self.table


class Settings(_Model):
    """What a source of this kind needs to know."""

    url: Secret
    """A SQLAlchemy URL, such as postgresql+psycopg://reader:...@host/db."""
    tables: list[From] = Field(min_length=1)
    page: int = Field(default=1_000, ge=1, le=50_000)
    overlap: int = Field(default=300, ge=0, le=7 * _DAY)
    """Seconds: longer than any transaction of the client system stays open."""
    timeout: int = Field(default=60, ge=1, le=3_600)
    """Seconds that one query may take."""

    @model_validator(mode="after")
    def _kinds_differ(self) -> Self:
        names = [one.name for one in self.tables]
        if len(set(names)) < len(names):
            raise ValueError("two tables have one name: give them a kind each")
        return self


@dataclass(slots=True)
class _Table:
    """How far a table was read.  ``floor``: where its next round begins; ``last`` and ``newest``: where the round at hand is.

    ``began`` (ms): the database's own time when that round began; what commits late while a long round goes on lies behind it.
    """

    floor: Mark | None = None
    began: int | None = None
    last: Sequence[Mark] | None = None
    newest: Mark | None = None
    sweep: int = 0
    swept_at: int = 0
    sweeping: bool = False
    behind: Mark | None = None
    """The id up to which the sweep at hand has come."""


@dataclass(slots=True)
class _Cursor:
    """``index``: the table whose turn it is; ``began`` (ms): the database's own time when the round began."""

    index: int = 0
    began: int | None = None
    tables: dict[str, _Table] = field(default_factory=dict)

    @classmethod
    def read(cls, cursor: Cursor | None) -> _Cursor:
        given = dict(cursor or {})
        return cls(given.get("index", 0), given.get("began"), {name: _Table(**one) for name, one in given.get("tables", {}).items()})


class Sql:
    """See the module."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._engine = engine_of(settings.url, settings.timeout)
        self._known: dict[str, Rows] = {}

    def close(self) -> None:
        self._engine.dispose()

    def check(self) -> base.Connection:
        problems: list[str] = []
        readable: dict[str, str] = {}
        with told("the database cannot be reached"), self._engine.connect() as connection:
            identity = identity_of(connection)
            for one in self._settings.tables:
                try:
                    readable[one.name] = self._rows(connection, one).summary(connection)
                except AdapterError as error:
                    problems.append(str(error))
                except SQLAlchemyError as error:
                    connection.rollback()
                    problems.append(f"{one.table} cannot be read: {first_line(error)}")
        return base.Connection(identity, readable, problems)

    def pull(self, cursor: Cursor | None) -> Page:
        at = _Cursor.read(cursor)
        if at.index >= len(self._settings.tables):
            at.index = 0
        one = self._settings.tables[at.index]
        table = at.tables.setdefault(one.name, _Table())
        with told(f"{one.table} cannot be read"), self._engine.connect() as connection:
            rows, now = self._rows(connection, one), clock_of(connection)
            at.began = now if at.began is None else at.began
            if table.sweeping:
                return self._sweep(connection, rows, at, table, now)
            table.began = now if table.began is None else table.began
            found = rows.after(connection, table.last, table.floor, self._settings.page)
        table.newest = found.newest or table.newest
        if len(found.records) == self._settings.page:
            table.last = found.last
            return self._page(at, found.records, more=True)
        table.floor = rows.floor(table.newest, table.began, self._settings.overlap) or table.floor
        table.last, table.newest, table.began = None, None, None
        if one.sweep_hours is not None and now - table.swept_at >= one.sweep_hours * HOUR_MS:
            table.sweep, table.sweeping, table.behind = table.sweep + 1, True, None
            return self._page(at, found.records, more=True)
        return self._onwards(at, found.records)

    def fetch(self, kind: str, ref: str) -> Sequence[Record]:
        one = next((one for one in self._settings.tables if one.name == kind), None)
        if one is None:
            return []
        with told(f"{one.table} cannot be read"), self._engine.connect() as connection:
            return self._rows(connection, one).one(connection, ref)

    def _sweep(self, connection: Connection, rows: Rows, at: _Cursor, table: _Table, now: int) -> Page:
        refs, table.behind = rows.ids_after(connection, table.behind, self._settings.page)
        present, number = {rows.kind: refs}, table.sweep
        if len(refs) == self._settings.page:
            return replace(self._page(at, [], more=True), present=present)
        table.sweeping, table.behind, table.swept_at = False, None, now
        return replace(self._onwards(at, []), present=present, swept=[rows.kind], sweep=number)

    def _onwards(self, at: _Cursor, records: Sequence[Record]) -> Page:
        """To the next table, or to the end of the round."""
        number = at.tables[self._settings.tables[at.index].name].sweep
        at.index += 1
        if at.index < len(self._settings.tables):
            return Page(records, asdict(at), more=True, sweep=number)
        complete = (at.began or 0) - self._settings.overlap * 1_000
        at.index, at.began = 0, None
        return Page(records, asdict(at), complete_until=complete, sweep=number)

    def _page(self, at: _Cursor, records: Sequence[Record], *, more: bool) -> Page:
        return Page(records, asdict(at), more=more, sweep=at.tables[self._settings.tables[at.index].name].sweep)

    def _rows(self, connection: Connection, one: From) -> Rows:
        if one.name not in self._known:
            self._known[one.name] = Rows(
                connection,
                kind=one.name,
                table=one.table,
                id_=one.id,
                updated=one.updated,
                deleted=one.deleted,
                columns=one.columns,
                zone=one.zone,
            )
        return self._known[one.name]


KIND = Kind("sql", "Tables or views of any database that SQLAlchemy speaks to.", Settings, Sql)
