"""The contract of adapters, kept by sql on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from tests.adapters.contract import CONSENTS, OVERLAP, VISITS, Contract, Row, World

TABLE = (
    "CREATE TABLE {} (id INTEGER PRIMARY KEY, family VARCHAR(10), status VARCHAR(10), held TIMESTAMP, changed TIMESTAMP, deleted TIMESTAMP)"
)
UPSERT = (
    "INSERT INTO {} (id, family, status, held, changed, deleted) VALUES (:id, :family, :status, :held, :changed, :deleted)"
    " ON CONFLICT (id) DO UPDATE SET family = excluded.family, status = excluded.status, held = excluded.held,"
    " changed = excluded.changed, deleted = excluded.deleted"
)


class Tables(World):
    """Two tables with local timestamps and tombstones; a late row is written by a transaction that stays open."""

    def __init__(self, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        self.monkeypatch = monkeypatch
        self.url = url
        self.engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
        monkeypatch.setenv("CLIENT_URL", url)
        self.open: list[Any] = []
        with self.engine.begin() as connection:
            for name in (VISITS, CONSENTS):
                connection.execute(text(f"DROP TABLE IF EXISTS {name}"))
                connection.execute(text(TABLE.format(name)))

    def write(self, row: Row) -> None:
        self._put(row, None)

    def remove(self, row: Row) -> None:
        self._put(row, row.fields()["changed"])

    def late(self, row: Row) -> Callable[[], None]:
        if self.engine.dialect.name == "sqlite":  # one writer at a time: what is late there is a copy from somewhere else
            return lambda: self._put(row, None)
        connection = self.engine.connect()
        self.open.append(connection)
        connection.execute(text(UPSERT.format(row.kind)), self._values(row, None))

        def finish() -> None:
            connection.commit()
            connection.close()

        return finish

    def breaks(self) -> Callable[[], None]:
        self._rename(VISITS, "away")
        self._rename(CONSENTS, "away_too")

        def mend() -> None:
            self._rename("away", VISITS)
            self._rename("away_too", CONSENTS)

        return mend

    def settings(self) -> tuple[str, dict[str, Any]]:
        tables = [{"table": name, "id": "id", "updated": "changed", "deleted": "deleted"} for name in (VISITS, CONSENTS)]
        return "sql", {"url": {"env": "CLIENT_URL"}, "page": self.page, "overlap": OVERLAP, "tables": tables}

    def close(self) -> None:
        for connection in self.open:
            connection.close()
        self.engine.dispose()

    def _put(self, row: Row, deleted: str | None) -> None:
        with self.engine.begin() as connection:
            connection.execute(text(UPSERT.format(row.kind)), self._values(row, deleted))

    def _values(self, row: Row, deleted: str | None) -> dict[str, Any]:
        return {**row.fields(), "id": int(row.ref), "deleted": deleted}

    def _rename(self, old: str, new: str) -> None:
        with self.engine.begin() as connection:
            connection.execute(text(f"ALTER TABLE {old} RENAME TO {new}"))


class Swept(Tables):
    """The same without tombstones: a row that is deleted is simply gone."""

    def remove(self, row: Row) -> None:
        with self.engine.begin() as connection:
            connection.execute(text(f"DELETE FROM {row.kind} WHERE id = :id"), {"id": int(row.ref)})

    def settings(self) -> tuple[str, dict[str, Any]]:
        name, given = super().settings()
        self.monkeypatch.setattr("adapters.systems.sql.HOUR_MS", 0)  # sweeps at each round
        tables = [{"table": one["table"], "id": "id", "updated": "changed", "sweep_hours": 1} for one in given["tables"]]
        return name, {**given, "tables": tables}


class TestSqlite(Contract):
    @pytest.fixture
    def world(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
        made = Tables(f"sqlite:///{tmp_path / 'client.sqlite3'}", monkeypatch)
        yield made
        made.close()


class TestSqliteSwept(Contract):
    @pytest.fixture
    def world(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
        made = Swept(f"sqlite:///{tmp_path / 'client.sqlite3'}", monkeypatch)
        yield made
        made.close()


class TestPostgresql(Contract):
    @pytest.fixture
    def world(self, module_pg: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
        made = Tables(module_pg, monkeypatch)
        yield made
        made.close()
