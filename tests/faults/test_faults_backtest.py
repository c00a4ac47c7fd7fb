"""Workers killed with SIGKILL in the middle of a backtest: its report is that of a quiet day, byte for byte, and new events are judged."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack, contextmanager

import pytest
from sqlalchemy import func, select

from service import chunkwork
from service.access import system
from service.backtests import runs as backtest
from service.bootstrap import build
from service.ingest import ingest
from service.settings import Settings
from store.migrations import upgrade
from store.models import BacktestChunkRow, BreachRow, DirtyRow
from tests.support.backtests import LATER, changed, finished, kept
from tests.support.chaos import crowd
from tests.support.overseen import Overseen, killing, until
from tests.support.service_kit import KEY, shipped, three_visits
from workers import process
from workers.embedded import Embedded

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(900)]

SCHEDULER = [sys.executable, "-c", "from workers.process import run_scheduler; raise SystemExit(run_scheduler())"]
WORKER = [sys.executable, "-m", "workers.process"]
EVENTS = 2_500
SEED = 20261122
WORKERS = 2
KILLS = 4
FREE = 5
"""Chunks that are worked on before the first worker is killed."""


def installation(url, home, **settings):
    svc = build(Settings(home=home, database_url=url, secret_key=KEY, **settings), policies=shipped())
    upgrade(svc.engine)
    for start in range(0, EVENTS, 500):
        ingest(svc, crowd(EVENTS, seed=SEED)[start : start + 500], via="test")
    with svc.writing() as session:
        session.query(DirtyRow).delete()
    return svc


def count(svc, *conditions):
    with svc.reading() as session:
        return session.scalar(select(func.count()).where(*conditions))


def state(svc, made):
    return backtest.get(svc, system(), made.id)


@contextmanager
def kept_from_workers(svc, chunk, of_job):
    """Most chunks are passed over by whoever looks for one meanwhile: the job cannot be over before it was disturbed."""
    with svc.writing() as session:
        session.execute(select(chunk.number).where(of_job, chunk.number >= FREE).with_for_update()).all()
        yield


def with_a_new_case_in_the_middle(svc, monkeypatch):
    """A new case comes while the first cases of a job are judged; for each further time that some are, whether it was judged before."""
    judge, seen = chunkwork._Worker._judge, []

    def judging(self, cases, tally):
        seen.append(count(svc, BreachRow.case_id == "new") > 0)
        if len(seen) == 1:
            ingest(svc, three_visits("new"), via="test")
        judge(self, cases, tally)

    monkeypatch.setattr(chunkwork._Worker, "_judge", judging)
    return seen


def test_killed_workers_leave_no_trace_in_the_report(own_postgres, own_redis, tmp_path, monkeypatch):
    monkeypatch.setattr(process, "STEADY", 0.0)
    with own_postgres.database() as url:
        svc = installation(url, tmp_path / "a", redis_url=own_redis.url)
        env = {
            **os.environ,
            "DATABASE_URL": url,
            "REDIS_URL": own_redis.url,
            "DUECARE_SECRET_KEY": KEY,
            "DUECARE_HOME": str(tmp_path / "w"),
            "DUECARE_LEASE_SECONDS": "4",
            "DUECARE_SWEEP_SECONDS": "0.3",
            "DUECARE_PROBATION_SECONDS": "3",
            "DUECARE_LOG_LEVEL": "error",
        }
        candidate = kept(svc, changed(LATER, household_days=1, referral_outcome_days=1))
        undisturbed = backtest.start(svc, system(), candidate=candidate, chunk=40)
        finished(svc, undisturbed)
        as_of, known_at = undisturbed.as_of, undisturbed.known_at
        made = backtest.start(svc, system(), candidate=candidate, as_of=as_of, known_at=known_at, chunk=5)
        with Overseen(WORKER, WORKERS, env) as workers, Overseen(SCHEDULER, 1, env), ExitStack() as stack:
            stack.enter_context(kept_from_workers(svc, BacktestChunkRow, BacktestChunkRow.backtest == made.id))
            until(lambda: state(svc, made).done > 0, 150)
            with killing(workers, kills=KILLS, every=0.15, seed=SEED):
                until(lambda: workers.kills > 0)
                stack.close()
                own_redis.flush()
                ingest(svc, three_visits("new"), via="test")
            until(lambda: count(svc, BreachRow.case_id == "new") > 0, 180)
            until(lambda: state(svc, made).over, 300)
        assert workers.kills == KILLS
        assert state(svc, made).state == "done"
        assert backtest.report_text(svc, system(), made.id) == backtest.report_text(svc, system(), undisturbed.id)
        assert count(svc, BacktestChunkRow.backtest == made.id) == 0
        svc.close()


def test_the_one_process_of_an_embedded_installation_does_it_beside_its_other_work(sqlite_url, tmp_path, monkeypatch):
    svc = installation(sqlite_url, tmp_path, sweep_seconds=0.2)
    candidate = kept(svc, changed(LATER))
    judged = with_a_new_case_in_the_middle(svc, monkeypatch)
    with Embedded(svc):
        made = backtest.start(svc, system(), candidate=candidate, chunk=20)
        until(lambda: state(svc, made).over, 300)
    assert judged[:3] == [False, True, True], "the new case had to wait for more of the backtest than what was in hand"
    assert state(svc, made).state == "done"
    assert backtest.report(svc, system(), made.id)["totals"]["cases"]["judged"] == made.total
    svc.close()
