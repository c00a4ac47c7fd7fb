"""The sql adapter on real databases: what is read, in which order, what is never lost, and what it may not do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, create_engine, text

from adapters import databases
from adapters.base import AdapterError, Cursor, Page, Record
from adapters.systems import sql
from adapters.systems.sql import Settings, Sql

ADELAIDE = ZoneInfo("Australia/Adelaide")
MADE = "CREATE TABLE visits (id INTEGER PRIMARY KEY, note VARCHAR(40), updated_at {time}, gone {flag})"


class Client:
    """A client's database with one table of visits, and an adapter that reads it."""

    def __init__(self, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.url = url
        self.engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
        monkeypatch.setenv("CLIENT_URL", url)

    @property
    def postgres(self) -> bool:
        return self.engine.dialect.name == "postgresql"

    def do(self, statement: str, **values: Any) -> None:
        with self.engine.begin() as connection:
            connection.execute(text(statement), values)

    def make(self, *, time: str = "TIMESTAMP", flag: str = "BOOLEAN") -> None:
        self.do(MADE.format(time=time, flag=flag))

    def put(self, id_: int, updated: Any, note: str = "", gone: bool = False) -> None:
        self.do("DELETE FROM visits WHERE id = :id", id=id_)
        self.do("INSERT INTO visits VALUES (:id, :note, :at, :gone)", id=id_, note=note, at=updated, gone=gone)

    def adapter(self, *, page: int = 3, overlap: int = 60, **more: Any) -> Sql:
        table = {"table": "visits", "id": "id", "updated": "updated_at", **more}
        context = {"zone": table.pop("of_the_source", None)}
        given = {"url": {"env": "CLIENT_URL"}, "page": page, "overlap": overlap, "timeout": table.pop("timeout", 60), "tables": [table]}
        return Sql(Settings.model_validate(given, context=context))


def pages(adapter: Sql, cursor: Cursor | None = None) -> tuple[list[Page], Cursor]:
    """One round."""
    found: list[Page] = []
    while True:
        page = adapter.pull(cursor)
        found.append(page)
        cursor = page.cursor
        if not page.more:
            return found, cursor


def round_(adapter: Sql, cursor: Cursor | None = None) -> tuple[list[str], Cursor]:
    found, cursor = pages(adapter, cursor)
    return [record.ref for page in found for record in page.records], cursor


@pytest.fixture(params=["sqlite", "postgresql"])
def client(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    on_postgres = request.param == "postgresql"
    url = request.getfixturevalue("module_pg") if on_postgres else f"sqlite:///{tmp_path / 'client.sqlite3'}"
    made = Client(url, monkeypatch)
    if on_postgres:
        made.do("DROP SCHEMA public CASCADE")
        made.do("CREATE SCHEMA public")
    yield made
    made.engine.dispose()


@pytest.fixture
def sqlite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    made = Client(f"sqlite:///{tmp_path / 'client.sqlite3'}", monkeypatch)
    yield made
    made.engine.dispose()


@pytest.fixture
def postgres(module_pg: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    made = Client(module_pg, monkeypatch)
    made.do("DROP SCHEMA public CASCADE")
    made.do("CREATE SCHEMA public")
    yield made
    made.engine.dispose()


class TestRounds:
    def test_rows_come_in_the_order_of_their_changes_in_bounded_pages(self, client: Client) -> None:
        client.make()
        for id_, minute in ((5, 1), (1, 2), (9, 3), (2, 4), (3, 5)):
            client.put(id_, f"2026-03-20 09:0{minute}:00")
        found, _ = pages(client.adapter())
        assert [[record.ref for record in page.records] for page in found] == [["5", "1", "9"], ["2", "3"]]
        assert found[0].records[0] == Record(
            "visits",
            "5",
            {"id": 5, "note": "", "updated_at": found[0].records[0].fields["updated_at"], "gone": found[0].records[0].fields["gone"]},
            changed=int(dt.datetime(2026, 3, 20, 9, 1, tzinfo=dt.UTC).timestamp() * 1000),
        )

    def test_equal_times_at_the_border_of_a_page_are_told_apart_by_id(self, client: Client) -> None:
        client.make()
        for id_ in range(1, 11):
            client.put(id_, "2026-03-20 09:00:00")
        found, cursor = round_(client.adapter())
        assert found == [str(id_) for id_ in range(1, 11)]
        assert set(round_(client.adapter(), cursor)[0]) == set(found), "the overlap reads them again"

    def test_a_cursor_outlives_the_process_and_gives_the_same_page_twice(self, client: Client) -> None:
        client.make()
        for id_ in range(1, 6):
            client.put(id_, f"2026-03-20 09:0{id_}:00.{id_}")
        first = client.adapter().pull(None)
        once, again = client.adapter().pull(first.cursor), client.adapter().pull(first.cursor)
        assert [record.ref for record in once.records] == [record.ref for record in again.records] == ["4", "5"]

    def test_a_row_that_commits_late_is_read_in_the_overlap(self, client: Client) -> None:
        client.make()
        client.put(1, "2026-03-20 09:00:00")
        client.put(2, "2026-03-20 09:01:00")
        _, cursor = round_(client.adapter())
        client.put(3, "2026-03-20 09:00:01")
        assert "3" in round_(client.adapter(), cursor)[0]

    def test_a_row_that_commits_late_in_a_long_round_is_read_by_the_next(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        """The last rows of a round may be much newer than its beginning: what was late meanwhile lies far behind them."""
        client.make()
        start = dt.datetime(2026, 3, 20, 9, tzinfo=dt.UTC)
        clock = [start]
        monkeypatch.setattr(sql, "clock_of", lambda _: int(clock[0].timestamp() * 1000))
        for id_ in (1, 2, 3):
            client.put(id_, f"2026-03-20 08:59:5{id_}")
        adapter = client.adapter()
        first = adapter.pull(None)
        client.put(4, "2026-03-20 08:59:40")  # late, behind the position
        client.put(5, "2026-03-20 09:20:00")
        clock[0] = start + dt.timedelta(minutes=20)
        _, cursor = round_(adapter, first.cursor)
        assert "4" in round_(adapter, cursor)[0]

    def test_a_round_broken_off_and_taken_up_a_day_later_loses_nothing(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        client.make()
        clock = [dt.datetime(2026, 3, 20, 9, tzinfo=dt.UTC)]
        monkeypatch.setattr(sql, "clock_of", lambda _: int(clock[0].timestamp() * 1000))
        for id_ in (1, 2, 3):
            client.put(id_, f"2026-03-20 08:59:5{id_}")
        first = client.adapter().pull(None)
        client.put(4, "2026-03-20 08:59:49")
        clock[0] += dt.timedelta(days=1)
        client.put(5, "2026-03-21 08:59:00")
        page, cursor = round_(client.adapter(), first.cursor)
        assert page == ["5"]
        assert "4" in round_(client.adapter(), cursor)[0]

    def test_a_row_stamped_in_the_future_hides_no_other(self, client: Client) -> None:
        client.make()
        client.put(1, "2099-01-01 00:00:00")
        _, cursor = round_(client.adapter())
        now = dt.datetime.now(dt.UTC).replace(tzinfo=None, microsecond=0)
        client.put(2, str(now))
        found, cursor = round_(client.adapter(), cursor)
        assert found == ["2", "1"]
        assert "2" in round_(client.adapter(), cursor)[0]

    def test_completeness_ends_an_overlap_before_the_databases_own_now(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        client.make()
        began = int(dt.datetime(2026, 3, 20, 9, tzinfo=dt.UTC).timestamp() * 1000)
        times = iter(range(began, began + 10_000_000, 1_000_000))
        monkeypatch.setattr(sql, "clock_of", lambda _: next(times))
        for id_ in range(1, 6):
            client.put(id_, "2026-03-20 08:00:00")
        found, _ = pages(client.adapter())
        assert [page.complete_until for page in found] == [None, began - 60_000]

    def test_the_database_says_what_time_it_is(self, client: Client) -> None:
        client.make()
        before = dt.datetime.now(dt.UTC).timestamp()
        page = client.adapter(overlap=0).pull(None)
        assert page.complete_until is not None
        assert before - 2 < page.complete_until / 1000 < dt.datetime.now(dt.UTC).timestamp() + 2

    def test_several_tables_take_turns(self, client: Client) -> None:
        client.make()
        client.do("CREATE TABLE plans (id VARCHAR(10) PRIMARY KEY, updated_at TIMESTAMP)")
        client.put(1, "2026-03-20 09:00:00")
        client.do("INSERT INTO plans VALUES ('a', '2026-03-20 08:00:00')")
        tables = [
            {"table": "visits", "id": "id", "updated": "updated_at"},
            {"table": "plans", "kind": "plan", "id": "id", "updated": "updated_at"},
        ]
        adapter = Sql(Settings.model_validate({"url": {"env": "CLIENT_URL"}, "tables": tables}))
        found, cursor = pages(adapter)
        assert [(record.kind, record.ref) for page in found for record in page.records] == [("visits", "1"), ("plan", "a")]
        assert [page.more for page in found] == [True, False]
        assert round_(adapter, cursor)[0] == ["1", "a"]


class TestDeleted:
    def test_a_tombstone_says_that_a_row_is_gone(self, client: Client) -> None:
        client.make()
        client.put(1, "2026-03-20 09:00:00")
        client.put(2, "2026-03-20 09:00:00", gone=True)
        page = client.adapter(deleted="gone").pull(None)
        assert [(record.ref, record.gone) for record in page.records] == [("1", False), ("2", True)]

    def test_a_sweep_names_what_is_there_still_in_pages_and_ends_with_its_kind(self, client: Client) -> None:
        client.make()
        for id_ in range(1, 6):
            client.put(id_, "2026-03-20 09:00:00")
        found, cursor = pages(client.adapter(sweep_hours=24))
        assert [sorted(ref for refs in page.present.values() for ref in refs) for page in found] == [[], [], ["1", "2", "3"], ["4", "5"]]
        assert [list(page.swept) for page in found] == [[], [], [], ["visits"]]
        assert {page.sweep for page in found[1:]} == {1}
        assert not any(page.swept for page in pages(client.adapter(sweep_hours=24), cursor)[0]), "once in its hours"

    def test_a_row_that_was_deleted_is_not_found_when_it_is_asked_for(self, client: Client) -> None:
        client.make()
        client.put(1, "2026-03-20 09:00:00")
        adapter = client.adapter()
        assert [record.ref for record in adapter.fetch("visits", "1")] == ["1"]
        assert list(adapter.fetch("visits", "2")) == list(adapter.fetch("visits", "no number")) == list(adapter.fetch("others", "1")) == []


class TestTimes:
    def test_local_times_are_read_in_the_zone_of_the_source(self, client: Client) -> None:
        client.make()
        client.put(1, "2026-07-01 09:00:00")
        (record,) = client.adapter(of_the_source="Australia/Adelaide").pull(None).records
        assert record.changed == int(dt.datetime(2026, 7, 1, 9, tzinfo=ADELAIDE).timestamp() * 1000)

    @pytest.mark.parametrize("every", [7, 50, 24 * 60])
    def test_nothing_is_lost_in_the_hour_that_comes_twice(self, client: Client, monkeypatch: pytest.MonkeyPatch, every: int) -> None:
        """On 5 April 2026 clocks in Adelaide went from 3:00 back to 2:00: rows of the second hour sort among those of the first."""
        client.make()
        clock = [dt.datetime(2026, 4, 4, 15, tzinfo=dt.UTC)]  # 1:30 in Adelaide; clocks are put back at 16:30 UTC
        monkeypatch.setattr(sql, "clock_of", lambda _: int(clock[0].timestamp() * 1000))
        seen: set[str] = set()
        cursor: Cursor | None = None
        last = 0
        for id_ in range(1, 36):
            client.put(id_, str(clock[0].astimezone(ADELAIDE).replace(tzinfo=None)))
            clock[0] += dt.timedelta(minutes=7)
            if id_ * 7 - last >= every or id_ == 13:
                last = id_ * 7
                found, cursor = round_(client.adapter(zone="Australia/Adelaide", overlap=0), cursor)
                seen |= set(found)
        clock[0] += dt.timedelta(hours=8)
        client.put(99, str(clock[0].astimezone(ADELAIDE).replace(tzinfo=None)))
        for _ in range(2):
            found, cursor = round_(client.adapter(zone="Australia/Adelaide", overlap=0), cursor)
            seen |= set(found)
        assert {str(id_) for id_ in range(1, 36)} - seen == set()

    def test_whole_numbers_count_seconds_or_milliseconds(self, client: Client) -> None:
        client.make(time="BIGINT")
        at = int(dt.datetime(2026, 3, 20, 9, tzinfo=dt.UTC).timestamp())
        for id_ in (1, 2, 3):
            client.put(id_, at + id_)
        found, cursor = pages(client.adapter(page=10))
        assert found[0].records[0].changed == (at + 1) * 1000
        assert cursor["tables"]["visits"]["floor"] == {"is": at + 3 - 60}
        client.do("UPDATE visits SET updated_at = updated_at * 1000")
        found, cursor = pages(client.adapter(page=10))
        assert found[0].records[0].changed == (at + 1) * 1000
        assert cursor["tables"]["visits"]["floor"] == {"is": (at + 3 - 60) * 1000}

    @pytest.mark.parametrize(
        ("newest", "floor"),
        [
            ("2026-03-20T09:05:00Z", "2026-03-20T09:04:00"),
            ("2026-03-20T09:05:00.250Z", "2026-03-20T09:04:00"),
            ("2026-03-20 19:35:00", "2026-03-20 19:34:00"),
            ("2026-03-20 19:35", "2026-03-20 19:34"),
            ("2026-03-20", "2026-03-19"),
        ],
    )
    def test_times_kept_as_text_are_compared_as_they_are_written(self, client: Client, newest: str, floor: str) -> None:
        client.make(time="VARCHAR(40)")
        client.put(1, newest)
        _, cursor = round_(client.adapter(zone="Australia/Adelaide"))
        assert cursor["tables"]["visits"]["floor"] == {"is": floor}
        assert round_(client.adapter(zone="Australia/Adelaide"), cursor)[0] == ["1"]

    @pytest.mark.parametrize("written", ["2026-03-20T09:05:00+10:30", "20/03/2026 09:05", "20260320T090500", "soon"])
    def test_texts_that_do_not_sort_as_times_are_refused_at_once(self, client: Client, written: str) -> None:
        client.make(time="VARCHAR(40)")
        client.put(1, written)
        adapter = client.adapter()
        (problem,) = adapter.check().problems
        assert "sort as times do" in problem or "cannot be compared" in problem or "form" in problem
        assert written not in problem
        with pytest.raises(AdapterError):
            pages(adapter)

    def test_rows_without_a_time_are_counted_and_never_read(self, client: Client) -> None:
        client.make()
        client.put(1, "2026-03-20 09:00:00")
        client.put(2, None)
        adapter = client.adapter()
        assert "2 rows" in adapter.check().readable["visits"]
        assert "1 of them have no updated_at and are never read" in adapter.check().readable["visits"]
        assert round_(adapter)[0] == ["1"]

    def test_days_alone_are_times_too(self, client: Client) -> None:
        client.make(time="DATE")
        client.put(1, "2026-03-20")
        _, cursor = round_(client.adapter())
        client.put(2, "2026-03-20")
        assert round_(client.adapter(), cursor)[0] == ["1", "2"]


class TestPostgres:
    @pytest.mark.parametrize(
        ("kind", "refs"),
        [
            ("uuid", ["0b8a3c9e-5f0e-4b1e-9c51-0d1f6a2b7c01", "f7a4d6a1-21d5-4fd2-8a55-9b8b8f5e6c02"]),
            ("numeric(20)", ["7", "12345678901234567890"]),
            ("text", ["A-1", "ä 2"]),
            ("bigint", ["1", "9007199254740993"]),
        ],
    )
    def test_ids_of_any_type_are_known_again(self, postgres: Client, kind: str, refs: list[str]) -> None:
        postgres.do(f"CREATE TABLE visits (id {kind} PRIMARY KEY, updated_at timestamptz)")
        for ref in refs:
            postgres.do(f"INSERT INTO visits VALUES ('{ref}', '2026-03-20 09:00Z')")
        adapter = postgres.adapter(page=1, sweep_hours=1)
        found, cursor = pages(adapter)
        assert {record.ref for page in found for record in page.records} == set(refs)
        assert {ref for page in found for ref in page.present.get("visits", ())} == set(refs)
        assert [record.ref for ref in refs for record in adapter.fetch("visits", ref)] == refs
        assert set(round_(adapter, cursor)[0]) == set(refs)

    def test_a_view_in_another_schema_is_read_as_a_table_is(self, postgres: Client) -> None:
        postgres.make(time="timestamptz")
        postgres.do("CREATE SCHEMA IF NOT EXISTS feed")
        postgres.do("DROP VIEW IF EXISTS feed.visits")
        postgres.do("CREATE VIEW feed.visits AS SELECT id, updated_at, 'held' AS status FROM visits")
        postgres.put(1, "2026-03-20 09:00Z")
        (record,) = postgres.adapter(table="feed.visits", columns=["status"]).pull(None).records
        assert (record.kind, record.fields) == ("feed.visits", {"status": "held"})

    def test_the_session_cannot_write(self, client: Client) -> None:
        client.make()
        adapter = client.adapter()
        with adapter._engine.connect() as connection, pytest.raises(Exception, match=r"read-?only"):
            connection.execute(text("INSERT INTO visits VALUES (1, '', NULL, NULL)"))

    def test_a_query_that_takes_too_long_ends(self, postgres: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        given = databases._arguments
        monkeypatch.setattr(databases, "_arguments", lambda *of: {**given(*of), "connect_timeout": 60})
        postgres.do("CREATE VIEW visits AS SELECT 1 AS id, now() AS updated_at, pg_sleep(30)::text AS waits")
        with pytest.raises(AdapterError, match="statement timeout"):
            postgres.adapter(timeout=1).pull(None)

    def test_what_stood_in_a_row_is_not_repeated(self, postgres: Client) -> None:
        postgres.make(time="timestamptz")
        postgres.put(1, "2026-03-20 09:00Z", note="Jane Doe")
        postgres.do("CREATE VIEW numbers AS SELECT id, updated_at, note::int FROM visits")
        with pytest.raises(AdapterError, match="invalid input syntax") as caught:
            postgres.adapter(table="numbers").pull(None)
        assert "Jane" not in str(caught.value)

    def test_check_says_as_whom_we_are_known_and_what_may_not_be_read(self, postgres: Client) -> None:
        postgres.make(time="timestamptz")
        postgres.do("DROP OWNED BY duecare_reader") if _role(postgres.engine) else postgres.do("CREATE ROLE duecare_reader LOGIN")
        postgres.do("GRANT USAGE ON SCHEMA public TO duecare_reader")
        reader = postgres.url.replace("duecare@", "duecare_reader@")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("CLIENT_URL", reader)
            found = postgres.adapter().check()
        assert found.identity == "duecare_reader at postgresql"
        assert found.problems == ["visits cannot be read: permission denied for table visits"]


class TestWrongSettings:
    def test_sqlite_ends_a_query_that_takes_too_long_too(self, sqlite: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        sqlite.do(
            "CREATE VIEW visits AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000)"
            " SELECT max(i) AS id, '2026-03-20 09:00:00' AS updated_at FROM n"
        )
        monkeypatch.setattr(databases, "_STEPS", 1000)
        with pytest.raises(AdapterError, match="interrupted"):
            sqlite.adapter(timeout=1).pull(None)

    def test_a_sqlite_file_that_is_not_there_is_not_made(self, sqlite: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CLIENT_URL", f"sqlite:///{tmp_path / 'none.sqlite3'}")
        with pytest.raises(AdapterError, match="does not exist"):
            sqlite.adapter()
        assert not (tmp_path / "none.sqlite3").exists()

    @pytest.mark.parametrize(
        ("url", "says"),
        [
            ("postgresql://reader:s3cret@127.0.0.1:1/none", "cannot be reached"),
            ("postgresql://reader:s3cret", "cannot be reached|does not hold a database URL|cannot be read"),
            ("postgresql://reader:p:s3cret@host:no/none", "does not hold a database URL"),
            ("s3cret", "does not hold a database URL"),
            ("nosuch://reader:s3cret@host/none", "driver .* is not installed"),
            ("mssql+pyodbc://reader:s3cret@host/none", "driver .* is not installed"),
            ("", "is not set or empty"),
        ],
    )
    def test_a_wrong_url_is_told_without_its_password(self, sqlite: Client, monkeypatch: pytest.MonkeyPatch, url: str, says: str) -> None:
        monkeypatch.setenv("CLIENT_URL", url)
        with pytest.raises(AdapterError, match=says) as caught:
            sqlite.adapter().check()
        chain: BaseException | None = caught.value
        assert "s3cret" not in str(chain)

    def test_a_table_or_column_that_is_not_there_is_told_with_what_is_near(self, client: Client) -> None:
        client.make()
        assert client.adapter(table="visit").check().problems == ["there is no table or view visit; did you mean visits?"]
        assert client.adapter(updated="update_at").check().problems == ["visits has no column update_at; did you mean updated_at?"]
        assert client.adapter(columns=["notes"]).check().problems == ["visits has no column notes; did you mean note?"]

    def test_a_column_that_cannot_be_a_time_is_told(self, client: Client) -> None:
        client.make()
        client.put(1, "2026-03-20 09:00:00", note="soon")
        (problem,) = client.adapter(updated="note").check().problems
        assert problem == "visits.note holds no times in a form that can be compared"


def _role(engine: Engine) -> bool:
    with engine.connect() as connection:
        return bool(connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = 'duecare_reader'")))
