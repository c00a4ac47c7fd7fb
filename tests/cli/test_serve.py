"""`duecare serve`: first start, address, one-time password, an orderly end, and a port that is taken."""

from __future__ import annotations

import re
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import closing

import pytest

from tests.cli.conftest import ROOT, clean_environment

pytestmark = pytest.mark.slow


class Server:
    def __init__(self, home, port, *arguments, **environment):
        self.port = port
        self.out = home / "serve.out"
        with self.out.open("w") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "cli.main", "serve", "--port", str(port), *arguments],
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                env=clean_environment(home, **environment),
            )

    def wait(self, path="/livez", seconds=180):
        ends = time.monotonic() + seconds
        while time.monotonic() < ends and self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=60) as answer:
                    return answer.status
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(0.1)
        raise AssertionError(self.text)

    @property
    def text(self):
        return self.out.read_text("utf-8")

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(120)


@pytest.fixture
def serve(tmp_path):
    started = []

    def start(*arguments, **options):
        started.append(Server(tmp_path, *arguments, **options))
        return started[-1]

    yield start
    for server in started:
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait()


def test_the_first_start_makes_an_administrator_and_later_ones_do_not(serve, free_port):
    server = serve(free_port)
    assert server.wait() == 200
    assert server.wait("/readyz") == 200
    assert re.search(r"name: +admin\n +password: +\S{12,}\n", server.text)
    assert f"http://127.0.0.1:{free_port}/" in server.text
    assert server.end() == 0
    again = serve(free_port)
    assert again.wait() == 200
    assert "password" not in again.text
    assert again.end(signal.SIGINT) == 0


def test_a_port_that_is_taken_is_said_before_anything_is_done(serve, free_port, tmp_path):
    server = serve(free_port)
    server.wait()
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", "serve", "--port", str(free_port)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=clean_environment(tmp_path / "other"),
        timeout=180,
        check=False,
    )
    assert done.returncode == 2
    assert f"Cannot listen on 127.0.0.1:{free_port}" in done.stderr
    assert not (tmp_path / "other").exists()
    assert server.end() == 0


def test_the_demo_is_judged_in_the_process_itself(command, serve, free_port, tmp_path):
    command("db", "upgrade")
    command("demo", "load", "--families", "60")
    server = serve(free_port, "--demo")
    server.wait()
    assert "loaded already" in server.text
    with closing(sqlite3.connect(tmp_path / "duecare" / "duecare.db")) as database:
        ends = time.monotonic() + 180
        while time.monotonic() < ends and database.execute("SELECT count(*) FROM dirty").fetchone()[0]:
            time.sleep(0.2)
        assert not database.execute("SELECT count(*) FROM dirty").fetchone()[0]
        conditions = dict(database.execute("SELECT condition, count(*) FROM breach GROUP BY condition"))
    assert conditions["open"] > 10
    assert conditions["remedied"] > 1
    assert server.end() == 0
