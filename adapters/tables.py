"""Rows of a client system's table in the order in which they were changed, and positions in that order as plain JSON.

Imports sqlalchemy and adapters.base.  Positions are kept in the column's own type: a time that went through another one might no
longer be equal to itself, and rows of the same instant would be passed over.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Column, Connection, Date, DateTime, MetaData, String, Table, Time, and_, func, inspect, or_, select, type_coerce
from sqlalchemy.exc import NoSuchTableError
from sqlalchemy.sql import ColumnElement

from adapters.base import AdapterError, Record

_AHEAD = (1, 2, 3)
"""Hours in which clocks that are about to be put back are looked for."""
_MS_SINCE = 100_000_000_000
"""A whole number beyond this counts milliseconds since 1970, else seconds."""

Mark = Mapping[str, Any]
"""A value of a column as JSON: its type and its text."""


def encode(value: Any) -> Mark:
    """A value of a key or time column as JSON.  Raises AdapterError for a type that has no order we know."""
    if isinstance(value, bool) or not isinstance(value, str | int | dt.date | UUID | Decimal):
        raise AdapterError(f"a column of the type {type(value).__name__} can neither be an id nor a time of change")
    if isinstance(value, dt.datetime):
        return {"time": value.isoformat()}
    if isinstance(value, dt.date):
        return {"date": value.isoformat()}
    if isinstance(value, Decimal):
        return {"decimal": str(value)}
    return {"uuid": str(value)} if isinstance(value, UUID) else {"is": value}


def decode(mark: Mark) -> Any:
    """What ``encode`` was given."""
    ((kind, text),) = mark.items()
    if kind == "is":
        return text
    reader: Mapping[str, Any] = {"time": dt.datetime.fromisoformat, "date": dt.date.fromisoformat, "decimal": Decimal, "uuid": UUID}
    return reader[kind](text)


@dataclass(frozen=True, slots=True)
class Found:
    """A page of rows; ``last`` is the position of the last one (time and id), ``newest`` the latest time in it."""

    records: Sequence[Record]
    last: Sequence[Mark] | None
    newest: Mark | None


class Rows:
    """One table or view; ``zone`` is that of times without one."""

    def __init__(
        self,
        connection: Connection,
        *,
        kind: str,
        table: str,
        id_: str,
        updated: str,
        deleted: str | None,
        columns: Sequence[str] | None,
        zone: str | None,
    ) -> None:
        schema, _, name = table.rpartition(".")
        try:
            self._table = Table(name, MetaData(), schema=schema or None, autoload_with=connection)
        except NoSuchTableError:
            known = [*inspect(connection).get_table_names(schema or None), *inspect(connection).get_view_names(schema or None)]
            raise AdapterError(f"there is no table or view {table}{_near(name, known)}") from None
        self.kind = kind
        self._zone = ZoneInfo(zone) if zone is not None else dt.UTC
        self._textual = connection.dialect.name == "sqlite"  # it keeps times as text, in the writer's own way of writing them
        self._id, self._updated = self._column(id_), self._column(updated)
        self._deleted = self._column(deleted) if deleted is not None else None
        wanted = [self._table.c[name] for name in columns] if columns is not None and self._known(columns) else list(self._table.c)
        self._columns = {column.name: self._read(column) for column in wanted}

    def after(self, connection: Connection, last: Sequence[Mark] | None, floor: Mark | None, limit: int) -> Found:
        """Rows behind a position, none that were changed before ``floor``."""
        query = select(self._id, self._updated, *self._extra()).where(self._updated.is_not(None))
        if floor is not None:
            query = query.where(self._updated >= decode(floor))
        if last is not None:
            time, ident = decode(last[0]), decode(last[1])
            query = query.where(or_(self._updated > time, and_(self._updated == time, self._id > ident)))
        rows = connection.execute(query.order_by(self._updated, self._id).limit(limit)).all()
        if not rows:
            return Found([], last, None)
        return Found([self._record(row) for row in rows], [encode(rows[-1][1]), encode(rows[-1][0])], encode(rows[-1][1]))

    def one(self, connection: Connection, ref: str) -> list[Record]:
        """The row of that id; empty where there is none."""
        key: Any = ref
        kind = self._table.c[self._id.name].type.python_type if not self._textual else None
        try:
            key = kind(ref) if kind in (int, UUID, Decimal) else int(ref) if self._textual and self._whole() else ref
        except (ValueError, ArithmeticError):
            return []
        rows = connection.execute(select(self._id, self._updated, *self._extra()).where(self._id == key)).all()
        return [self._record(row) for row in rows]

    def ids_after(self, connection: Connection, last: Mark | None, limit: int) -> tuple[list[str], Mark | None]:
        """Ids in their own order, behind ``last``, whatever has become of their rows."""
        query = select(self._id).order_by(self._id).limit(limit)
        found = list(connection.scalars(query if last is None else query.where(self._id > decode(last))))
        return [_text(value) for value in found], encode(found[-1]) if found else last

    def summary(self, connection: Connection) -> str:
        """How many rows there are, in words, and how many of them can never be read.  Raises AdapterError where times have no order."""
        figures = select(func.count(), func.count(self._updated), func.max(self._updated)).select_from(self._table)
        total, timed, newest = connection.execute(figures).one()
        if newest is not None:
            self.floor(encode(newest), self.as_ms(newest), 0)
        words = f"{total:,} rows" + (f", the newest of {newest}" if newest is not None else "")
        return words + (f"; {total - timed:,} of them have no {self._updated.name} and are never read" if timed < total else "")

    def floor(self, newest: Mark | None, now: int, overlap: int) -> Mark | None:
        """Where the next round begins: ``overlap`` seconds before the newest row, or before ``now`` (ms) where a row claims to be newer."""
        if newest is None:
            return None
        sample = decode(newest)
        at = min(self.as_ms(sample), now) - overlap * 1000
        local = self._earliest(at)
        if isinstance(sample, dt.datetime):
            return encode(local if sample.tzinfo is None else dt.datetime.fromtimestamp(at / 1000, dt.UTC))
        if isinstance(sample, dt.date):
            return encode(local.date())
        if isinstance(sample, str):
            return encode(_like(sample, local, dt.datetime.fromtimestamp(at / 1000, dt.UTC)))
        return encode(at if int(sample) > _MS_SINCE else at // 1000)

    def _earliest(self, at: int) -> dt.datetime:
        """The earliest that a clock on the wall shows from then on: where clocks are put back soon, an hour's times come twice."""
        when = dt.datetime.fromtimestamp(at / 1000, self._zone)
        offset = when.utcoffset() or dt.timedelta()
        later = [dt.datetime.fromtimestamp(at / 1000 + hours * 3_600, self._zone).utcoffset() or offset for hours in _AHEAD]
        return when.replace(tzinfo=None) - max(dt.timedelta(), *(offset - other for other in later))

    def as_ms(self, value: Any) -> int:
        """A value of the time column as UTC ms.  Raises AdapterError where it is none."""
        try:
            if isinstance(value, str):
                value = dt.datetime.fromisoformat(value)
            if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
                value = dt.datetime.combine(value, dt.time())
            if isinstance(value, dt.datetime):
                zoned = value if value.tzinfo is not None else value.replace(tzinfo=self._zone)
                return int(zoned.timestamp() * 1000)
            number = int(value)
        except (ValueError, TypeError, OverflowError):
            raise AdapterError(f"{self._table.name}.{self._updated.name} holds no times in a form that can be compared") from None
        return number if number > _MS_SINCE else number * 1000

    def _record(self, row: Any) -> Record:
        ident, updated, *values = row
        gone = False
        if self._deleted is not None:
            flag = values.pop()
            gone = flag is not None and flag not in (False, 0, "", "0", "f", "false", "n", "no")
        fields = {name: plain(value) for name, value in zip(self._columns, values, strict=True)}
        return Record(self.kind, _text(ident), fields, gone=gone, changed=self.as_ms(updated))

    def _extra(self) -> list[ColumnElement[Any]]:
        return [*self._columns.values(), *([] if self._deleted is None else [self._deleted.label("_deleted")])]

    def _column(self, name: str) -> Any:
        self._known([name])
        return self._read(self._table.c[name])

    def _read(self, column: Column[Any]) -> Any:
        if self._textual and isinstance(column.type, DateTime | Date | Time):
            return type_coerce(column, String).label(column.name)
        return column

    def _whole(self) -> bool:
        from sqlalchemy import Integer

        return isinstance(self._table.c[self._id.name].type, Integer)

    def _known(self, names: Sequence[str]) -> bool:
        for name in names:
            if name not in self._table.c:
                raise AdapterError(f"{self._table.name} has no column {name}{_near(name, list(self._table.c.keys()))}")
        return True


