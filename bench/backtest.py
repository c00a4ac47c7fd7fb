"""`python -m bench.backtest`: a backtest over many stored cases by workers as in production, and the same by hand, case by case.

A PostgreSQL (with fsync), a Redis and workers, all started here and ended at the end; the store is filled with the made-up population.
By hand is a plain loop over the rules' own `evaluate`, one case at a time, that shares nothing with the backtest but the record and
the rules: the report must agree with it in every count. While the workers are at it, events are posted and their breaches waited for.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import os
import platform
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import text

from bench.latency import Durable, first_event
from rules.evaluate import evaluate
from rules.model import Verdict
from rules.policy import Policy, load_package, package_of
from service.access import system
from service.backtests import runs as backtest
from service.bootstrap import Service, build
from service.demo import population
from service.ingest import ingest
from service.policies import book as policybook
from service.settings import load
from service.sweeper import Sweeper
from store.backtests import Backtest
from store.cases import load_case
from store.migrations import upgrade
from tests.support.servers import Valkey

FAMILIES_PER_CASE = 0.73
"""The made-up population has somewhat more cases than families."""
EDITS = {"by: {nth: 3, of: qualifying_visit, warn_after: 2}": "by: {nth: 4, of: qualifying_visit, warn_after: 2}"}
"""What the candidate says otherwise, besides setting every parameter: the safety plan is due a visit later."""
PATIENCE = 3_600.0
Counts = Counter[tuple[Any, ...]]


def candidate_of(policy: Policy, *, days: int = 14) -> Policy:
    """A version with all parameters set and one rule changed, so that breaches come, go and move."""
    package = package_of(policy)
    texts = dict(package.files)
    for old, new in EDITS.items():
        assert old in texts[package.main], f"the policy no longer holds {old!r}"
        texts[package.main] = texts[package.main].replace(old, new)
    return load_package(texts, package.main).with_parameters(dict.fromkeys(policy.unset(), days))


# --- by hand ---------------------------------------------------------------------------------------------------------


def by_hand(svc: Service, cases: Sequence[str], base: Sequence[Policy], candidate: Policy, told: Backtest) -> Counts:
    """Every case judged by itself under both versions, and counted."""
    counts: Counts = Counter()
    throughout = replace(candidate, effective=min(policy.effective for policy in base))
    for case in cases:
        with svc.reading() as session:
            file = load_case(session, case, known_at=told.known_at, upto=told.position).file
        old = asked(evaluate(list(base), file, as_of=told.as_of, known_at=told.known_at).verdicts)
        new = asked(evaluate([throughout], file, as_of=told.as_of, known_at=told.known_at).verdicts)
        changed = False
        for key in old.keys() | new.keys():
            before, after = old.get(key), new.get(key)
            one = after or before
            assert one is not None
            where = (one.rule, one.team, one.office)
            counts["verdicts", *where, name(before), name(after)] += 1
            if breached(before) != breached(after):
                counts["gained" if breached(after) else "lost", *where] += 1
            changed = changed or facts(before) != facts(after)
        counts["changed" if changed else "unchanged",] += 1
    return counts


def asked(verdicts: Sequence[Verdict]) -> dict[tuple[str, ...], Verdict]:
    nothing = ("out_of_scope", "not_triggered", "before_policy")
    return {v.key: v for v in verdicts if v.verdict != "not_applicable" or v.reason not in nothing}


def name(verdict: Verdict | None) -> str:
    if verdict is None:
        return "none"
    return ("" if verdict.status == "enforced" else "shadow:") + str(verdict.verdict)


def breached(verdict: Verdict | None) -> bool:
    return name(verdict) in ("breached", "late")


def facts(verdict: Verdict | None) -> Mapping[str, Any] | None:
    return None if verdict is None else {**verdict.as_dict(), "policy_digest": ""}


def of_report(report: Mapping[str, Any]) -> Counts:
    """The same counts, as the report gives them."""
    counts: Counts = Counter()
    for row in report["transitions"]:
        counts["verdicts", row["rule"], row["team"], row["office"], row["before"], row["after"]] += row["obligations"]
    for row in report["rows"]:
        if row["change"] in ("gained", "lost"):
            counts[row["change"], row["rule"], row["team"], row["office"]] += row["obligations"]
    counts["changed",] += report["totals"]["cases"]["changed"]
    counts["unchanged",] += report["totals"]["cases"]["unchanged"]
    return +counts


# --- the store, and who works ----------------------------------------------------------------------------------------


def fill(svc: Service, cases: int) -> list[str]:
    """Made-up families until there are ``cases`` of them; nothing waits afterwards, as if all had been judged."""
    until = dt.datetime.fromtimestamp(svc.now() / 1000, dt.UTC)
    events = list(population(until=until, families=round(cases * FAMILIES_PER_CASE) + 1))
    for start in range(0, len(events), 1_000):
        ingest(svc, events[start : start + 1_000], via="bench")
    with svc.writing() as session:
        session.execute(text("DELETE FROM dirty"))
        found = list(session.execute(text("SELECT DISTINCT case_id FROM event ORDER BY case_id")).scalars())
        session.execute(text("ANALYZE") if svc.engine.dialect.name == "postgresql" else text("SELECT 1"))
    print(f"{len(found):,} cases, {len(events):,} events", flush=True)
    return found


@contextlib.contextmanager
def working(count: int) -> Iterator[list[int]]:
    """So many workers; their process ids."""
    children = [subprocess.Popen([sys.executable, "-m", "workers.process"], stderr=subprocess.DEVNULL) for _ in range(count)]
    try:
        yield [child.pid for child in children]
    finally:
        for child in children:
            child.terminate()
        for child in children:
            child.wait(60)


def cpu_seconds(pid: int) -> float:
    """What a process has taken of a processor so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_mb(pid: int) -> float:
    """The largest resident size of a process so far."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def seconds_to_breach(svc: Service, case: str) -> float:
    """From posting a case's first event until its breaches are in the store."""
    event = first_event(case)
    began = time.perf_counter()
    ingest(svc, [event])
    while time.perf_counter() - began < PATIENCE:
        with svc.reading() as session:
            if session.execute(text("SELECT 1 FROM breach WHERE case_id = :case LIMIT 1"), {"case": case}).first():
                return time.perf_counter() - began
        time.sleep(0.002)
    raise SystemExit("an event was not judged")


