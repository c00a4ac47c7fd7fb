"""An upgrade to the next version while this one's processes serve, judge and sweep: nothing is lost, doubled or refused.

The next version is this program with one revision more, as far as revisions may go: it adds a table, columns and an index.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import httpx
import pytest

from service import keys
from service.bootstrap import Service, build
from service.settings import Settings
from store import migrations
from tests.support.chaos import assert_same, crowd, quiet, undisturbed, waiting
from tests.support.service_kit import KEY, shipped

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(900)]

ROOT = Path(__file__).resolve().parents[2]
EVENTS = 1_500
LEAST_EACH = 15
"""Events that are posted in each stage."""
PATIENCE = 180.0
AT_LEISURE = """
import api.limits, api.patient
api.limits.LATE = api.patient.HEAD_SECONDS = 3600.0
api.patient.STOPPING_SECONDS = 30.0
"""
"""For gunicorn: nobody is refused because this machine is slow."""
NEXT = """
import sqlalchemy as sa
from alembic import op

from store.migrations.ahead import Index

revision, down_revision, branch_labels, depends_on = "7001", "{head}", None, None
AHEAD = (Index("ix_event_next", "event", ("case_id", "type")),)


def upgrade():
    for table in ("event", "dirty", "verdict", "breach", "breach_history", "outbox"):
        op.add_column(table, sa.Column("next_note", sa.Text(), nullable=True))
        op.add_column(table, sa.Column("next_number", sa.BigInteger(), nullable=False, server_default="0"))
    op.create_table("next_table", sa.Column("id", sa.BigInteger(), primary_key=True))
    for index in AHEAD:
        index.make(op)
"""


@pytest.fixture(scope="module")
def next_version(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the program that has one revision more."""
    folder = tmp_path_factory.mktemp("next")
    for package in ("adapters", "api", "cli", "rules", "service", "workers"):
        (folder / package).symlink_to(ROOT / package)
    shutil.copytree(ROOT / "store", folder / "store", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "store/migrations/versions/7001_next.py").write_text(NEXT.format(head=migrations.head()), "utf-8")
    return folder


