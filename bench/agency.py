"""A store of any number of cases with all their events and everything that judging them leaves, made by COPY in about a minute.

Some hundred made-up families are taken in and judged as in production; the rest are copies of their rows under other names, so that a
full audit of the copies finds nothing stored wrongly.  Events lie in the order in which they came: those of one case are spread over
the whole table.  Imports service/, store/ and tests.support.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from bench.latency import Durable
from service import evaluate
from service.bootstrap import Service
from service.demo import population
from service.ingest import ingest
from service.sweeper import Sweeper
from store.ids import _CASES, _FINDINGS

FAMILIES = 700
"""Families that are judged from their events; their cases are what the others are copies of."""
MARK = "demo-0"
"""How the id of every made-up case, event, person and plan begins, for fewer than 1,000 families."""


class Tuned(Durable):
    """As in production, with the memory that a server of this size is given."""

    def command(self) -> list[str]:
        options = ("shared_buffers=1GB", "max_wal_size=8GB", "checkpoint_timeout=30min", "synchronous_commit=on")
        return [*super().command(), *(part for one in options for part in ("-c", one))]


@dataclass(frozen=True, slots=True)
class _Copied:
    """How the rows of a table are copied.  ``own``: a column that is a made id, and what it is made of."""

    table: str
    own: str | None = None
    made_of: str | None = None
    namespace: uuid.UUID | None = None
    without: tuple[str, ...] = ()
    spread: bool = False
    order: str = "1"


_KEY = "jsonb_build_array(case_id, episode, policy, rule, obligation)::text"
_TABLES = (
    _Copied("event", without=("position",), spread=True, order="position"),
    _Copied("case_link", order="case_id, key"),
    _Copied("verdict", "id", _KEY, _FINDINGS, order="case_id, episode, policy, rule, obligation"),
    _Copied("breach", "id", _KEY, _FINDINGS, order="case_id, episode, policy, rule, obligation"),
    _Copied("case_state", "id", "to_jsonb(case_id)::text", _CASES, order="case_id"),
)
_INDEXES = """
    SELECT indexname, indexdef FROM pg_indexes JOIN pg_class ON relname = indexname JOIN pg_index ON indexrelid = pg_class.oid
    WHERE tablename IN ('event', 'verdict') AND NOT indisunique ORDER BY indexname
"""
_PRINTS = """
    UPDATE case_state SET position = (SELECT max(position) FROM event),
        summary = summary || jsonb_build_object('print', substr(encode(sha256(convert_to(told.said, 'UTF8')), 'hex'), 1, 16))
    FROM (
        SELECT case_id, string_agg(line, chr(10) ORDER BY line COLLATE "C") AS said FROM (
            SELECT case_id, concat_ws(chr(9), episode, policy, rule, obligation, verdict, coalesce(reason, 'None'), severity, status,
                coalesce(activated_on, 'None'), coalesce(due_on, 'None'), coalesce(satisfied_on, 'None'),
                coalesce(CAST(days_late AS text), 'None'), coalesce(team, 'None'), coalesce(office, 'None')) AS line
            FROM verdict
        ) AS lines GROUP BY case_id
    ) AS told
    WHERE told.case_id = case_state.case_id
"""
_LINES = """
    SELECT jsonb_build_array(b.case_id, b.episode, b.policy, b.rule, b.obligation)::text AS made_of, {columns}
    FROM breach_history h JOIN breach b ON b.id = h.breach_id ORDER BY h.id
