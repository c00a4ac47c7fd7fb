"""A version's processes work on the tables of the next one: a revision after 0015 only adds, or says which programs it leaves behind."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import DBAPIError

from store import migrations
from store.engine import make_engine
from store.errors import SchemaError
from store.migrations.ahead import Index, make_ahead
from store.migrations.floor import floor, set_floor

PROMISED_FROM = "0015"
CONTRACTIONS: dict[str, str] = {}
"""Revisions that take something away, each with why no program that may still run needs it."""


@dataclass(frozen=True)
class Shape:
    """What earlier programs see of a database: columns with their types, and everything that refuses a row."""

    columns: dict[tuple[str, str], dict[str, Any]]
    refusals: set[tuple[str, ...]]
    indexes: set[tuple[str, str]] = field(default_factory=set)


def shape(connection: Connection) -> Shape:
    known = inspect(connection)
    columns: dict[tuple[str, str], Any] = {}
    refusals: set[tuple[str, ...]] = set()
    indexes: set[tuple[str, str]] = set()
    for table in known.get_table_names():
        for column in known.get_columns(table):
            columns[table, column["name"]] = column
        refusals |= {(table, "check", one["sqltext"]) for one in known.get_check_constraints(table)}
        refusals |= {(table, "unique", *map(str, one["column_names"])) for one in known.get_unique_constraints(table)}
        refusals |= {(table, "reference", *one["constrained_columns"]) for one in known.get_foreign_keys(table)}
        for one in known.get_indexes(table):
            indexes.add((table, str(one["name"])))
            if one["unique"]:
                refusals.add((table, "unique", *map(str, one["column_names"])))
    triggers = connection.execute(text("SELECT tbl_name, name FROM sqlite_master WHERE type = 'trigger'"))
    return Shape(columns, refusals | {(table, "trigger", name) for table, name in triggers}, indexes)


def hindrances(before: Shape, after: Shape) -> list[str]:
    """What of the tables as they are ``after`` an earlier program would stumble over."""
    tables = {table for table, _ in before.columns}
    found = []
    for (table, name), column in before.columns.items():
        new = after.columns.get((table, name))
        if new is None:
            found.append(f"{table}.{name} is gone")
        elif str(new["type"]) != str(column["type"]):
            found.append(f"{table}.{name} has another type")
        elif column["nullable"] and not new["nullable"]:
            found.append(f"{table}.{name} may no longer be empty")
    for (table, name), column in after.columns.items():
        if table in tables and (table, name) not in before.columns and not column["nullable"] and column["default"] is None:
            found.append(f"{table}.{name} has to be filled")
    return found + [f"{one[0]} refuses more: {' '.join(one[1:])}" for one in sorted(after.refusals - before.refusals) if one[0] in tables]


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Shape, str | None]]:
    """The tables at each revision, and which programs they serve."""
    engine = make_engine(f"sqlite:///{tmp_path_factory.mktemp('shapes') / 'store.sqlite3'}")
    found = {}
    for revision in migrations.revisions():
        migrations.upgrade(engine, revision)
        with engine.connect() as connection:
            found[revision] = shape(connection), floor(connection)
    engine.dispose()
    return found


def steps() -> Iterator[tuple[str, str]]:
    known = migrations.revisions()
    return ((before, after) for before, after in itertools.pairwise(known) if before >= PROMISED_FROM)


def test_a_revision_only_adds_or_is_listed_with_a_reason(shapes: dict[str, tuple[Shape, str | None]]) -> None:
    for before, after in steps():
        found = hindrances(shapes[before][0], shapes[after][0])
        if after in CONTRACTIONS:
            assert found, f"{after} takes nothing away: it need not be listed"
            assert (shapes[after][1] or "") > (shapes[before][1] or ""), f"{after} takes something away and does not say from whom"
        else:
            assert found == [], after


def test_indexes_on_tables_that_may_be_large_are_made_ahead(shapes: dict[str, tuple[Shape, str | None]]) -> None:
    for before, after in steps():
        old, new = shapes[before][0], shapes[after][0]
        tables = {table for table, _ in old.columns}
        named = {index.name for index in _module(after).__dict__.get("AHEAD", ())}
        assert {name for table, name in new.indexes - old.indexes if table in tables} <= named, after


def _module(revision: str) -> Any:
    return migrations._scripts().get_revision(revision).module


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("ALTER TABLE reject DROP COLUMN note", "reject.note is gone"),
        ("ALTER TABLE reject RENAME COLUMN note TO remark", "reject.note is gone"),
        ("DROP TABLE small", "small.a is gone"),
        ("ALTER TABLE small ADD COLUMN c text NOT NULL DEFAULT ''", None),
        ("ALTER TABLE small ADD COLUMN c text", None),
        ("CREATE TABLE other (a text NOT NULL)", None),
        ("CREATE INDEX more ON small (a)", None),
        ("CREATE UNIQUE INDEX once ON small (a)", "small refuses more: unique a"),
        ("CREATE TRIGGER no BEFORE INSERT ON small BEGIN SELECT RAISE(ABORT, 'no'); END", "small refuses more: trigger no"),
        ("DROP TABLE small; CREATE TABLE small (a text NOT NULL, b text)", "small.a may no longer be empty"),
        ("DROP TABLE small; CREATE TABLE small (a integer, b text)", "small.a has another type"),
        ("DROP TABLE small; CREATE TABLE small (a text, b text, c text NOT NULL)", "small.c has to be filled"),
        ("DROP TABLE small; CREATE TABLE small (a text, b text, CHECK (a > 'b'))", "small refuses more: check a > 'b'"),
    ],
)
def test_what_an_earlier_program_would_stumble_over_is_found(change: str, said: str | None, sqlite_url: str) -> None:
    engine = make_engine(sqlite_url)
    with engine.begin() as connection:
        for statement in ("CREATE TABLE small (a text, b text)", "CREATE TABLE reject (id integer, note text)"):
            connection.execute(text(statement))
        before = shape(connection)
        for statement in change.split("; ") if change.startswith("DROP") else [change]:
            connection.execute(text(statement))
        found = hindrances(before, shape(connection))
    assert said in found if said else found == []
    engine.dispose()


# --- a program and tables of different versions ------------------------------------------------------------------------


@pytest.fixture
def engine(store_url: str) -> Iterator[Engine]:
    made = make_engine(store_url)
    yield made
    made.dispose()


def be_at(connection: Connection, revision: str) -> None:
    connection.execute(text("UPDATE alembic_version SET version_num = :now"), {"now": revision})


def test_a_program_works_on_newer_tables_until_they_say_that_they_no_longer_serve_it(engine: Engine) -> None:
    migrations.upgrade(engine)
    with engine.begin() as connection:
        be_at(connection, "7001")
    migrations.require(engine)
    migrations.upgrade(engine)
    with pytest.raises(SchemaError, match="do it with the newer version"):
        migrations.require(engine, exactly=True)
    with engine.begin() as connection:
        set_floor(connection, migrations.head())
    migrations.require(engine)
    with engine.begin() as connection:
        set_floor(connection, "7000")
    for begin in (migrations.require, migrations.upgrade):
        with pytest.raises(SchemaError, match="serves programs from 7000 on"):
            begin(engine)
    with engine.begin() as connection:
        assert migrations.current_of(connection) == "7001"
        set_floor(connection, None)
    migrations.require(engine)


def test_a_program_does_not_begin_on_tables_that_are_older_or_none(engine: Engine) -> None:
    with pytest.raises(SchemaError, match="at revision none"):
        migrations.require(engine)
    migrations.upgrade(engine, "0014")
    with pytest.raises(SchemaError, match="run `duecare db upgrade`"):
        migrations.require(engine)


# --- manners, on PostgreSQL -------------------------------------------------------------------------------------------


def test_an_upgrade_gives_up_a_table_that_is_in_use_and_begins_anew(pg_db: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "POLITE_MS", 50)
    engine = make_engine(pg_db)
    migrations.upgrade(engine, "0013")
    waits = 0

    def pause(_seconds: float) -> None:
        nonlocal waits
        waits += 1
        with engine.connect() as other:  # those who came after the upgrade are served, as it does not stand before them
            other.execute(text("SELECT count(*) FROM breach_history"))
        if waits == 2:
            reader.rollback()

    with engine.connect() as reader:
        reader.execute(text("SELECT count(*) FROM breach_history"))
        with pytest.raises(DBAPIError, match="lock timeout"):
            migrations.upgrade(engine, "0014", patience=0.0)
        migrations.upgrade(engine, "0014", sleep=pause)
    assert waits == 2
    assert migrations.current(engine) == "0014"
    engine.dispose()


def test_an_index_on_a_large_table_is_there_before_the_upgrade_begins(pg_db: str) -> None:
    engine = make_engine(pg_db)
    migrations.upgrade(engine, "0014")
    valid = text("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('ix_verdict_open')")
    make_ahead(engine, lambda _: [_module("0015")])
    with engine.begin() as connection:
        assert connection.scalar(valid) is True
        connection.execute(text("UPDATE pg_index SET indisvalid = false WHERE indexrelid = to_regclass('ix_verdict_open')"))
    made = {"AHEAD": (*_module("0015").AHEAD, Index("ix_none", "verdict", ("not_yet",)), Index("ix_none", "no_table", ("a",)))}
    make_ahead(engine, lambda _: [type("Module", (), made)])
    with engine.connect() as connection:
        assert connection.scalar(valid) is True, "one that was left half made is made anew"
    migrations.upgrade(engine)
    assert migrations.check(engine) == []
    engine.dispose()


def test_an_index_that_was_not_made_ahead_is_made_by_the_revision(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'store.sqlite3'}")
    migrations.upgrade(engine, "0014")
    make_ahead(engine, lambda _: [_module("0015")])
    with engine.connect() as connection:
        assert "ix_verdict_open" not in {one["name"] for one in inspect(connection).get_indexes("verdict")}
    migrations.upgrade(engine)
    assert migrations.check(engine) == []
    engine.dispose()
