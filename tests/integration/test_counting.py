"""The count behind the rates is made by a worker, and by the sweeper itself only where no worker can be told."""

from __future__ import annotations

import pytest

from service import statistics
from service.hints import COUNT, NoHints, QueueHints
from service.sweeper import Sweeper
from store import tallies
from tests.support.service_kit import kit, three_visits
from workers.actors import declare
from workers.broker import start_telling, stub_broker


@pytest.fixture
def home(sqlite_url, tmp_path):
    with kit(sqlite_url, tmp_path, now="2026-04-20T12:00") as made:
        made.svc.hints = Told()
        made.take(*three_visits("k1"))
        made.settle()
        yield made


class Told(NoHints):
    """Where a worker hears, once for each time."""

    times = 0

    def count(self):
        self.times += 1
        return True


def counted_at(home):
    with home.svc.reading() as session:
        return tallies.state(session).counted_at


def test_the_sweeper_tells_a_worker_and_goes_on(home):
    home.sweeper.sweep()
    assert home.svc.hints.times == 1
    assert counted_at(home) is None, "it has not counted itself"
    home.sweeper.sweep()
    assert home.svc.hints.times == 1, "a worker is given time before it is told again"


def test_where_nobody_can_be_told_the_sweeper_counts(home):
    home.svc.hints = NoHints()
    Sweeper(home.svc, probation=3600).sweep()
    assert counted_at(home) == home.clock.ms


def test_the_thread_that_sends_messages_counts(home):
    broker = stub_broker()
    declare(broker, lambda: home.svc)
    broker.emit_after("process_boot")
    worker = start_telling(broker, timeout=10)
    try:
        assert QueueHints(broker, home.svc.metrics).count()
        broker.join("counts", timeout=120_000)
    finally:
        worker.stop()
    assert counted_at(home) == home.clock.ms
    assert COUNT in broker.actors
    assert not statistics.due(home.svc)
