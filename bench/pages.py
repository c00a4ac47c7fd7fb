"""`./dev bench pages`: what the main pages take on a PostgreSQL with 200,000 cases and 50,000 breaches, and how often they ask it.

One process asks the WSGI application itself for each page, signed in as somebody who reviews and administers; a PostgreSQL with fsync is
started here and ended at the end.  Each page is asked for when nothing that it counts has been counted ("first"), then time after time,
in turns with its peer: the help page, which has the same frame and asks for no list.  How many statements a page sends is compared
between a store of a few cases and the large one, whose lists are full pages: exit code 1 where a page asks more often for more rows.
"""

from __future__ import annotations

import argparse
import gc
import os
import platform
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event as hooks
from sqlalchemy import text

from api.app import create_app
from api.web.servicedesk import ServiceDesk
from bench.crowded import Size, crowd, judged, sizes
from bench.latency import Durable
from service import users
from service.bootstrap import Service, build
from service.settings import Settings
from store.migrations import upgrade
from store.queries import findings
from tests.support.service_kit import shipped

AIM_MS = 100.0
SLACK = 2
"""Statements more that a page of the large store may send: what a small store has none of is not looked up there."""
ROLES = ("reviewer", "manager", "administrator")
PEER = "/help"
_LONGEST_CASE = """
    SELECT case_id FROM event WHERE case_id IN (SELECT case_id FROM breach) GROUP BY case_id ORDER BY count(*) DESC, case_id LIMIT 1
"""
_USUAL_CASE = """
    SELECT case_id FROM (SELECT case_id, row_number() OVER (ORDER BY count(*), case_id) AS place FROM event GROUP BY case_id) AS ordered
    WHERE place = (SELECT (count(DISTINCT case_id) + 1) / 2 FROM event)
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """What one page took, in ms, and how often it asked the store (the first time, and on average later)."""

    name: str
    statements: int
    later: float
    rows: int
    first: float
    times: Sequence[float]
    peers: Sequence[float]


class Reader:
    """Somebody signed in, in one process, who counts the statements."""

    def __init__(self, svc: Service, user: str) -> None:
        self.svc, self.user = svc, user
        self.app: Flask = create_app(svc)
        gc.collect()
        gc.freeze()  # as the servers do
        self.sent: list[tuple[str, float]] = []
        self._began = 0.0
        hooks.listen(svc.engine, "before_cursor_execute", self._before)
        hooks.listen(svc.engine, "after_cursor_execute", self._after)

    def _before(self, *_: object) -> None:
        self._began = time.perf_counter()

    def _after(self, _connection: object, _cursor: object, statement: str, *_: object) -> None:
        self.sent.append((statement, (time.perf_counter() - self._began) * 1000))

    def enter(self, path: str) -> FlaskClient:
        """Signed in to the application, which has drawn the page before and has forgotten all that it had counted for it."""
        client = self.app.test_client()
        with client.session_transaction() as session:
            session["user"], session["began"], session["seen"] = self.user, self.svc.now(), self.svc.now()
        self.get(client, path)
        self.app.extensions["duecare_desk"] = ServiceDesk(self.svc)
        return client

    def get(self, client: FlaskClient, path: str) -> tuple[float, int, bytes]:
        """ms, statements, the page.  Raises SystemExit where it is no page."""
        self.sent.clear()
        began = time.perf_counter()
        answer = client.get(path)
        body = answer.get_data()
        took = (time.perf_counter() - began) * 1000
        if answer.status_code != 200:
            raise SystemExit(f"{path}: answered {answer.status_code}")
        return took, len(self.sent), body


def main_pages(reader: Reader, case: str, breach: str, team: str) -> dict[str, str]:
    """The addresses of the main pages, by what they are called in the table."""
    with reader.svc.reading() as session:
        audit = session.execute(text("SELECT id FROM audit ORDER BY created LIMIT 1")).scalar_one()
        usual = session.execute(text(_USUAL_CASE)).scalar_one()
    return {
        "Today": "/",
        "Breaches": "/breaches",
        "Breaches, of a severity and a team": f"/breaches?severity=high&team={team}",
        "Breaches, open, by due day": "/breaches?condition=open&sort=due_on",
        "Breaches, newest first, page 101": _deep(reader),
        "A breach": f"/breaches/{breach}",
        "Cases": "/cases",
        "Cases, most open breaches first": "/cases?sort=-open_breaches",
        "Cases of a team": f"/cases?team={team}",
        "A case": f"/cases/{usual}",
        "The case with the most events": f"/cases/{case}",
        "Due soon": "/due-soon",
        "Due soon, a month": "/due-soon/month",
        "Due soon, by team and worker": "/due-soon/teams",
        "Verdicts that cannot be judged": "/verdicts?verdict=unknown",
        "Statistics": "/statistics",
        "Waivers": "/waivers",
        "Audits": "/audits",
        "An audit": f"/audits/{audit}",
        "Policies": "/policies",
        "A rule": "/policies/cfss/rules/C08",
        "Sources": "/sources",
        "Accounts": "/administration/accounts",
        "Access log": "/administration/access-log",
        "Status": "/status",
    }


def _deep(reader: Reader) -> str:
    """The 101st page of the breaches, as somebody gets there who turns the pages; the last where there are fewer."""
    cursor = None
    with reader.svc.reading() as session:
        for _ in range(5):
            page = findings.list_breaches(session, limit=1_000, cursor=cursor)
            if page.next_cursor is None:
                break
            cursor = page.next_cursor
    return f"/breaches?cursor={cursor}" if cursor else "/breaches"


def asked(reader: Reader, name: str, path: str, rounds: int) -> Asked:
    """One page."""
    client = reader.enter(path)
    first, statements, body = reader.get(client, path)
    slow = sorted(reader.sent, key=lambda one: -one[1])[:3]
    if "PAGES_SLOW" in os.environ and first > AIM_MS:
        for statement, took in slow:
            print(f"    {name}: {took:.0f} ms {' '.join(statement.split())[:600]}", file=sys.stderr)
    times, peers, later = [], [], []
    for _ in range(rounds):
        took, number, body = reader.get(client, path)
        times.append(took)
        later.append(number)
        peers.append(reader.get(client, PEER)[0])
    return Asked(name, statements, statistics.mean(later), body.count(b"<tr") + body.count(b"<li"), first, times, peers)


def counted(reader: Reader, pages: Mapping[str, str]) -> dict[str, int]:
    """How many statements each page sends the first time."""
    found = {}
    for name, path in pages.items():
        found[name] = reader.get(reader.enter(path), path)[1]
    return found


def chosen(svc: Service) -> tuple[str, str, str]:
    """The case with the most events of those with a breach, such a breach, and the team with the most breaches."""
    with svc.reading() as session:
        case = session.execute(text(_LONGEST_CASE)).scalar_one()
        breach = session.execute(text("SELECT id FROM breach WHERE case_id = :case ORDER BY id LIMIT 1"), {"case": case}).scalar_one()
        team = session.execute(text("SELECT team FROM breach WHERE team IS NOT NULL GROUP BY team ORDER BY count(*) DESC, 1 LIMIT 1"))
        return case, breach, team.scalar_one()


def service(url: str, home: Path) -> Service:
    home.mkdir(parents=True, exist_ok=True)
    svc = build(Settings(home=home, database_url=url, secret_key=secrets.token_urlsafe(48)), policies=shipped())
    upgrade(svc.engine)
    return svc


def reader_of(svc: Service) -> Reader:
    made, _ = users.create(svc, name="bench", roles=ROLES, password=secrets.token_urlsafe(20))
    with svc.writing() as session:
        session.execute(text("UPDATE user_account SET must_change = false"))
    return Reader(svc, made.id)


def p95(values: Sequence[float]) -> float:
    return sorted(values)[max(0, -(-95 * len(values) // 100) - 1)]


def tell(results: Sequence[Asked], few: Mapping[str, int]) -> list[str]:
    """The table, as docs/benchmarks.md has it."""
    lines = ["| page | statements (few cases) | first, ms | median, ms | p95, ms | times the help page |", "|---|---|---|---|---|---|"]
    for one in results:
        median = statistics.median(one.times)
        ratio = median / statistics.median(one.peers)
        lines.append(
            f"| {one.name} | {one.statements} ({few[one.name]}) | {one.first:.0f} | {median:.0f} | {p95(one.times):.0f} | {ratio:.1f} |"
        )
    return lines


def few_statements(server: Durable, home: Path, families: int) -> dict[str, int]:
    """The statements of each page in a store of a few cases."""
    with server.database() as url:
        svc = service(url, home / "few")
        judged(svc, families)
        reader = reader_of(svc)
        found = counted(reader, main_pages(reader, *chosen(svc)))
        svc.close()
        return found


def run(*, size: Size, families: int, rounds: int) -> int:
    """Fill, ask, tell. Exit code 1 where a page asks more often for more rows."""
    with Durable() as server, tempfile.TemporaryDirectory() as name:
        home = Path(name)
        few = few_statements(server, home, 12)
        with server.database() as url:
            svc = service(url, home / "many")
            began = time.perf_counter()
            judged(svc, families)
            case, breach, team = chosen(svc)
            crowd(svc, size)
            held: dict[str, Any] = sizes(svc)
            print(", ".join(f"{number:,} {table}" for table, number in held.items()), f"in {time.perf_counter() - began:.0f} s", flush=True)
            reader = reader_of(svc)
            team = chosen(svc)[2]
            pages = main_pages(reader, case, breach, team)
            results = [asked(reader, name, path, rounds) for name, path in pages.items()]
            with svc.engine.connect() as connection:
                trips = []
                for _ in range(100):
                    start = time.perf_counter()
                    connection.execute(text("SELECT 1"))
                    trips.append((time.perf_counter() - start) * 1000)
            svc.close()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}; {rounds} times each")
    peer = statistics.median(took for one in results for took in one.peers)
    print(f"SELECT 1: {statistics.median(trips):.2f} ms; the help page: {peer:.1f} ms")
    print("\n".join(tell(results, few)))
    slow = [one.name for one in results if statistics.median(one.times) > AIM_MS]
    print(f"above {AIM_MS:.0f} ms (median): {', '.join(slow) or 'none'}")
    growing = [one.name for one in results if one.statements > few[one.name] + SLACK]
    if growing:
        print(f"more statements for more rows: {', '.join(growing)}", file=sys.stderr)
    return 1 if growing else 0


def main(arguments: Sequence[str] | None = None) -> int:
    usual = Size()
    parser = argparse.ArgumentParser(
        prog="python -m bench.pages", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=usual.cases)
    parser.add_argument("--breaches", type=int, default=usual.breaches)
    parser.add_argument("--families", type=int, default=220, help="made-up families whose cases are judged from events")
    parser.add_argument("--rounds", type=int, default=15)
    given = parser.parse_args(arguments)
    size = Size(cases=given.cases, breaches=given.breaches, log=given.cases)
    return run(size=size, families=given.families, rounds=given.rounds)


if __name__ == "__main__":
    os.chdir(Path(__file__).resolve().parents[1])
    sys.exit(main())
