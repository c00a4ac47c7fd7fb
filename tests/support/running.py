"""The whole product as its own process, as `duecare serve` starts it, on a home folder of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[2]
DUECARE = (sys.executable, "-m", "cli.main")
START_SECONDS = 180.0


class Running:
    """``with Running(home) as product``: serves on ``product.address`` until the end of the block."""

    def __init__(self, home: Path, *, demo: bool = False, sources: Path | None = None) -> None:
        self.home, self.demo, self.sources = home, demo, sources
        self.address = ""
        self.password = ""
        """The administrator's one-time password, where this start made the administrator."""
        self._process: subprocess.Popen[str] | None = None

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("DUECARE_") and not name.endswith("_URL")}
        if self.sources is not None:
            kept["DUECARE_SOURCES"] = str(self.sources)
        return {**kept, "DUECARE_HOME": str(self.home), "DUECARE_LOG_LEVEL": "warning", "PYTHONUNBUFFERED": "1"}

    def __enter__(self) -> Self:
        command = [*DUECARE, "serve", "--port", "0", *(["--demo"] if self.demo else [])]
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert self._process.stdout is not None
        told = []
        ends = time.monotonic() + START_SECONDS
        for line in self._process.stdout:
            told.append(line)
            if found := re.search(r"password:\s+(\S+)", line):
                self.password = found[1]
            if found := re.search(r"serves on (http://\S+?)/? ", line):
                self.address = found[1]
                return self
            if time.monotonic() > ends:
                break
        self._process.kill()
        self._process.wait()
        raise AssertionError("the product did not start:\n" + "".join(told))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._process is not None
        self._process.terminate()
        try:
            self._process.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()

    def run(self, *arguments: str) -> str:
        """A `duecare` command on the same home; what it printed."""
        done = subprocess.run(
            [*DUECARE, *arguments], cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False, timeout=180
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def account(self, name: str, *roles: str) -> str:
        """Make an account; its one-time password."""
        return self.run("users", "create", name, *(part for role in roles for part in ("--role", role))).split()[-1]

    def post(self, events: Sequence[dict[str, Any]], key: str) -> dict[str, Any]:
        """Send a batch of CloudEvents, and give the answer."""
        request = urllib.request.Request(
            f"{self.address}/v1/events",
            data=json.dumps(list(events)).encode(),
            headers={"Content-Type": "application/cloudevents-batch+json", "Authorization": f"Bearer {key}"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            told: dict[str, Any] = json.load(answer)
        return told

    def wait(self, path: str, key: str, enough: int, *, seconds: float = 180.0) -> None:
        """Until the list at ``path`` has ``enough`` items."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            request = urllib.request.Request(f"{self.address}{path}", headers={"Authorization": f"Bearer {key}"})
            with urllib.request.urlopen(request, timeout=60) as answer:
                if len(json.load(answer)["items"]) >= enough:
                    return
            time.sleep(0.1)
        raise AssertionError(f"{path} did not come to {enough} items")
