"""`./dev bench bulk --cases N`: ten rules over many cases: in columns, by hand in DuckDB's SQL, by hand in Python, and case by case.

All read the same Parquet.  In columns means SQL made of the compiled rules (bench.columnar), with the cases that it does not take on
judged one by one.  Before a time is printed, its verdicts must be those of the SQL by hand on every plain case, and its verdicts, days and
evidence those of the engine on the sample, where the function by hand must agree too.  Times are of a processor; what is judged
case by case is sampled and scaled.  Slices of cases take turns, so that memory does not grow with their number.
"""

from __future__ import annotations

import argparse
import datetime as dt
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import duckdb

from bench.by_hand import RULES
from bench.by_hand import judge as by_hand
from bench.by_hand_sql import query
from bench.columnar.engine import COLUMNS, Plan, plan, run
from bench.judge import AS_OF, rss_mb
from bench.manycases import ORDERS, files, write
from bench.population import DAY
from rules.evaluate import evaluate
from rules.model import CaseFile
from rules.policy import Policy, load_shipped

KNOWN_AT = AS_OF + 99 * DAY
SLICE = 100_000
TABLE = f"CREATE OR REPLACE TABLE {{}} AS SELECT * FROM ({query('events', AS_OF)})"


@dataclass
class Spent:
    """Seconds of a processor by side, and what was seen on the way."""

    seconds: dict[str, float] = field(default_factory=dict)
    wall: dict[str, float] = field(default_factory=dict)
    cases: int = 0
    verdicts: int = 0
    left: int = 0
    sampled: int = 0

    @contextmanager
    def on(self, side: str) -> Iterator[None]:
        cpu, wall = time.process_time(), time.perf_counter()
        yield
        self.seconds[side] = self.seconds.get(side, 0.0) + time.process_time() - cpu
        self.wall[side] = self.wall.get(side, 0.0) + time.perf_counter() - wall


def iso(day: int | None) -> str | None:
    return None if day is None else dt.date.fromordinal(day).isoformat()


def judged(policy: Policy, file: CaseFile, rules: frozenset[str], *, as_of: int = AS_OF, known_at: int = KNOWN_AT) -> set[tuple[Any, ...]]:
    """What the engine says of a case, by rule and obligation."""
    found = evaluate([policy], file, as_of=as_of, known_at=known_at, deciders="table").verdicts
    return {
        (
            v.rule,
            v.obligation,
            v.verdict.value,
            v.reason,
            *(v.activated_on, v.due_on, v.due_soon_on, v.satisfied_on, v.days_late),
            v.curable,
            v.evidence,
        )
        for v in found
        if v.rule in rules
    }


def in_columns(db: duckdb.DuckDBPyConnection, cases: list[str]) -> dict[str, set[tuple[Any, ...]]]:
    """The same as `bench.columnar` has it."""
    found: dict[str, set[tuple[Any, ...]]] = {case: set() for case in cases}
    for case, *row in db.execute(f"SELECT {COLUMNS} FROM verdict WHERE list_contains(?, case_id)", [cases]).fetchall():
        days, (late, curable, evidence) = [iso(day) for day in row[4:8]], row[8:]
        found[case].add((*row[:4], *days, late, curable, tuple(dict.fromkeys(evidence))))
    return found


