"""The errors of the store: one hierarchy, so that the doors above can turn each into one kind of answer."""

from __future__ import annotations


class StoreError(Exception):
    """Root of everything that store/ raises on purpose.  No message carries case data."""


class UnsupportedDatabase(StoreError):
    """A database URL that is neither a SQLite file nor PostgreSQL."""


class Unstorable(StoreError, ValueError):
    """Data that no database could give back unchanged (NUL, lone surrogates, NaN): the door should have refused it."""


class CursorError(StoreError, ValueError):
    """A paging cursor that was altered, or that belongs to another list, sort order or filter."""


class QueryError(StoreError, ValueError):
    """A list was asked for with a filter, sort or limit that it does not have.  ``field`` names which."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


class StaleVersion(StoreError):
    """Somebody else changed the row since it was read: read it again and decide again."""


class LeaseLost(StoreError):
    """The claim on a case ran out and somebody else may hold it: write nothing."""


class SchemaError(StoreError):
    """The database's tables are not those that this program needs."""
