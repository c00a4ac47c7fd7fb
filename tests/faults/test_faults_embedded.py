"""The one process of an embedded installation, killed with SIGKILL again and again while events are posted to it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from service import keys
from service.bootstrap import build
from service.settings import Settings
from store.migrations import upgrade
from tests.support.chaos import assert_same, batches, crowd, quiet, undisturbed, waiting
from tests.support.service_kit import shipped

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(900)]

EVENTS = 1_500
MOST = 20
"""Events a batch: so many that a kill falls into the middle of some."""
SEED = 7
KILLS = 8


class Product:
    """`duecare serve` on a folder, started again whenever it has been killed."""

    def __init__(self, home: Path, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._command = [sys.executable, "-m", "cli.main", "serve", "--port", str(port)]
        settings = {
            "DUECARE_HOME": str(home),
            "DUECARE_SWEEP_SECONDS": "0.3",
            "DUECARE_PROBATION_SECONDS": "3",
            "DUECARE_LOG_LEVEL": "error",
        }
        kept = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
        self._env = {**kept, **settings}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, env=self._env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def wait_until_it_serves(self) -> None:
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline:
            assert self._process is not None
            if self._process.poll() not in (None, -signal.SIGKILL):
                _, said = self._process.communicate()
                raise AssertionError(said.decode())
            try:
                httpx.get(f"{self.url}/livez", timeout=2)
            except httpx.HTTPError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError("it does not serve")

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.communicate()

    def stop(self) -> None:
        assert self._process is not None
        self._process.terminate()
        try:
            self._process.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            self.kill()
            raise


def test_killing_the_one_process_loses_nothing(tmp_path, free_port):
    home = tmp_path / "house"
    svc = build(Settings(home=home), policies=shipped())
    upgrade(svc.engine)
    _, token = keys.create(svc, name="feed", scopes=["events:write"])
    events = crowd(EVENTS, seed=SEED)
    product = Product(home, free_port)
    product.start()
    product.wait_until_it_serves()
    rng, killed, done = random.Random(SEED), 0, threading.Event()

    def assassin() -> None:
        """Kills at random moments: in the middle of requests, of evaluations, and of starting up."""
        nonlocal killed
        while killed < KILLS and not done.wait(rng.uniform(0.3, 3.0)):
            product.kill()
            killed += 1
            product.start()
            if rng.random() < 0.7:
                product.wait_until_it_serves()

    hunter = threading.Thread(target=assassin)
    hunter.start()
    taken: set[str] = set()
    try:
        parts = list(batches(events, seed=SEED, most=MOST))
        with httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=60) as client:
            for number, part in enumerate(parts, 1):
                taken |= post(client, product.url, part)
                # The posting is spread over all the kills, and some of it falls after the last.
                while hunter.is_alive() and number >= (killed + 1) * len(parts) // (KILLS + 1):
                    time.sleep(0.02)
        hunter.join(300)
        assert killed == KILLS
        product.wait_until_it_serves()
        settled = time.monotonic() + 300
        while not is_quiet(svc):
            assert time.monotonic() < settled, still(svc)
            time.sleep(0.2)
        product.stop()
    finally:
        done.set()
        hunter.join(300)
        product.kill()
    accepted = {event["id"] for event in events if event["type"] != "source.heartbeat"}
    assert taken == accepted
    reference = undisturbed(events, tmp_path / "reference", now=svc.now())
    assert_same(svc, reference, len(accepted))
    svc.close()
    reference.close()


def post(client: httpx.Client, url: str, part: list[dict[str, object]]) -> set[str]:
    """Posts like a client that tries again until it has an answer; the ids that were said to be taken."""
    ends = time.monotonic() + 300
    while time.monotonic() < ends:
        try:
            answer = client.post(f"{url}/v1/events", json=part, headers={"Content-Type": "application/cloudevents-batch+json"})
        except httpx.HTTPError:
            time.sleep(0.1)
            continue
        if answer.status_code == 503:
            time.sleep(int(answer.headers["Retry-After"]))
            continue
        assert answer.status_code == 202, answer.text
        results = answer.json()["results"]
        assert {result["status"] for result in results} <= {"accepted", "duplicate"}
        return {str(event["id"]) for event in part if event["type"] != "source.heartbeat"}
    raise AssertionError("it has not come back")


def is_quiet(svc) -> bool:
    with svc.reading() as session:
        return quiet(session, svc.now())


def still(svc) -> str:
    with svc.reading() as session:
        return waiting(session)
