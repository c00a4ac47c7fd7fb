"""`./dev bench audit --cases N`: full and incremental audits of a large store, where their time goes, and what they do to new events.

A PostgreSQL with fsync, a Redis and two workers as in production, all started here and ended at the end; the store is made by
bench.agency.  The peer is a bare read of the same rows.  An incremental audit after a day in which one case in 25 got events, half of
them long past, must come to the same as a full one before a time is printed, and so must the incremental one of a single team.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import text

from bench.agency import FAMILIES, Tuned, multiply, settled
from bench.backtest import cpu_seconds, peak_mb, working
from bench.latency import first_event
from rules.model import CaseFile, rfc3339
from service.access import system
from service.audits import runs as audits
from service.audits import work as auditwork
from service.bootstrap import Service, build
from service.chunkwork import AT_ONCE
from service.findings import Waiver
from service.hints import NoHints
from service.ingest import ingest
from service.policies.policyset import Judgement
from service.settings import load
from store.audits import Audit, AuditScope
from store.migrations import upgrade
from store.sql import chunks as pieces
from tests.support.servers import Valkey

CHANGED = 25
"""One case in so many changes on the day."""
DAY = 86_400_000
PATIENCE = 7_200.0
MOST_LIVE = 100
_TAG = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Cost:
    """What an audit took: seconds by the clock, and of a processor in the workers and in the database; largest memory of a worker (MB)."""

    made: Audit
    wall: float
    workers: float
    database: float
    peak: float

    @property
    def cpu(self) -> float:
        return self.workers + self.database

    def told(self, name: str) -> str:
        each = self.cpu / self.made.total * 1e3
        parts = f"{self.workers:.1f} s in the workers, {self.database:.1f} s in PostgreSQL"
        return f"{name}: {self.made.total:,} cases, {self.wall:.0f} s, {self.cpu:.1f} s of a processor ({parts}), {each:.2f} ms a case"


class Bench:
    """The store and who works on it."""

    def __init__(self, svc: Service, postgres: int, url: str) -> None:
        self.svc, self._postgres, self.url = svc, postgres, url
        self.pids: list[int] = []
        self.live: list[float] = []

    def database_seconds(self) -> float:
        """Of a processor, by all that PostgreSQL has done for its clients."""
        total = sum(map(int, _stat(self._postgres)[11:15])) / _TAG
        for child in Path(f"/proc/{self._postgres}/task/{self._postgres}/children").read_text().split():
            try:
                total += cpu_seconds(int(child))
            except (OSError, IndexError):
                continue
        return total

    def audit(self, *, live: bool = False, **how: Any) -> Cost:
        """An audit by the workers; ``live``: events are posted meanwhile and their breaches waited for."""
        began, workers, database = time.perf_counter(), sum(map(cpu_seconds, self.pids)), self.database_seconds()
        made = audits.start(self.svc, system(), seed=1, **how)
        while not (told := audits.get(self.svc, system(), made.id)).over:
            if live and len(self.live) < MOST_LIVE:
                self.live.append(self.seconds_to_breach(f"live-{made.id}-{len(self.live)}"))
            auditwork.put_forward(self.svc)
            time.sleep(0.25)
            if time.perf_counter() - began > PATIENCE:
                raise SystemExit("the audit does not end")
        assert told.state == "done", told.error
        wall = time.perf_counter() - began
        spent = sum(map(cpu_seconds, self.pids)) - workers
        print(f"... {told.kind}: {wall:.0f} s", file=sys.stderr, flush=True)
        return Cost(told, wall, spent, self.database_seconds() - database, max(map(peak_mb, self.pids)))

    def seconds_to_breach(self, case: str) -> float:
        """From posting a case's first event until its breach is in the store."""
        began = time.perf_counter()
        ingest(self.svc, [first_event(case)])
        while time.perf_counter() - began < PATIENCE:
            with self.svc.reading() as session:
                if session.execute(text("SELECT 1 FROM breach WHERE case_id = :case LIMIT 1"), {"case": case}).first():
                    return time.perf_counter() - began
            time.sleep(0.002)
        raise SystemExit("an event was not judged")

    def results(self, cost: Cost) -> str:
        return str(audits.report(self.svc, system(), cost.made.id)["results_digest"])


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def a_day(svc: Service, cases: Sequence[str], seed: int = 4) -> int:
    """Events of one case in 25, taken in and waiting to be judged; half of them happened weeks ago.  How many events."""
    rng = random.Random(seed)
    now, events = svc.now(), []
    for number, case in enumerate(rng.sample(list(cases), max(1, len(cases) // CHANGED))):
        at = now - rng.randrange(1, DAY // 2) - (rng.randrange(20, 120) * DAY if number % 2 else 0)
        data = {"status": "held", "mode": "in_person", "seen": [f"{case}-p1"], "topics": [], "covers": [], "purpose": "ongoing"}
        events.append(_event(f"{case}-late", "visit.held", case, at, now - rng.randrange(DAY // 4), data))
    hints, svc.hints = svc.hints, NoHints()
    for some in pieces(events, 1_000):
        ingest(svc, some, via="bench")
    svc.hints = hints
    return len(events)


def _event(id_: str, kind: str, case: str, at: int, recorded: int, data: Mapping[str, Any]) -> dict[str, Any]:
    times = {"time": rfc3339(at), "recordedtime": rfc3339(max(at, recorded))}
    return {"specversion": "1.0", "id": id_, "source": "urn:demo:client-system", "type": kind, "subject": case, **times, "data": dict(data)}


def bare_read(url: str, cases: int) -> tuple[float, float, int]:
    """Reading all events and verdicts, 250 cases at a time, and nothing else: processor seconds and time here, and how many rows."""
    began, clock, rows = time.process_time(), time.perf_counter(), 0
    with psycopg.connect(url) as connection:
        ids = [case for (case,) in connection.execute("SELECT case_id FROM case_state ORDER BY case_id LIMIT %s", [cases])]
        for some in pieces(ids, 250):
            for table in ("event", "verdict"):
                cursor = connection.execute(f"SELECT * FROM {table} WHERE case_id = ANY (%s)", [some], binary=True)
                rows += cursor.rowcount
    return time.process_time() - began, time.perf_counter() - clock, rows


@contextmanager
def _claimed(svc: Service) -> Iterator[None]:
    """What waits is taken by nobody: as if the audit came to it before the workers did."""
    with svc.writing() as session:
        session.execute(text("UPDATE dirty SET claimed_until = :far"), {"far": svc.now() + DAY})
    yield
    with svc.writing() as session:
        session.execute(text("UPDATE dirty SET claimed_until = NULL"))


class Clocked(auditwork.Auditing):
    """An audit that notes what judging takes."""

    judging = 0.0

    def judge(self, file: CaseFile, waivers: Sequence[Waiver]) -> Judgement:
        began = time.process_time()
        made = super().judge(file, waivers)
        Clocked.judging += time.process_time() - began
        return made


def where_it_goes(bench: Bench, chunks: int) -> dict[str, float]:
    """Processor time (ms a case) of ``chunks`` chunks of a full audit, done by this process alone."""
    svc, jobs, cases = bench.svc, auditwork.KIND.jobs, 0
    spent = dict.fromkeys(("read (by PostgreSQL)", "decode", "judge", "compare and count", "write"), 0.0)
    made = audits.start(svc, system())
    ready = auditwork.ready(svc, made.id)
    task = Clocked(ready.audit, ready.policies)
    Clocked.judging, database = 0.0, bench.database_seconds()

    def timed(name: str, what: Callable[[], Any]) -> Any:
        began = time.process_time()
        done = what()
        spent[name] += time.process_time() - began
        return done

    for _ in range(chunks):
        with svc.writing() as session:
            chunk = jobs.claim(session, made.id, now=svc.now(), lease_ms=DAY)
        if chunk is None:
            break
        tally = task.tally()
        with svc.reading() as session:
            ids = timed("decode", partial(jobs.cases_of, session, chunk, position=task.position))
        for some in pieces(ids, AT_ONCE):
            with svc.reading() as session:
                loaded = timed("decode", partial(task.load, session, some))
            for case in some:
                timed("compare and count", partial(task.add, tally, case, loaded[case]))
        with svc.writing() as session:
            kept = timed("write", partial(jobs.finish_chunk, session, chunk, tally.as_dict(), now=svc.now()))
            assert kept
            timed("write", partial(task.keep, session, chunk, tally))
        cases += len(ids)
    spent["read (by PostgreSQL)"] = bench.database_seconds() - database
    spent["judge"] = Clocked.judging
    spent["compare and count"] -= Clocked.judging
    audits.cancel(svc, system(), made.id)
    return {name: seconds / max(1, cases) * 1e3 for name, seconds in spent.items()}


def tell(what: str, seconds: Sequence[float]) -> None:
    if seconds:
        ordered = [second * 1000 for second in sorted(seconds)]
        p99 = ordered[min(len(ordered) - 1, round(0.99 * len(ordered)))]
        print(f"{what}: {len(ordered)} events, p50 {statistics.median(ordered):.0f} ms, p99 {p99:.0f} ms")


def _a_team(svc: Service) -> str:
    with svc.reading() as session:
        return str(
            session.execute(text("SELECT team FROM case_state GROUP BY team ORDER BY count(*) DESC, team OFFSET 2 LIMIT 1")).scalar_one()
        )


def run(*, cases: int, families: int, workers: int) -> int:
    """Fill, measure, compare.  Exit code 1 where two audits that should agree do not."""
    with Tuned() as postgres, Valkey() as valkey, postgres.database() as database, tempfile.TemporaryDirectory() as home:
        os.environ.update(DATABASE_URL=database, REDIS_URL=valkey.url, DUECARE_SECRET_KEY=secrets.token_urlsafe(48), DUECARE_HOME=home)
        os.environ["DUECARE_LOG_LEVEL"] = "error"
        svc = build(load())
        upgrade(svc.engine)
        began = time.perf_counter()
        multiply(database, cases, settled(svc, families))
        with svc.reading() as session:
            known = list(session.execute(text("SELECT case_id FROM case_state ORDER BY case_id")).scalars())
            sizes = {one: session.execute(text(f"SELECT count(*) FROM {one}")).scalar_one() for one in ("event", "verdict", "breach")}
        print(f"{len(known):,} cases, {', '.join(f'{number:,} {name}s' for name, number in sizes.items())}", flush=True)
        print(f"made in {time.perf_counter() - began:.0f} s", flush=True)
        bench = Bench(svc, postgres.pid, database)
        good = _measured(bench, known, workers)
        svc.close()
    return 0 if good else 1


def _measured(bench: Bench, known: Sequence[str], workers: int) -> bool:
    svc = bench.svc
    database = bench.database_seconds()
    own, _, rows = bare_read(bench.url, len(known))
    floor = own + bench.database_seconds() - database
    with working(workers) as bench.pids:
        quiet = [bench.seconds_to_breach(f"quiet-{number}") for number in range(60)][10:]
        before = max(map(peak_mb, bench.pids))
        first = bench.audit()
        calm = bench.audit(kind="incremental", as_of=first.made.as_of, known_at=first.made.known_at)
        fresh = a_day(svc, known)
        with _claimed(svc):
            partly = bench.audit(kind="incremental")
            instants: dict[str, Any] = {"as_of": partly.made.as_of, "known_at": partly.made.known_at}
            full = bench.audit(**instants)
            team = bench.audit(scope=AuditScope(teams=(_a_team(svc),)), **instants)
        day = bench.audit(kind="incremental")
        again = bench.audit(as_of=day.made.as_of, known_at=day.made.known_at, live=True)
    pairs = {"nothing changed": (first, calm), "a day's changes wait": (full, partly), "a day's changes judged": (again, day)}
    for name, (whole, part) in pairs.items():
        if bench.results(whole) != bench.results(part):
            reports = [audits.report(svc, system(), one.made.id)["results"] for one in (whole, part)]
            differing = [key for key in reports[0] if reports[0][key] != reports[1][key]]  # type: ignore[literal-required]
            print(f"the full and the incremental audit differ where {name}: in {differing}", file=sys.stderr)
            for key in differing[:2]:
                one, other = (list(map(str, report[key])) for report in reports)  # type: ignore[literal-required]
                print([x for x in one if x not in other][:3], [x for x in other if x not in one][:3], file=sys.stderr)
            return False
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}, {workers} workers")
    print(f"bare read of {rows:,} rows: {floor:.1f} s of a processor, {floor / len(known) * 1e3:.2f} ms a case")
    print(first.told("full"), f"- {first.cpu / floor:.1f} times the bare read")
    print(calm.told("incremental, nothing changed"), f"- {first.cpu / calm.cpu:.1f} times cheaper")
    print(full.told(f"full, after {fresh:,} events of a day"))
    print(partly.told("incremental, these cases judged by the audit"), f"- {full.cpu / partly.cpu:.1f} times cheaper, equal")
    print(day.told("incremental, workers judge these cases first"), f"- {full.cpu / day.cpu:.1f} times cheaper, equal")
    print(team.told("full, one team"), f"- {full.cpu / team.cpu:.1f} times cheaper")
    print(
        f"memory of a worker: {before:.0f} MB before, at most {again.peak:.0f} MB after all of these, reports put together by one of them"
    )
    tell("from an event to its breach, without an audit", quiet)
    tell("from an event to its breach, while a full audit ran", bench.live)
    split = where_it_goes(bench, max(1, min(4, len(known) // 500)))
    whole_ms = sum(split.values())
    print("a worker's own time, full, ms a case:", ", ".join(f"{name} {ms:.2f} ({ms / whole_ms:.0%})" for name, ms in split.items()))
    return True


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="./dev bench audit", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--families", type=int, default=FAMILIES, help="made-up families that are judged; the others are copies of them")
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args(arguments)
    return run(cases=chosen.cases, families=min(chosen.families, 999), workers=chosen.workers)


if __name__ == "__main__":
    os.chdir(Path(__file__).resolve().parents[1])
    sys.exit(main())
