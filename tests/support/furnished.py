"""A store in which every kind of work has left something: what a backup must bring back and a migration must leave alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, inspect, select

from rules.model import Heartbeat
from service import accesslog, duefeeds, keys, savedviews, seals, statistics, users, websessions
from service.access import Access, system
from service.audits import runs as audits
from service.audits import schedules as auditschedules
from service.backtests import runs as backtest
from service.review import ask_waiver, review
from store import notices, outbox, sources
from store.accesslog import Entry
from store.events import insert_heartbeats
from store.models import CaseHoldRow, RejectRow, SourceRecordRow
from store.restore import _continue_numbering, _table
from tests.support.audits import finished as audit_finished
from tests.support.backtests import LATER, changed, families, kept
from tests.support.backtests import finished as backtest_finished
from tests.support.service_kit import Kit, event, visit

ANN = Access("user:ann", "ann", frozenset({"breaches:review", "breaches:read"}), frozenset({"reviewer"}))
NEVER_FILLED = {"reject": "0004", "audit": "0008", "audit_chunk": "0008"}
"""Tables that were made anew at a revision: what stood there before under the name was never written to."""
Content = dict[str, list[dict[str, Any]]]
"""By table its rows, each by column, in the order of their keys."""


def furnish(house: Kit) -> None:
    """Cases, breaches with reviews and a waiver, an audit, a backtest, a proposal, people, keys, messages, a read log, seals."""
    svc = house.svc
    house.take(*families())
    with svc.writing() as session:
        insert_heartbeats(session, [Heartbeat("urn:test:casework", house.clock(), house.clock())])
    house.settle()
    first, second = house.breaches("k1")["C08"], house.breaches("k2")["C08"]
    review(svc, ANN, first.id, action="acknowledge", version=first.version, comment="seen")
    ask_waiver(svc, ANN, second.id, version=second.version, reason_code="outside_control", ends_at=house.clock() + 30 * 86_400_000)
    audit_finished(svc, audits.start(svc, system()))
    candidate = kept(svc, changed(LATER))
    backtest_finished(svc, backtest.start(svc, system(), candidate=candidate))
    auditschedules.add(svc, system(), name="nightly", cron="30 2 * * *", zone="Australia/Adelaide")
    ann, _ = users.create(svc, name="ann", roles=["viewer"])
    websessions.begin(svc, user_id=ann.id, how="password", device="Firefox on Linux")
    keys.create(svc, name="feed", scopes=["events:write"])
    savedviews.save(svc, ANN, name="mine", content=savedviews.Content({"rule": ("C08",)}))
    duefeeds.create(svc, ANN, team=None)
    accesslog.record(svc, Entry(at=house.clock(), actor="user:ann", via="web", action="case.read", outcome="done", case="k1"))
    with svc.writing() as session:
        turn = sources.begin(session, "urn:test:pulled", adapter="files", now=house.clock(), lease_ms=30_000)
        assert turn is not None
        sources.advance(session, "urn:test:pulled", cursor={"after": "x"}, records=3, now=house.clock(), lease_ms=30_000)
        sources.end(session, turn, now=house.clock(), next_at=house.clock() + 60_000, error=None)
        notices.add(session, "partner", [one.message for one in outbox.owed(session, now=house.clock(), limit=5)], now=house.clock())
        notices.begin(session, "partner", now=house.clock(), lease_ms=1_000)
        session.add(
            RejectRow(source="urn:test:pulled", kind="visit", ref="7", received=1, problems=[{"code": "x"}], payload={"a": 1}, holds_from=1)
        )
        session.add(CaseHoldRow(source="urn:test:pulled", kind="visit", ref="8", case_id="k1", complete_until=1, since=1, released=2))
        session.add(SourceRecordRow(source="urn:test:pulled", kind="visit", ref="9", digest="d", events={"e": ["d", 0]}, sweep=1))
    house.take(event("service.connected", "2026-03-02T09:00", {"program": "other"}, case="k1"))
    statistics.refresh(svc)
    seals.seal(svc, rounds=None)
    house.take(visit("2026-05-28T10:00", case="k7"), event("case.closed", "2026-05-29T09:00", {"closure_reason": "moved"}, case="k6"))


def content(connection: Connection) -> Content:
    """Everything in a database of whatever revision."""
    found: Content = {}
    for name in sorted(inspect(connection).get_table_names()):
        if name != "alembic_version":
            rows = [dict(row._mapping) for row in connection.execute(select(_table(connection, name)))]
            found[name] = sorted(rows, key=repr)
    return found


def put(connection: Connection, given: Content, *, order: Iterable[str], without: Iterable[str] = ()) -> Content:
    """As much of ``given`` as the tables of this database have a place for, put there; what was put."""
    tables = set(inspect(connection).get_table_names()) - set(without)
    placed: Content = {}
    for name in order:
        if name in tables and given.get(name):
            place = _table(connection, name)
            rows = [{key: value for key, value in row.items() if key in place.c} for row in given[name]]
            connection.execute(place.insert(), rows)
            placed[name] = rows
    if connection.dialect.name == "postgresql":
        _continue_numbering(connection, {name: _table(connection, name) for name in placed})
    return placed


def part(whole: Content, like: Content) -> Content:
    """Of ``whole`` the tables and columns that ``like`` has, too."""
    shared: Content = {}
    for name, rows in like.items():
        if name in whole and rows:
            columns = [column for column in rows[0] if not whole[name] or column in whole[name][0]]
            shared[name] = sorted(({column: row[column] for column in columns} for row in whole[name]), key=repr)
    return shared
