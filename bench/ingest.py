"""`python -m bench.ingest`: how fast events are taken in, as ratios to what PostgreSQL does with the same rows and nothing else.

posts: batches by HTTP (gunicorn, as in production) against psycopg's executemany into a table with the columns and indexes of `event`,
one transaction a batch, in blocks that take turns.  import: `duecare events import`, from the start of its process to its end, against one
COPY of the same rows into such a table.  single: one event a request against a POST to the same gunicorn that does nothing.  Before a time
is printed, what stands in the tables is compared, row by row.  Exit code 1: it was not the same.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg

from bench.latency import Durable, cloud_event, percentile
from bench.population import plain_case
from rules.envelope import parse_event
from service import keys
from service.bootstrap import build
from service.policies.policyset import load as load_policies
from service.settings import load
from store.migrations import upgrade
from tests.support.servers import free_port

COLUMNS = ("source", "id", "type", "case_id", "time", "recorded", "recorded_given", "received", "data", "digest", "target")
KEPT = ", ".join(name for name in COLUMNS if name != "received")
MARKS = ", ".join(["%s"] * len(COLUMNS))
BATCH = "application/cloudevents-batch+json"
STRUCTURED = "application/cloudevents+json"
NOOP_APP = """
def app(environ, start_response):
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start_response("202 Accepted", [("Content-Type", "application/json"), ("Content-Length", "3")])
    return [b"{}\\n"]
"""
ENDING = 60.0
"""Seconds for a server to come up."""


def population(events: int, *, clustered: bool, prefix: str) -> list[dict[str, Any]]:
    """CloudEvents of plain cases, in the order in which they were recorded, or case by case."""
    made: list[dict[str, Any]] = []
    number = 0
    while len(made) < events:
        case = plain_case(number, case=f"{prefix}-{number}")
        # families come to the service over the years: one every six hours
        made += [cloud_event(event, shift=number * 21_600_000 % 63_072_000_000 - 63_072_000_000) for event in case.events]
        number += 1
    return made[:events] if clustered else sorted(made, key=lambda event: (event["recordedtime"], event["id"]))[:events]


def rows(events: Sequence[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """The same as rows of the table."""
    catalogue = load_policies().all_types
    made = []
    for one in events:
        parsed = parse_event(one, catalogue, received=0)
        event = parsed.event
        assert event is not None
        said = (event.source, event.id, event.type, event.case, event.time, event.recorded, event.recorded_given, 0)
        made.append((*said, json.dumps(event.data), parsed.content_digest, parsed.target))
    return made


def like(connection: psycopg.Connection[Any], table: str) -> None:
    """An empty table with the columns, defaults and indexes of `event`."""
    connection.execute(f"DROP TABLE IF EXISTS {table}")
    connection.execute(f"CREATE TABLE {table} (LIKE event INCLUDING ALL)")


def executemany(connection: psycopg.Connection[Any], some: Sequence[tuple[Any, ...]]) -> float:
    began = time.perf_counter()
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(f"INSERT INTO bare ({', '.join(COLUMNS)}) VALUES ({MARKS})", some)
    return time.perf_counter() - began


def copy(connection: psycopg.Connection[Any], some: Sequence[tuple[Any, ...]]) -> float:
    began = time.perf_counter()
    with connection.transaction(), connection.cursor() as cursor, cursor.copy(f"COPY bare ({', '.join(COLUMNS)}) FROM STDIN") as sink:
        for row in some:
            sink.write_row(row)
    return time.perf_counter() - began


def same(connection: psycopg.Connection[Any]) -> bool:
    """Whether `event` and `bare` hold the same rows; says so where they do not."""
    differ = 0
    for one, other in (("event", "bare"), ("bare", "event")):
        query = f"SELECT count(*) FROM (SELECT {KEPT} FROM {one} EXCEPT ALL SELECT {KEPT} FROM {other}) AS d"
        differ += connection.execute(query).fetchone()[0]  # type: ignore[index]
    if differ:
        print(f"{differ} rows are not the same")
    return differ == 0


@contextlib.contextmanager
def gunicorn(module: str, folder: Path) -> Iterator[int]:
    """A gunicorn as in the Procfile, serving ``module``; its port."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--no-control-socket", "--threads", "8", "--bind", f"127.0.0.1:{port}", module]
    environment = {**os.environ, "PYTHONPATH": f"{folder}:{Path.cwd()}"}
    child = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    try:
        ends = time.monotonic() + ENDING
        while time.monotonic() < ends:
            with contextlib.suppress(OSError), contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as asking:
                asking.request("GET", "/livez")
                asking.getresponse().read()
                break
            time.sleep(0.1)
        yield port
    finally:
        child.terminate()
        child.wait(40)