def wait(svc: Service, made: Backtest, *, live: list[float], every: float) -> Backtest:
    """Until the backtest is over, posting an event now and then."""
    sweeper = Sweeper(svc, probation=3600)
    while not (told := backtest.get(svc, system(), made.id)).over:
        live.append(seconds_to_breach(svc, f"live-{made.id}-{len(live)}"))
        sweeper.sweep()
        time.sleep(every)
    return told


def tell(what: str, seconds: Sequence[float]) -> None:
    if seconds:
        ordered = [second * 1000 for second in sorted(seconds)]
        print(f"{what}: {len(ordered)} events, p50 {statistics.median(ordered):.0f} ms, longest {ordered[-1]:.0f} ms")


def run(*, cases: int, workers: int) -> int:
    """Fill, measure, compare. Exit code 1 where the report and the loop by hand differ."""
    with Durable() as postgres, Valkey() as valkey, postgres.database() as database, tempfile.TemporaryDirectory() as home:
        os.environ.update(DATABASE_URL=database, REDIS_URL=valkey.url, DUECARE_SECRET_KEY=secrets.token_urlsafe(48), DUECARE_HOME=home)
        os.environ["DUECARE_LOG_LEVEL"] = "error"
        svc = build(load())
        upgrade(svc.engine)
        Sweeper(svc, probation=3600).sweep()
        known = fill(svc, cases)
        base = [policy for policy in svc.policies.policies if policy.id == "cfss"]
        candidate = candidate_of(base[-1])
        with svc.writing() as session:
            policybook.keep(session, candidate, now=svc.now())
        quiet: list[float] = []
        busy: list[float] = []
        with working(workers) as pids:
            quiet += [seconds_to_breach(svc, f"quiet-{number}") for number in range(20)][5:]
            before, idle = [peak_mb(pid) for pid in pids], sum(map(cpu_seconds, pids))
            began = time.perf_counter()
            made = backtest.start(svc, system(), candidate=candidate.digest)
            done = wait(svc, made, live=busy, every=max(1.0, cases / 4_000))
            took = time.perf_counter() - began
            after, busy_seconds = [peak_mb(pid) for pid in pids], sum(map(cpu_seconds, pids)) - idle
        assert done.state == "done", done
        report = backtest.report(svc, system(), made.id)
        totals = report["totals"]
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}, {workers} workers")
        print(
            f"{done.total:,} cases in {took:.0f} s; "
            f"the workers took {busy_seconds:.0f} s of a processor, {busy_seconds / done.total * 1e3:.1f} ms a case"
        )
        print(f"{totals['obligations']['compared']:,} obligations compared, {totals['breaches']}, {totals['obligations']}")
        sizes = ", ".join(f"{one:.0f} MB before and {two:.0f} MB after" for one, two in zip(before, after, strict=True))
        print(f"peak memory of the workers: {sizes}; the report has {len(backtest.report_text(svc, system(), made.id)) / 1024:,.0f} kB")
        tell("from an event to its breach, without a backtest", quiet)
        tell("from an event to its breach, while it ran", busy)
        also = [f"quiet-{number}" for number in range(20)]
        began = time.process_time()
        wanted = by_hand(svc, [*known, *also], base, candidate, done)
        spent = time.process_time() - began
        print(f"by hand: {spent:.0f} s of a processor, {spent / done.total * 1e3:.1f} ms a case")
        svc.close()
    found = of_report(report)
    if found != wanted:
        print(f"the report and the loop by hand differ: {list(((found - wanted) + (wanted - found)).items())[:10]}", file=sys.stderr)
        return 1
    print(f"the report agrees with the loop by hand in all of its {len(found):,} counts")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench.backtest", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args(arguments)
    return run(cases=chosen.cases, workers=chosen.workers)


if __name__ == "__main__":
    os.chdir(Path(__file__).resolve().parents[1])
    sys.exit(main())
