"""Schedules of audits: fired once however many look, caught up with after a pause, and bound to what their maker may see."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from service import keys, users
from service.access import Access, system
from service.audits import runs as audits
from service.audits import schedules as auditschedules
from service.bootstrap import build
from service.errors import Forbidden, Invalid, NotFound, NotPossible
from store.audits import AuditScope
from tests.support.audits import finished
from tests.support.backtests import families
from tests.support.service_kit import instant, kit

NORTH = Access("user:2", "Nora", scopes=frozenset({"audits:run"}), teams=frozenset({"north"}))
SOUTH = Access("user:3", "Sam", scopes=frozenset({"audits:run"}), teams=frozenset({"south"}))
NIGHTLY: dict[str, Any] = {"name": "Every night", "cron": "30 2 * * *", "zone": "Australia/Adelaide"}


@pytest.fixture
def house(store_url, tmp_path):
    with kit(store_url, tmp_path, now="2026-03-30T12:00") as made:
        made.take(*families())
        made.settle()
        yield made


@pytest.fixture
def home(sqlite_url, tmp_path):
    with kit(sqlite_url, tmp_path, now="2026-03-30T12:00") as made:
        made.take(*families())
        made.settle()
        yield made


def made_by(svc, schedule):
    return audits.listing(svc, system(), schedule=schedule.id)


def test_each_time_is_fired_once_however_many_machines_look(house):
    schedule = auditschedules.add(house.svc, system(), **NIGHTLY)
    assert schedule.next_at == instant("2026-03-31T02:30")
    assert auditschedules.fire_due(house.svc) == []
    house.clock.set("2026-03-31T02:31")
    machines = [build(house.svc.settings, now=house.clock, policies=house.svc.installed) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        fired = [one for found in pool.map(auditschedules.fire_due, machines) for one in found]
    for machine in machines:
        machine.close()
    (audit,) = made_by(house.svc, schedule)
    assert fired == [audit.id]
    assert (audit.as_of, audit.known_at, audit.missed) == (instant("2026-03-31T02:30"), instant("2026-03-31T02:30"), 0)
    assert auditschedules.listing(house.svc, system())[0].next_at == instant("2026-04-01T02:30")
    assert finished(house.svc, audit)["kind"] == "incremental"


def test_what_came_while_nothing_was_running_is_caught_up_with_once_and_said(home):
    schedule = auditschedules.add(home.svc, system(), **NIGHTLY)
    home.clock.set("2026-04-03T09:00")
    home.sweeper.sweep()
    (audit,) = made_by(home.svc, schedule)
    assert (audit.scheduled_for, audit.as_of, audit.missed) == (instant("2026-04-03T02:30"), instant("2026-04-03T02:30"), 3)
    (kept,) = auditschedules.listing(home.svc, system())
    assert (kept.last_audit, kept.missed, kept.next_at) == (audit.id, 3, instant("2026-04-04T02:30"))
    home.sweeper.sweep()
    assert len(made_by(home.svc, schedule)) == 1


def test_the_end_of_daylight_saving_brings_no_second_audit_and_leaves_none_out(home):
    """On 5 April 2026 the clock in Adelaide goes back from 3:00 to 2:00."""
    ahead = auditschedules.times("30 2 * * *", "Australia/Adelaide", after=instant("2026-04-04T12:00"), count=2)
    assert ahead[1] - ahead[0] in (24 * 3_600_000, 25 * 3_600_000)
    assert ahead[1] == instant("2026-04-06T02:30")
    home.clock.set("2026-04-04T12:00")
    schedule = auditschedules.add(home.svc, system(), **NIGHTLY)
    for hour in range(42):
        home.clock.set("2026-04-04T12:00")
        home.clock.advance(hours=hour)
        auditschedules.fire_due(home.svc)
    assert len(made_by(home.svc, schedule)) == 2


def test_a_schedule_is_bound_to_what_its_maker_may_see_on_the_day(home):
    users.create(home.svc, name="root", roles=["administrator"], password="Winter-tide-205-bell")
    user, _ = users.create(home.svc, name="nora", roles=["manager"], teams=["north", "south"], password="Winter-tide-204-bell")
    account = replace(users.access_of(user), must_change=False)
    schedule = auditschedules.add(home.svc, account, **NIGHTLY)
    assert schedule.scope == AuditScope(teams=("north", "south"))
    users.change(home.svc, name="nora", teams=["north"])
    home.clock.set("2026-03-31T03:00")
    auditschedules.fire_due(home.svc)
    assert made_by(home.svc, schedule)[0].scope.teams == ("north",)
    users.change(home.svc, name="nora", disabled=True)
    home.clock.set("2026-04-01T03:00")
    assert auditschedules.fire_due(home.svc) == []
    (paused,) = auditschedules.listing(home.svc, system())
    assert paused.next_at is None
    assert "switched off" in (paused.paused_because or "")
    assert auditschedules.resume(home.svc, system(), schedule.id).next_at == instant("2026-04-02T02:30")


def test_a_revoked_key_makes_no_more_audits(home):
    key, _ = keys.create(home.svc, name="robot", scopes=["audits:run"])
    schedule = auditschedules.add(home.svc, keys.access_of(key), **NIGHTLY)
    keys.revoke(home.svc, key.id)
    home.clock.set("2026-03-31T03:00")
    auditschedules.fire_due(home.svc)
    assert made_by(home.svc, schedule) == []
    assert "holds no longer" in (auditschedules.listing(home.svc, system())[0].paused_because or "")


def test_schedules_are_for_those_who_may_see_what_they_cover(home):
    mine = auditschedules.add(home.svc, NORTH, **NIGHTLY)
    with pytest.raises(NotPossible, match="this name"):
        auditschedules.add(home.svc, system(), **NIGHTLY)
    assert auditschedules.listing(home.svc, SOUTH) == []
    with pytest.raises(NotFound):
        auditschedules.pause(home.svc, SOUTH, mine.id)
    assert auditschedules.pause(home.svc, NORTH, mine.id).paused_because == "paused by Nora"
    home.clock.set("2026-04-02T03:00")
    assert auditschedules.fire_due(home.svc) == []
    assert auditschedules.resume(home.svc, NORTH, mine.id).paused_because is None
    auditschedules.remove(home.svc, NORTH, mine.id)
    assert auditschedules.listing(home.svc, system()) == []
    with pytest.raises(Forbidden):
        auditschedules.listing(home.svc, Access("user:4", "Vi"))


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"cron": "never"}, "cron"),
        ({"cron": "* * * * *"}, "cron"),
        ({"cron": "0 0 30 2 *"}, "cron"),
        ({"cron": "0 0 0 2 2 *"}, "cron"),
        ({"zone": "Australia/Nowhere"}, "zone"),
        ({"zone": "../etc/passwd"}, "zone"),
        ({"name": " "}, "name"),
        ({"kind": "some"}, "kind"),
    ],
)
def test_what_names_no_time_is_refused(home, wrong, field):
    with pytest.raises(Invalid) as refused:
        auditschedules.add(home.svc, system(), **{**NIGHTLY, **wrong})
    assert [flaw.field for flaw in refused.value.flaws] == [field]
