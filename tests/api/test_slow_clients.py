"""Slow clients against the server that the Procfile starts: they cost open connections, and everybody else is answered meanwhile."""

from __future__ import annotations

import os
import selectors
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from gunicorn.config import Config
from gunicorn.workers.gthread import TConn

from api.patient import Patient, Timed
from service import keys
from service.bootstrap import build
from service.settings import Settings
from store.migrations import upgrade
from tests.api.conftest import event
from tests.support.servers import free_port
from tests.support.service_kit import KEY

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
SHORTER = """
import api.limits, api.patient
api.patient.HEAD_SECONDS = 3.0
api.patient.IDLE_SECONDS = 1.5
api.limits.LATE = 3600.0
"""
LONGER = """
import api.limits, api.patient
api.patient.HEAD_SECONDS = api.patient.IDLE_SECONDS = 3600.0
api.limits.LATE = 0.0
"""
PATIENCE = 120.0


class Served:
    """What the Procfile calls `web`, on a port of its own, with one process."""

    def __init__(self, port: int, token: str) -> None:
        self.port, self.token = port, token

    def connect(self, said: bytes = b"") -> socket.socket:
        made = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
        made.sendall(said)
        return made

    def lives(self) -> None:
        assert httpx.get(f"http://127.0.0.1:{self.port}/livez", timeout=PATIENCE).status_code == 200

    def post(self, number: int, padding: int = 0) -> int:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/cloudevents-batch+json"}
        more = {"note": "x" * padding} if padding else {}
        body = [event("service.connected", case=f"k{one}", data={"program": "cfss", "team": "north", **more}) for one in range(number)]
        return httpx.post(f"http://127.0.0.1:{self.port}/v1/events", json=body, headers=headers, timeout=PATIENCE).status_code


@contextmanager
def serving(home: Path, configuration: str) -> Iterator[Served]:
    """Serve as the Procfile does, with a file of configuration for gunicorn."""
    port = free_port()
    url = f"sqlite:///{home / 's.sqlite3'}"
    with closing(build(Settings(home=home, database_url=url, secret_key=KEY))) as svc:
        upgrade(svc.engine)
        _, token = keys.create(svc, name="test", scopes=["events:write"])
    (line,) = (one for one in (ROOT / "Procfile").read_text().splitlines() if one.startswith("web:"))
    (home / "configuration.py").write_text(configuration)
    words = shlex.split(line.partition("exec ")[2])
    program = str(Path(sys.executable).parent / words[0])
    command = [program, "-c", str(home / "configuration.py"), "--bind", f"127.0.0.1:{port}", *words[1:]]
    environment = {**os.environ, "DATABASE_URL": url, "DUECARE_HOME": str(home), "DUECARE_SECRET_KEY": KEY}
    for name in ("REDIS_URL", "PORT", "WEB_CONCURRENCY", "GUNICORN_CMD_ARGS"):
        environment.pop(name, None)
    with (home / "log").open("wb") as log, subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log) as process:
        made = Served(port, token)
        try:
            ends = time.monotonic() + PATIENCE
            while process.poll() is None and time.monotonic() < ends:
                try:
                    made.connect().close()
                    break
                except OSError:
                    time.sleep(0.1)
            made.lives()
            yield made
        finally:
            process.terminate()
            process.wait(PATIENCE)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("web"), SHORTER) as made:
        yield made


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """It waits for requests as long as they take to come, and refuses each because it waited for a thread."""
    with serving(tmp_path_factory.mktemp("patient"), LONGER) as made:
        yield made


