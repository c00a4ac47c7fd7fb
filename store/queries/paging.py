"""Pages of a list: a total order, a limit, and a cursor that says where the last page ended.  Imports store.errors and store.ids.

Keyset paging: the next page begins after the sort key and id of the last row, so rows that come or go between two pages shift
nothing.  A cursor holds the sort key, the row's opaque id and a digest of the filter, and nothing of a case; where the sort
key itself would name one (``Sort.private``), the cursor holds the id alone and the key is looked up again.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from store.errors import CursorError, QueryError
from store.ids import digest_of

MAX_LIMIT = 1000
DEFAULT_LIMIT = 50
_VERSION = 1
_LONGEST = 500

Item = TypeVar("Item")
Column = ColumnElement[Any] | InstrumentedAttribute[Any]


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Rows of a list, and the cursor of the page after it; None: this is the last one."""

    items: tuple[Item, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Sort:
    """A sort key: an expression that is never NULL.  ``private``: its values must not stand in a cursor."""

    column: Column
    kind: type = int
    private: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """A list: its name, the sorts that it has, its default one ("-" first: descending) and the column that makes the order total."""

    name: str
    sorts: Mapping[str, Sort]
    default: str
    id: Column
    id_kind: type = str

    def page(
        self,
        session: Session,
        query: Select[*tuple[Any, ...]],
        build: Callable[[Any], Item],
        *,
        narrowed: Any,
        sort: str | None = None,
        limit: int = DEFAULT_LIMIT,
        cursor: str | None = None,
    ) -> Page[Item]:
        """The page of ``query`` after ``cursor``; ``narrowed`` is a JSON value of all filters.  Raises QueryError or CursorError."""
        if not 1 <= limit <= MAX_LIMIT:
            raise QueryError("limit", f"must be between 1 and {MAX_LIMIT}")
        chosen, descending, by = self._sort(sort)
        digest = digest_of([self.name, chosen, narrowed])[:16]
        if cursor is not None:
            key, row_id = self._read(session, cursor, by, digest)
            here, there = tuple_(by.column, self.id), tuple_(key, row_id)
            query = query.where(here < there if descending else here > there)
        order = (by.column.desc(), self.id.desc()) if descending else (by.column.asc(), self.id.asc())
        marked = query.add_columns(by.column.label("page_key"), self.id.label("page_id")).order_by(*order).limit(limit + 1)
        rows = session.execute(marked).all()
        following = None
        if len(rows) > limit:
            last = rows[limit - 1]
            following = _encode([_VERSION, digest, last.page_id, *([] if by.private else [last.page_key])])
        return Page(tuple(build(row) for row in rows[:limit]), following)

    def around(self, session: Session, query: Select[*tuple[Any, ...]], row_id: Any, *, sort: str | None = None) -> tuple[Any, Any]:
        """The ids of the rows before and after row ``row_id`` in the order of ``query``, None at an end.

        The row need not fit the query any more, as long as it exists: what has left a list keeps its place in it.  Raises QueryError.
        """
        _, descending, by = self._sort(sort)
        key = session.scalar(select(by.column).where(self.id == row_id))
        if key is None:
            return None, None
        here, there = tuple_(by.column, self.id), tuple_(key, row_id)
        lower = query.where(here < there).order_by(by.column.desc(), self.id.desc())
        higher = query.where(here > there).order_by(by.column.asc(), self.id.asc())
        below, above = (session.scalar(side.with_only_columns(self.id).limit(1)) for side in (lower, higher))
        return (above, below) if descending else (below, above)

    def _sort(self, sort: str | None) -> tuple[str, bool, Sort]:
        chosen = sort or self.default
        by = self.sorts.get(chosen.removeprefix("-"))
        if by is None:
            raise QueryError("sort", f"must be one of {', '.join(self.sorts)}, with - before it for descending order")
        return chosen, chosen.startswith("-"), by

    def _read(self, session: Session, cursor: str, by: Sort, digest: str) -> tuple[Any, Any]:
        given = _decode(cursor)
        if not isinstance(given, list) or len(given) != (3 if by.private else 4) or given[:1] != [_VERSION]:
            raise CursorError("the cursor cannot be read")
        if given[1] != digest:
            raise CursorError("the cursor belongs to another list, sort order or filter")
        row_id = given[2]
        if type(row_id) is not self.id_kind:
            raise CursorError("the cursor cannot be read")
        if by.private:
            key = session.scalar(select(by.column).where(self.id == row_id))
            if key is None:
                raise CursorError("the row that the cursor stands for is gone: begin again")
        else:
            key = given[3]
            if type(key) is not by.kind:
                raise CursorError("the cursor cannot be read")
        if any(isinstance(part, int) and not -(2**63) <= part < 2**63 for part in (key, row_id)):
            raise CursorError("the cursor cannot be read")
        return key, row_id


def _encode(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).decode().rstrip("=")


def _decode(cursor: str) -> Any:
    if len(cursor) > _LONGEST or not cursor.isascii():
        raise CursorError("the cursor cannot be read")
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        decoded = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True).decode())
    except (ValueError, binascii.Error, RecursionError):
        raise CursorError("the cursor cannot be read") from None
    if isinstance(decoded, list) and any(isinstance(part, str) and "\x00" in part for part in decoded):
        raise CursorError("the cursor cannot be read")
    return decoded
