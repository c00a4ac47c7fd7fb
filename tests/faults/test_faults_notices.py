"""Messages to others under fire: workers and scheduler killed, Redis flushed, the receiver away; each arrives, in order, under one id."""

from __future__ import annotations

import json
import os
import sys
import time

import pytest
from sqlalchemy import select

from service.bootstrap import build
from service.ingest import ingest
from service.notify import upkeep
from service.settings import Settings
from store.migrations import upgrade
from store.models import NoticeRow, OutboxRow
from tests.support.chaos import batches, crowd, quiet
from tests.support.notifying import webhook, write
from tests.support.overseen import Overseen, killing, until
from tests.support.receiver import SECRET, Receiver
from tests.support.service_kit import KEY, shipped
from workers import process

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(600)]

EVENTS, SEED, KILLS = 1_200, 20261122, 7
SCHEDULER = [sys.executable, "-c", "from workers.process import run_scheduler; raise SystemExit(run_scheduler())"]


def test_every_message_arrives_in_order_and_under_the_same_id_whatever_dies_on_the_way(own_postgres, own_redis, tmp_path, monkeypatch):
    monkeypatch.setattr(process, "STEADY", 0.0)
    monkeypatch.setenv("NOTIFY_SECRET", SECRET)
    parts = list(batches(crowd(EVENTS, seed=SEED), seed=SEED))
    file = tmp_path / "notify.yaml"
    with own_postgres.database() as url, Receiver(tmp_path / "all.jsonl") as receiver, Receiver(tmp_path / "storm.jsonl") as storm:
        write(file, webhooks=[webhook(receiver.url, "all"), webhook(storm.url, "storm", collapse=20)])
        settings = Settings(home=tmp_path / "a", database_url=url, redis_url=own_redis.url, secret_key=KEY, notify=file)
        svc = build(settings, policies=shipped())
        upgrade(svc.engine)
        env = {
            **os.environ,
            "DATABASE_URL": url,
            "REDIS_URL": own_redis.url,
            "DUECARE_SECRET_KEY": KEY,
            "DUECARE_HOME": str(tmp_path / "w"),
            "DUECARE_NOTIFY": str(file),
            "DUECARE_LEASE_SECONDS": "4",
            "DUECARE_SWEEP_SECONDS": "0.5",
            "DUECARE_PROBATION_SECONDS": "3",
            "DUECARE_SETTLE_HOURS": "0",
            "DUECARE_DEADLINE_SETTLE_HOURS": "0",
            "DUECARE_LOG_LEVEL": "error",
        }
        workers, scheduler = Overseen([sys.executable, "-m", "workers.process"], 2, env), Overseen(SCHEDULER, 1, env)
        with workers, scheduler:
            with killing(workers, scheduler, kills=KILLS, every=2.0, seed=SEED):
                for number, part in enumerate(parts):
                    ingest(svc, part)
                    if number in (len(parts) // 4, len(parts) // 2):
                        own_redis.flush()
                    if number == len(parts) // 3:
                        receiver.stop()
                        time.sleep(2)
                        receiver.start()
            until(lambda: arrived(svc), 300, pause=0.2)
        assert workers.kills
        assert scheduler.kills
        with svc.reading() as session:
            owed = session.execute(select(OutboxRow.message_id, OutboxRow.topic, OutboxRow.key).order_by(OutboxRow.id)).all()
            sent = set(session.scalars(select(NoticeRow.message_id).where(NoticeRow.receiver == "all", NoticeRow.state == "sent")))
        lines, taken = receiver.lines(), receiver.taken()
        assert all(line["good"] for line in [*lines, *storm.lines()]), "every signature holds"
        assert {line["id"] for line in taken} == sent == {message for message, _, _ in owed}
        assert len(owed) > 200
        same = {line["id"]: json.dumps(line["body"]) for line in lines}
        assert all(same[line["id"]] == json.dumps(line["body"]) for line in lines), "what comes again is the same"
        assert in_order([line["id"] for line in taken], {message: key for message, _, key in owed}) == in_order(
            [message for message, _, _ in owed], {message: key for message, _, key in owed}
        )
        told = sum(line["body"]["data"].get("messages", 1) for line in storm.taken())
        assert told == len(owed), "the collapsed ones stand for all"
        assert any(line["body"]["type"] == "breach.collapsed" for line in storm.taken())
        assert upkeep.overview(svc).dead_count == 0
        svc.close()


def in_order(messages: list[str], keys: dict[str, str]) -> dict[str, list[str]]:
    """The messages of each key."""
    found: dict[str, list[str]] = {}
    for message in messages:
        found.setdefault(keys[message], []).append(message)
    return found


def arrived(svc) -> bool:
    """Whether nothing waits, to be judged or to be told."""
    with svc.reading() as session:
        waiting = session.scalar(select(NoticeRow.id).where(NoticeRow.state == "waiting").limit(1))
        owed = session.scalar(select(OutboxRow.id).where(OutboxRow.sent_at.is_(None), OutboxRow.available_at <= svc.now()).limit(1))
        return waiting is None and owed is None and quiet(session, svc.now())
