"""Taking the tables back to an earlier version, and what that would lose.  Imports store.migrations.

For going back to the program before an upgrade: the tables must be those that it knows.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, Engine, exists, inspect, select, table, text

from store import migrations
from store.errors import StoreError


class WouldLose(StoreError):
    """The earlier tables have no place for something; ``lost`` names it.  Nothing was changed."""

    def __init__(self, revision: str, lost: list[str]) -> None:
        super().__init__(f"at revision {revision} there is no place for what stands in {', '.join(lost)}")
        self.lost = lost


@dataclass(frozen=True, slots=True)
class SteppedDown:
    """From where to where, and what was lost on the way."""

    before: str
    after: str | None
    lost: list[str]


def step_down(engine: Engine, *, to: str | None = None, lose: bool = False) -> SteppedDown:
    """To the revision before, or to an earlier one.  Raises WouldLose unless ``lose``, and StoreError where there is none."""
    with migrations.locked(engine) as connection:
        before = migrations.current_of(connection)
        known = migrations.revisions()
        if before is None or before not in known or (to is None and before == known[0]):
            raise StoreError(f"the tables are at revision {before or 'none'}: there is no way back from there")
        target = to if to is not None else known[known.index(before) - 1]
        if target not in known[: known.index(before)]:
            raise StoreError(f"revision {target} is not before {before}; before it are: {', '.join(known[: known.index(before)])}")
        columns = _columns(connection)
        filled = {name for name in columns if _any(connection, name)}
        values = {(name, column) for name in sorted(filled) for column in columns[name] if _any(connection, name, column)}
        migrations.downgrade_on(connection, target)
        after = _columns(connection)
        lost = [name for name in sorted(filled) if name not in after or not _any(connection, name)]
        gone = [(name, column) for name, column in sorted(values) if name not in lost and column not in after[name]]
        lost += [f"{name}.{column}" for name, column in gone]
        if lost and not lose:
            raise WouldLose(target, lost)
        return SteppedDown(before, migrations.current_of(connection), lost)


def _columns(connection: Connection) -> dict[str, list[str]]:
    looked = inspect(connection)
    names = [name for name in looked.get_table_names() if name != "alembic_version"]
    return {name: [str(column["name"]) for column in looked.get_columns(name)] for name in names}


def _any(connection: Connection, name: str, column: str | None = None) -> bool:
    """Whether a table has a row, or a column a value."""
    rows = select(text("1")).select_from(table(name))
    if column is not None:
        rows = rows.where(text(f'"{column}" IS NOT NULL'))
    return bool(connection.scalar(select(exists(rows))))