"""


def settled(svc: Service, families: int = FAMILIES) -> int:
    """Families taken in and judged; how many cases they are."""
    until = dt.datetime.fromtimestamp(svc.now() / 1000, dt.UTC)
    events = list(population(until=until, families=families))
    for start in range(0, len(events), 1_000):
        ingest(svc, events[start : start + 1_000], via="bench")
    Sweeper(svc, probation=3600).sweep()
    while evaluate.drain(svc):
        pass
    return len({event["subject"] for event in events} - {"-"})


def multiply(url: str, cases: int, have: int) -> None:
    """Copies until there are ``cases`` cases, or as many as whole copies of those at hand give."""
    copies = range(1, max(1, round(cases / have)))
    with psycopg.connect(url, autocommit=True) as source, psycopg.connect(url) as target:
        source.execute("SET statement_timeout = 0")
        source.execute("SET maintenance_work_mem = '512MB'")
        indexes = source.execute(_INDEXES).fetchall()
        for name, _ in indexes:
            source.execute(f"DROP INDEX {name}")
        for table in _TABLES:
            _copy(source, target, table, copies)
        _copy_lines(source, target, copies)
        target.commit()
        for _, made in indexes:
            source.execute(made)
        source.execute(_PRINTS)
        source.execute("VACUUM ANALYZE")


def _columns(source: psycopg.Connection[Any], table: str, without: Sequence[str]) -> list[str]:
    found = source.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND table_schema = 'public' ORDER BY ordinal_position",
        [table],
    )
    return [name for (name,) in found if name not in without]


def _copy(source: psycopg.Connection[Any], target: psycopg.Connection[Any], table: _Copied, copies: range) -> None:
    skipped = (*table.without, *((table.own,) if table.own else ()))
    columns = _columns(source, table.table, skipped)
    quoted = ", ".join(f'"{name}"' for name in columns)
    own = f"{table.made_of} AS made_of, " if table.own else ""
    rows = _dumped(source, f"SELECT {own}{quoted} FROM {table.table} ORDER BY {table.order}")
    into = f'"{table.own}", {quoted}' if table.own else quoted
    renamed = _with_id(table.namespace) if table.namespace is not None else lambda line, mark: line.replace(MARK, mark)
    with target.cursor().copy(f"COPY {table.table} ({into}) FROM STDIN") as copy:
        for block in _blocks(rows, copies, renamed, spread=table.spread):
            copy.write(block)


def _copy_lines(source: psycopg.Connection[Any], target: psycopg.Connection[Any], copies: range) -> None:
    """Histories of breaches; their hashes are copied, too, and chain no more."""
    columns = _columns(source, "breach_history", ("id", "breach_id"))
    rows = _dumped(source, _LINES.format(columns=", ".join(f'h."{name}"' for name in columns)))
    quoted = ", ".join(f'"{name}"' for name in columns)
    with target.cursor().copy(f"COPY breach_history (breach_id, {quoted}) FROM STDIN") as copy:
        for block in _blocks(rows, copies, _with_id(_FINDINGS), spread=False):
            copy.write(block)


def _dumped(source: psycopg.Connection[Any], query: str) -> list[str]:
    with source.cursor().copy(f"COPY ({query}) TO STDOUT") as copy:
        return b"".join(bytes(part) for part in copy).decode().splitlines(keepends=True)


def _with_id(namespace: uuid.UUID) -> Callable[[str, str], str]:
    """A line whose first field says what the row's id is made of; the id stands there afterwards."""

    def renamed(line: str, mark: str) -> str:
        made_of, _, rest = line.replace(MARK, mark).partition("\t")
        name = json.dumps(json.loads(made_of.replace("\\\\", "\\")), ensure_ascii=True)
        digest = hashlib.sha1(namespace.bytes + name.encode(), usedforsecurity=False).digest()
        return f"{uuid.UUID(bytes=digest[:16], version=5)}\t{rest}"

    return renamed


def _blocks(rows: Sequence[str], copies: Iterable[int], renamed: Callable[[str, str], str], *, spread: bool) -> Iterator[str]:
    marks = [f"demo-c{number}-0" for number in copies]
    if spread:
        for row in rows:
            if MARK in row:
                yield "".join(renamed(row, mark) for mark in marks)
    else:
        for mark in marks:
            yield "".join(renamed(row, mark) for row in rows)
