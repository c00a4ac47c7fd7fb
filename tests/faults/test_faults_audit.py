"""Workers killed with SIGKILL in the middle of an audit: its report is that of a quiet day, byte for byte, and new events are judged."""

from __future__ import annotations

import os
from contextlib import ExitStack

import pytest
from sqlalchemy import func, select

from service.access import system
from service.audits import runs as audits
from service.ingest import ingest
from service.policies.register import register
from store.models import AuditChunkRow, AuditPrintsRow, BreachRow, DirtyRow
from tests.faults.test_faults_backtest import (
    KILLS,
    SCHEDULER,
    SEED,
    WORKER,
    WORKERS,
    installation,
    kept_from_workers,
    with_a_new_case_in_the_middle,
)
from tests.support.audits import checked, finished
from tests.support.overseen import Overseen, killing, until
from tests.support.service_kit import KEY, three_visits
from workers import process
from workers.embedded import Embedded

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(900)]


def quiet(svc):
    """The policies are on record, and nothing waits to be judged for that."""
    register(svc)
    with svc.writing() as session:
        session.query(DirtyRow).delete()


def count(svc, *conditions):
    with svc.reading() as session:
        return session.scalar(select(func.count()).where(*conditions))


def state(svc, made):
    return audits.get(svc, system(), made.id)


def test_killed_workers_leave_no_trace_in_the_report(own_postgres, own_redis, tmp_path, monkeypatch):
    monkeypatch.setattr(process, "STEADY", 0.0)
    with own_postgres.database() as url:
        svc = installation(url, tmp_path / "a", redis_url=own_redis.url)
        quiet(svc)
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
        undisturbed = audits.start(svc, system(), kind="incremental", chunk=40)
        finished(svc, undisturbed)
        as_of, known_at = undisturbed.as_of, undisturbed.known_at
        made = audits.start(svc, system(), kind="incremental", as_of=as_of, known_at=known_at, chunk=5)
        with Overseen(WORKER, WORKERS, env) as workers, Overseen(SCHEDULER, 1, env), ExitStack() as stack:
            stack.enter_context(kept_from_workers(svc, AuditChunkRow, AuditChunkRow.audit == made.id))
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
        assert audits.report_text(svc, system(), made.id) == audits.report_text(svc, system(), undisturbed.id)
        assert count(svc, AuditChunkRow.audit == made.id) == 0
        with svc.reading() as session:
            prints = session.scalars(select(AuditPrintsRow.prints).where(AuditPrintsRow.audit == made.id)).all()
        assert sum(len(one) for one in prints) == made.total, "each case was counted once"
        svc.close()


def test_the_one_process_of_an_embedded_installation_does_it_beside_its_other_work(sqlite_url, tmp_path, monkeypatch):
    svc = installation(sqlite_url, tmp_path, sweep_seconds=0.2)
    quiet(svc)
    judged = with_a_new_case_in_the_middle(svc, monkeypatch)
    with Embedded(svc):
        made = audits.start(svc, system(), chunk=20)
        until(lambda: state(svc, made).over, 300)
    assert judged[:3] == [False, True, True], "the new case had to wait for more of the audit than what was in hand"
    report = audits.report(svc, system(), made.id)
    assert report["totals"]["cases"] == made.total
    assert checked(report)["left_out"]["never_judged"] == made.total, "nothing is stored of cases that nobody has judged"
    svc.close()
