"""A case that kills whoever judges it: set aside after the third worker, seen by people, and in nobody's way."""

from __future__ import annotations

import os
import sys
import time
from types import SimpleNamespace

import pytest

from service import evaluate, sweeper
from service.bootstrap import build
from service.ingest import ingest
from service.settings import Settings
from service.standing import troubles
from store.migrations import upgrade
from store.models import DirtyRow
from tests.support.overseen import Overseen, until
from tests.support.service_kit import KEY, Kit, kit, shipped, three_visits
from workers import process

pytestmark = [pytest.mark.faults, pytest.mark.timeout(420)]

KILLER = """
import os, signal
from service import evaluate
judge = evaluate.judge
def killing(policies, known, **more):
    if known.file.case == "poison":
        os.kill(os.getpid(), signal.SIGKILL)
    return judge(policies, known, **more)
evaluate.judge = killing
from workers.process import run_worker
raise SystemExit(run_worker())
"""


def test_a_case_that_kills_its_workers_is_set_aside_after_the_third(pg_db, redis_db, tmp_path, monkeypatch):
    monkeypatch.setattr(process, "STEADY", 0.0)
    settings = Settings(
        home=tmp_path, database_url=pg_db, redis_url=redis_db, secret_key=KEY, lease_seconds=2, sweep_seconds=0.2, probation_seconds=86_400
    )
    svc = build(settings, policies=shipped())
    upgrade(svc.engine)
    house = Kit(svc, svc.now)
    env = {
        **os.environ,
        "DATABASE_URL": pg_db,
        "REDIS_URL": redis_db,
        "DUECARE_SECRET_KEY": KEY,
        "DUECARE_HOME": str(tmp_path / "w"),
        "DUECARE_LEASE_SECONDS": "2",
        "DUECARE_LOG_LEVEL": "error",
    }
    events = [event for case in ("poison", *(f"k{number}" for number in range(30))) for event in three_visits(case)]

    def set_aside() -> bool:
        house.sweeper.sweep()
        with svc.reading() as session:
            row = session.get(DirtyRow, "poison")
            return row is not None and row.quarantined

    ingest(svc, events, via="test")
    with Overseen([sys.executable, "-c", KILLER], 1, env) as workers:
        until(set_aside, 240, pause=0.2)
        until(lambda: all("C08" in house.breaches(f"k{number}") for number in range(30)))
    assert len(workers.pids) == 4, "three died of it, the fourth lives"
    with svc.reading() as session:
        row = session.get(DirtyRow, "poison")
        assert row is not None
        assert (row.attempts, "died" in (row.last_error or "")) == (3, True)
    assert "quarantine" in {trouble.code for trouble in troubles(svc)}
    evaluate.requeue(svc, "poison")
    assert evaluate.drain(svc) == 1
    assert house.breaches("poison")["C08"].condition == "open"
    svc.close()


def test_what_was_set_aside_because_workers_died_is_tried_again_after_its_probation(sqlite_url, tmp_path, monkeypatch):
    """Workers also die of other things (a machine that is switched off three times): such a case is not left to a person for ever."""
    with kit(sqlite_url, tmp_path, lease_seconds=2) as house:
        house.take(*three_visits())
        for _ in range(4):
            evaluate._claim(house.svc)
            house.clock.advance(seconds=3)
        with house.svc.reading() as session:
            row = session.get(DirtyRow, "k1")
            assert row is not None
            assert row.quarantined
        assert house.settle() == 0
        assert house.settle() == 0, "the probation of an hour has begun"
        later = time.monotonic() + 3600.0
        monkeypatch.setattr(sweeper, "time", SimpleNamespace(monotonic=lambda: later))
        assert house.settle() == 1
        assert house.verdict("C08") == "breached"
