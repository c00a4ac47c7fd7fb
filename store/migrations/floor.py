"""Which programs work on the tables as they are: kept in the tables' own shape, as a view of one line.  Imports SQLAlchemy.

A revision that only adds leaves every earlier program at work.  One that takes something away names the first program that works without
it; a program before that refuses to begin, instead of failing at the first statement.  Without the view: all programs from 0015 on.
"""

from __future__ import annotations

import re

from sqlalchemy import Connection, column, inspect, select, table, text

_VIEW = "duecare_floor"


def floor(connection: Connection) -> str | None:
    """The head revision of the oldest program that works on the tables; None where nothing was taken away yet."""
    if _VIEW not in inspect(connection).get_view_names():
        return None
    found: str | None = connection.scalar(select(column("program")).select_from(table(_VIEW)))
    return found


def set_floor(connection: Connection, revision: str | None) -> None:
    """For a migration: from now on the tables serve programs whose head is ``revision`` or later (None: all again, on the way back)."""
    connection.execute(text(f"DROP VIEW IF EXISTS {_VIEW}"))
    if revision is not None:
        if not re.fullmatch(r"\d{4}", revision):
            raise ValueError("a revision has four digits, so that revisions compare as texts")
        connection.execute(text(f"CREATE VIEW {_VIEW} AS SELECT '{revision}' AS program"))
