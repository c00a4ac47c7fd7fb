"""`python -m bench.load`: mixed traffic at the highest rate that the production set holds, then at twice that rate.

The set of the Procfile, on a PostgreSQL (with fsync) and a Valkey of its own, all started here and ended at the end. Requests leave on a
clock, whether or not earlier ones were answered, and their time counts from when they were due to leave: waiting counts. Half of them
bring events (of made-up families), the others read as people and systems do, and some comment on a breach.

1. **Search**: the rate is doubled, then halved in on, until a trial is not held: a server's error, a refusal, more than one request in a
   hundred slower than ``SLOW``, or a case left waiting longer than ``BEHIND``.
2. **Hold**: that rate for ``--minutes``. Each minute: latency, answers, memory of every process, connections, waiting cases.
3. **Twice**: double the rate for ``--burst`` minutes, then the held rate again, and how long until nothing waits.

At the end the store is compared with the answers. Exit code 1: an event that was accepted is not there or was not judged, or a server's
error was answered.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import gc
import json
import random
import signal
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg

from bench.production import Installation, installation
from rules.catalogue import HEARTBEAT
from service.demo import population

SLOW = 1.0
"""Seconds that 99 of 100 requests may take at a rate that is held."""
BEHIND = 10.0
"""Seconds that the case that waits longest may have waited at the end of a trial."""
TRIAL = 30.0
"""Seconds of one trial of the search."""
CALLERS = 20
"""Client systems that ask, and as many people."""
SINGLE, BATCH = "application/cloudevents+json", "application/cloudevents-batch+json"
MIX = (("event", 45), ("batch", 3), ("review", 3), ("breaches", 12), ("breach", 8), ("case", 8), ("verdicts", 4), ("due", 4), ("page", 13))
"""What is asked, of 100 requests. A batch brings 20 events."""
PAGES = ("/", "/breaches", "/due-soon", "/cases", "/statistics")


@dataclass
class Told:
    """What came back in one stretch of time."""

    took: list[float] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    accepted: set[str] = field(default_factory=set)
    late: int = 0
    """Requests that had not been sent when the stretch ended: the sender itself could not keep up."""

    def slow(self, share: float) -> float:
        ordered = sorted(self.took)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0

    @property
    def errors(self) -> int:
        """Answers that nobody should get.  404: the case came just now and is not judged yet; 412: the breach has changed in between."""
        return sum(number for code, number in self.answers.items() if not code.startswith("2") and code not in {"404", "412", "429", "503"})

    @property
    def refused(self) -> int:
        return self.answers["429"] + self.answers["503"]


class Traffic:
    """Requests by a seeded choice; remembers which events were accepted, and some ids to ask for."""

    def __init__(self, base: str, token: str, cookies: httpx.Cookies, events: Iterator[dict[str, Any]], known: Sequence[str]) -> None:
        self._base, self._token, self._cookies = base, token, cookies
        self._events, self._luck = events, random.Random(7)
        self.cases, self.breaches = list(known), list[str]()
        self.accepted: set[str] = set()

    async def run(self, rate: float, seconds: float) -> Told:
        """Send ``rate`` requests a second for ``seconds``; returns when each is answered."""
        told, names, weights = Told(), [name for name, _ in MIX], [weight for _, weight in MIX]
        async with AsyncExitStack() as stack:
            systems = [
                await stack.enter_async_context(self._caller(headers={"Authorization": f"Bearer {self._token}"})) for _ in range(CALLERS)
            ]
            persons = [await stack.enter_async_context(self._caller(cookies=self._cookies)) for _ in range(CALLERS)]
            began, tasks, number = time.perf_counter(), set[asyncio.Task[None]](), 0
            while (due := began + number / rate) < began + seconds:
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                kind = self._luck.choices(names, weights)[0]
                task = asyncio.create_task(self._one(kind, due, self._luck.choice(systems), self._luck.choice(persons), told))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
                number += 1
            told.late = sum(1 for _ in tasks)
            await asyncio.gather(*tasks)
        return told

    def _caller(self, **given: Any) -> httpx.AsyncClient:
        """One of many: a client's pool of connections is slow when it has hundreds."""
        return httpx.AsyncClient(base_url=self._base, timeout=60.0, limits=httpx.Limits(max_connections=None), **given)

    async def _one(self, kind: str, due: float, api: httpx.AsyncClient, person: httpx.AsyncClient, told: Told) -> None:
        try:
            answer = await getattr(self, f"_{kind}")(api, person)
        except httpx.TransportError as error:
            told.answers[type(error).__name__] += 1
        else:
            told.answers[str(answer.status_code)] += 1
        told.took.append(time.perf_counter() - due)

    async def _send(self, api: httpx.AsyncClient, events: list[dict[str, Any]]) -> httpx.Response:
        single = len(events) == 1
        body = json.dumps(events[0] if single else events)
        answer = await api.post("/v1/events", content=body, headers={"Content-Type": SINGLE if single else BATCH})
        if answer.status_code == 202:
            results = answer.json()["results"]
            taken = [event for event, result in zip(events, results, strict=True) if result["status"] == "accepted"]
            self.accepted |= {event["id"] for event in taken if event["type"] != HEARTBEAT}
            self.cases.append(events[0]["subject"])
        return answer

    async def _event(self, api: httpx.AsyncClient, _: httpx.AsyncClient) -> httpx.Response:
        return await self._send(api, [next(self._events)])

    async def _batch(self, api: httpx.AsyncClient, _: httpx.AsyncClient) -> httpx.Response:
        return await self._send(api, [next(self._events) for _ in range(20)])

    async def _breaches(self, api: httpx.AsyncClient, _: httpx.AsyncClient) -> httpx.Response:
        answer = await api.get("/v1/breaches", params={"condition": "open", "limit": "50"})
        if answer.status_code == 200:
            self.breaches = [one["id"] for one in answer.json()["items"]] or self.breaches
        return answer

    async def _breach(self, api: httpx.AsyncClient, _: httpx.AsyncClient) -> httpx.Response:
        if not self.breaches:
            return await self._breaches(api, _)
        return await api.get(f"/v1/breaches/{self._luck.choice(self.breaches)}")

    async def _review(self, api: httpx.AsyncClient, _: httpx.AsyncClient) -> httpx.Response:
        found = await self._breach(api, _)
        if "ETag" not in found.headers:
            return found
        where = f"/v1/breaches/{found.json()['id']}/review"
        return await api.post(where, json={"action": "comment", "comment": "seen"}, headers={"If-Match": found.headers["ETag"]})

    async def _case(self, api: httpx.AsyncClient, _: httpx.AsyncClient) -> httpx.Response:
        return await api.get(f"/v1/cases/{self._luck.choice(self.cases)}")

    async def _verdicts(self, api: httpx.AsyncClient, _: httpx.AsyncClient) -> httpx.Response:
        return await api.get(f"/v1/cases/{self._luck.choice(self.cases)}/verdicts")

    async def _due(self, api: httpx.AsyncClient, _: httpx.AsyncClient) -> httpx.Response:
        return await api.get("/v1/due-soon", params={"limit": "50"})

    async def _page(self, _: httpx.AsyncClient, person: httpx.AsyncClient) -> httpx.Response:
        return await person.get(self._luck.choice(PAGES))


