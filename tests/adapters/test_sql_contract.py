"""The contract of adapters, kept by sql on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from adapters.systems.sql import Settings, Sql
from service.sources import sweeps
from tests.adapters.contract import CONSENTS, OVERLAP, VISITS, Contract, Crashed, Reader, Row, World, expected
from tests.support.mariadb import MariaDb
from tests.support.servers import ServerMissing

TABLE = "CREATE TABLE {} (id INTEGER PRIMARY KEY, family VARCHAR(10), status VARCHAR(10), held {time}, changed {time}, deleted {time})"
UPSERT = (
    "INSERT INTO {} (id, family, status, held, changed, deleted) VALUES (:id, :family, :status, :held, :changed, :deleted)"
    " ON CONFLICT (id) DO UPDATE SET family = excluded.family, status = excluded.status, held = excluded.held,"
    " changed = excluded.changed, deleted = excluded.deleted"
)
REPLACE = "REPLACE INTO {} (id, family, status, held, changed, deleted) VALUES (:id, :family, :status, :held, :changed, :deleted)"


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
                connection.execute(text(TABLE.format(name, time="DATETIME(6)" if self.engine.dialect.name == "mariadb" else "TIMESTAMP")))

    def write(self, row: Row) -> None:
        self._put(row, None)

    def remove(self, row: Row) -> None:
        self._put(row, row.fields()["changed"])

    def late(self, row: Row) -> Callable[[], None]:
        if self.engine.dialect.name == "sqlite":  # one writer at a time: what is late there is a copy from somewhere else
            return lambda: self._put(row, None)
        connection = self.engine.connect()
        self.open.append(connection)
        self._execute(connection, row, None)

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
            self._execute(connection, row, deleted)

    def _execute(self, connection: Connection, row: Row, deleted: str | None) -> None:
        statement = (REPLACE if connection.dialect.name == "mariadb" else UPSERT).format(row.kind)
        connection.execute(text(statement), {**row.fields(), "id": int(row.ref), "deleted": deleted})

    def _rename(self, old: str, new: str) -> None:
        with self.engine.begin() as connection:
            connection.execute(text(f"ALTER TABLE {old} RENAME TO {new}"))


class Swept(Tables):
    """The same without tombstones: a row that is deleted is simply gone.  ``hour`` (ms) 0: it sweeps at each round."""

    hour = 0

    @property
    def patches(self) -> Mapping[str, Any]:
        return {"adapters.systems.sql.HOUR_MS": self.hour}

    def remove(self, row: Row) -> None:
        with self.engine.begin() as connection:
            connection.execute(text(f"DELETE FROM {row.kind} WHERE id = :id"), {"id": int(row.ref)})

    def settings(self) -> tuple[str, dict[str, Any]]:
        name, given = super().settings()
        for place, value in self.patches.items():
            self.monkeypatch.setattr(place, value)
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

    def test_whoever_dies_while_what_is_gone_is_taken_back_does_it_again(
        self, world: World, reader: Reader, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for ref in ("1", "2", "3"):
            world.add(ref)
        reader.pull()
        world.delete("2")
        with monkeypatch.context() as patch:
            patch.setattr(sweeps, "take_records", _dies)
            with pytest.raises(Crashed):
                reader.pull()
        assert isinstance(world, Swept)
        world.hour = 3_600_000  # the next sweep is far away
        reader.pull()
        assert reader.standing() == expected(world)


def _dies(*_: object) -> None:
    raise Crashed


class TestPostgresql(Contract):
    @pytest.fixture
    def world(self, module_pg: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
        made = Tables(module_pg, monkeypatch)
        yield made
        made.close()


@pytest.fixture(scope="module")
def mariadb() -> Iterator[MariaDb]:
    try:
        server = MariaDb()
    except ServerMissing as error:
        pytest.skip(str(error))
    with server:
        yield server


class TestMariaDb(Contract):
    @pytest.fixture
    def world(self, mariadb: MariaDb, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
        made = Tables(mariadb.url, monkeypatch)
        yield made
        made.close()

    def test_the_session_cannot_write_and_says_who_it_is(self, world: World) -> None:
        name, given = world.settings()
        adapter = Sql(Settings.model_validate(given))
        found = adapter.check()
        assert (name, found.identity, list(found.problems)) == ("sql", "duecare@127.0.0.1 at mariadb", [])
        with adapter._engine.connect() as connection, pytest.raises(SQLAlchemyError, match="READ ONLY"):
            connection.execute(text("INSERT INTO visits (id) VALUES (1)"))
