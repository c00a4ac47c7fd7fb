"""Hints by way of a real Redis: they reach the workers quickly, and nothing depends on them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from typing import Any

import dramatiq
import pytest
import redis
from dramatiq.middleware import TimeLimitExceeded

from service import sweeper
from service.bootstrap import Service
from service.errors import SettingsError
from service.hints import PAUSE, QUEUE, QueueHints, producer
from service.metrics import Metrics
from service.standing import troubles
from tests.support.overseen import until
from tests.support.service_kit import KEY, kit, three_visits
from workers import process
from workers.actors import declare
from workers.broker import POLL, POLL_DELAYED, PREFETCH, redis_broker, stub_broker
from workers.embedded import Embedded


def _never() -> Service:
    raise AssertionError("no message is handled here")


@contextmanager
def working(svc, url):
    """A worker on Redis, in this process."""
    broker = redis_broker(url)
    declare(broker, lambda: svc)
    broker.emit_after("process_boot")
    worker = dramatiq.Worker(broker, worker_threads=1, worker_timeout=100)
    worker.start()
    try:
        yield broker
    finally:
        worker.stop(timeout=60_000)


@pytest.fixture
def house(pg_db, redis_db, tmp_path):
    with kit(pg_db, tmp_path, redis_url=redis_db) as made:
        yield made


def test_an_event_becomes_a_breach_by_way_of_redis(house, redis_db):
    with working(house.svc, redis_db):
        house.take(*three_visits())
        until(lambda: house.breaches().get("C08") is not None)
    assert house.breaches()["C08"].condition == "open"
    assert house.svc.hints.reachable


def test_a_hint_that_comes_ten_times_changes_nothing(house, redis_db):
    with working(house.svc, redis_db) as broker:
        house.take(*three_visits())
        for _ in range(10):
            house.svc.hints.send(["k1"])
        until(lambda: house.breaches().get("C08") is not None)
        broker.join(QUEUE)
    assert house.kinds("C08") == ["opened", "announced"]


def test_consumers_look_often_and_fetch_many_however_they_were_started(redis_db):
    broker = redis_broker(redis_db)
    broker.declare_queue(QUEUE)
    consumer: Any = broker.consume(QUEUE, prefetch=2, timeout=1000)
    assert (consumer.timeout, consumer.prefetch) == (POLL, PREFETCH)
    delayed: Any = broker.consume(f"{QUEUE}.DQ", prefetch=1000, timeout=5000)
    assert delayed.timeout == POLL_DELAYED
    assert (broker.heartbeat_timeout, broker.maintenance_chance) == (15_000, 1_000_000)
    settings = broker.client.connection_pool.connection_kwargs
    assert settings["socket_timeout"] is None
    assert settings["socket_keepalive"] is True


def test_a_stalled_redis_does_not_hold_up_ingest(pg_db, own_redis, tmp_path):
    steady = [100.0]
    with kit(pg_db, tmp_path, redis_url=own_redis.url) as house:
        hints: Any = house.svc.hints
        hints._clock = lambda: steady[0]
        own_redis.pause()
        try:
            for number in range(6):
                house.take(*three_visits(f"k{number}"))
        finally:
            own_redis.resume()
        assert house.svc.metrics.hints.labels("failed")._value.get() == 1, "one short wait, then the hints are left out for a while"
        assert not house.svc.hints.reachable
        assert "queue_unreachable" in {trouble.code for trouble in troubles(house.svc)}
        house.settle()
        assert [house.verdict("C08", f"k{number}") for number in range(6)] == ["breached"] * 6

        def heard_again() -> bool:
            steady[0] += PAUSE
            house.svc.hints.send(["k0"])
            return house.svc.hints.reachable

        until(heard_again)


def test_without_redis_the_sweeper_judges_by_itself(pg_db, tmp_path, own_redis):
    with kit(pg_db, tmp_path, redis_url=own_redis.url, sweep_seconds=0.1) as house:
        own_redis.kill()
        house.take(*three_visits())
        stop = threading.Event()
        house.clock.advance(seconds=5)
        thread = threading.Thread(target=sweeper.run, args=(house.svc, stop))
        thread.start()
        try:
            until(lambda: house.breaches().get("C08") is not None)
        finally:
            stop.set()
            thread.join(60)


def test_embedded_workers_start_judge_and_stop(sqlite_url, tmp_path):
    before = threading.active_count()
    with kit(sqlite_url, tmp_path, sweep_seconds=0.2) as house:
        house.take(*three_visits("early"))
        with Embedded(house.svc) as embedded:
            until(lambda: house.breaches("early").get("C08") is not None)
            house.take(*three_visits("later"))
            until(lambda: house.breaches("later").get("C08") is not None)
        embedded.stop()
    until(lambda: threading.active_count() <= before + 3)  # each of the three brokers keeps the thread that watches time limits


def test_an_evaluation_that_hangs_is_interrupted_inside_a_process_too(sqlite_url, tmp_path, monkeypatch):
    """An in-process worker never says that its process has started; without that its time limit would do nothing."""
    interrupted = threading.Event()

    def hang(_svc):
        try:
            while True:
                time.sleep(0.01)
        except TimeLimitExceeded:
            interrupted.set()
            raise

    monkeypatch.setattr("workers.broker.TIME_LIMIT", 200)
    with kit(sqlite_url, tmp_path) as house:
        with monkeypatch.context() as patch:
            patch.setattr("service.evaluate.drain", hang)
            with Embedded(house.svc):
                house.take(*three_visits())
                while not interrupted.wait(2):  # its time was over before it could hang
                    house.svc.hints.send(["k1"])
        assert house.settle() == 1, "nothing is lost by it"


def test_many_cases_get_few_hints():
    broker = stub_broker()
    declare(broker, _never)
    hints = QueueHints(broker, Metrics())
    hints.send([f"k{number}" for number in range(1000)])
    assert broker.queues[QUEUE].qsize() <= 16
    hints.send([])


def test_a_queue_that_refuses_is_left_alone_for_a_moment_and_never_raises():
    now = [100.0]

    class Refusing:
        calls = 0

        def enqueue(self, _message):
            self.calls += 1
            raise redis.ConnectionError

    broker: Any = Refusing()
    hints = QueueHints(broker, Metrics(), clock=lambda: now[0])
    hints.send(["k1"])
    hints.send(["k2"])
    assert (broker.calls, hints.reachable) == (1, False)
    now[0] += 2
    hints.send(["k3"])
    assert broker.calls == 2


def test_a_producer_connects_to_nothing_until_it_is_used():
    assert producer("redis://127.0.0.1:1/0", Metrics()).reachable


def test_a_worker_without_redis_says_what_is_missing(monkeypatch, tmp_path):
    monkeypatch.setenv("DUECARE_HOME", str(tmp_path))
    monkeypatch.delenv("REDIS_URL", raising=False)
    with pytest.raises(SettingsError, match="REDIS_URL"):
        process.make_broker()


def test_a_worker_that_is_killed_is_started_again(tmp_path):
    stop, pids = threading.Event(), []
    overseer = threading.Thread(
        target=process.keep_running,
        args=([sys.executable, "-c", "import time; time.sleep(900)"], 2, stop),
        kwargs={"started": pids.append},
    )
    overseer.start()
    try:
        until(lambda: len(pids) == 2)
        os.kill(pids[0], signal.SIGKILL)
        until(lambda: len(pids) == 3)
    finally:
        stop.set()
        overseer.join(120)
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


@pytest.mark.parametrize("stock", [False, True], ids=["ours", "dramatiq-cli"])
def test_a_worker_process_takes_its_settings_from_the_environment(house, pg_db, redis_db, tmp_path, stock):
    """Our own worker, and dramatiq's command line with the same module, both judge what comes."""
    env = {**os.environ, "DATABASE_URL": pg_db, "REDIS_URL": redis_db, "DUECARE_SECRET_KEY": KEY, "DUECARE_HOME": str(tmp_path)}
    command = ["-m", "dramatiq", "workers.main", "--processes", "1", "--threads", "1"] if stock else ["-m", "workers.process"]
    worker = subprocess.Popen([sys.executable, *command], env=env, stderr=subprocess.PIPE)
    try:
        house.take(*three_visits())
        until(lambda: house.breaches().get("C08") is not None)
    finally:
        worker.terminate()
        _, said = worker.communicate(timeout=120)
    assert worker.returncode == 0, said.decode()