def poster(port: int, token: str, media: str) -> Callable[[bytes], float]:
    """Posts a body over a connection that stays open; the seconds until its answer has been read."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    headers = {"Content-Type": media, "Authorization": f"Bearer {token}"}

    def post(body: bytes) -> float:
        began = time.perf_counter()
        connection.request("POST", "/v1/events", body, headers)
        answer = connection.getresponse()
        said = answer.read()
        took = time.perf_counter() - began
        if answer.status != 202:
            raise SystemExit(f"answered {answer.status}: {said[:500]!r}")
        return took

    return post


def posts(connection: psycopg.Connection[Any], port: int, token: str, *, events: int, batch: int, blocks: int) -> bool:
    """Batches by HTTP against executemany."""
    sent = population(events, clustered=False, prefix="post")
    held = rows(sent)
    like(connection, "bare")
    post = poster(port, token, BATCH)
    warm = population(batch, clustered=False, prefix="warm")
    post(json.dumps(warm).encode())
    connection.execute("TRUNCATE event, case_link, dirty")
    mine, theirs, size = 0.0, 0.0, -(-events // (blocks * batch)) * batch
    for start in range(0, events, size):
        batches = range(start, min(start + size, events), batch)
        bodies = [json.dumps(sent[at : at + batch]).encode() for at in batches]
        mine += sum(post(body) for body in bodies)
        theirs += sum(executemany(connection, held[at : at + batch]) for at in batches)
    if not same(connection):
        return False
    print(
        f"{events:,} events in batches of {batch:,}: POST {events / mine:,.0f} a second, executemany {events / theirs:,.0f} a second:",
        end=" ",
    )
    print(f"{theirs / mine:.2f} times as fast as executemany (aim: 0.5)", flush=True)
    return True


def imports(connection: psycopg.Connection[Any], folder: Path, *, events: int, clustered: bool) -> bool:
    """The command against COPY."""
    sent = population(events, clustered=clustered, prefix="file")
    held = rows(sent)
    file = folder / "events.jsonl"
    file.write_text("\n".join(map(json.dumps, sent)) + "\n", "utf-8")
    nothing = folder / "nothing.jsonl"
    nothing.write_text("\n", "utf-8")
    del sent
    like(connection, "bare")
    connection.execute("TRUNCATE event, case_link, dirty")
    theirs = copy(connection, held)
    del held
    start, _ = command(nothing)
    mine, most = command(file)
    if not same(connection):
        return False
    order = "case by case" if clustered else "in order of recording"
    print(
        f"{events:,} events {order}: import {events / mine:,.0f} a second ({mine:.1f} s, of which {start:.1f} s until it begins; "
        f"at most {most:.0f} MB), COPY {events / theirs:,.0f} a second ({theirs:.1f} s): {theirs / mine:.2f} times as fast as COPY, "
        f"{theirs / (mine - start):.2f} once it has begun (aim: 0.5)",
        flush=True,
    )
    return True


def command(file: Path) -> tuple[float, float]:
    """The seconds and the largest memory (MB) of an import."""
    began = time.perf_counter()
    child = subprocess.Popen(
        [sys.executable, "-m", "cli.main", "events", "import", str(file)], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"the import ended with {child.returncode}")
    return time.perf_counter() - began, usage.ru_maxrss / 1000


def single(port: int, token: str, folder: Path, *, requests: int, blocks: int) -> None:
    """One event a request against a request that does nothing, each sent when the one before was answered."""
    (folder / "bench_noop_app.py").write_text(NOOP_APP, "utf-8")
    sent = [json.dumps(event).encode() for event in population(requests + 20, clustered=False, prefix="one")]
    with gunicorn("bench_noop_app:app", folder) as other:
        ours, noop = poster(port, token, STRUCTURED), poster(other, token, STRUCTURED)
        for body in sent[requests:]:
            ours(body)
            noop(body)
        mine: list[float] = []
        theirs: list[float] = []
        size = -(-requests // blocks)
        for start in range(0, requests, size):
            theirs += [noop(body) for body in sent[start : start + size]]
            mine += [ours(body) for body in sent[start : min(start + size, requests)]]
    for share in (50, 99):
        one, other_ = percentile(mine, share), percentile(theirs, share)
        ratio = f"{one / other_:.1f} times"
        print(f"one event a request, p{share}: {one * 1000:.1f} ms, nothing {other_ * 1000:.1f} ms: {ratio}", flush=True)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--posts", type=int, default=20_000, help="events posted in batches; 0 leaves it out")
    parser.add_argument("--batch", type=int, default=1_000)
    parser.add_argument("--blocks", type=int, default=4)
    parser.add_argument("--import", dest="imported", type=int, default=100_000, help="events of an import; 0 leaves it out")
    parser.add_argument("--clustered", action="store_true", help="the file of the import case by case, not in order of recording")
    parser.add_argument("--single", type=int, default=400, help="events posted one by one; 0 leaves it out")
    given = parser.parse_args(arguments)
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", flush=True)
    good = True
    with Durable() as server, server.database() as url, tempfile.TemporaryDirectory() as name:
        os.environ.update(DATABASE_URL=url, DUECARE_SECRET_KEY=secrets.token_urlsafe(48), DUECARE_HOME=name, DUECARE_LOG_LEVEL="error")
        os.environ["DUECARE_WAITING_LIMIT"] = "0"
        os.environ.pop("REDIS_URL", None)
        svc = build(load())
        upgrade(svc.engine)
        token = keys.create(svc, name="bench", scopes=("events:write",))[1]
        svc.close()
        folder = Path(name)
        with psycopg.connect(url, autocommit=True) as connection:
            if given.imported:
                good &= imports(connection, folder, events=given.imported, clustered=given.clustered)
            if given.posts or given.single:
                with gunicorn("api.wsgi:app", folder) as port:
                    if given.posts:
                        good &= posts(connection, port, token, events=given.posts, batch=given.batch, blocks=given.blocks)
                    if given.single:
                        single(port, token, folder, requests=given.single, blocks=given.blocks)
    print(f"load {os.getloadavg()[0]:.1f}", flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
