"""`python -m bench.latency`: from an event that is posted to its breach in the store, as a ratio to dramatiq's own no-op round trip.

A PostgreSQL (with fsync), a Redis, workers and a scheduler as in production, all started here and ended at the end. Events come at a
steady rate whether or not earlier ones are done, so waiting counts. No-ops and events take turns in blocks, on the same queue and the
same workers, so that whatever else the machine does meets both. Of a breach is noted when the database tells that it is committed.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import importlib.metadata
import json
import os
import platform
import secrets
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import dramatiq
import psycopg
import redis
from dramatiq.brokers.redis import RedisBroker

from bench.population import plain_case
from rules.model import Event, rfc3339
from service.bootstrap import Service, build
from service.hints import QUEUE
from service.ingest import ingest
from service.settings import load
from store.migrations import upgrade
from tests.support.servers import Postgres, Valkey
from workers import process

DAY = dt.timedelta(days=1)
NOOP, DONE = "bench_noop", "bench:done"
CHANNEL = "bench_breach"
PATIENCE = 120.0
"""Seconds for anything that is waited for."""
TELL = f"""
CREATE FUNCTION bench_tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_notify('{CHANNEL}', NEW.case_id); RETURN NULL; END $$;
CREATE TRIGGER bench_tell AFTER INSERT ON breach FOR EACH ROW EXECUTE FUNCTION bench_tell();
"""

Round = list[float]
"""Seconds, one for each that was sent."""


class Durable(Postgres):
    """As in production: what is committed has reached the disk."""

    def command(self) -> list[str]:
        return [*super().command(), "-c", "fsync=on", "-c", "full_page_writes=on"]


class Seen:
    """When each key was first seen, by a thread that watches."""

    def __init__(self) -> None:
        self._at: dict[str, float] = {}
        self._news = threading.Condition()

    def note(self, key: str) -> None:
        at = time.perf_counter()
        with self._news:
            self._at.setdefault(key, at)
            self._news.notify_all()

    def wait(self, keys: Sequence[str]) -> list[float]:
        """The moments of all ``keys``, in their order. Raises SystemExit where one does not come."""
        with self._news:
            if not self._news.wait_for(lambda: all(key in self._at for key in keys), PATIENCE):
                missing = sum(key not in self._at for key in keys)
                raise SystemExit(f"{missing} of {len(keys)} did not come within {PATIENCE:.0f} s")
            return [self._at[key] for key in keys]


def with_noop(broker: dramatiq.Broker, url: str) -> dramatiq.Broker:
    """The production worker's broker, with one more actor that says it was there."""
    client = redis.Redis.from_url(url)

    def noop(key: str) -> None:
        client.rpush(DONE, key)

    dramatiq.actor(actor_name=NOOP, queue_name=QUEUE, broker=broker)(noop)
    return broker


def be_worker() -> int:
    """`python -m bench.latency worker`: a worker as `duecare worker` runs them, that also knows the no-op."""
    made = process.make_broker
    with patch.object(process, "make_broker", lambda: with_noop(made(), os.environ["REDIS_URL"])):
        return process.run_worker()


# --- what is sent ----------------------------------------------------------------------------------------------------


def cloud_event(event: Event, *, shift: int) -> dict[str, Any]:
    """The event as it is posted, ``shift`` ms later; people are this case's own, so that no two cases hang together."""
    data = json.loads(json.dumps(event.data).replace('"c1"', f'"{event.case}-c1"').replace('"m1"', f'"{event.case}-m1"'))
    return {
        "specversion": "1.0",
        "source": event.source,
        "id": event.id,
        "type": event.type,
        "subject": event.case,
        "time": rfc3339(event.time + shift),
        "recordedtime": rfc3339(event.recorded + shift),
        "data": data,
    }


