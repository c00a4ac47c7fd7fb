"""Machines whose clocks are two days ahead, then three days behind: no breach before its time, none too late, nothing unjudged."""

from __future__ import annotations

import datetime as dt
import random

import pytest
from sqlalchemy import select

from store.models import BreachRow
from tests.support.chaos import assert_same, undisturbed
from tests.support.installation import Installation
from tests.support.service_kit import ADELAIDE, connected, visit
from tests.support.shifted import set_clock
from workers import process

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(900)]

CASES = 12


def due_today(case, now):
    """Without a safety plan by the end of the day of the third visit, which is today, C08 is breached tomorrow."""
    days = [(now - dt.timedelta(days=ago)).strftime("%Y-%m-%dT%H:%M:%S") for ago in (20, 14, 7)]
    today = (now - dt.timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%S")
    return [connected(days[0], case=case), *(visit(at, case=case) for at in (*days[1:], today))]


def test_no_breach_is_found_before_its_time_by_machines_whose_clocks_are_wrong(own_postgres, own_redis, tmp_path, monkeypatch):
    monkeypatch.setattr(process, "STEADY", 0.0)
    now = dt.datetime.now(ADELAIDE)
    if now.time() > dt.time(23, 30) or now.time() < dt.time(0, 10):
        pytest.skip("the local day ends while the test is under way")
    clock = tmp_path / "clock"
    set_clock(clock, days=2)
    batches = [due_today(f"c{number}", now) for number in range(CASES)]
    with own_postgres.database() as url, Installation(tmp_path, url, own_redis.url, workers=1, schedulers=1, clock=clock) as house:
        house.post(batches[: CASES // 2])
        house.settle()
        assert found(house) == set(), "a machine whose clock is ahead found breaches of tomorrow"
        assert "clock" in house.client.get("/readyz").text
        set_clock(clock, days=-3)
        house.workers.kill_one(random.Random(1))
        house.post(batches[CASES // 2 :])
        house.settle()
        assert found(house) == set()
        set_clock(clock, seconds=0)
        reference = undisturbed([one for batch in batches for one in batch], tmp_path / "reference", now=house.svc.now())
        assert_same(house.svc, reference, 4 * CASES)
        reference.close()


def found(house: Installation) -> set[str]:
    with house.svc.reading() as session:
        return set(session.scalars(select(BreachRow.case_id).where(BreachRow.rule == "C08")))
