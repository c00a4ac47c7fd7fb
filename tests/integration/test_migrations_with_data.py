"""Upgrades from every earlier version with data in place, each step back, and programs that upgrade at once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from service import evaluate
from service.bootstrap import build
from service.settings import Settings
from store import migrations
from store.engine import make_engine
from store.errors import StoreError
from store.models import Base
from store.queue import mark_every_case
from store.stepdown import WouldLose, step_down
from tests.support.chaos import verdicts
from tests.support.furnished import NEVER_FILLED, Content, content, furnish, part, put
from tests.support.service_kit import KEY, Clock, kit, shipped

NOW = "2026-06-01T12:00"
ORDER = [table.name for table in Base.metadata.sorted_tables]


@pytest.fixture
def engine(store_url: str) -> Iterator[Engine]:
    made = make_engine(store_url)
    yield made
    made.dispose()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> tuple[Content, dict[Any, Any]]:
    """What a store in full use holds at the newest revision, and its verdicts after everything was judged."""
    home = tmp_path_factory.mktemp("furnished")
    with kit(f"sqlite:///{home / 'store.sqlite3'}", home, now=NOW) as made:
        furnish(made)
        with made.svc.engine.connect() as connection:
            held = content(connection)
        made.settle()
        with made.svc.reading() as session:
            return held, verdicts(session)


def test_the_store_that_is_upgraded_here_is_in_full_use(house: tuple[Content, Any]) -> None:
    held, _ = house
    while_under_way = {"audit_chunk", "backtest_chunk", "audit_differs", "audit_signature", "case_link"}
    by_retention = {"legal_hold", "removal", "removal_case", "removal_line", "removed_count", "tombstone"}
    assert {name for name in ORDER if not held[name]} <= while_under_way | by_retention


@pytest.mark.parametrize("revision", migrations.revisions())
def test_what_stood_in_the_tables_of_an_earlier_version_stands_there_after_the_upgrade(
    revision: str, house: tuple[Content, dict[Any, Any]], engine: Engine, store_url: str, tmp_path: Path
) -> None:
    held, judged = house
    migrations.upgrade(engine, revision)
    without = {name for name, since in NEVER_FILLED.items() if revision < since}
    with engine.begin() as connection:
        before = put(connection, held, order=ORDER, without=without)
    assert {"event", "verdict", "breach", "breach_history", "dirty"} <= set(before)
    migrations.upgrade(engine)
    assert migrations.check(engine) == []
    with engine.connect() as connection:
        after = content(connection)
    if revision < "0013":
        for row in before["outbox"]:
            row["sent_at"] = row["sent_at"] or row["created"]  # until then there was nobody to tell: nothing of it is owed
    expected = part(before, before)
    found = part(after, before)
    for name, rows in expected.items():
        assert found[name] == rows, name
    svc = build(Settings(home=tmp_path, database_url=store_url, secret_key=KEY), now=Clock(NOW), policies=shipped())
    with svc.writing() as session:
        mark_every_case(session, svc.now())
    while evaluate.drain(svc):
        pass
    with svc.reading() as session:
        assert verdicts(session) == judged
    svc.close()


def test_each_step_back_leaves_what_the_earlier_version_knew(house: tuple[Content, Any], engine: Engine) -> None:
    held, _ = house
    migrations.upgrade(engine)
    with engine.begin() as connection:
        put(connection, held, order=ORDER)
    lost: dict[str, list[str]] = {}
    for revision in reversed(migrations.revisions()[:-1]):
        with engine.connect() as connection:
            before = content(connection)
        stepped = step_down(engine, lose=True)
        assert stepped.after == revision
        lost[stepped.before] = stepped.lost
        with engine.connect() as connection:
            after = content(connection)
        gone = set(stepped.lost)
        for name, rows in after.items():
            if name not in gone and name in before:
                columns = part(before, {name: rows or [dict.fromkeys(before[name][0])]} if before[name] else {})
                assert part(after, columns) == part(before, columns), (revision, name)
    assert lost["0007"] == ["access_log"]
    assert lost["0011"] == []
    assert lost["0016"] == ["web_session"]
    assert lost["0006"] == ["saved_view"]
    with pytest.raises(StoreError, match="no way back"):
        step_down(engine, lose=True)
    migrations.upgrade(engine)
    assert migrations.check(engine) == []
    with engine.connect() as connection:
        assert content(connection)["event"] == sorted(held["event"], key=repr)


def test_a_step_back_that_would_lose_something_is_not_made_unasked(house: tuple[Content, Any], engine: Engine) -> None:
    held, _ = house
    migrations.upgrade(engine, "0013")
    with engine.begin() as connection:
        put(connection, held, order=ORDER)
    with engine.connect() as connection:
        before = content(connection)
    with pytest.raises(WouldLose) as caught:
        step_down(engine)
    assert caught.value.lost == ["notice", "receiver"]
    with engine.connect() as connection:
        assert content(connection) == before
    assert migrations.current(engine) == "0013"
    assert step_down(engine, to="0010", lose=True).lost == ["notice", "receiver", "seal"]
    with pytest.raises(StoreError, match="not before 0010"):
        step_down(engine, to="0012")


@pytest.mark.faults
def test_processes_that_upgrade_at_once_upgrade_once_with_data_in_place(
    house: tuple[Content, Any], engine: Engine, store_url: str, tmp_path: Path
) -> None:
    held, _ = house
    migrations.upgrade(engine, "0001")
    with engine.begin() as connection:
        put(connection, held, order=ORDER, without=NEVER_FILLED)
    environment = {**os.environ, "DATABASE_URL": store_url, "DUECARE_SECRET_KEY": KEY, "DUECARE_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "cli.main", "db", "upgrade"]
    running = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    told = [process.communicate(timeout=250) for process in running]
    assert [process.returncode for process in running] == [0, 0, 0], told
    assert migrations.check(engine) == []
    with engine.connect() as connection:
        assert len(content(connection)["event"]) == len(held["event"])
