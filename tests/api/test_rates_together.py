"""How often a caller may ask, with Redis: counted for all processes together, and by each process for itself while Redis is away."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis
import time_machine
from structlog.testing import capture_logs

from api import sharedcounts
from api.app import create_app
from api.sharedcounts import AGAIN, SharedCounts
from service import keys
from tests.api.conftest import NOW, Api
from tests.support.servers import Valkey

RATE = "3 per minute"
Processes = Callable[..., Callable[..., int]]


@pytest.fixture(autouse=True)
def at_leisure(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Redis that stands is waited for, however busy the machine is."""
    monkeypatch.setattr(sharedcounts, "PATIENCE", 60.0)


@pytest.fixture
def in_haste(at_leisure: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is outside of tests."""
    monkeypatch.setattr(sharedcounts, "PATIENCE", 0.25)


@pytest.fixture
def api(make_api: Callable[..., Api], sqlite_url: str, clock: list[int], own_redis: Valkey) -> Api:
    return make_api(sqlite_url, clock, redis_url=own_redis.url, rate_limit=RATE)


@pytest.fixture
def process(api: Api) -> Processes:
    """Makes one more web process; what it answers, as a status, to a caller."""

    def one(rate: str = RATE) -> Callable[..., int]:
        made = create_app(api.svc, rate=rate)

        def ask(token: str = api.token, address: str = "192.0.2.7") -> int:
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            return made.test_client().get("/v1/cases", headers=headers, environ_base={"REMOTE_ADDR": address}).status_code

        return ask

    return one


def test_a_caller_has_one_allowance_for_all_processes(api: Api, process: Processes, clock: list[int]) -> None:
    one, two = process(), process()
    assert [one(), two(), one(), two(), one()] == [200, 200, 200, 429, 429]
    assert two(token=api.key("cases:read")) == 200
    clock[0] += 60_001
    assert [two(), one()] == [200, 200], "by the clock of the installation, which is not that of the machine"


def test_who_is_refused_is_told_when_to_come_back(api: Api, process: Processes, clock: list[int]) -> None:
    one, client = process(), create_app(api.svc, rate=RATE).test_client()
    assert [one(), one()] == [200, 200]
    clock[0] += 40_000
    assert one() == 200
    with time_machine.travel(NOW / 1000, tick=False):
        refused: Any = client.get("/v1/cases", headers={"Authorization": f"Bearer {api.token}"})
    assert (refused.status_code, refused.json["code"]) == (429, "too_many_requests")
    assert 19 <= int(refused.headers["Retry-After"]) <= 21


def test_what_stands_in_redis_tells_no_key_and_no_address(api: Api, process: Processes, own_redis: Valkey) -> None:
    ask = process()
    assert [ask(), ask(token="")] == [200, 401]
    client = redis.Redis.from_url(own_redis.url, decode_responses=True)
    kept = [str(name) for name in client.scan_iter("duecare:asked:*")]
    [key] = keys.listed(api.svc)
    assert len(kept) == 2
    for name in kept:
        assert key.id not in name
        assert "192.0.2.7" not in name
        assert 0 < client.ttl(name) <= 60


def test_without_redis_each_process_counts_by_itself_and_says_so_once(api: Api, process: Processes, own_redis: Valkey) -> None:
    one, two = process(), process()
    assert one() == 200
    own_redis.kill()
    with capture_logs() as lines:
        assert [one() for _ in range(5)] == [200, 200, 200, 429, 429]
        assert [two() for _ in range(4)] == [200, 200, 200, 429]
    told = [line for line in lines if line["event"] == "rates_counted_by_process"]
    assert [line["log_level"] for line in told] == ["warning", "warning"], "each process says it once"


def test_a_process_may_start_while_redis_is_away(api: Api, process: Processes, own_redis: Valkey) -> None:
    own_redis.kill()
    ask = process()
    assert [ask() for _ in range(4)] == [200, 200, 200, 429]


@pytest.mark.usefixtures("in_haste")
def test_nobody_waits_for_a_redis_that_stands_still(api: Api, process: Processes, own_redis: Valkey) -> None:
    one = process()
    assert one(token="") == 401
    own_redis.pause()
    try:
        assert [one() for _ in range(4)] == [200, 200, 200, 429]
    finally:
        own_redis.resume()


@pytest.mark.usefixtures("in_haste")
def test_many_that_meet_a_lost_redis_at_once_are_all_answered(api: Api, process: Processes, own_redis: Valkey) -> None:
    ask = process("100 per minute")
    assert ask() == 200
    own_redis.pause()
    together = threading.Barrier(8)

    def at_once(_: int) -> int:
        together.wait()
        return ask()

    try:
        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(at_once, range(8))) == {200}
    finally:
        own_redis.resume()


def test_a_redis_that_is_back_is_found_by_one_request_now_and_then(own_redis: Valkey) -> None:
    seconds = [0.0]
    counts = SharedCounts("duecare://", address=own_redis.url, now=lambda: NOW, steady=lambda: seconds[0])
    assert counts.acquire_entry("k", 1, 60)
    own_redis.kill()
    with capture_logs() as lines:
        assert [counts.acquire_entry("k", 1, 60), counts.acquire_entry("k", 1, 60)] == [True, False]
        seconds[0] = AGAIN + 1
        assert not counts.acquire_entry("k", 1, 60)
        own_redis.start()
        assert not counts.acquire_entry("k", 1, 60), "tried a moment ago"
        seconds[0] = 2 * AGAIN + 1
        assert [counts.acquire_entry("k", 1, 60), counts.acquire_entry("k", 1, 60)] == [True, False]
    assert [line["event"] for line in lines] == ["rates_counted_by_process", "rates_counted_together"]


def test_a_redis_that_takes_no_more_refuses_nobody(api: Api, process: Processes, own_redis: Valkey) -> None:
    redis.Redis.from_url(own_redis.url).config_set("maxmemory", 1)
    ask = process()
    assert [ask() for _ in range(4)] == [200, 200, 200, 429]