def history(number: int, *, now: int) -> list[dict[str, Any]]:
    """A case of about 30 events that is still open, the last of them some days ago."""
    file = plain_case(number, case=f"long-{number}")
    kept = [event for event in file.events if event.type not in {"case.closed", "closure_summary.completed"}]
    shift = now - 30 * 86_400_000 - max(event.recorded for event in kept)
    return [cloud_event(event, shift=shift) for event in kept]


def made_up(case: str, kind: str, when: dt.datetime, data: dict[str, Any]) -> dict[str, Any]:
    common = {"specversion": "1.0", "source": "urn:bench", "type": kind, "subject": case, "id": f"{case}-{kind}"}
    return {**common, "time": when.isoformat(), "recordedtime": when.isoformat(), "data": data}


def first_event(case: str) -> dict[str, Any]:
    """The connection of a family with the service half a year ago, and nothing since: many limits have passed."""
    return made_up(case, "service.connected", dt.datetime.now(dt.UTC) - 180 * DAY, {"program": "cfss", "service": "intensive"})


def closure(case: str) -> dict[str, Any]:
    """A closure without a closure summary."""
    return made_up(case, "case.closed", dt.datetime.now(dt.UTC) - 5 * DAY, {"closure_reason": "moved"})


# --- measuring -------------------------------------------------------------------------------------------------------


def steadily(send: Callable[[str], object], keys: Sequence[str], rate: float) -> list[float]:
    """Send each key at its moment, and give the moments: a sender that falls behind is part of what is measured."""
    began = time.perf_counter() + 0.05
    moments = [began + number / rate for number in range(len(keys))]
    for moment, key in zip(moments, keys, strict=True):
        time.sleep(max(0.0, moment - time.perf_counter()))
        send(key)
    return moments


def measure(send: Callable[[str], object], keys: Sequence[str], rate: float, seen: Seen) -> Round:
    moments = steadily(send, keys, rate)
    return [at - moment for at, moment in zip(seen.wait(keys), moments, strict=True)]


