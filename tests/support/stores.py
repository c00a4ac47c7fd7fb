"""A migrated store for a test, and makers of what it keeps.  Imports store/, rules.model and tests.support.servers.

The fixture ``store`` gives a test an empty store on both databases, while the tables are made once a module.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Barrier
from typing import Any, TypeVar

import pytest
from sqlalchemy import Engine, text
from sqlalchemy import event as hooks
from sqlalchemy.orm import Session, sessionmaker

from rules.model import Event, Outcome, Verdict
from store import migrations
from store.breaches import Breach
from store.engine import make_engine, reader_factory, session_factory
from store.models import Base
from tests.support import servers, tables

R = TypeVar("R")


@dataclass(frozen=True)
class Store:
    """An engine on migrated tables, with its two kinds of sessions."""

    engine: Engine
    write: sessionmaker[Session]
    read: sessionmaker[Session]


@contextmanager
def opened(url: str) -> Iterator[Store]:
    """A store on the empty database at ``url``, its connections closed afterwards."""
    engine = make_engine(url)
    try:
        tables.lay(engine)
        yield Store(engine, session_factory(engine), reader_factory(engine))
    finally:
        engine.dispose()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def stored(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store that a module's tests share; ``store`` is it, emptied."""
    if request.param == "sqlite":
        with opened(f"sqlite:///{tmp_path_factory.mktemp('store') / 'duecare.sqlite3'}") as store:
            yield store
    else:
        with servers.fresh_database(request.getfixturevalue("pg_url")) as url, opened(url) as store:
            yield store


@pytest.fixture
def store(stored: Store) -> Iterator[Store]:
    """An empty store, once on SQLite and once on PostgreSQL."""
    yield stored
    _empty(stored)


def _empty(store: Store) -> None:
    tables = [table.name for table in reversed(Base.metadata.sorted_tables)]
    with store.engine.begin() as connection:
        if store.engine.dialect.name == "postgresql":
            connection.execute(text("; ".join(f"ALTER TABLE {table} DISABLE TRIGGER USER" for table in migrations.APPEND_ONLY)))
            connection.execute(text("; ".join(f"DELETE FROM {table}" for table in tables)))
            connection.execute(text("; ".join(f"ALTER TABLE {table} ENABLE TRIGGER USER" for table in migrations.APPEND_ONLY)))
            return
        triggers = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")).all()
        for name, _ in triggers:
            connection.execute(text(f"DROP TRIGGER {name}"))
        for table in tables:
            connection.execute(text(f"DELETE FROM {table}"))
        for _, sql in triggers:
            connection.execute(text(sql))


@contextmanager
def watched(store: Store) -> Iterator[list[str]]:
    """The statements that run meanwhile."""
    statements: list[str] = []

    def note(*call: Any) -> None:
        statements.append(call[2].strip())

    hooks.listen(store.engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        hooks.remove(store.engine, "before_cursor_execute", note)


def at_once(works: Sequence[Callable[[], R]]) -> list[R]:
    """Runs every work in a thread of its own, all released at the same moment; their results, or the first error."""
    gate = Barrier(len(works))

    def run(work: Callable[[], R]) -> R:
        gate.wait(120)
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        return [future.result(150) for future in [pool.submit(run, work) for work in works]]


def event(id_: str, case: str = "C1", *, source: str = "cms", type_: str = "visit.held", time: int = 1_000, **data: Any) -> Event:
    """An event that was recorded a second after it happened."""
    return Event(source, id_, type_, case, time, time + 1_000, True, data)


def verdict(case: str = "C1", rule: str = "C01", obligation: str = "case", **changes: Any) -> Verdict:
    """A breached verdict, unless told otherwise."""
    fields: dict[str, Any] = {
        "case": case,
        "episode": "1",
        "rule": rule,
        "policy": "cfss",
        "policy_digest": "sha256:1",
        "obligation": obligation,
        "verdict": Outcome.BREACHED,
        "reason": None,
        "activated_on": "2026-03-01",
        "due_on": "2026-03-15",
        "due_soon_on": "2026-03-12",
        "satisfied_on": None,
        "days_late": None,
        "curable": True,
        "evidence": ("e1",),
        "rejected": (("e2", "cancelled"),),
        "as_of": 5_000,
        "known_at": 5_000,
        "severity": "high",
        "team": "north",
        "office": "alice",
        "worker": "w1",
    }
    return Verdict(**{**fields, **changes})


def breach(case: str = "C1", rule: str = "C01", obligation: str = "case", **changes: Any) -> Breach:
    """A new, open breach, unless told otherwise."""
    fields: dict[str, Any] = {
        "key": (case, "1", "cfss", rule, obligation),
        "condition": "open",
        "review": "new",
        "severity": "high",
        "team": "north",
        "office": "alice",
        "worker": "w1",
        "due_on": "2026-03-15",
        "days_late": None,
        "contested": None,
        "opened_at": 10_000,
        "changed_at": 10_000,
        "announced_at": None,
        "announce_after": None,
        "policy_digest": "sha256:1",
        "snapshot": {"verdict": "breached"},
    }
    return Breach(**{**fields, **changes})
