"""PostgreSQL, Redis and workers under fire: what was accepted is judged, and the outcome is that of a quiet day."""

from __future__ import annotations

import os
import sys
import time

import pytest
from sqlalchemy.exc import SQLAlchemyError

from service.bootstrap import build
from service.ingest import Status, ingest
from service.settings import Settings
from store.migrations import upgrade
from tests.support.chaos import assert_same, batches, crowd, quiet, undisturbed, waiting
from tests.support.overseen import Overseen, killing
from tests.support.service_kit import KEY, shipped
from workers import process

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(600)]

EVENTS = 5_000
SEED = 20261121
WORKERS = 2
SECONDS = 20
KILLS = 10
SCHEDULER = [sys.executable, "-c", "from workers.process import run_scheduler; raise SystemExit(run_scheduler())"]


def test_killed_workers_a_flushed_redis_and_a_restarted_database_lose_nothing(own_postgres, own_redis, tmp_path, monkeypatch):
    monkeypatch.setattr(process, "STEADY", 0.0)
    events = crowd(EVENTS, seed=SEED)
    parts = list(batches(events, seed=SEED))
    with own_postgres.database() as url:
        settings = Settings(home=tmp_path / "a", database_url=url, redis_url=own_redis.url, secret_key=KEY)
        svc = build(settings, policies=shipped())
        upgrade(svc.engine)
        env = {
            **os.environ,
            "DATABASE_URL": url,
            "REDIS_URL": own_redis.url,
            "DUECARE_SECRET_KEY": KEY,
            "DUECARE_HOME": str(tmp_path / "w"),
            "DUECARE_LEASE_SECONDS": "4",
            "DUECARE_SWEEP_SECONDS": "0.5",
            "DUECARE_PROBATION_SECONDS": "3",
            "DUECARE_LOG_LEVEL": "error",
        }
        accepted = 0
        workers, scheduler = Overseen([sys.executable, "-m", "workers.process"], WORKERS, env), Overseen(SCHEDULER, 1, env)
        with workers, scheduler:
            with killing(workers, scheduler, kills=KILLS, every=1.8, seed=SEED):
                began = time.monotonic()
                for number, part in enumerate(parts):
                    if number in (len(parts) // 4, len(parts) // 2):
                        own_redis.flush()
                    if number == len(parts) // 3:
                        own_postgres.restart()
                    accepted += post(svc, part)
                    # Spread over some time, so that all of it falls among the kills.
                    time.sleep(max(0.0, began + SECONDS * number / len(parts) - time.monotonic()))
            settled = time.monotonic() + 300
            while not is_quiet(svc):
                assert time.monotonic() < settled, still(svc)
                time.sleep(0.2)
        assert accepted == EVENTS - 3, "three of the crowd are heartbeats"
        assert workers.kills
        assert scheduler.kills
        now = svc.now()
        reference = undisturbed(events, tmp_path / "b", now=now)
        assert_same(svc, reference, accepted)
        svc.close()
        reference.close()


def post(svc, part) -> int:
    """Posts like a client that tries again until it has an answer; how many were accepted."""
    ends = time.monotonic() + 180
    while time.monotonic() < ends:
        try:
            report = ingest(svc, part)
        except SQLAlchemyError:
            time.sleep(0.2)
            continue
        assert {result.status for result in report.results} <= {Status.ACCEPTED, Status.DUPLICATE}
        return sum(1 for result in report.results if result.status is Status.ACCEPTED and result.id is not None)
    raise AssertionError("the database has not come back")


def is_quiet(svc) -> bool:
    with svc.reading() as session:
        return quiet(session, svc.now())


def still(svc) -> str:
    with svc.reading() as session:
        return waiting(session)