def plain(value: Any) -> Any:
    """A value as JSON; what is neither text, number, time nor JSON (a photograph, say) is left out."""
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else str(value)
    if isinstance(value, UUID):
        return str(value)
    return value if isinstance(value, str | int | float | bool | list | dict | None) else None


def _text(value: Any) -> str:
    return str(int(value)) if isinstance(value, Decimal) and value == value.to_integral_value() else str(value)


def _like(sample: str, local: dt.datetime, utc: dt.datetime) -> str:
    """A time written as ``sample`` is, so that texts compare as times do.  Raises AdapterError where they would not."""
    sep, clock = sample[10:11], sample[11:]
    if "+" in clock or "-" in clock:
        raise AdapterError("times with offsets, kept as text, do not sort as times do: give a view that holds them in UTC")
    if sample[4:5] != "-" or sample[7:8] != "-" or (clock and clock[2:3] != ":"):
        raise AdapterError("times kept as text sort as times do only in the form 2026-03-20T09:00:00")
    when = utc if clock.endswith(("Z", "z")) else local
    return when.strftime("%Y-%m-%d") + (f"{sep}{when:%H:%M:%S}"[: len(sample) - 10] if clock else "")


def _near(name: str, known: Sequence[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; there are {', '.join(sorted(known)[:20]) or 'none'}"