# --- the three parts -------------------------------------------------------------------------------------------------


def held(made: Installation, traffic: Traffic, rate: float) -> bool:
    """One trial of the search, told in a line; afterwards nothing waits any more."""
    told = asyncio.run(traffic.run(rate, TRIAL))
    seen = made.look()
    good = not told.errors and not told.refused and told.slow(0.99) <= SLOW and seen.oldest <= BEHIND
    print(
        f"{rate:6.0f}/s  {_line(told)}  waiting {seen.waiting}, the longest {seen.oldest:.1f} s  {'held' if good else 'not held'}",
        flush=True,
    )
    made.idle()
    return good


def search(made: Installation, traffic: Traffic, start: float) -> float:
    """The highest rate that is held, to an eighth."""
    low, high = 0.0, start
    while held(made, traffic, high):
        low, high = high, high * 2
    if not low:
        raise SystemExit(f"not even {start:.0f} requests a second are held")
    while high / low > 1.13:
        middle = (low + high) / 2
        low, high = (middle, high) if held(made, traffic, middle) else (low, middle)
    return low


def hold(made: Installation, traffic: Traffic, rate: float, minutes: float, name: str) -> list[Told]:
    """``rate`` for so many minutes, told minute by minute."""
    stretches = []
    for minute in range(max(1, round(minutes))):
        told = asyncio.run(traffic.run(rate, min(60.0, 60.0 * minutes)))
        seen = made.look()
        memory = ", ".join(f"{role} {size:.0f} MB" for role, size in sorted(seen.memory.items()))
        queue = f"waiting {seen.waiting} ({seen.oldest:.1f} s), {seen.connections} connections"
        print(f"{name} {minute + 1:3d}  {_line(told)}  {queue}, {memory}", flush=True)
        stretches.append(told)
    return stretches


