"""The production set of the Procfile, started on databases of its own, and what can be seen of it from outside.

Imports psycopg, httpx, this package's PostgreSQL with fsync, the service and the tests' servers.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
from pydantic import SecretStr

from bench.latency import Durable
from service import keys, users
from service.bootstrap import Service, build
from service.ingest import ingest
from service.settings import Settings
from store.migrations import upgrade
from tests.support.servers import Valkey, free_port

ROOT = Path(__file__).resolve().parents[1]
PROGRAMS = Path(sys.executable).parent
SECRET = "a made up key that only this bench knows"
PASSWORD = "made up for many requests"
PATIENCE = 300.0


@dataclass(frozen=True)
class Seen:
    """The set at one moment. Memory in MB, by process."""

    memory: dict[str, float]
    connections: int
    waiting: int
    oldest: float
    """Seconds that the case which waits longest has waited."""


@dataclass(frozen=True)
class Installation:
    """The running set: its address, its database and the process that began it."""

    base: str
    database: str
    honcho: subprocess.Popen[bytes]
    token: str

    def look(self) -> Seen:
        with psycopg.connect(self.database, autocommit=True) as connection:
            row = connection.execute(
                "SELECT (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()),"
                " count(*), coalesce(extract(epoch FROM now()) - min(since) / 1000.0, 0) FROM dirty"
            ).fetchone()
        assert row is not None
        return Seen(self._memory(), int(row[0]), int(row[1]), float(row[2]))

    def _memory(self) -> dict[str, float]:
        table = subprocess.run(["ps", "-eo", "pid=,ppid=,rss=,args="], capture_output=True, text=True, check=True).stdout
        rows = [
            (int(pid), int(parent), int(size), args) for pid, parent, size, args in (line.split(None, 3) for line in table.splitlines())
        ]
        ours = {self.honcho.pid}
        while more := {pid for pid, parent, _, _ in rows if parent in ours} - ours:
            ours |= more
        named = [(_role(args), size / 1024) for pid, _, size, args in rows if pid in ours]
        return {role: max(size for name, size in named if name == role) for role, _ in named if role}

    def idle(self, patience: float = PATIENCE) -> float:
        """Seconds until no case waits. Raises SystemExit where that does not come."""
        began = time.monotonic()
        while self.look().waiting:
            if time.monotonic() - began > patience:
                raise SystemExit(f"cases still waited after {patience:.0f} s")
            time.sleep(0.5)
        return time.monotonic() - began


def _role(command: str) -> str:
    for word, role in (("--scheduler", "scheduler"), ("duecare worker", "worker"), ("workers.process", "judging"), ("gunicorn", "web")):
        if word in command and "honcho" not in command and "/bin/sh" not in command:
            return role
    return ""


@contextmanager
def installation(folder: Path, events: Sequence[dict[str, Any]]) -> Iterator[tuple[Installation, httpx.Cookies]]:
    """The production set with ``events`` taken in and judged, and a person signed in."""
    with Durable() as server, Valkey() as queue, server.database() as url:
        port = free_port()
        environment = {
            "PATH": f"{PROGRAMS}:{os.environ['PATH']}",
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "DATABASE_URL": url,
            "REDIS_URL": queue.url,
            "DUECARE_SECRET_KEY": SECRET,
            "DUECARE_HOME": str(folder / "home"),
            "PORT": str(port),
            "GUNICORN_CMD_ARGS": f"--bind 127.0.0.1:{port} --workers 2",
        }
        svc = build(Settings(home=folder / "home", database_url=url, redis_url=queue.url, secret_key=SecretStr(SECRET)))
        upgrade(svc.engine)
        scopes = ("events:write", "cases:read", "breaches:read", "breaches:review")
        token = keys.create(svc, name="bench", scopes=scopes)[1]
        made, given = users.create(svc, name="bench", roles=("manager",))
        users.change_password(svc, user_id=made.id, old=given or "", new=PASSWORD)
        _load(svc, events)
        with (folder / "honcho.log").open("wb") as log:
            honcho = subprocess.Popen(
                [str(PROGRAMS / "honcho"), "-e", str(folder / "no.env"), "-f", str(ROOT / "Procfile"), "-d", str(ROOT), "start"],
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            set_up = Installation(f"http://127.0.0.1:{port}", url.replace("+psycopg", ""), honcho, token)
            yield set_up, _signed_in(set_up)
        finally:
            honcho.terminate()
            honcho.wait(30)


def _load(svc: Service, events: Sequence[dict[str, Any]]) -> None:
    for start in range(0, len(events), 1_000):
        ingest(svc, events[start : start + 1_000], via="bench")
    svc.close()


def _signed_in(made: Installation) -> httpx.Cookies:
    until = time.monotonic() + PATIENCE
    with httpx.Client(base_url=made.base, timeout=10) as client:
        while True:
            try:
                if client.get("/readyz").status_code == 200:
                    break
            except httpx.TransportError:
                if time.monotonic() > until:
                    raise SystemExit("the set did not start") from None
            time.sleep(0.5)
        form = client.get("/sign-in").text
        [token] = re.findall(r'name="csrf_token"[^>]*value="([^"]+)"', form)[:1]
        answer = client.post("/sign-in", data={"csrf_token": token, "name": "bench", "password": PASSWORD})
        if answer.status_code not in (302, 303):
            raise SystemExit(f"signing in was answered {answer.status_code}")
        return client.cookies
