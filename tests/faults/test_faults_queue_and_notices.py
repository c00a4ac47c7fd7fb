"""Redis stands still, is gone and comes back empty, two schedulers run, processes are killed, and a receiver is as bad as they are."""

from __future__ import annotations

import contextlib
import random

import pytest
import redis

from tests.support.chaos import assert_same, batches, crowd, undisturbed
from tests.support.installation import Installation, stalled
from tests.support.overseen import killing
from workers import process

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(900)]

EVENTS = 300
SEED = 20261123
KILLS = 3


def test_nothing_is_lost_while_redis_stalls_and_is_gone_and_everybody_is_told(own_postgres, own_redis, tmp_path, monkeypatch):
    monkeypatch.setattr(process, "STEADY", 0.0)
    events = crowd(EVENTS, seed=SEED)
    parts = list(batches(events, seed=SEED))
    quarter = len(parts) // 4
    with own_postgres.database() as url, Installation(tmp_path, url, own_redis.url) as house:
        assert house.post(parts[:quarter]).keys() == {202}
        with stalled(own_redis):
            assert house.post(parts[quarter : 2 * quarter]).keys() == {202}, "no answer waits for Redis"
            assert "queue_unreachable" in house.client.get("/readyz").text
            house.settle()  # without Redis the schedulers judge by themselves
        own_redis.stop()
        with killing(house.workers, house.schedulers, house.receiver, kills=KILLS, every=0.7, seed=SEED):
            assert house.post(parts[2 * quarter : 3 * quarter]).keys() == {202}
        house.settle()
        own_redis.start()
        house.web.kill_one(random.Random(SEED))
        with killing(house.workers, house.schedulers, house.receiver, kills=2 * KILLS, every=0.9, seed=SEED):
            house.post(parts[3 * quarter :])
            own_redis.flush()
        house.settle()
        house.until(lambda: hints(own_redis.port) == 0, "hints being heard again")
        house.tell()
        reference = undisturbed(events, tmp_path / "reference", now=house.svc.now())
        assert_same(house.svc, reference, EVENTS - 3)
        reference.close()
        assert house.assert_everybody_was_told() > 0, "the receiver kept no answer to itself"
        assert house.workers.kills + house.schedulers.kills + house.receiver.kills == 2 * KILLS


def hints(port: int) -> int:
    with contextlib.closing(redis.Redis(port=port)) as client:
        return int(client.llen("dramatiq:evaluate"))
