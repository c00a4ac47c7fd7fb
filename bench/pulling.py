"""Pulls under fire, and how fast a first import goes.

crowd: many write to a PostgreSQL at once, some commit late, while it is read; what stands in the end is compared.  kills: pulls are
killed (SIGKILL) at random moments; the events in the end are compared, word for word, with those of a pull that was left alone.
import: a first import by sql and by files, against a bare COPY of as many rows into one table, with the memory that it takes.
Exit code 1: something was lost, doubled or changed.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psycopg
from sqlalchemy import Engine, text

from service.bootstrap import Service, build
from service.settings import Settings
from service.sources import pull as pulling
from service.sources.definitions import read_file
from service.sources.taking import Pulled
from store.migrations import upgrade
from tests.support.pulling import FILES, SOURCE, SQL, Crowd, client, standing, there, word_for_word
from tests.support.servers import Postgres
from tests.support.service_kit import KEY, shipped

ADAPTERS = ("sql", "files")
LONGEST = 0.6
"""Seconds that a process pulls, at the most, before it is killed."""


def service(url: str, home: Path, *, adapter: str, settings: str) -> Service:
    """A service whose one source is the client."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "source.yaml").write_text(SOURCE.format(adapter=adapter, settings=settings), "utf-8")
    made = build(Settings(home=home, database_url=url, secret_key=KEY, sources=home / "source.yaml"), policies=shipped())
    upgrade(made.engine)
    return made


def pull(svc: Service, told: Callable[[Pulled], object] = lambda _: None, stop: Callable[[], bool] = lambda: False) -> Pulled:
    source = read_file(svc.settings.home / "source.yaml", svc.policies.all_types)
    done = pulling.pull(svc, source, told=told, stop=stop)
    assert done.error is None, done.error
    assert not done.busy
    return done


def crowd(server: Postgres, folder: Path, changes: int) -> bool:
    with server.database() as url, server.database() as store:
        os.environ["CLIENT_URL"] = url
        engine = client(url)
        svc = service(store, folder / "crowd", adapter="sql", settings=SQL.format(page=1000, overlap=10))
        writing = Crowd(engine, writers=8, changes=changes, late=2.0)
        began, pulls = time.monotonic(), 0
        writing.start()
        while writing.busy:
            pull(svc)
            pulls += 1
        pull(svc)
        same = standing(svc.engine) == there(engine)
        took = time.monotonic() - began
        print(
            f"crowd: {writing.changed:,} changes by 8 writers in {took:.0f} s, {pulls} pulls meanwhile; {len(there(engine)):,} rows: ",
            end="",
        )
        print("all there, each as it stands" if same else "NOT the same")
        svc.close()
        engine.dispose()
        return same


def kills(server: Postgres, folder: Path, adapter: str, count: int) -> bool:
    """``count`` kills of a pull, each in a process of its own that is forked when everything is loaded."""
    rows = 50 * count
    with server.database() as url, server.database() as store, server.database() as other:
        os.environ["CLIENT_URL"] = url
        engine = client(url)
        _fill(engine, rows)
        exports = folder / f"exports-{adapter}"
        exports.mkdir()
        _export(url, exports / "visits.csv")
        engine.dispose()
        settings = SQL.format(page=10, overlap=60) if adapter == "sql" else FILES.format(folder=exports, page=10)
        service(store, folder / f"killed-{adapter}", adapter=adapter, settings=settings).close()
        rng, hit = random.Random(7), 0
        began = time.monotonic()
        for number in range(count):
            hit += _killed(store, folder / f"killed-{adapter}", adapter, settings, rng.random() * LONGEST)
            if number % 50 == 49:
                print(f"  {adapter}: {number + 1} kills, {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
        killed = service(store, folder / f"killed-{adapter}", adapter=adapter, settings=settings)
        with killed.engine.connect() as connection:
            read = connection.scalar(text("SELECT count(*) FROM event"))
        pull(killed)
        alone = service(other, folder / f"alone-{adapter}", adapter=adapter, settings=settings.replace("page: 10", "page: 1000"))
        pull(alone)
        same = word_for_word(killed.engine) == word_for_word(alone.engine) and len(standing(alone.engine)) == rows
        killed.close()
        alone.close()
        words = "word for word the same" if same else "NOT the same"
        print(
            f"kills, {adapter}: {count} processes, {hit} killed while they pulled, {read:,} of {rows:,} events by then; in the end {words}"
        )
        return same


def _killed(url: str, home: Path, adapter: str, settings: str, after: float) -> bool:
    """A child that pulls, killed ``after`` seconds; whether it was at it still."""
    ready, told = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            svc = service(url, home, adapter=adapter, settings=settings)
            os.write(told, b"!")
            pull(svc)
        finally:
            os._exit(0)
    os.read(ready, 1)
    time.sleep(after)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    os.close(ready)
    os.close(told)
    with psycopg.connect(url) as connection:  # as if half a minute had gone by
        connection.execute("UPDATE source SET lease_until = 0")
    return os.WIFSIGNALED(status)


def _fill(engine: Engine, rows: int) -> None:
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO visits SELECT n, 'F' || n / 30, timestamptz '2025-01-01' + n * interval '7 seconds',"
                " timestamptz '2025-06-01' + n * interval '1 second' FROM generate_series(1, :rows) n"
            ),
            {"rows": rows},
        )


