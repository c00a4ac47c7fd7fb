"""`honcho start` runs the whole production set: an event that is posted to it is judged, and one signal ends all of its processes."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = Path(sys.executable).parent
SAMPLE = ROOT / "tests/wheel/late_plan.jsonl"
PATIENCE = 180.0

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def environment(pg_db: str, redis_db: str, free_port: int, tmp_path: Path) -> dict[str, str]:
    return {
        "PATH": f"{PROGRAMS}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "LANG": "C.UTF-8",
        "DATABASE_URL": pg_db,
        "REDIS_URL": redis_db,
        "DUECARE_SECRET_KEY": secrets.token_urlsafe(48),
        "DUECARE_HOME": str(tmp_path / "home"),
        "PORT": str(free_port),
        "GUNICORN_CMD_ARGS": f"--bind 127.0.0.1:{free_port} --workers 1",
        "PYTHONUNBUFFERED": "1",
    }


@pytest.fixture
def production(environment: dict[str, str], tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], httpx.Client, Path]]:
    """The running set, a client of its web process, and the file that holds what it printed."""
    log = tmp_path / "honcho.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(PROGRAMS / "honcho"), "-e", str(tmp_path / "no.env"), "-f", str(ROOT / "Procfile"), "-d", str(ROOT), "start"],
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    with httpx.Client(base_url=f"http://127.0.0.1:{environment['PORT']}", timeout=PATIENCE) as client:
        yield process, client, log
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_for(met: Callable[[], bool], what: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if met():
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    pytest.fail(f"not {what} within {PATIENCE:.0f} s (exit code {process.poll()}); honcho said:\n{log.read_text(errors='replace')[-4000:]}")


def descendants(pid: int) -> set[int]:
    """The process ids of everything below ``pid`` that still runs."""
    table = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = {int(child): int(parent) for child, parent in (line.split() for line in table.splitlines())}
    found, grown = {pid}, True
    while grown:
        more = {child for child, parent in parents.items() if parent in found} - found
        found |= more
        grown = bool(more)
    return found - {pid}


def still_running(pids: set[int]) -> set[int]:
    table = subprocess.run(["ps", "-eo", "pid=,stat="], capture_output=True, text=True, check=True).stdout
    return pids & {int(pid) for pid, state in (line.split() for line in table.splitlines()) if not state.startswith("Z")}


def test_the_production_set_judges_what_is_posted_and_ends_in_order(production, environment):
    process, client, log = production
    wait_for(lambda: client.get("/readyz").status_code == 200, "ready", process, log)

    made = subprocess.run(
        [
            str(PROGRAMS / "duecare"),
            "keys",
            "create",
            "test",
            "--scope",
            "events:write",
            "--scope",
            "cases:read",
            "--scope",
            "breaches:read",
        ],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    client.headers["Authorization"] = f"Bearer {made.stdout.strip()}"
    for line in SAMPLE.read_text().splitlines():
        event: dict[str, Any] = {"content": line, "headers": {"Content-Type": "application/cloudevents+json"}}
        wait_for(lambda event=event: client.post("/v1/events", **event).status_code == 202, "taken in", process, log)

    def breached() -> bool:
        answer = client.get("/v1/breaches", params={"rule": "C08", "case": "W-1"})
        assert answer.status_code in {200, 503}, answer.text  # 503: the machine is too busy for an answer within some seconds
        return answer.status_code == 200 and bool(answer.json()["items"])

    wait_for(breached, "a breach of C08 stored", process, log)

    family = descendants(process.pid)
    assert len(family) >= 5
    process.send_signal(signal.SIGTERM)
    process.wait(PATIENCE)
    deadline = time.monotonic() + PATIENCE
    while (left := still_running(family)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not left, f"still running: {left}\n{log.read_text(errors='replace')[-3000:]}"