class House:
    """Processes of either version on one database, one Redis and one port."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.listening = socket.socket()
        self.listening.bind(("127.0.0.1", 0))
        self.listening.listen(128)
        self.address = f"http://127.0.0.1:{self.listening.getsockname()[1]}"
        self.folder = folder
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("DUECARE_")},
            "DATABASE_URL": settings.database,
            "REDIS_URL": str(settings.redis),
            "DUECARE_SECRET_KEY": KEY,
            "DUECARE_HOME": str(folder),
            "DUECARE_SWEEP_SECONDS": "0.5",
            "DUECARE_LOG_LEVEL": "warning",
            "DUECARE_LOG_FORMAT": "json",
        }
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self, version: Path, name: str, *command: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=version,
                env={**self._environment, "PYTHONPATH": str(version)},
                stdout=log,
                stderr=log,
                pass_fds=[self.listening.fileno()],
            )
        self._running.append(process)
        return process

    def start_all(self, version: Path, name: str) -> list[subprocess.Popen[bytes]]:
        port = ["--bind", f"fd://{self.listening.fileno()}", "--chdir", str(version)]
        (self.folder / "at_leisure.py").write_text(AT_LEISURE)
        port += ["-c", str(self.folder / "at_leisure.py")]
        patient = ["--no-control-socket", "--workers", "1", "--worker-class", "api.patient.Patient", "--threads", "4", "api.wsgi:app"]
        web = self.start(version, f"{name}-web", "gunicorn", *port, *patient)
        worker = self.start(version, f"{name}-worker", "workers.process")
        scheduler = self.start(version, f"{name}-scheduler", "cli.main", "worker", "--scheduler")
        return [web, worker, scheduler]

    def run(self, version: Path, *command: str) -> subprocess.CompletedProcess[str]:
        environment = {**self._environment, "PYTHONPATH": str(version)}
        run = [sys.executable, "-m", "cli.main", *command]
        return subprocess.run(run, cwd=version, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE)

    def said(self) -> str:
        return "\n".join(f"{log.name}: {log.read_text('utf-8', errors='replace')[-1500:]}" for log in sorted(self.folder.glob("*.log")))

    def end(self, processes: Sequence[subprocess.Popen[bytes]]) -> list[int]:
        """Ask them to end, one by one; their exit codes."""
        codes = []
        for process in processes:
            process.send_signal(signal.SIGTERM)
            codes.append(process.wait(PATIENCE))
        return codes

    def close(self) -> None:
        for process in self._running:
            if process.poll() is None:
                process.kill()
                process.wait()
        self.listening.close()


class Poster:
    """Posts one event after the other until the block ends, as a client that sends again what was not answered."""

    def __init__(self, address: str, key: str, events: Sequence[dict[str, Any]]) -> None:
        self._events = events
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/cloudevents+json"}
        self._address = f"{address}/v1/events"
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._post)
        self.accepted: list[dict[str, Any]] = []
        self.odd: list[str] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(PATIENCE)

    def _post(self) -> None:
        for event in self._events:
            while not self._stop.wait(0.1):
                try:
                    answer = httpx.post(self._address, content=json.dumps(event), headers=self._headers, timeout=PATIENCE)
                except httpx.TransportError as error:
                    self.odd.append(repr(error))
                    continue
                if answer.status_code == 202:
                    self.accepted.append(event)
                    break
                self.odd.append(f"{answer.status_code} {answer.text}")


def until(met: Callable[[], bool], what: str, house: House) -> None:
    ends = time.monotonic() + PATIENCE
    while not met():
        assert time.monotonic() < ends, f"not {what}\n{house.said()}"
        time.sleep(0.05)


@contextmanager
def installation(url: str, redis_url: str, folder: Path) -> Iterator[tuple[Service, House]]:
    settings = Settings(home=folder, database_url=url, redis_url=redis_url, secret_key=KEY)
    svc = build(settings, policies=shipped())
    migrations.upgrade(svc.engine)
    house = House(settings, folder)
    try:
        yield svc, house
    finally:
        house.close()
        svc.close()


def test_an_upgrade_under_way_loses_doubles_and_refuses_nothing(pg_db, redis_db, tmp_path, next_version):
    events = [event for event in crowd(EVENTS, seed=77) if event["type"] != "source.heartbeat"]
    with installation(pg_db, redis_db, tmp_path) as (svc, house):
        _, secret = keys.create(svc, name="poster", scopes=["events:write"])
        ours = house.start_all(ROOT, "ours")
        with Poster(house.address, secret, events) as poster:

            def more(what: str) -> None:
                before = len(poster.accepted)
                until(lambda: len(poster.accepted) >= before + LEAST_EACH, f"more events {what}", house)

            more("before the upgrade")
            early = house.run(next_version, "worker", "--scheduler")
            assert (early.returncode, "run `duecare db upgrade`" in early.stderr) == (2, True)
            upgraded = house.run(next_version, "db", "upgrade")
            assert upgraded.stdout == f"The tables went from {migrations.head()} to 7001.\n", upgraded.stderr
            more("on the tables of the next version")
            assert [process.poll() for process in ours] == [None] * 3, house.said()
            late = house.start(ROOT, "ours-late", "cli.main", "worker", "--processes", "1")
            following = house.start_all(next_version, "next")
            more("with both versions at work")
            assert house.end([*ours, late]) == [0] * 4, house.said()
            more("with the next version alone")
            assert [process.poll() for process in following] == [None] * 3, house.said()
        assert poster.odd == []

        def settled() -> bool:
            with svc.reading() as session:
                return quiet(session, svc.now())

        until(settled, "quiet", house)
        with svc.reading() as session:
            assert waiting(session).startswith("0 wait")
        house.end(following)
        reference = undisturbed(poster.accepted, tmp_path / "reference", now=svc.now())
        assert_same(svc, reference, len({(event["source"], event["id"]) for event in poster.accepted}))
        reference.close()
        assert "evaluation_failed" not in house.said(), house.said()