def _line(told: Told) -> str:
    answers = " ".join(f"{code}:{number}" for code, number in sorted(told.answers.items()))
    middle = statistics.median(told.took) * 1000 if told.took else 0.0
    return f"p50 {middle:5.0f} ms, p99 {told.slow(0.99) * 1000:6.0f} ms, answers {answers}"


def compare(made: Installation, traffic: Traffic) -> bool:
    """Whether every event that was accepted is in the store, and every case judged up to its last event."""
    with psycopg.connect(made.database) as connection:
        stored = {row[0] for row in connection.execute("SELECT id FROM event")}
        unjudged = connection.execute(
            "SELECT count(DISTINCT event.case_id) FROM event LEFT JOIN case_state USING (case_id) WHERE case_state.case_id IS NULL"
        ).fetchone()
        parked = connection.execute("SELECT count(*) FROM dirty").fetchone()
    assert unjudged is not None
    assert parked is not None
    lost = len(traffic.accepted - stored)
    print(
        f"{len(traffic.accepted):,} events accepted: {lost} not in the store, {unjudged[0]} cases never judged, {parked[0]} still waiting"
    )
    return not lost and not unjudged[0] and not parked[0]


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30.0, help="how long the held rate is kept up")
    parser.add_argument("--burst", type=float, default=3.0, help="minutes at twice that rate")
    parser.add_argument("--start", type=float, default=10.0, help="requests a second with which the search begins")
    parser.add_argument("--rate", type=float, default=0.0, help="no search: hold this rate")
    parser.add_argument("--families", type=int, default=3_000, help="how many families there are events of")
    given = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    events = list(population(until=dt.datetime.now(dt.UTC), families=given.families))
    stored = len(events) // 10
    with tempfile.TemporaryDirectory() as name, installation(Path(name), events[:stored]) as (made, cookies):
        print(f"{stored:,} events stored before; judged after {made.idle():.0f} s", flush=True)
        known = sorted({event["subject"] for event in events[:stored] if "subject" in event})
        gc.freeze()
        traffic = Traffic(made.base, made.token, cookies, iter(events[stored:]), known)
        asyncio.run(traffic.run(2.0, 5.0))
        rate = given.rate or search(made, traffic, given.start)
        told = hold(made, traffic, rate, given.minutes, "hold")
        print(f"nothing waited {made.idle():.1f} s later", flush=True)
        told += hold(made, traffic, 2 * rate, given.burst, "twice") if given.burst else []
        print(f"nothing waited {made.idle():.1f} s later", flush=True)
        told += hold(made, traffic, rate, 1.0, "after")
        made.idle()
        good = compare(made, traffic)
    return 0 if good and not sum(one.errors for one in told) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