def compare(db: duckdb.DuckDBPyConnection, ten: Policy, made: Plan, path: Path, sample: int, spent: Spent) -> None:
    """Equality of all sides over a slice, and what judging one by one takes.  Raises SystemExit."""
    pivot = ", ".join(f"max(verdict) FILTER (rule = '{rule}') AS {rule}" for rule in RULES)
    mine = f"SELECT case_id, {pivot} FROM verdict WHERE case_id LIKE 'case-%' GROUP BY case_id"
    differing = db.execute(f"SELECT count(*) FROM (({mine}) EXCEPT (SELECT case_id, {', '.join(RULES)} FROM hand))").fetchone()
    if differing != (0,):
        raise SystemExit(f"{differing} plain cases are judged otherwise by hand in SQL")
    left = {case for (case,) in db.execute("SELECT case_id FROM leftover").fetchall()}
    half = "(SELECT case_id FROM found WHERE {} ORDER BY hash(case_id) LIMIT {})"
    drawn = " UNION ".join((half.format("case_id LIKE 'case-%'", sample), half.format("case_id NOT LIKE 'case-%'", sample // 4)))
    cases = [case for (case,) in db.execute(f"SELECT case_id FROM ({drawn}) ORDER BY case_id").fetchall()]
    with spent.on("decode"):
        loaded = files(path, cases)
    columns, rules = in_columns(db, cases), frozenset(made.selects)
    for case, file in loaded.items():
        plain = case.startswith("case-")
        with spent.on("engine, plain" if plain else "engine, awkward"):
            wanted = judged(ten, file, rules)
        if case not in left and wanted != columns[case]:
            raise SystemExit(f"{case} is judged otherwise in columns: {sorted(map(str, wanted ^ columns[case]))}")
        if plain:
            spent.sampled += 1
            with spent.on("by hand"):
                verdicts = by_hand(file.events, AS_OF)
            if {row[0]: row[2] for row in wanted} != verdicts:
                raise SystemExit(f"{case} is judged otherwise by hand")


def slices(db: duckdb.DuckDBPyConnection, path: Path) -> list[tuple[str, str]]:
    """The first and last case of each slice."""
    names = f"SELECT case_id, row_number() OVER (ORDER BY case_id) AS n FROM (SELECT DISTINCT case_id FROM '{path}')"
    return db.execute(f"SELECT min(case_id), max(case_id) FROM ({names}) GROUP BY (n - 1) // {SLICE} ORDER BY 1").fetchall()


def measure(path: Path, sample: int) -> Spent:
    """All sides over a population."""
    spent = Spent()
    cfss = load_shipped("cfss")
    ten = replace(cfss, rules=tuple(rule for rule in cfss.rules if rule.id in RULES))
    with duckdb.connect() as db, tempfile.TemporaryDirectory() as spill:
        db.execute(f"SET threads = 2; SET memory_limit = '3GB'; SET temp_directory = '{spill}'")
        (low,) = db.execute(f"SELECT min(time) FROM '{path}'").fetchall()[0]
        ranges = slices(db, path)
        for first, last in ranges:
            events = f"(SELECT * FROM '{path}' WHERE case_id BETWEEN '{first}' AND '{last}')"
            db.execute(f"CREATE OR REPLACE TEMP VIEW events AS {events[1:-1]}")
            with spent.on("SQL by hand"):
                db.execute(TABLE.format("hand"))
            with spent.on("in columns"):
                made = plan(ten, as_of=AS_OF, known_at=KNOWN_AT, low=low)
                run(db, made, "events")
            counts = "SELECT (SELECT count(*) FROM found), (SELECT count(*) FROM verdict), (SELECT count(*) FROM leftover)"
            for name, number in zip(("cases", "verdicts", "left"), db.execute(counts).fetchall()[0], strict=True):
                setattr(spent, name, getattr(spent, name) + number)
            compare(db, ten, made, path, max(20, sample // len(ranges)), spent)
    return spent


def told(spent: Spent, show: Callable[[str], None] = print) -> None:
    """The figures."""
    share = spent.left / spent.cases
    show(f"{spent.cases:,} cases, {spent.verdicts:,} verdicts in columns; {share:.1%} of the cases are left to be judged one by one")
    engine = spent.seconds["engine, plain"] / spent.sampled
    columns, left = spent.seconds["in columns"] / spent.cases, engine * spent.left / spent.cases
    sides = {
        "by hand in SQL": spent.seconds["SQL by hand"] / spent.cases,
        "in columns": columns,
        "in columns, with the cases left": columns + left,
        "by hand in Python (events in hand)": spent.seconds["by hand"] / spent.sampled,
        "case by case (events in hand)": engine,
    }
    floor = sides["by hand in SQL"]
    for name, seconds in sides.items():
        times = f"{seconds / floor:6.1f} times SQL by hand {engine / seconds:6.1f} times faster than one by one"
        show(f"{name:36} {seconds * 1e6:6.0f} us a case {times}")
    wall = spent.wall
    show(f"wall clock: SQL by hand {wall['SQL by hand']:.0f} s, in columns {wall['in columns']:.0f} s; largest memory {rss_mb():.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--sample", type=int, default=500, help="plain cases that are judged one by one too; a quarter as many awkward ones"
    )
    parser.add_argument("--orders", nargs="+", choices=tuple(ORDERS), default=list(ORDERS))
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for order in chosen.orders:
            path = Path(folder) / f"{order}.parquet"
            write(path, cases=chosen.cases, seed=chosen.seed, order=order)
            spent = measure(path, chosen.sample)
            print(f"{order}: the same verdicts from every side; days and evidence too, in columns and one by one")
            told(spent)


if __name__ == "__main__":
    main()
