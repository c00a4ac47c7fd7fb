"""A whole installation as processes: web, workers, schedulers, somebody who is told; on a PostgreSQL and a Redis of its own.

What the fault tests share: they break a part of it while events are posted, and ask afterwards whether anything is missing.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Self

import httpx
from sqlalchemy import select, update
from sqlalchemy.exc import SQLAlchemyError

from service import keys
from service.bootstrap import Service, build
from service.settings import Settings
from store.migrations import upgrade
from store.models import NoticeRow, OutboxRow, ReceiverRow
from tests.support import badreceiver, notifying
from tests.support.chaos import quiet, waiting
from tests.support.overseen import Overseen
from tests.support.servers import free_port
from tests.support.service_kit import KEY, shipped

PYTHON = sys.executable
BATCH = {"Content-Type": "application/cloudevents-batch+json"}
TOPICS = ["breach.opened", "breach.remedied", "breach.withdrawn"]
SETTLED = 300.0
HURRY = 1.0
"""Seconds between two reminders of what waits to be sent."""


class Installation:
    """``with Installation(...) as house``: it runs.  ``clock``: a file that says how wrong all clocks of its processes are."""

    def __init__(
        self, home: Path, url: str, redis_url: str, *, workers: int = 2, schedulers: int = 2, clock: Path | None = None, **more: str
    ) -> None:
        self.home, self.port, self.told = home, free_port(), home / "told.jsonl"
        settings = Settings(home=home / "own", database_url=url, redis_url=redis_url, secret_key=KEY)
        self.svc: Service = build(settings, policies=shipped())
        upgrade(self.svc.engine)
        _, self.token = keys.create(self.svc, name="feed", scopes=["events:write", "breaches:read"])
        self._receiver_port = free_port()
        notifying.write(
            home / "notify.yaml",
            webhooks=[notifying.webhook(f"http://127.0.0.1:{self._receiver_port}/", topics=TOPICS)],
        )
        self.env = {
            **os.environ,
            "DATABASE_URL": url,
            "REDIS_URL": redis_url,
            "DUECARE_SECRET_KEY": KEY,
            "DUECARE_HOME": str(home / "theirs"),
            "DUECARE_NOTIFY": str(home / "notify.yaml"),
            "NOTIFY_SECRET": notifying.SECRET,
            "DUECARE_LEASE_SECONDS": "4",
            "DUECARE_SWEEP_SECONDS": "0.3",
            "DUECARE_PROBATION_SECONDS": "3",
            "DUECARE_LOG_LEVEL": "error",
            **more,
        }
        run = [PYTHON, "-m"] if clock is None else [PYTHON, "-m", "tests.support.shifted", str(clock)]
        self.web = Overseen([*run, "cli.main", "serve", "--port", str(self.port)], 1, self.env)
        self.workers = Overseen([*run, "workers.process"], workers, self.env)
        self.schedulers = Overseen([*run, "cli.main", "worker", "--scheduler"], schedulers, self.env)
        listening = [PYTHON, "-m", "tests.support.badreceiver", str(self._receiver_port), str(self.told), "7"]
        self.receiver = Overseen(listening, 1, self.env)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self.client = self._stack.enter_context(
            httpx.Client(base_url=f"http://127.0.0.1:{self.port}", headers={"Authorization": f"Bearer {self.token}"}, timeout=120)
        )
        for part in (self.receiver, self.web, self.workers, self.schedulers):
            self._stack.enter_context(part)
        self.until(self._serves, "serving")
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        self.svc.close()

    def post(self, parts: Sequence[list[dict[str, Any]]], *, patience: float = 300.0) -> Counter[int]:
        """Post batches like a client that tries again until it is told that they were taken; the answers by status, 0: none."""
        answers: Counter[int] = Counter()
        ends = time.monotonic() + patience
        for part in parts:
            while True:
                assert time.monotonic() < ends, f"the events were not taken: {answers}"
                answer = self._post(part)
                answers[answer.status_code if answer is not None else 0] += 1
                if answer is not None and answer.status_code == 202:
                    assert {one["status"] for one in answer.json()["results"]} <= {"accepted", "duplicate"}
                    break
                if answer is not None:
                    assert answer.status_code in (429, 503), answer.text
                    assert int(answer.headers["Retry-After"]) >= 1
                time.sleep(0.2)
        return answers

    def settle(self) -> None:
        """Until nothing waits to be judged."""
        self.until(self._quiet, "nothing waiting")

    def tell(self) -> None:
        """Until everything that is owed has been sent."""
        self.until(self._told, "everybody told", hurry=True)

    def until(self, condition: Any, what: str, *, hurry: bool = False) -> None:
        began = hurried = time.monotonic()
        while True:
            try:
                if condition():
                    return
                if hurry and time.monotonic() - hurried > HURRY:
                    hurried = time.monotonic()
                    self._hurry()
                why = ""
            except SQLAlchemyError as error:
                why = type(error).__name__
            assert time.monotonic() - began < SETTLED, f"not {what}: {why} {self._why()}"
            time.sleep(0.1)

    def assert_everybody_was_told(self) -> int:
        """Each message that was written arrived and nothing else did; what came twice is the same under the same id.  How many did."""
        arrived = badreceiver.received(self.told)
        with self.svc.reading() as session:
            rows = session.scalars(select(OutboxRow).where(OutboxRow.topic.in_(TOPICS))).all()
            owed = {row.message_id: row.payload for row in rows}
        assert owed, "there was nothing to tell"
        assert arrived.keys() == owed.keys()
        for identity, bodies in arrived.items():
            assert len(set(bodies)) == 1, identity
            assert json.loads(bodies[0])["data"] == {name: value for name, value in owed[identity].items() if name != "at"}
        return sum(len(bodies) - 1 for bodies in arrived.values())

    def _post(self, part: list[dict[str, Any]]) -> httpx.Response | None:
        try:
            return self.client.post("/v1/events", json=part, headers=BATCH)
        except httpx.HTTPError:
            return None

    def _serves(self) -> bool:
        try:
            return self.client.get("/livez").status_code == 200
        except httpx.HTTPError:
            return False

    def _quiet(self) -> bool:
        with self.svc.reading() as session:
            return quiet(session, self.svc.now())

    def _told(self) -> bool:
        with self.svc.reading() as session:
            owed = session.scalar(select(OutboxRow.id).where(OutboxRow.sent_at.is_(None)).limit(1))
            return owed is None and session.scalar(select(NoticeRow.id).where(NoticeRow.state != "sent").limit(1)) is None

    def _hurry(self) -> None:
        """The pauses between tries are days in all; here they are over at once."""
        with self.svc.writing() as session:
            session.query(NoticeRow).filter(NoticeRow.state == "waiting").update({"next_at": 0, "attempts": 0})
            session.execute(_WAKE)

    def _why(self) -> str:
        try:
            with self.svc.reading() as session:
                return waiting(session)
        except SQLAlchemyError as error:
            return type(error).__name__


_WAKE = update(ReceiverRow).values(rest_until=None)


@contextmanager
def stalled(server: Any) -> Iterator[None]:
    """The server keeps its connections and answers nothing meanwhile."""
    server.pause()
    try:
        yield
    finally:
        server.resume()