HEAD = b"GET /livez HTTP/1.1\r\nHost: here\r\n"
POST = b"POST /v1/events HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n"
SLOW = {
    "nothing at all": b"",
    "half a head": HEAD + b"X-Slow: ",
    "a head and half a short body": POST + b"Content-Length: 500\r\n\r\n{",
    "a head and the beginning of a long body": POST + b"Content-Length: 9000000\r\n\r\n[",
    "a chunked body without an end": POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\n[[[[[\r\n",
    "a request, and half of another behind it": HEAD + b"\r\n" + HEAD,
}


def ended(connection: socket.socket) -> bytes:
    """What the server says until it ends the connection."""
    said = b""
    try:
        while part := connection.recv(65_536):
            said += part
    except ConnectionResetError:
        pass
    return said


@pytest.mark.parametrize("said", SLOW.values(), ids=SLOW)
def test_slow_clients_keep_nobody_from_being_served_and_are_ended(served: Served, said: bytes) -> None:
    with ExitStack() as stack:
        slow = [stack.enter_context(served.connect(said)) for _ in range(24)]
        served.lives()
        assert served.post(2) in {200, 202}
        assert b"HTTP/1.1 200" not in b"".join(ended(one) for one in slow).replace(b"HTTP/1.1 200", b"", 24)
    served.lives()


def goes_on(connection: socket.socket, part: bytes, times: int, pause: float) -> bool:
    """Whether the server keeps the connection while a part is sent time and again."""
    try:
        for _ in range(times):
            connection.sendall(part)
            time.sleep(pause)
    except OSError:
        return False
    return True


def test_a_byte_now_and_then_is_no_way_to_stay(served: Served) -> None:
    with closing(served.connect(HEAD)) as drips:
        assert not goes_on(drips, b"X", 250, 0.2)


def test_requests_that_come_in_pieces_and_on_connections_that_stay_are_answered(patient: Served) -> None:
    with closing(patient.connect()) as one:
        for _ in range(3):
            for part in (HEAD[:7], HEAD[7:20], HEAD[20:] + b"\r", b"\n"):
                one.sendall(part)
                time.sleep(0.05)
            assert one.recv(65_536).startswith(b"HTTP/1.1 200")
        one.sendall((HEAD + b"\r\n") * 3)
        said = b""
        while said.count(b"HTTP/1.1 200") < 3:
            said += one.recv(65_536)


def test_long_bodies_are_taken_in(served: Served) -> None:
    assert served.post(200, padding=5_000) in {200, 202}


def test_a_head_without_an_end_is_not_kept(patient: Served) -> None:
    with closing(patient.connect(HEAD)) as endless:
        goes_on(endless, b"X-More: " + b"x" * 500 + b"\r\n", 1_000, 0.0)
        assert ended(endless) == b"", "it is ended although its time is not over"


def test_what_came_in_time_is_served_though_nobody_had_time_to_look_at_it(monkeypatch: pytest.MonkeyPatch) -> None:
    worker: Any = Patient.__new__(Patient)
    worker.alive, worker.poller, worker.nr_conns = True, selectors.DefaultSelector(), 2
    worker._coming, worker._long = {}, set()
    served: list[TConn] = []
    monkeypatch.setattr(worker, "_give", lambda conn, **_: served.append(conn))
    with ExitStack() as stack:
        (here, there), (other, slow) = [[stack.enter_context(one) for one in socket.socketpair()] for _ in range(2)]
        came, comes = (TConn(Config(), Timed(end), "", "") for end in (here, other))
        for conn in (came, comes):
            worker._await(conn)
        there.sendall(HEAD + b"\r\n")
        slow.sendall(HEAD)
        worker._coming = dict.fromkeys(worker._coming, 0.0)
        worker.murder_pending()
        assert (served, worker._coming, worker.nr_conns, ended(slow)) == ([came], {}, 1, b"")
    worker.poller.close()


def test_what_waited_too_long_for_a_thread_is_refused_with_a_time_to_come_back(patient: Served) -> None:
    base = f"http://127.0.0.1:{patient.port}"
    told = httpx.get(f"{base}/v1/cases", headers={"Authorization": f"Bearer {patient.token}"}, timeout=PATIENCE)
    assert (told.status_code, told.headers["Retry-After"], told.json()["code"]) == (503, "5", "busy")
    page = httpx.get(f"{base}/breaches", headers={"Accept": "text/html"}, timeout=PATIENCE)
    assert (page.status_code, page.headers["Retry-After"]) == (503, "5")
    assert "Try again in a few seconds" in page.text
    assert patient.post(1) == 503
    patient.lives()
