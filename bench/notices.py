"""`./dev bench notices`: how fast messages go out, from the outbox to a receiver that checks each signature, as ratios to bare POSTs.

Messages of many breaches, two of each, stand in the outbox of a PostgreSQL with fsync, which is started here and ended at the end.  The
receiver is a process of its own; it answers at once, or after as long as a receiver on the other side of a network takes.  Peer: the same
bodies, signed before the clock starts, sent one after another over one connection that stays open.  Before a time is printed, what arrived
is compared: each message once, those of a breach in order, every signature good.  Exit code 1: it was not so.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from bench.latency import Durable
from service.bootstrap import Service, build
from service.notify import passing, sending, webhook
from service.settings import Settings
from store import outbox
from store.migrations import upgrade
from store.outbox import Message
from tests.support.notifying import SECRET, write
from tests.support.notifying import webhook as entry
from tests.support.receiver import Receiver
from tests.support.service_kit import KEY, shipped


def messages(number: int, now: int) -> list[Message]:
    """Two of each breach: that it was found, and that it was remedied."""
    made: list[Message] = []
    for topic in ("breach.opened", "breach.remedied"):
        for breach in range(number // 2):
            told = {"id": f"b{breach}", "case": f"FAM-{breach}", "policy": "cfss", "rule": "C08", "team": "north", "office": "adelaide"}
            body = {"at": "2026-03-24T00:00:00Z", "breach": {**told, "severity": "high", "due_on": "2026-03-23", "version": len(made)}}
            made.append(Message(f"{topic}-{breach}", topic, f"FAM-{breach}", body, now))
    return made


def told(svc: Service, number: int) -> tuple[float, float]:
    """Seconds to pass so many messages on, and to send them."""
    now = svc.now()
    with svc.writing() as session:
        outbox.put(session, messages(number, now), now=now)
    began = time.perf_counter()
    passing.pass_on(svc)
    passed = time.perf_counter()
    taken = 0
    while taken < number:
        done = sending.send_due(svc, "partner")
        if done is None or done.failed or not done.taken:
            raise SystemExit(f"it stopped after {taken} of {number}: {done}")
        taken += done.taken
    return passed - began, time.perf_counter() - passed


def bare(url: str, number: int) -> float:
    """Seconds to POST the same, signed beforehand, one after another."""
    asked = []
    for one in messages(number, 0):
        body = webhook.body_of(one.topic, one.payload)
        asked.append((body, webhook.headers(one.id, body, [SECRET], now=time.time_ns() // 1_000_000)))
    parts = urlsplit(url)
    with httpx.Client(base_url=f"{parts.scheme}://{parts.netloc}", timeout=30) as client:
        client.post(parts.path, content=asked[0][0], headers=asked[0][1])
        began = time.perf_counter()
        for body, headers in asked:
            client.post(parts.path, content=body, headers=headers).raise_for_status()
        return time.perf_counter() - began


def check(receiver: Receiver, number: int) -> None:
    """Exit unless each came once, in order, and well signed."""
    came = receiver.taken()
    ids = [one["id"] for one in came]
    wrong = [one for one in receiver.lines() if not one["good"]]
    order: dict[str, list[str]] = {}
    for one in came:
        order.setdefault(one["body"]["data"]["breach"]["case"], []).append(one["body"]["type"])
    if wrong or len(ids) != number or len(set(ids)) != number or set(map(tuple, order.values())) != {("breach.opened", "breach.remedied")}:
        raise SystemExit(f"not what was owed: {len(ids)} of {number} messages, {len(set(ids))} ids, {len(wrong)} bad signatures")


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="./dev bench notices", description=__doc__)
    parser.add_argument("--messages", type=int, default=2_000)
    parser.add_argument("--slow", type=float, default=0.03, help="seconds that the distant receiver takes")
    given = parser.parse_args(arguments)
    os.environ["NOTIFY_SECRET"] = SECRET
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; {given.messages:,} messages")
    with Durable() as server, tempfile.TemporaryDirectory() as folder, server.database() as url:
        run(url, Path(folder) / "near", given.messages, 0.0)
    with Durable() as server, tempfile.TemporaryDirectory() as folder, server.database() as url:
        run(url, Path(folder) / "far", given.messages // 4, given.slow)


def run(url: str, home: Path, number: int, pause: float) -> None:
    """Print what it takes to tell a receiver that takes ``pause`` seconds for each message."""
    home.mkdir()
    with Receiver(home / "came.jsonl", pause=pause) as receiver, Receiver(home / "peer.jsonl", pause=pause) as peer:
        write(home / "notify.yaml", webhooks=[entry(receiver.url)])
        svc = build(Settings(home=home, database_url=url, secret_key=KEY, notify=home / "notify.yaml"), policies=shipped())
        upgrade(svc.engine)
        passed, sent = told(svc, number)
        check(receiver, number)
        floor = bare(peer.url, number)
        svc.close()
    where = "answers at once" if not pause else f"takes {pause * 1000:.0f} ms"
    print(f"receiver {where}: passed on {number / passed:,.0f}/s; sent {number / sent:,.0f}/s; ", end="")
    print(f"bare POSTs {number / floor:,.0f}/s; sending takes {sent / floor:.2f} times as long")


if __name__ == "__main__":
    main(sys.argv[1:])