def _export(url: str, path: Path) -> None:
    with psycopg.connect(url) as connection, path.open("wb") as file, connection.cursor() as cursor:
        connection.execute("SET timezone = 'UTC'")
        shown = "to_char({0} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') AS {0}"
        query = f"SELECT id, family, {shown.format('held')}, {shown.format('changed')} FROM visits ORDER BY id"
        with cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT csv, HEADER)") as out:
            for block in out:
                file.write(block)


def first_import(server: Postgres, folder: Path, adapter: str, rows: int, seconds: float) -> bool:
    with server.database() as url, server.database() as store:
        os.environ["CLIENT_URL"] = url
        engine = client(url)
        _fill(engine, rows)
        engine.dispose()
        exports = folder / f"import-{adapter}"
        exports.mkdir()
        _export(url, exports / "visits.csv")
        copied = _copied(store, exports / "visits.csv")
        settings = SQL.format(page=5000, overlap=60) if adapter == "sql" else FILES.format(folder=exports, page=5000)
        svc = service(store, folder / f"import-home-{adapter}", adapter=adapter, settings=settings)
        began, worked = time.monotonic(), time.process_time()
        memory: list[tuple[int, float]] = []
        done = pull(
            svc,
            told=lambda so_far: memory.append((so_far.counts["records"], _megabytes())),
            stop=lambda: time.monotonic() - began > seconds,
        )
        took, worked = time.monotonic() - began, time.process_time() - worked
        read = done.counts["accepted"]
        speed = read / took
        quarter = memory[len(memory) // 4][1]
        print(
            f"import, {adapter}: {read:,} of {rows:,} events in {took:.0f} s ({speed:,.0f} a second); "
            f"bare COPY of {rows:,} rows {copied:.1f} s ({rows / copied:,.0f} a second, {rows / copied / speed:,.0f} times as many); "
            f"{worked / read * 1e6:,.0f} µs of our own processor an event; load {os.getloadavg()[0]:.0f}; "
            f"memory {quarter:.0f} MB after a quarter, {memory[-1][1]:.0f} MB at the end"
        )
        svc.close()
        return memory[-1][1] < quarter * 1.5 + 50


def _copied(url: str, path: Path) -> float:
    with psycopg.connect(url) as connection, path.open("rb") as file, connection.cursor() as cursor:
        connection.execute("CREATE TABLE bare (id integer PRIMARY KEY, family text, held timestamptz, changed timestamptz)")
        began = time.monotonic()
        with cursor.copy("COPY bare FROM STDIN (FORMAT csv, HEADER)") as into:
            while block := file.read(1 << 20):
                into.write(block)
        connection.commit()
        took = time.monotonic() - began
        connection.execute("DROP TABLE bare")
        return took


def _megabytes() -> float:
    """What the process holds now."""
    try:
        fields = Path("/proc/self/statm").read_text("ascii").split()
        return int(fields[1]) * resource.getpagesize() / 1e6
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--changes", type=int, default=50_000, help="of the crowd; 0 leaves it out")
    parser.add_argument("--kills", type=int, default=100, help="of each adapter; 0 leaves them out")
    parser.add_argument("--import", dest="rows", type=int, default=1_000_000, help="events of a first import; 0 leaves it out")
    parser.add_argument("--seconds", type=float, default=300.0, help="after which an import is broken off")
    given = parser.parse_args(arguments)
    good: list[bool] = []
    with tempfile.TemporaryDirectory() as name, Postgres() as server:
        folder = Path(name)
        if given.changes:
            good.append(crowd(server, folder, given.changes))
        good += [kills(server, folder, adapter, given.kills) for adapter in ADAPTERS if given.kills]
        good += [first_import(server, folder, adapter, given.rows, given.seconds) for adapter in ADAPTERS if given.rows]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
