"""Migrations: from nothing and back, without drift from the models, and safe when two programs start at once."""

import subprocess
import sys

import pytest
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError

from store import migrations
from store.breaches import Change, Line, write_breaches
from store.engine import make_engine
from store.errors import SchemaError
from store.models import Base
from tests.support.stores import at_once, breach, opened


@pytest.fixture
def engine(store_url):
    engine = make_engine(store_url)
    yield engine
    engine.dispose()


def test_from_nothing_to_the_models_and_back(engine):
    assert migrations.current(engine) is None
    migrations.upgrade(engine)
    assert migrations.current(engine) == migrations.head()
    assert migrations.check(engine) == []
    assert set(inspect(engine).get_table_names()) == {*Base.metadata.tables, "alembic_version"}
    migrations.downgrade(engine, "base")
    assert migrations.current(engine) is None
    assert inspect(engine).get_table_names() == ["alembic_version"]
    migrations.upgrade(engine)
    assert migrations.check(engine) == []


def test_upgrading_twice_changes_nothing(engine):
    migrations.upgrade(engine)
    migrations.upgrade(engine)
    assert migrations.check(engine) == []


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("ALTER TABLE dirty ADD COLUMN extra text", "extra"),
        ("DROP INDEX ix_breach_due_key_id", "ix_breach_due_key_id"),
        ("DROP TABLE waiver", "waiver"),
        (
            {"sqlite": "DROP TRIGGER breach_history_no_delete", "postgresql": "DROP TRIGGER breach_history_no_change ON breach_history"},
            "breach_history",
        ),
    ],
)
def test_check_tells_what_differs(engine, damage, said):
    migrations.upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text(damage if isinstance(damage, str) else damage[engine.dialect.name]))
    found = migrations.check(engine)
    assert found
    assert all(said in line for line in found)


def test_a_database_without_tables_is_told_what_to_do(engine):
    with pytest.raises(SchemaError, match="duecare db upgrade"):
        migrations.require(engine)
    assert len(migrations.check(engine)) == 1
    migrations.upgrade(engine)
    migrations.require(engine)


def test_programs_that_start_at_once_upgrade_once(store_url):
    engines = [make_engine(store_url) for _ in range(4)]
    at_once([lambda engine=engine: migrations.upgrade(engine) for engine in engines])
    assert migrations.check(engines[0]) == []
    for engine in engines:
        engine.dispose()


def test_a_migration_that_fails_leaves_nothing_behind(engine):
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE waiver (in_the_way text)"))
    with pytest.raises(DBAPIError):
        migrations.upgrade(engine)
    assert migrations.current(engine) is None
    assert inspect(engine).get_table_names() == ["waiver"]


@pytest.mark.parametrize("statement", ["UPDATE breach_history SET actor = 'me'", "DELETE FROM breach_history", "TRUNCATE breach_history"])
def test_the_history_of_breaches_cannot_be_changed(store_url, statement):
    with opened(store_url) as store:
        if statement.startswith("TRUNCATE") and store.engine.dialect.name == "sqlite":
            statement = "DELETE FROM breach_history WHERE id > 0"
        with store.write.begin() as session:
            write_breaches(session, [Change(breach(), (Line(at=1, kind="opened", actor="evaluation"),))])
        with store.engine.connect() as connection, pytest.raises(DBAPIError, match="append-only"):
            connection.execute(text(statement))
        with store.engine.connect() as connection:
            assert connection.execute(text("SELECT actor FROM breach_history")).all() == [("evaluation",)]


def test_a_breach_with_a_history_cannot_be_deleted(store_url):
    with opened(store_url) as store:
        with store.write.begin() as session:
            write_breaches(session, [Change(breach(), (Line(at=1, kind="opened", actor="evaluation"),))])
        with store.engine.connect() as connection, pytest.raises(DBAPIError):
            connection.execute(text("DELETE FROM breach"))


def test_the_names_of_the_files_tell_the_order_of_the_revisions():
    """What only asks whether the tables will do goes by them; what upgrades goes by what the revisions say."""
    chain = [script.revision for script in migrations._scripts().walk_revisions()]
    assert migrations.revisions() == chain[::-1]


def test_who_looks_whether_the_tables_will_do_needs_no_alembic(sqlite_url):
    engine = make_engine(sqlite_url)
    migrations.upgrade(engine)
    engine.dispose()
    program = (
        "import sys; from store import migrations; from store.engine import make_engine; engine = make_engine(sys.argv[1]);"
        "migrations.upgrade(engine); migrations.require(engine); sys.exit('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program, sqlite_url], check=False).returncode == 0
