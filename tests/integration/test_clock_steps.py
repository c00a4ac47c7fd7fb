"""Clocks that are wrong: one clock for all machines that share a database, and no trace of a time that was ahead."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from service import evaluate, users
from service.access import system
from service.audits import schedules as auditschedules
from service.bootstrap import build, wall_clock
from service.settings import Settings
from service.standing import troubles
from store import notices, sources
from store.clock import DatabaseClock
from store.clocksteps import SLACK, make_good
from store.models import AuditScheduleRow, OutboxRow, SourceRow, UserRow
from store.outbox import Message
from tests.support.service_kit import KEY, kit, three_visits

DAY = 86_400_000


def test_whatever_this_machine_believes_the_databases_clock_is_the_one_that_counts(pg_db: str) -> None:
    clock = DatabaseClock(pg_db, lambda: wall_clock() + 5 * DAY)
    assert abs(clock() - wall_clock()) < DAY
    assert abs(clock.apart - 5 * DAY) < DAY


def test_between_two_looks_a_step_of_this_machines_clock_changes_nothing_and_time_goes_on(pg_db: str) -> None:
    own, steady = [wall_clock()], [100.0]
    clock = DatabaseClock(pg_db, lambda: own[0], steady=lambda: steady[0])
    first = clock()
    own[0] -= 365 * DAY
    assert clock() == first
    steady[0] += 7.5
    assert clock() == first + 7_500


def test_a_database_that_is_away_leaves_the_time_going_on(own_postgres, tmp_path: Path) -> None:
    steady = [100.0]
    clock = DatabaseClock(own_postgres.url, lambda: 0, steady=lambda: steady[0])
    first = clock()
    own_postgres.kill()
    steady[0] += 60
    assert clock() == first + 60_000
    alone = DatabaseClock(own_postgres.url, lambda: 12_345)
    assert alone() == 12_345, "one that has never been told goes by its own machine"


def test_a_service_on_postgresql_goes_by_the_databases_clock_and_says_when_its_machine_does_not(pg_db: str, tmp_path: Path) -> None:
    with kit(pg_db, tmp_path) as made:
        assert not isinstance(made.svc.now, DatabaseClock), "a test's clock stays"
    svc = build(Settings(home=tmp_path, database_url=pg_db, secret_key=KEY))
    assert isinstance(svc.now, DatabaseClock)
    svc.now()
    assert "clock" not in {one.code for one in troubles(svc)}
    svc.now.apart = -3 * SLACK
    assert ["180 s behind" in one.message for one in troubles(svc) if one.code == "clock"] == [True]
    svc.close()


def test_a_breach_that_was_found_while_the_clock_was_ahead_is_withdrawn_when_it_is_set_back(store_url: str, tmp_path: Path) -> None:
    with kit(store_url, tmp_path, now="2026-03-23T12:00") as house:
        house.take(*three_visits())
        house.settle()
        assert "C08" not in house.breaches()
        house.clock.advance(days=3)
        house.settle()
        assert house.breaches()["C08"].condition == "open"
        house.clock.advance(days=-3)
        house.settle()
        assert house.breaches()["C08"].condition == "withdrawn"
        assert house.history("C08")[-1].line.reason_code == "not_due"
        house.clock.advance(days=3)
        house.settle()
        assert house.breaches()["C08"].condition == "open"
        with house.svc.reading() as session:
            topics = [row.topic for row in session.query(OutboxRow).filter(OutboxRow.payload["breach"]["rule"].as_string() == "C08")]
        assert topics == ["breach.due_soon", "breach.opened", "breach.withdrawn", "breach.opened"]


def test_a_lease_from_the_future_keeps_nobody_waiting(sqlite_url: str, tmp_path: Path) -> None:
    with kit(sqlite_url, tmp_path) as house:
        house.take(*three_visits())
        house.clock.advance(days=2)
        assert len(evaluate._claim(house.svc)[0]) == 1, "its worker dies now"
        house.clock.advance(days=-2)
        house.sweeper.sweep()
        assert house.settle() == 1
        assert house.verdict("C08") == "breached"


def test_events_taken_in_while_the_clock_was_ahead_are_put_forward_at_once(sqlite_url: str, tmp_path: Path) -> None:
    with kit(sqlite_url, tmp_path) as house:
        house.settle()
        house.clock.advance(days=2)
        house.settle()
        house.take(*three_visits())
        house.clock.advance(days=-2)
        assert house.sweeper.sweep() == 0, "a hint is given a little time"
        house.clock.advance(seconds=3)
        assert house.sweeper.sweep() == 1


def test_nothing_else_waits_for_a_time_that_was_never_there(sqlite_url: str, tmp_path: Path) -> None:
    with kit(sqlite_url, tmp_path) as house:
        now, ahead = house.clock(), house.clock() + 30 * DAY
        users.create(house.svc, name="ann", roles=["viewer"])
        with house.svc.writing() as session:
            turn = sources.begin(session, "urn:a", adapter="files", now=ahead, lease_ms=30_000)
            assert turn is not None
            sources.advance(session, "urn:a", cursor={"at": 1}, records=1, now=ahead, lease_ms=30_000)
            assert notices.begin(session, "partner", now=ahead, lease_ms=120_000)
            notices.silent(session, "partner", "no answer", rest_until=ahead)
            notices.add(session, "partner", [Message("m", "breach.opened", "k", {}, ahead)], now=ahead)
            session.query(UserRow).update({"sessions_after": ahead, "locked_until": ahead})
        with house.svc.reading() as session:
            assert notices.wanting(session, now=now) == []
            assert sources.due(session, ["urn:a"], now) == []
        house.sweeper.sweep()
        with house.svc.reading() as session:
            assert notices.wanting(session, now=now) == ["partner"]
            assert sources.due(session, ["urn:a"], now) == ["urn:a"]
            (ann,) = session.query(UserRow)
            assert (ann.sessions_after, ann.locked_until) == (now, now)
            assert session.query(SourceRow).one().cursor == {"at": 1}


def test_a_schedule_that_fired_ahead_of_its_time_fires_when_its_time_comes(sqlite_url: str, tmp_path: Path) -> None:
    with kit(sqlite_url, tmp_path, now="2026-06-01T12:00") as house:
        house.take(*three_visits())
        made = auditschedules.add(house.svc, system(), name="daily", cron="30 2 * * *", zone="Australia/Adelaide")
        house.clock.advance(days=40)
        house.settle()
        house.clock.advance(days=-40)
        house.settle()
        with house.svc.reading() as session:
            row = session.get(AuditScheduleRow, made.id)
            assert row is not None
            assert row.next_at == made.next_at
        house.clock.advance(hours=15)
        assert len(auditschedules.fire_due(house.svc)) == 1


def test_while_clocks_are_right_nothing_is_touched(store_url: str, tmp_path: Path) -> None:
    with kit(store_url, tmp_path) as house:
        house.take(*three_visits("a"), *three_visits("b"))
        house.settle()
        house.take(*three_visits("c"))
        evaluate._claim(house.svc)
        with house.svc.writing() as session:
            assert make_good(session, house.clock() - SLACK, lease_ms=house.svc.settings.lease_seconds * 1000) == {}


@pytest.mark.parametrize("back", [0, 30 * DAY])
def test_a_session_that_began_while_the_clock_was_ahead_is_over(sqlite_url: str, tmp_path: Path, back: int) -> None:
    from api.app import create_app

    with kit(sqlite_url, tmp_path) as house:
        _, password = users.create(house.svc, name="ann", roles=["viewer"])
        with house.svc.writing() as session:
            session.query(UserRow).update({"must_change": False})
        client = create_app(house.svc).test_client()
        with client.session_transaction() as cookie:
            cookie["token"] = "t"
        assert client.post("/sign-in", data={"name": "ann", "password": password, "csrf_token": "t"}).status_code in (302, 303)
        house.clock.ms -= back
        signed_in = client.get("/").status_code == 200
        assert signed_in is (back == 0)


def test_time_on_one_machine_is_asked_for_without_a_database(sqlite_url: str, tmp_path: Path) -> None:
    svc = build(Settings(home=tmp_path, database_url=sqlite_url))
    assert svc.now is wall_clock
    assert abs(svc.now() - time.time() * 1000) < DAY
    svc.close()
