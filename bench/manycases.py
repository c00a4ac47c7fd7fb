"""A seeded population of many cases as Parquet, for engines that judge all of them at once.  Made up.

A few thousand cases are made by `bench.population`; DuckDB copies each under other names and on other days, so that a million cases of
about 30 events take a minute or two.  The columns are those of the store's table of events; ``data`` is JSON text.  The same seed
gives the same cases, clustered by case or in the order in which their events arrived.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import duckdb

from bench.population import DAY, awkward_case, plain_case
from rules.model import CaseFile, Event

COLUMNS = "source, id, type, case_id, time, recorded, recorded_given, data"
ORDERS = {"clustered": "", "arrival": "ORDER BY recorded, case_id, id"}
SPAN = 240
"""Copies lie on so many different days, up to 60 days after those of the case that they are copies of."""
CHUNK = 50_000
"""So many cases are written at once, which bounds the memory."""


def _templates(seed: int, plain: int, awkward: int) -> Iterator[tuple[int, bool, Event]]:
    for number in range(plain + awkward):
        odd = number >= plain
        made = awkward_case(seed * 1_000_003 + number, case="@") if odd else plain_case(seed * 1_000_003 + number, case="@")
        for event in made.events:
            yield number, odd, event


def write(path: Path, *, cases: int, seed: int = 1, order: str = "clustered", awkward: float = 0.04, templates: int = 2_000) -> None:
    """Write ``cases`` cases to ``path``, of which the share ``awkward`` is what hand-written code for plain cases does not know."""
    templates = min(templates, cases)
    odd = round(templates * awkward)
    with duckdb.connect() as db, tempfile.TemporaryDirectory(dir=path.parent) as folder:
        db.execute(f"SET threads = 2; SET memory_limit = '3GB'; SET preserve_insertion_order = true; SET temp_directory = '{folder}'")
        text = Path(folder) / "templates.json"
        with text.open("w", encoding="utf-8") as out:
            for number, is_odd, event in _templates(seed, templates - odd, odd):
                row = [number, is_odd, event.source, event.id, event.type, event.time, event.recorded, event.recorded_given]
                out.write(json.dumps([*row, json.dumps(dict(event.data), separators=(",", ":"))]) + "\n")
        db.execute(
            """CREATE TABLE template AS SELECT (j->>0)::INT AS number, (j->>1)::BOOL AS odd, j->>2 AS source, j->>3 AS id, j->>4 AS type,
               (j->>5)::BIGINT AS time, (j->>6)::BIGINT AS recorded, (j->>7)::BOOL AS recorded_given, j->>8 AS data,
               row_number() OVER () AS line FROM read_ndjson_objects(?) AS t(j)""",
            [str(text)],
        )
        parts = Path(folder) / "parts"
        parts.mkdir()
        for low in range(0, cases, CHUNK):
            db.execute(
                f"""COPY (
                SELECT source, replace(id, '@', name) AS id, type, name AS case_id, time + moved * {DAY} AS time,
                       recorded + moved * {DAY} AS recorded, recorded_given, replace(data, '@', name) AS data
                FROM (SELECT k, k % {templates} AS number, k % {templates} >= {templates - odd} AS is_odd,
                             printf('%s%07d', if(is_odd, 'odd-', 'case-'), k) AS name,
                             if(is_odd, 0, 60 - (k * 7919 + {seed}) % {SPAN}) AS moved
                      FROM range({low}, {min(low + CHUNK, cases)}) AS r(k)) JOIN template USING (number)
                ORDER BY k, line) TO '{parts}/{low:09d}.parquet' (FORMAT parquet, COMPRESSION zstd)"""
            )
        db.execute(f"COPY (SELECT {COLUMNS} FROM '{parts}/*.parquet' {ORDERS[order]}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)")


def files(path: Path, cases: list[str]) -> dict[str, CaseFile]:
    """Some of the cases as the per-case engine takes them."""
    found: dict[str, list[Event]] = {case: [] for case in cases}
    with duckdb.connect() as db:
        rows = db.execute(f"SELECT {COLUMNS} FROM '{path}' WHERE list_contains(?, case_id)", [cases])
        while row := rows.fetchone():
            source, name, kind, case, time, recorded, given, data = row
            found[case].append(Event(source, name, kind, case, time, recorded, given, json.loads(data)))
    return {case: CaseFile(case, tuple(events)) for case, events in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--order", choices=tuple(ORDERS), default="clustered")
    parser.add_argument("--awkward", type=float, default=0.04)
    chosen = parser.parse_args()
    write(chosen.path, cases=chosen.cases, seed=chosen.seed, order=chosen.order, awkward=chosen.awkward)


if __name__ == "__main__":
    main()
