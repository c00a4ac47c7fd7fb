"""The sweeper: two at once are harmless, and a store that is away is waited for."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from service import evaluate, sweeper
from service.sweeper import Sweeper
from store.models import BreachHistoryRow, DirtyRow, OutboxRow
from tests.support.overseen import until
from tests.support.service_kit import kit, three_visits

CASES = 40


@pytest.fixture
def house(store_url, tmp_path):
    with kit(store_url, tmp_path, now="2026-03-23T15:00", database_pool=10) as made:
        made.take(*(event for number in range(CASES) for event in three_visits(f"k{number}")))
        made.settle()
        yield made


def count(house, row) -> int:
    with house.svc.reading() as session:
        return session.scalar(select(func.count()).select_from(row)) or 0


def test_many_sweepers_and_workers_at_once_do_the_work_once(house):
    house.clock.set("2026-03-24T00:00")
    sweepers = [Sweeper(house.svc, probation=3600) for _ in range(4)]
    with ThreadPoolExecutor(8) as pool:
        swept = [pool.submit(one.sweep) for one in sweepers]
        drained = [pool.submit(evaluate.drain, house.svc) for _ in range(4)]
        for done in (*swept, *drained):
            done.result()
    house.settle()
    assert count(house, DirtyRow) == 0
    for number in range(CASES):
        assert house.kinds("C08", f"k{number}") == ["opened", "announced"]
    with house.svc.reading() as session:
        told = session.scalars(select(OutboxRow.message_id).where(OutboxRow.topic == "breach.opened")).all()
    assert len(told) == len(set(told)) >= CASES


def test_an_evening_in_which_nothing_moved_writes_nothing(house):
    before = count(house, BreachHistoryRow), count(house, OutboxRow)
    house.clock.set("2026-03-23T16:00")
    assert house.sweeper.sweep() == 0
    assert house.settle() == 0
    assert (count(house, BreachHistoryRow), count(house, OutboxRow)) == before


def test_a_store_that_is_away_is_waited_for(own_postgres, tmp_path):
    with own_postgres.database() as url, kit(url, tmp_path, sweep_seconds=0.1) as house:
        stop = threading.Event()
        thread = threading.Thread(target=sweeper.run, args=(house.svc, stop))
        thread.start()
        try:
            own_postgres.stop()
            until(lambda: 'duecare_sweeps_total{result="failed"}' in house.svc.metrics.text().decode())
            own_postgres.start()
            done = _done(house)
            until(lambda: _done(house) > done)
        finally:
            stop.set()
            thread.join(120)
        house.take(*three_visits())
        house.settle()
        assert house.verdict("C08") == "breached"


def _done(house) -> float:
    return house.svc.metrics.sweeps.labels("done")._value.get()