def percentile(values: Sequence[float], share: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[share - 1]


@contextlib.contextmanager
def watching(postgres: str, queue: str, breaches: Seen, noops: Seen) -> Iterator[None]:
    """Threads that note committed breaches by case, and no-ops by key."""
    stop = threading.Event()
    listening = psycopg.connect(postgres, autocommit=True)
    listening.execute(f"LISTEN {CHANNEL}")
    client = redis.Redis.from_url(queue, socket_timeout=5, decode_responses=True)

    def watch_breaches() -> None:
        while not stop.is_set():
            for told in listening.notifies(timeout=0.5):
                breaches.note(told.payload)

    def watch_noops() -> None:
        while not stop.is_set():
            if popped := client.blpop([DONE], timeout=1):
                noops.note(str(popped[1]))

    threads = [threading.Thread(target=work, daemon=True) for work in (watch_breaches, watch_noops)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(10)
        listening.close()
        client.close()


@contextlib.contextmanager
def running(workers: int) -> Iterator[None]:
    """Workers and the scheduler, as processes with this one's environment."""
    commands = [[sys.executable, "-m", "bench.latency", "worker"]] * workers + [[sys.executable, "-m", "cli.main", "worker", "--scheduler"]]
    children = [subprocess.Popen(command, stderr=subprocess.DEVNULL) for command in commands]
    try:
        yield
    finally:
        for child in children:
            child.terminate()
        for child in children:
            try:
                child.wait(40)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def wait_until_judged(svc: Service) -> None:
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        with svc.reading() as session:
            if not session.connection().exec_driver_sql("SELECT count(*) FROM dirty").scalar():
                return
        time.sleep(0.2)
    raise SystemExit(f"the cases were not judged within {PATIENCE:.0f} s")


def tell(sent: dict[str, Round]) -> None:
    """A line for each kind, with its ratio to the no-op."""
    floor = {share: percentile(sent["no-op"], share) for share in (50, 99)}
    for name, rounds in sent.items():
        found = {share: percentile(rounds, share) for share in (50, 99)}
        ratios = "  ".join(f"p{share} {found[share] * 1000:7.1f} ms = {found[share] / floor[share]:4.1f} times" for share in (50, 99))
        print(f"{name:36} {len(rounds):5}  {ratios}")


def run(*, events: int, rate: float, workers: int, blocks: int) -> None:
    """Measure in blocks that take turns, then print."""
    with Durable() as postgres, Valkey() as valkey, postgres.database() as database, tempfile.TemporaryDirectory() as home:
        os.environ.update(DATABASE_URL=database, REDIS_URL=valkey.url, DUECARE_SECRET_KEY=secrets.token_urlsafe(48), DUECARE_HOME=home)
        os.environ["DUECARE_LOG_LEVEL"] = "error"
        svc = build(load())
        upgrade(svc.engine)
        with psycopg.connect(database, autocommit=True) as connection, redis.Redis.from_url(valkey.url) as client:
            connection.execute(TELL)
            print(
                f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {platform.system()}, Python {platform.python_version()}, "
                f"PostgreSQL {connection.info.server_version // 10_000}, Redis protocol {client.info()['redis_version']}, "
                f"dramatiq {importlib.metadata.version('dramatiq')}; {workers} workers, {rate:.0f} a second"
            )
        long = [history(number, now=svc.now()) for number in range(events)]
        for start in range(0, events, 50):
            ingest(svc, [event for case in long[start : start + 50] for event in case])
        breaches, noops = Seen(), Seen()
        queue = RedisBroker(url=valkey.url, middleware=[], maintenance_chance=0)  # type: ignore[no-untyped-call]
        taking: Round = []

        def post(event: dict[str, Any]) -> None:
            began = time.perf_counter()
            ingest(svc, [event])
            taking.append(time.perf_counter() - began)

        def noop(key: str) -> None:
            queue.enqueue(dramatiq.Message(queue_name=QUEUE, actor_name=NOOP, args=(key,), kwargs={}, options={}))

        kinds: dict[str, tuple[Callable[[str], object], str, Seen]] = {
            "no-op": (noop, "noop", noops),
            "first event of a case": (lambda case: post(first_event(case)), "new", breaches),
            "one more event in a case of 30": (lambda case: post(closure(case)), "long", breaches),
        }
        sent: dict[str, Round] = {name: [] for name in kinds}
        with running(workers):
            wait_until_judged(svc)
            with watching(database, valkey.url, breaches, noops):
                for send, prefix, seen in kinds.values():
                    if prefix != "long":  # the long cases have warmed the workers up
                        measure(send, [f"{prefix}-warm-{number}" for number in range(20)], rate, seen)
                taking.clear()
                for block in range(blocks):
                    for name, (send, prefix, seen) in kinds.items():
                        numbers = range(events * block // blocks, events * (block + 1) // blocks)
                        sent[name] += measure(send, [f"{prefix}-{number}" for number in numbers], rate, seen)
        svc.close()
        queue.close()
    tell(sent)
    print(f"of it, until the sender has its answer: p50 {percentile(taking, 50) * 1000:.1f} ms, p99 {percentile(taking, 99) * 1000:.1f} ms")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, or be one of the workers."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.latency", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("role", nargs="?", choices=["measure", "worker"], default="measure", help=argparse.SUPPRESS)
    parser.add_argument("--events", type=int, default=300, help="of each kind")
    parser.add_argument("--rate", type=float, default=20.0, help="a second")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--blocks", type=int, default=6)
    chosen = parser.parse_args(arguments)
    if chosen.role == "worker":
        return be_worker()
    run(events=chosen.events, rate=chosen.rate, workers=chosen.workers, blocks=chosen.blocks)
    return 0


if __name__ == "__main__":
    os.chdir(Path(__file__).resolve().parents[1])
    sys.exit(main())
