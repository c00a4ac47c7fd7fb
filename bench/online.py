"""`python -m bench.online`: what the database costs one evaluation, as a ratio to a bare select and upsert of the same rows.

A PostgreSQL with fsync.  Each case has about 30 events and was judged before; then one more event comes.  Ours is everything that
`service.evaluate` does for it (claim, look at the versions in force, read, write, release) but judging itself, whose time is taken off.
The peer, on a connection of its own in psycopg alone, selects the case's events, verdicts, breaches and state and writes, in the same
transaction, the verdicts, breaches and state that ours has just written, as they are: so that what stands does not change, which is
checked.  Both take turns, case by case.
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
import tempfile
import time
from collections.abc import Sequence
from typing import Any
from unittest.mock import patch

import psycopg
from psycopg import sql

from bench.latency import Durable, closure, history, percentile
from service import evaluate, findings
from service.bootstrap import build
from service.ingest import ingest
from service.settings import load
from store.migrations import upgrade

KEYS = {"verdict": ("case_id", "episode", "policy", "rule", "obligation"), "breach": ("id",), "case_state": ("case_id",)}


class Peer:
    """Select and upsert, with nothing around."""

    def __init__(self, url: str) -> None:
        self.connection = psycopg.connect(url)
        self.columns = {table: self._columns(table) for table in (*KEYS, "event")}
        self.upserts = {table: self._upsert(table) for table in KEYS}
        self.connection.commit()

    def _columns(self, table: str) -> list[str]:
        found = self.connection.execute("SELECT * FROM " + table + " LIMIT 0").description
        return [column.name for column in found or ()]

    def _upsert(self, table: str) -> sql.Composed:
        names = [sql.Identifier(name) for name in self.columns[table]]
        changed = [sql.SQL("{0} = excluded.{0}").format(name) for name in names if name.as_string(None) not in KEYS[table]]
        return sql.SQL("INSERT INTO {} ({}) VALUES ({}) ON CONFLICT ({}) DO UPDATE SET {}").format(
            sql.Identifier(table),
            sql.SQL(", ").join(names),
            sql.SQL(", ").join([sql.Placeholder()] * len(names)),
            sql.SQL(", ").join(map(sql.Identifier, KEYS[table])),
            sql.SQL(", ").join(changed),
        )

    def standing(self, table: str, case: str) -> list[tuple[Any, ...]]:
        query = sql.SQL("SELECT * FROM {} WHERE case_id = %s").format(sql.Identifier(table))
        return self.connection.execute(query, [case]).fetchall()

    def once(self, case: str, written: dict[str, list[tuple[Any, ...]]]) -> float:
        """The seconds of one select and upsert."""
        began = time.perf_counter()
        for table in ("event", *KEYS):
            self.standing(table, case)
        with self.connection.cursor() as cursor:
            for table, rows in written.items():
                if rows:
                    cursor.executemany(self.upserts[table], rows)
        self.connection.commit()
        return time.perf_counter() - began

    def written(self, case: str, before: dict[str, list[tuple[Any, ...]]]) -> dict[str, list[tuple[Any, ...]]]:
        """The rows of a case that are not as they were."""
        found = {}
        for table in KEYS:
            known = {repr(row) for row in before[table]}
            found[table] = [self._sent(row) for row in self.standing(table, case) if repr(row) not in known]
        self.connection.commit()
        return found

    @staticmethod
    def _sent(row: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(psycopg.types.json.Jsonb(value) if isinstance(value, dict | list) else value for value in row)


def run(cases: int) -> bool:
    with Durable() as server, server.database() as url, tempfile.TemporaryDirectory() as home:
        os.environ.update(DATABASE_URL=url, DUECARE_SECRET_KEY=secrets.token_urlsafe(48), DUECARE_HOME=home, DUECARE_LOG_LEVEL="error")
        os.environ.pop("REDIS_URL", None)
        svc = build(load())
        upgrade(svc.engine)
        for start in range(0, cases, 50):
            ingest(svc, [one for number in range(start, min(start + 50, cases)) for one in history(number, now=svc.now())])
        while evaluate.drain(svc):
            pass
        judging = 0.0
        judge = findings.judge

        def timed(*args: Any, **kwargs: Any) -> Any:
            nonlocal judging
            began = time.perf_counter()
            found = judge(*args, **kwargs)
            judging += time.perf_counter() - began
            return found

        peer = Peer(url)
        ours: list[float] = []
        theirs: list[float] = []
        rows = same = 0
        with patch.object(evaluate, "judge", timed):
            for number in range(cases):
                case = f"long-{number}"
                ingest(svc, [closure(case)])
                before = {table: peer.standing(table, case) for table in KEYS}
                peer.connection.commit()
                judging = 0.0
                began = time.perf_counter()
                evaluate.drain(svc)
                ours.append(time.perf_counter() - began - judging)
                written = peer.written(case, before)
                rows += sum(map(len, written.values()))
                stands = {table: sorted(map(repr, peer.standing(table, case))) for table in KEYS}
                peer.connection.commit()
                theirs.append(peer.once(case, written))
                same += stands == {table: sorted(map(repr, peer.standing(table, case))) for table in KEYS}
                peer.connection.commit()
        svc.close()
        peer.connection.close()
        if same != cases or not rows:
            print(f"{cases - same} of {cases} cases do not stand as they did; {rows} rows written")
            return False
        ours, theirs = ours[20:], theirs[20:]  # the first ones warm both up
        print(f"{len(ours)} evaluations, {rows / cases:.0f} rows written by each; load {os.getloadavg()[0]:.1f}")
        for share in (50, 99):
            mine, bare = percentile(ours, share), percentile(theirs, share)
            ratio = f"{mine / bare:.1f} times (aim: 2)"
            print(f"p{share}: database part {mine * 1000:.1f} ms, bare {bare * 1000:.1f} ms: {ratio}", flush=True)
        return True


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=200)
    return 0 if run(parser.parse_args(arguments).cases) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
