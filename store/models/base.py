"""The declarative base and the column types that every table shares.  Imports sqlalchemy only.

Text keys carry the "C" collation on PostgreSQL: their order is that of their bytes on every machine, it agrees with
SQLite's, and a newer libc on the server cannot silently invalidate an index.
"""

from __future__ import annotations

from typing import Annotated, Any

from sqlalchemy import JSON, BigInteger, Integer, MetaData, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

TEXT = Text().with_variant(Text(collation="C"), "postgresql")
DOCUMENT = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
SERIAL = BigInteger().with_variant(Integer, "sqlite")

Serial = Annotated[int, mapped_column(SERIAL, primary_key=True, autoincrement=True)]
"""A number given by the database, growing and never given twice."""
Json = Annotated[Any, mapped_column(DOCUMENT)]


class Base(DeclarativeBase):
    """All tables of duecare.  ``int`` columns are 64 bits wide; instants are UTC milliseconds since 1970."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {int: BigInteger(), str: TEXT}  # noqa: RUF012 - SQLAlchemy reads a plain dict


def one_of(column: str, *values: str) -> str:
    """The SQL of a CHECK that ``column`` holds one of ``values``."""
    return f"{column} IN ({', '.join(repr(value) for value in values)})"
