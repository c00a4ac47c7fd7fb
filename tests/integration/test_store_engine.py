"""Engines: what a URL may be, what readers may not do, and which failures are worth another try."""

import sqlite3

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError

from store.engine import is_transient, make_engine, reader_factory, retrying, session_factory
from store.errors import UnsupportedDatabase
from store.queue import mark_dirty
from tests.support.stores import Store, opened


@pytest.fixture
def store(store_url):
    with opened(store_url) as store:
        yield store


@pytest.mark.parametrize(
    "url", ["mysql://u:secret@host/db", "sqlite://", "sqlite:///:memory:", "sqlite:///file:x?mode=memory&uri=true", "nonsense"]
)
def test_other_databases_are_refused_without_telling_the_password(url):
    with pytest.raises(UnsupportedDatabase) as caught:
        make_engine(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_spelling_of_postgresql_connects(pg_db, scheme):
    engine = make_engine(scheme + "://" + pg_db.partition("://")[2])
    with engine.connect() as connection:
        assert connection.scalar(text("SHOW lock_timeout")) == "20s"
        assert connection.scalar(text("SHOW timezone")) == "UTC"
    engine.dispose()


def test_options_in_the_url_are_kept(pg_db):
    engine = make_engine(pg_db + "?options=-c%20work_mem%3D5MB&application_name=mine")
    with engine.connect() as connection:
        assert connection.scalar(text("SHOW work_mem")) == "5MB"
        assert connection.scalar(text("SHOW application_name")) == "mine"
        assert connection.scalar(text("SHOW statement_timeout")) == "2min"
    engine.dispose()


def test_sqlite_is_durable_and_checks_foreign_keys(sqlite_url):
    engine = make_engine(sqlite_url)
    with engine.connect() as connection:
        found = {name: connection.scalar(text(f"PRAGMA {name}")) for name in ("journal_mode", "synchronous", "foreign_keys")}
    engine.dispose()
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_a_new_sqlite_file_is_its_owners_alone(tmp_path):
    file = tmp_path / "new" / "folder" / "duecare.sqlite3"
    with opened(f"sqlite:///{file}"):
        found = {path.name: path.stat().st_mode & 0o777 for path in file.parent.iterdir()}
    assert found["duecare.sqlite3"] == found["duecare.sqlite3-wal"] == 0o600


def test_an_engine_touches_nothing_before_it_is_used(tmp_path):
    make_engine(f"sqlite:///{tmp_path / 'folder' / 'x.sqlite3'}").dispose()
    assert list(tmp_path.iterdir()) == []


def test_a_reader_cannot_write(store: Store):
    with store.read() as session, pytest.raises(DBAPIError):
        mark_dirty(session, ["C1"], 1)


def test_a_connection_that_a_reader_used_can_write_afterwards(store: Store):
    with store.read() as session:
        session.execute(text("SELECT 1"))
    with store.write.begin() as session:
        mark_dirty(session, ["C1"], 1)


def test_a_reader_sees_one_instant(store: Store):
    with store.read() as reading:
        assert reading.scalar(text("SELECT count(*) FROM dirty")) == 0
        with store.write.begin() as session:
            mark_dirty(session, ["C1"], 1)
        assert reading.scalar(text("SELECT count(*) FROM dirty")) == 0
    with store.read() as reading:
        assert reading.scalar(text("SELECT count(*) FROM dirty")) == 1


def test_a_writer_that_reads_first_is_not_refused(store: Store):
    """With a plain BEGIN, SQLite refuses the write of whoever read before another wrote."""
    with store.write.begin() as session:
        session.execute(text("SELECT count(*) FROM dirty")).all()
        mark_dirty(session, ["C1"], 1)


def test_errors_show_no_parameters(store: Store):
    with store.write() as session, pytest.raises(DBAPIError) as caught:
        session.execute(text("INSERT INTO dirty (case_id) VALUES (:case)"), {"case": "very-private"})
    assert "very-private" not in str(caught.value.statement)
    assert "[SQL parameters hidden" in str(caught.value)


def test_busy_is_worth_another_try_and_a_wrong_statement_is_not(sqlite_url, tmp_path):
    engine = make_engine(sqlite_url)
    with session_factory(engine)() as session, pytest.raises(OperationalError) as wrong:
        session.execute(text("SELECT * FROM nowhere"))
    assert not is_transient(wrong.value)
    assert not is_transient(ValueError())
    held = sqlite3.connect(str(engine.url.database), isolation_level=None)
    held.execute("BEGIN IMMEDIATE")
    with engine.connect() as connection:
        connection.connection.cursor().execute("PRAGMA busy_timeout=1")
        with pytest.raises(OperationalError) as busy:
            connection.execute(text("SELECT 1"))
    held.close()
    engine.dispose()
    assert is_transient(busy.value)


def test_deadlocks_are_tried_again(pg_db):
    with opened(pg_db) as store:
        pauses: list[float] = []
        runs = []

        def work() -> str:
            runs.append(1)
            if len(runs) < 3:
                with store.engine.connect() as connection:
                    connection.execute(text("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'deadlock_detected'; END $$"))
            return "done"

        assert retrying(work, sleep=pauses.append) == "done"
        assert len(pauses) == 2
        runs.clear()
        with pytest.raises(DBAPIError):
            retrying(work, attempts=2, sleep=pauses.append)


def test_a_reader_factory_leaves_the_engine_as_it_was(sqlite_url):
    engine = make_engine(sqlite_url)
    reader_factory(engine)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE t (a)"))
    engine.dispose()
