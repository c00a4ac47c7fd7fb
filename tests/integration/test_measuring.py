"""Processes that serve no pages tell their measurements as well, each on a port of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from service.bootstrap import Service
from service.metrics import Metrics, Standing
from service.settings import Settings
from tests.support.overseen import until
from tests.support.servers import free_port
from workers.process import tell_figures


def ask(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
        text: str = answer.read().decode()
    return text


def test_processes_of_one_machine_tell_their_figures_on_ports_of_their_own() -> None:
    port = free_port()
    first, second = Metrics(lambda: Standing(dirty=2)), Metrics()
    first.evaluations.labels("done").inc(3)
    places = [first.serve("127.0.0.1", port), second.serve("127.0.0.1", port)]
    assert places[0] is not None
    assert places[1] is not None
    assert port <= places[0] < places[1]
    told = [ask(place) for place in places if place is not None]
    assert 'duecare_evaluations_total{result="done"} 3.0' in told[0]
    assert 'duecare_evaluations_total{result="done"} 0.0' in told[1], "there from the start, so that the first one is seen as an increase"
    assert "duecare_dirty_cases" not in told[0], "the store's figures are told by the web"


def test_a_process_tells_how_much_memory_it_holds() -> None:
    [told] = [line for line in Metrics().text().decode().splitlines() if line.startswith("duecare_process_memory_bytes ")]
    assert 10e6 < float(told.split()[1]) < 10e9


def test_measurements_that_cannot_be_told_stop_no_work(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    settings = Settings(home=tmp_path, metrics_port=9464, metrics_address="no address")
    tell_figures(cast("Service", SimpleNamespace(settings=settings, metrics=Metrics())))
    assert "metrics_not_told" in caplog.text
    tell_figures(cast("Service", SimpleNamespace(settings=Settings(home=tmp_path), metrics=None)))


def test_a_scheduler_tells_what_it_has_swept(tmp_path: Path) -> None:
    port = free_port()
    named = {name: value for name, value in os.environ.items() if not name.startswith(("DUECARE_", "DATABASE_", "REDIS_", "OIDC_"))}
    named |= {"DUECARE_HOME": str(tmp_path), "DUECARE_METRICS_PORT": str(port), "DUECARE_SWEEP_SECONDS": "0.2"}
    duecare = [sys.executable, "-m", "cli.main"]
    subprocess.run([*duecare, "db", "upgrade"], env=named, check=True, capture_output=True, timeout=120)
    with subprocess.Popen([*duecare, "worker", "--scheduler"], env=named, stderr=subprocess.PIPE, text=True) as scheduler:
        try:
            assert scheduler.stderr is not None
            line = ""
            while '"metrics_told"' not in line:
                line = scheduler.stderr.readline()
                assert scheduler.poll() is None
            port = json.loads(line)["port"]  # the next one, where somebody has taken ours meanwhile
            until(lambda: 'duecare_sweeps_total{result="done"} 0.0' not in ask(port), pause=0.1)
            told = ask(port)
            assert 'duecare_sweeps_total{result="failed"} 0.0' in told
            assert 'duecare_sweeps_total{result="done"} 0.0' not in told
        finally:
            scheduler.send_signal(signal.SIGTERM)
            scheduler.communicate(timeout=120)
