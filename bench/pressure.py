"""More events than can be judged: how much waits, who is sent away, and whether anything that was accepted is lost.

Some processes, each with an application of its own, post batches of new cases to one PostgreSQL as fast as they can, and come again
when Retry-After says; one worker judges.  Then the store is compared with what each sender was told.  Exit code 1: something
that was accepted is not there, was not judged, or more waited than the limit allows.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import text

from api.app import create_app
from service import evaluate, keys
from service.bootstrap import Service, build
from service.settings import Settings
from store.migrations import upgrade
from store.queue import count_waiting
from tests.support.servers import Postgres
from tests.support.service_kit import KEY, event, shipped

BATCH = "application/cloudevents-batch+json"


def service(url: str, home: Path, limit: int) -> Service:
    home.mkdir(parents=True, exist_ok=True)
    return build(Settings(home=home, database_url=url, secret_key=KEY, waiting_limit=limit), policies=shipped())


def send(number: int, url: str, home: Path, limit: int, size: int, seconds: float, token: str, told: Any) -> None:
    """One sender: posts batches until its time is over, and tells what was accepted and how often it was sent away."""
    svc = service(url, home / f"sender-{number}", limit)
    client = create_app(svc).test_client()
    accepted, away, batch = [], 0, 0
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        cases = [f"S{number}-{batch}-{n}" for n in range(size)]
        body = json.dumps(
            [event("service.connected", "2026-03-02T09:00", {"program": "cfss", "team": "north"}, case=case) for case in cases]
        )
        answer = client.post("/v1/events", data=body, content_type=BATCH, headers={"Authorization": f"Bearer {token}"})
        if answer.status_code == 202:
            accepted += cases
            batch += 1
        elif answer.status_code == 429:
            away += 1
            time.sleep(min(float(answer.headers["Retry-After"]), max(0.0, until - time.monotonic())))
        else:
            raise SystemExit(f"answered {answer.status_code}")
    told.put((accepted, away))
    svc.close()


def run(server: Postgres, folder: Path, *, senders: int, limit: int, size: int, seconds: float) -> bool:
    with server.database() as url:
        svc = service(url, folder, limit)
        upgrade(svc.engine)
        token = keys.create(svc, name="senders", scopes=("events:write",))[1]
        svc.engine.dispose()
        told: Any = multiprocessing.Queue()
        crowd = [
            multiprocessing.Process(target=send, args=(number, url, folder, limit, size, seconds, token, told)) for number in range(senders)
        ]
        for one in crowd:
            one.start()
        began, most, judged = time.monotonic(), 0, 0
        while time.monotonic() - began < seconds:
            judged += evaluate.drain(svc, budget=0.5)
            with svc.reading() as session:
                most = max(most, count_waiting(session, most=100 * limit))
        results = [told.get() for _ in crowd]
        for one in crowd:
            one.join()
        accepted = {case for cases, _ in results for case in cases}
        while more := evaluate.drain(svc):
            judged += more
        with svc.engine.connect() as connection:
            stored = set(connection.scalars(text("SELECT case_id FROM event")))
            done = set(connection.scalars(text("SELECT case_id FROM case_state")))
        away = sum(times for _, times in results)
        allowed = limit + senders * size
        print(
            f"{senders} senders, batches of {size}, limit {limit:,}, {seconds:.0f} s: {len(accepted):,} events accepted,"
            f" sent away {away:,} times; at most {most:,} cases waited (allowed {allowed:,}); accepted and not in the store:"
            f" {len(accepted - stored):,}; in the store and not judged: {len(stored - done):,}; in the store and not accepted:"
            f" {len(stored - accepted):,}"
        )
        svc.close()
        return not accepted - stored and not stored - done and not stored - accepted and most <= allowed and away > 0


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--senders", type=int, default=3)
    parser.add_argument("--limit", type=int, default=500)
    parser.add_argument("--batch", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=30.0)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name, Postgres() as server:
        good = run(server, Path(name), senders=given.senders, limit=given.limit, size=given.batch, seconds=given.seconds)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
